<?php
// Whom it trusts, by their own metadata as it is at this moment.
$serviceProvider = getenv('SIMPLESAMLPHP_STATE') . '/service-provider.xml';
// SimpleSAMLphp as an identity provider of the outer tests. Everything that a start of it decides comes in the environment.
$config = [
    'baseurlpath' => getenv('SIMPLESAMLPHP_URL') . '/simplesaml/',
    'certdir' => getenv('SIMPLESAMLPHP_STATE') . '/',
    'tempdir' => getenv('SIMPLESAMLPHP_STATE') . '/temporary/',
    'datadir' => getenv('SIMPLESAMLPHP_STATE') . '/data/',
    'metadatadir' => __DIR__ . '/metadata/',
    'attributenamemapdir' => '/dev/null/',
    'timezone' => 'UTC',
    'secretsalt' => bin2hex(random_bytes(16)),
    'auth.adminpassword' => bin2hex(random_bytes(16)),
    'logging.handler' => 'stderr',
    'logging.level' => SimpleSAML\Logger::WARNING,
    'errorreporting' => false,
    'showerrors' => true,
    'enable.saml20-idp' => true,
    'module.enable' => ['core' => true, 'exampleauth' => true, 'saml' => true],
    'session.cookie.secure' => false,
    'session.cookie.samesite' => null,
    'session.phpsession.savepath' => getenv('SIMPLESAMLPHP_STATE') . '/sessions',
    'store.type' => 'phpsession',
    'metadata.sources' => [
        ['type' => 'flatfile'],
        ...(is_file($serviceProvider) ? [['type' => 'xml', 'file' => $serviceProvider]] : []),
    ],
];
