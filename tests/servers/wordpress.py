"""A real WordPress for tests: WordPress() as a context manager, on PHP's own server and a MariaDB; see server.py."""
import base64
import json
import os
import secrets
import shutil
import urllib.request

from mariadb import MariaDB
from server import Missing, Server

PROGRAM = "/usr/share/wordpress"
PLUGIN = os.path.join(os.path.dirname(os.path.abspath(__file__)), *2 * [os.pardir], "connectors", "site",
                      "wordpress-exporters.php")
# the constants decide that this site is ours, wherever its program files lie
CONFIG = """<?php
foreach (%s as $name => $value) define($name, $value);
$table_prefix = 'wp_';
require_once ABSPATH . 'wp-settings.php';
"""
ROUTER = """<?php
require_once __DIR__ . '/first.php';
$path = $_SERVER['DOCUMENT_ROOT'] . parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
if (is_file($path)) return false;
$_SERVER['SCRIPT_NAME'] = '/index.php';
require ABSPATH . 'index.php';
"""
INSTALL = """<?php
define('WP_INSTALLING', true);
$_SERVER['HTTP_HOST'] = '127.0.0.1';
require ABSPATH . 'wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';
$made = wp_install('Site', 'exporter', 'owner@host.example', false, '', wp_generate_password());
update_option('permalink_structure', '/%postname%/');
[$password] = WP_Application_Passwords::create_new_application_password($made['user_id'], ['name' => 'dsard']);
echo "\\npassword: $password\\n";
"""


class WordPress(Server):
    """`url` is the site, whose API takes `user` and `password` by basic authentication."""

    user = "exporter"

    def find(self):
        self.php = shutil.which("php")
        if not self.php or not os.path.exists(PROGRAM):
            raise Missing("WordPress is not installed; Debian's packages are wordpress, php-cli and php-mysql")
        self.below = self.database = MariaDB()
        self.password = None

    def make(self):
        """A folder that stands for the program's, with a configuration and content of its own."""
        for name in os.listdir(PROGRAM):
            if name not in ("wp-config.php", "wp-content"):
                os.symlink(os.path.join(PROGRAM, name), os.path.join(self.data, name))
        for name in ("mu-plugins", "uploads"):
            os.makedirs(os.path.join(self.data, "wp-content", name))
        os.symlink(os.path.join(PROGRAM, "wp-content", "themes"), os.path.join(self.data, "wp-content", "themes"))
        shutil.copy(PLUGIN, os.path.join(self.data, "wp-content", "mu-plugins"))
        for at, _, _ in os.walk(os.path.join(self.data, "wp-content")):
            self.give(at)
        secret = secrets.token_hex(16)
        self.database.query(f"CREATE DATABASE site; CREATE USER site@localhost IDENTIFIED BY '{secret}'; "
                            "GRANT ALL ON site.* TO site@localhost")
        self.constants = {
            "DB_NAME": "site", "DB_USER": "site", "DB_PASSWORD": secret, "DB_CHARSET": "utf8mb4", "DB_COLLATE": "",
            "DB_HOST": f"localhost:{self.database.socket}", "WP_ENVIRONMENT_TYPE": "local", "DISABLE_WP_CRON": True,
            "WP_HTTP_BLOCK_EXTERNAL": True, "AUTOMATIC_UPDATER_DISABLED": True,
            "WP_CONTENT_DIR": os.path.join(self.data, "wp-content")}

    def write(self, name, text):
        path = os.path.join(self.data, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        self.give(path)
        return path

    def arguments(self):
        """Of every PHP: where the site is, before anything else is read."""
        first = self.write("first.php", f"<?php defined('ABSPATH') || define('ABSPATH', '{self.data}/');")
        return [self.php, "-d", "auto_prepend_file=" + first, "-d", "sendmail_path=/bin/true", "-d", "memory_limit=256M"]

    def command(self):
        constants = {**self.constants, "WP_SITEURL": self.url, "WP_HOME": self.url}
        self.write("wp-config.php", CONFIG % f"json_decode('{json.dumps(constants)}', true)")
        if not self.password:
            said = self.run_php(INSTALL)
            self.password = said.rpartition("password: ")[2].strip()
        return [*self.arguments(), "-S", f"127.0.0.1:{self.port}", "-t", self.data, self.write("router.php", ROUTER)]

    def run_php(self, code):
        """Runs PHP code, which begins with <?php; what it prints. After the installation it may load wp-load.php."""
        return self.run(*self.arguments(), self.write("script.php", code))

    def probe(self):
        self.call("GET", "/wp/v2/users/me")

    def call(self, method, path, value=None):
        """A call below /wp-json; what it answers."""
        token = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        request = urllib.request.Request(
            f"{self.url}/wp-json{path}", method=method,
            headers={"Authorization": "Basic " + token, "Content-Type": "application/json"},
            data=None if value is None else json.dumps(value).encode())
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())
