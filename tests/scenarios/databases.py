"""What the scenarios of the sql engine share: real database servers, and the engine as dsard speaks to it.

Programs are those of $DSAR_BUILD.
"""
import json
import os
import re
import sys
import unittest

import harness

sys.path[:0] = [os.path.join(harness.ROOT, "tests", each) for each in ("servers", "conformance")]
import mariadb  # noqa: E402
import peer  # noqa: E402
import postgres  # noqa: E402
import server  # noqa: E402

ENGINE = os.path.join(harness.BUILD, "libexec", "dsard", "dsar-sql")
PASSWORD = "correct horse ' battery \\ staple"


class Product:
    """A server with a database "product" and a user "exporter" who may read it, and how the engine gets into it."""

    def settings(self, **changes):
        """By TCP to this machine; None takes a setting away."""
        return harness.merged({"driver": self.driver, "host": "127.0.0.1", "port": self.port, "database": "product",
                               "user": "exporter"}, changes)

    def do(self, sql):
        return self.query(sql, "product")


class MariaDB(Product, mariadb.MariaDB):
    driver = "mariadb"

    def make_product(self):
        self.query("CREATE DATABASE product CHARACTER SET utf8mb4;"
                   "SET SESSION sql_mode='NO_BACKSLASH_ESCAPES';"
                   f"CREATE USER exporter@'%' IDENTIFIED BY '{PASSWORD.replace(chr(39), chr(39) * 2)}';"
                   "GRANT SELECT ON product.* TO exporter@'%';")

    def socket_settings(self):
        return self.settings(host=None, port=None, socket=self.socket)


class PostgreSQL(Product, postgres.PostgreSQL):
    driver = "postgresql"

    def make_product(self):
        quoted = PASSWORD.replace("'", "''")
        self.query(f"CREATE USER exporter PASSWORD '{quoted}'")
        self.query("CREATE DATABASE product")
        self.query("GRANT USAGE ON SCHEMA public TO exporter;"
                   "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO exporter;", "product")

    def socket_settings(self):
        return self.settings(host=None, socket=self.folder)


def collection(name, sql, owner="owner", **more):
    return {"name": name, "title": name.title(), "category": "things", "needs": {"id": "uint>1"}, "sql": sql,
            "assert": [{"column": owner, "equals_identity": "id"}], **more}


def profile(*collections, **more):
    return {"profile": 1, "name": "test/things", "title": "Things", "engine": "sql", "version": "1",
            "collections": list(collections), **more}


class Outcome:
    """What a fetch brought."""

    def __init__(self):
        self.records, self.ends, self.withheld, self.done = {}, {}, [], None

    def take(self, message, payload):
        if message["type"] == "record":
            lines = payload.decode().split("\n")
            assert len(lines) == message.get("count", 1), message
            self.records.setdefault(message["collection"], []).extend(lines)
        elif message["type"] == "end":
            self.ends[message["collection"]] = message
        elif message["type"] == "withheld":
            self.withheld.append((message["collection"], message["count"], message["reason"]))
        elif message["type"] == "done":
            self.done = message

    def code(self, name):
        """Why the collection is not complete; None when it is."""
        end = self.ends[name]
        return None if end["status"] == "complete" else end["code"]

    def texts(self):
        """Everything that is said of failures."""
        return " ".join(end.get("text", "") for end in self.ends.values())


class Engine:
    """The engine at work with a profile, a path or an object, past the handshake."""

    def __init__(self, folder, what, settings, password=PASSWORD):
        path = what if isinstance(what, str) else harness.save(os.path.join(folder, "profile.json"), what)
        self.peer = peer.Connector([ENGINE, "--profile", path])
        self.hello = self.peer.hear()
        self.refusal = None
        if not self.hello:
            return
        self.peer.say(type="configure", settings=settings, secrets={"password": password} if password else {})
        answer, _ = self.peer.hear()
        if answer["type"] != "ready":
            self.refusal = answer

    def ask(self, kind, identities, deadline_ms=300000, **more):
        self.peer.say(type=kind, request="r", deadline_ms=deadline_ms, identities=[
            {"kind": name, "value": value} for name, value in identities], **more)

    def resolve(self, *identities):
        """The identities that are found, and the message that ends it."""
        self.ask("resolve", identities)
        found = []
        while True:
            message, _ = self.peer.hear(harness.PATIENCE_S)
            if message["type"] == "done":
                return found, message
            if message["type"] == "identity":
                found.append((message["kind"], message["value"]))

    def begin(self, *collections, identities=(("id", "7"),), **more):
        self.ask("fetch", identities, collections=list(collections), **more)

    def hear_all(self, outcome=None):
        outcome = outcome or Outcome()
        while not outcome.done:
            outcome.take(*self.peer.hear(harness.PATIENCE_S))
        return outcome

    def fetch(self, *collections, **more):
        self.begin(*collections, **more)
        return self.hear_all()

    def close(self):
        """It leaves when its input ends, and leaves well."""
        status = self.peer.leave()
        self.peer.end()
        self.peer.process.stdin.close()
        expected = 0 if self.hello else 2
        if status != expected:
            raise AssertionError(f"the engine left with status {status} instead of {expected}")

    def memory_kib(self):
        """The most that it has ever had in memory."""
        with open(f"/proc/{self.peer.process.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmHWM:\s+(\d+) kB", status.read()).group(1))


def on_each(test):
    """A test of each server: test(self, server)."""
    def run(self):
        for each in self.servers:
            with self.subTest(each.driver):
                test(self, each)
    return run


class Databases(harness.Scenario):
    """Tests on both servers, which are there for all tests of a class: see on_each."""

    tls = False

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        try:
            cls.servers = [cls.enterClassContext(kind(tls=cls.tls)) for kind in (MariaDB, PostgreSQL)]
        except server.Missing as missing:
            if os.environ.get("CI") == "true":
                raise
            raise unittest.SkipTest(str(missing)) from None
        for each in cls.servers:
            each.make_product()

    def engine(self, what, settings, password=PASSWORD):
        engine = Engine(self.folder, what, settings, password)
        self.addCleanup(engine.close)
        return engine



def values(line):
    """A record's members, each number as its digits stand."""
    return json.loads(line, parse_float=str, parse_int=str)
