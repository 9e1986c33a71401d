#!/usr/bin/env python3
"""The forum of the example host on a real MariaDB and a real PostgreSQL: what the product holds of a person is in the person's
bundle, and nothing of anybody else is."""
import os
import re
import unittest

import databases
import exports
import harness
from databases import PASSWORD, on_each
from harness import canaries, people

TYPES = {"INTEGER": "BIGINT", "TEXT": "VARCHAR(500)"}
# phpBB's installer lets texts be compared byte by byte
OPTIONS = {"mariadb": " ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", "postgresql": ""}
# a collection, and where the product has it
COUNTED = {"account": ("users", "user_id"), "posts": ("posts", "poster_id"), "private_messages": ("privmsgs_to", "user_id"),
           "sessions": ("sessions", "session_user_id"), "log": ("log", "reportee_id")}


def literal(value):
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


def schema(driver):
    """tests/fakes/phpbb.sql in the words of another database."""
    with open(os.path.join(harness.ROOT, "tests", "fakes", "phpbb.sql"), encoding="utf-8") as ddl:
        text = ddl.read()
    for name, kind in TYPES.items():
        text = re.sub(rf"\b{name}\b", kind, text)
    return re.sub(r"^\);", f"){OPTIONS[driver]};", text, flags=re.MULTILINE)


class Forum(exports.Exports, databases.Databases):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for server in cls.servers:
            rows = [f"INSERT INTO phpbb_{table} ({', '.join(row)}) VALUES ({', '.join(map(literal, row.values()))});"
                    for table, rows in people.PHPBB.items() for row in rows]
            mode = "SET sql_mode='NO_BACKSLASH_ESCAPES';" if server.driver == "mariadb" else ""
            server.do(mode + schema(server.driver) + "\n".join(rows))

    def on(self, server, changes=None):
        settings = {**server.settings(), "path": None, "password_file": self.secret(), **(changes or {})}
        return self.configure(sources={"forum": {"settings": settings}})

    def secret(self):
        return harness.host.keep_secret(self.folder, "forum-password", PASSWORD)

    @on_each
    def test_each_person_gets_what_the_forum_holds_of_them(self, server):
        for person in ("alice", "malice", "carol"):
            with self.subTest(person):
                answer = self.ask(person, self.on(server))
                self.assertEqual(answer.status, 0, answer.errors)
                self.assertEqual(answer.statuses["forum"], "complete", answer.manifest["sources"])
                self.assertEqual(harness.counted(answer.entries)["forum"], harness.held(person)["forum"])
                self.assertEqual(canaries.missing(person, answer.data_text), [])
                self.assertEqual(canaries.leaked(person, answer.whole_text), [])
                self.check_against_the_product(server, person, harness.records(answer.entries)["forum"])

    def check_against_the_product(self, server, person, records):
        """The product itself counts."""
        user = people.PEOPLE[person]["forum"]
        for name, (table, column) in COUNTED.items():
            held = int(server.do(f"SELECT COUNT(*) FROM phpbb_{table} WHERE {column} = {user}"))
            self.assertEqual(len(records.get(name, [])), held, name)

    @on_each
    def test_what_others_wrote_to_the_person_is_given_without_who_wrote_it(self, server):
        answer = self.ask("alice", self.on(server))
        received, sent = harness.records(answer.entries)["forum"]["private_messages"]
        self.assertEqual((received["direction"], received["sender"], received["message_text"]),
                         ("received", "***", "<t>canary-pm-bob-to-alice-27a1, write to ***@***</t>"))
        self.assertEqual((sent["direction"], sent["sender"]), ("sent", None))

    @on_each
    def test_the_engine_keeps_to_the_protocol(self, server):
        settings = harness.save(self.path("settings"), {"settings": server.settings(), "secrets": {"password": PASSWORD}})
        identities = harness.save(self.path("identities"), [
            {"kind": "email", "value": people.ALICE["email"]}, {"kind": "phpbb_user_id", "value": str(people.ALICE["forum"])}])
        done = harness.run(os.path.join(harness.ROOT, "tests", "conformance", "run"), databases.ENGINE, "--profile",
                           os.path.join(harness.ROOT, "connectors", "forum", "phpbb.json"), "--", "--settings", settings,
                           "--identities", identities)
        self.assertEqual(done.returncode, 0, done.stdout)

    @on_each
    def test_nobody_of_the_forum(self, server):
        answer = self.ask("dave", self.on(server))
        self.assertEqual(answer.status, 0, answer.errors)
        self.assertNotIn("forum", harness.counted(answer.entries))

    @on_each
    def test_a_wrong_password_is_a_gap_that_says_so(self, server):
        path = harness.host.keep_secret(self.folder, "wrong-password", "wrong")
        answer = self.ask("alice", self.on(server, {"password_file": path}))
        self.assertEqual(answer.gap("forum")["code"], "source_refused")
        self.assertNotIn("forum", harness.counted(answer.entries))


if __name__ == "__main__":
    unittest.main()
