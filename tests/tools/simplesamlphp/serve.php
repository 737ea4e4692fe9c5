<?php
// For PHP's own web server: SimpleSAMLphp's pages with their scripts and styles, and nothing else.
$root = getenv('SIMPLESAMLPHP_ROOT') . '/www';
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
if (preg_match('~^/simplesaml(/resources/[\w/-]+\.(js|css))$~', $path, $parts) && is_file($root . $parts[1])) {
    header('Content-Type: ' . ($parts[2] === 'js' ? 'text/javascript' : 'text/css'));
    readfile($root . $parts[1]);
    return;
}
if (!preg_match('~^/simplesaml(/[\w/-]+\.php)(/.*)?$~', $path, $parts) || !is_file($root . $parts[1])) {
    http_response_code(404);
    return;
}
$_SERVER['SCRIPT_NAME'] = '/simplesaml' . $parts[1];
$_SERVER['SCRIPT_FILENAME'] = $root . $parts[1];
$_SERVER['PHP_SELF'] = $path;
$_SERVER['PATH_INFO'] = $parts[2] ?? '';
chdir(dirname($_SERVER['SCRIPT_FILENAME']));
require $_SERVER['SCRIPT_FILENAME'];
