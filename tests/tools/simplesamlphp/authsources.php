<?php
$person = fn (string $email) => ['uid' => [strstr($email, '@', true)], 'mail' => [$email], 'groups' => ['staff']];
$config = [
    'people' => [
        'exampleauth:UserPass',
        'ada@simplesamlphp-customer.example:password' => $person('ada@simplesamlphp-customer.example'),
        'mallory@elsewhere.example:password' => $person('mallory@elsewhere.example'),
    ],
];
