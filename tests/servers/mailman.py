"""A real Mailman 3 for tests: Mailman() as a context manager, its REST API alone; see server.py."""
import base64
import json
import os
import secrets
import urllib.parse
import urllib.request

from server import Missing, Server

RUNNER, COMMAND = "/usr/lib/mailman3/bin/runner", "/usr/lib/mailman3/bin/mailman"


class Mailman(Server):
    """`url` is its API, which takes `user` and `password` by basic authentication."""

    user = "exporter"

    def find(self):
        if not os.path.exists(RUNNER):
            raise Missing("Mailman 3 is not installed; Debian's package is mailman3")
        self.password = secrets.token_hex(16)

    def make(self):
        """Its folders come with the start."""

    def command(self):
        with open(self.file("mailman.cfg"), "w", encoding="utf-8") as file:
            file.write(f"""[mailman]
layout: here
site_owner: owner@lists.example.test
[paths.here]
var_dir: {self.data}
[database]
class: mailman.database.sqlite.SQLiteDatabase
url: sqlite:///{self.data}/mailman.db
[webservice]
hostname: 127.0.0.1
port: {self.port}
admin_user: {self.user}
admin_pass: {self.password}
workers: 1
[mta]
incoming: mailman.mta.null.NullMTA
""")
        self.give(file.name)
        return [RUNNER, "--config=" + file.name, "--runner=rest:0:1"]

    def post(self, address, text):
        """A message to a list, which Mailman judges at once."""
        path = self.file("message")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        self.give(path)
        config = "--config=" + self.file("mailman.cfg")
        self.run(COMMAND, config, "inject", "--filename", path, address)
        self.run(RUNNER, config, "--once", "--runner=in:0:1")

    def probe(self):
        self.call("GET", "/system/versions")

    def call(self, method, path, **form):
        """A call below /3.1; what it answers, or None."""
        token = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        request = urllib.request.Request(f"{self.url}/3.1{path}", method=method,
                                         headers={"Authorization": "Basic " + token},
                                         data=urllib.parse.urlencode(form).encode() if form else None)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")
