<?php
// What a story changes while the server runs.
$choices = getenv('SIMPLESAMLPHP_STATE') . '/choices.json';
$choices = is_file($choices) ? json_decode(file_get_contents($choices), true) : [];
$metadata['__DYNAMIC:1__'] = $choices + [
    'host' => '__DEFAULT__',
    'privatekey' => 'key.pem',
    'certificate' => 'certificate.pem',
    'signature.algorithm' => 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    'auth' => 'people',
    'simplesaml.nameidattribute' => 'uid',
    'saml20.sign.response' => false,
    'saml20.sign.assertion' => true,
];
