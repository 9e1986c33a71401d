"""A real Tryton for tests: Tryton() as a context manager, its modules in a PostgreSQL of its own; see server.py.

Nothing is served: connectors read the database. `run_tryton` works with Tryton's own objects in a process of Debian's Python.
"""
import os
import secrets

from postgres import PostgreSQL
from server import Missing

PYTHON, ADMIN = "/usr/bin/python3", "/usr/bin/trytond-admin"
MODULES = ("account_invoice", "sale")
INSIDE = "/usr/lib/python3/dist-packages"
BEGIN = """import datetime, os, sys
os.environ['DB_NAME'] = {database!r}  # of Tryton's tools for tests
from decimal import Decimal
from proteus import Model, Wizard, config
config.set_trytond({uri!r}, config_file={config!r})
"""


class Tryton(PostgreSQL):
    """`reader` may read what is in `database` and no more, with `password`."""

    database, reader = "tryton", "reader"

    def find(self):
        super().find()
        needed = [os.path.join(INSIDE, "trytond", "modules", name) for name in MODULES]
        if not all(map(os.path.exists, [ADMIN, os.path.join(INSIDE, "proteus"), *needed])):
            raise Missing("Tryton is not installed; Debian's packages are tryton-server, tryton-proteus, "
                          "tryton-modules-account-invoice and tryton-modules-sale")
        self.password, self.owner_password = secrets.token_hex(16), secrets.token_hex(16)

    def __enter__(self):
        super().__enter__()
        try:
            self.install()
        except BaseException:
            self.close()
            raise
        return self

    @property
    def uri(self):
        return f"postgresql://owner:{self.owner_password}@127.0.0.1:{self.port}/"

    def write(self, name, text):
        with open(self.file(name), "w", encoding="utf-8") as file:
            file.write(text)
        self.give(file.name)
        return file.name

    def install(self):
        self.query(f"CREATE ROLE owner LOGIN PASSWORD '{self.owner_password}'")
        self.query(f"CREATE ROLE {self.reader} LOGIN PASSWORD '{self.password}'")
        self.query(f"CREATE DATABASE {self.database} OWNER owner")
        self.query(f"ALTER DEFAULT PRIVILEGES FOR ROLE owner GRANT SELECT ON TABLES TO {self.reader}", self.database)
        config = self.write("trytond.conf", f"[database]\nuri = {self.uri}\npath = {self.folder}/files\n")
        secret = self.write("admin", secrets.token_hex(16))
        self.run("/usr/bin/env", "TRYTONPASSFILE=" + secret, PYTHON, ADMIN, "-c", config, "-d", self.database,
                 "--email", "owner@host.example", "-u", *MODULES, "--activate-dependencies")

    def run_tryton(self, code):
        """Runs Python code that may use proteus' Model; what it prints."""
        begin = BEGIN.format(database=self.database, uri=self.uri + self.database, config=self.file("trytond.conf"))
        return self.run(PYTHON, self.write("script.py", begin + code))
