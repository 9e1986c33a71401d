#!/usr/bin/env python3
"""A person with a million rows on real MariaDB and PostgreSQL servers: each comes once, in constant memory.

Prints what engine and daemon had in memory at most. Under a sanitizer it is only printed."""
import os
import re
import time
import unittest

import databases
import exports
import harness
from databases import collection, on_each, profile

ROWS = 1000000
LIMIT_KIB = 64 * 1024
COLUMNS = "id, owner, text, amount, at"
# one in eleven is another's
FILL = {
    "mariadb": f"INSERT INTO big SELECT seq, IF(seq % 11, 7, 8), CONCAT('row ', seq, REPEAT(' text', 20)), seq / 100, "
               f"NOW() FROM seq_1_to_{ROWS * 11 // 10}",
    "postgresql": f"INSERT INTO big SELECT i, CASE i % 11 WHEN 0 THEN 8 ELSE 7 END, 'row ' || i || repeat(' text', 20), "
                  f"i / 100.0, now() FROM generate_series(1, {ROWS * 11 // 10}) i",
}


class Memory(databases.Databases, exports.Exports):
    def count(self, engine):
        """The rows of the fetch that has begun, each a row of the person's and behind the one before."""
        rows, last = 0, 0
        while True:
            message, payload = engine.peer.hear(databases.harness.PATIENCE_S)
            if message["type"] == "record":
                for line in payload.split(b"\n"):
                    number, owner = line.split(b",", 2)[:2]
                    number = int(number.removeprefix(b'{"id":'))
                    self.assertTrue(number > last and owner == b'"owner":7', line)
                    rows, last = rows + 1, number
            elif message["type"] == "end":
                self.assertEqual((message["status"], message["count"]), ("complete", rows), message)
            elif message["type"] == "done":
                return rows

    def fill(self, server):
        server.do("CREATE TABLE big (id BIGINT PRIMARY KEY, owner INT, text VARCHAR(200), amount DECIMAL(12,2), at TIMESTAMP)")
        server.do(FILL[server.driver] + "; CREATE INDEX big_owner ON big (owner, id)")
        self.assertEqual(server.do("SELECT COUNT(*) FROM big WHERE owner = 7").strip(), str(ROWS))

    def export(self, server):
        """The whole way: dsard, the bundle opened."""
        email = harness.people.ALICE["email"]
        server.do(f"CREATE TABLE people (id INT PRIMARY KEY, email VARCHAR(100)); INSERT INTO people VALUES (7, '{email}')")
        path = harness.save(self.path(f"{server.driver}.json"), profile(
            collection("whole", f"SELECT {COLUMNS} FROM big WHERE owner = :id ORDER BY id"),
            resolve=[{"needs": {"email": "text"}, "sql": "SELECT id, email FROM people WHERE email = :email",
                      "assert": [{"column": "email", "equals_identity": "email"}], "evidence": "address",
                      "yields": {"id": {"column": "id", "type": "uint>1"}}}]))
        secret = self.path("password")
        with open(os.open(secret, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
            file.write(databases.PASSWORD)
        config = self.configure(None, {**dict.fromkeys(harness.SOURCES), "things": {
            "name": "things", "title": "Things", "connector": "sql", "profile": path,
            "settings": server.settings(timeout_ms=300000, password_file=secret)}})
        request = harness.save(self.path("request.json"), harness.request_for("alice", self.keys))
        out = self.path("out", server.driver)
        os.mkdir(out)
        dsard = self.start(harness.DSARD, "once", "-c", config, "--request", request, "--out", out)
        most = exports.memory_kib(dsard)
        self.assertEqual(dsard.popen.wait(), 0, dsard.log())
        print(f"{server.driver}, exported: dsard at most {most['dsard'] / 1024:.1f} MiB, dsar-sql "
              f"{most['dsar-sql'] / 1024:.1f} MiB", flush=True)
        answer = harness.records(harness.open_bundle(*[re.search(rf"(?m)^{each}: (.+)$", dsard.log())[1]
                                                       for each in ("bundle", "outcome")], self.keys.recipient))
        self.assertEqual(len(answer["things"]["whole"]), ROWS)
        if not harness.is_sanitized(databases.ENGINE):
            self.assertLess(max(most.values()), LIMIT_KIB)

    @on_each
    def test_a_million_rows(self, server):
        self.fill(server)
        paged = f"SELECT {COLUMNS} FROM big WHERE owner = :id AND id > :after ORDER BY id LIMIT :n"
        engine = self.engine(profile(collection("paged", paged, page={"after": "id", "n": 10000}),
                                     collection("whole", f"SELECT {COLUMNS} FROM big WHERE owner = :id ORDER BY id")),
                             server.settings(timeout_ms=300000))
        for name in ("paged", "whole"):
            begun = time.monotonic()
            engine.begin(name, deadline_ms=600000)
            self.assertEqual(self.count(engine), ROWS)
            print(f"{server.driver}, {name}: {ROWS} rows in {time.monotonic() - begun:.1f} s, engine at most "
                  f"{engine.memory_kib() / 1024:.1f} MiB", flush=True)
        if not harness.is_sanitized(databases.ENGINE):
            self.assertLess(engine.memory_kib(), LIMIT_KIB)
        self.export(server)


if __name__ == "__main__":
    unittest.main()
