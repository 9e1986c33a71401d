"""A real PowerDNS for tests: PowerDNS() as a context manager, with its zones in SQLite; see server.py."""
import json
import os
import secrets
import shutil
import sqlite3
import urllib.request

from server import Missing, Server, free_port

SCHEMA = "/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql"


class PowerDNS(Server):
    """`url` is its API, which takes `key` in X-API-Key."""

    def find(self):
        self.program = shutil.which("pdns_server", path=os.defpath + ":/usr/sbin")
        if not self.program or not os.path.exists(SCHEMA):
            raise Missing("PowerDNS is not installed; Debian's packages are pdns-server and pdns-backend-sqlite3")
        self.key = secrets.token_hex(16)

    def make(self):
        path = os.path.join(self.data, "zones.sqlite")
        with open(SCHEMA, encoding="utf-8") as file:
            zones = sqlite3.connect(path)
            zones.executescript(file.read())
            zones.close()
        self.give(path)

    def command(self):
        settings = {"launch": "gsqlite3", "gsqlite3-database": os.path.join(self.data, "zones.sqlite"),
                    "local-address": "127.0.0.1", "local-port": free_port(), "socket-dir": self.data, "api": "yes",
                    "api-key": self.key, "webserver": "yes", "webserver-address": "127.0.0.1",
                    "webserver-port": self.port, "guardian": "no", "daemon": "no", "receiver-threads": 1,
                    "distributor-threads": 1, "signing-threads": 1}
        with open(self.file("pdns.conf"), "w", encoding="utf-8") as file:
            file.writelines(f"{name}={value}\n" for name, value in settings.items())
        self.give(file.name)
        return [self.program, "--config-dir=" + self.folder]

    def probe(self):
        self.call("GET", "")

    def call(self, method, path, value=None):
        """A call below /api/v1/servers/localhost; what it answers, or None."""
        request = urllib.request.Request(
            f"{self.url}/api/v1/servers/localhost{path}", method=method, headers={"X-API-Key": self.key},
            data=None if value is None else json.dumps(value).encode())
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or b"null")
