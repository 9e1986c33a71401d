#!/usr/bin/env python3
"""`dsard check --connect`: what does not answer is named, what it says of itself is shown, and nobody's data ever are.

Programs are those of $DSAR_BUILD. What is about Kafka is skipped where Maven Central is out of reach, unless CI=true.
"""
import contextlib
import os
import re
import shutil
import socket
import sqlite3
import tempfile
import unittest

import exports
import harness
from harness import canaries, people
from portal import Portal, broker_in

ALICE = people.PEOPLE["alice"]["email"]
WRONG_SECRET = "canary-wrong-secret-77aa"
COLLECTION = {"name": "things", "title": "Things", "category": "things", "needs": ["shop_id"], "fields": {}}
RESOLVES = {"resolve": {"needs": ["email"], "yields": ["shop_id"]}, "collections": [COLLECTION]}


def free_port():
    with contextlib.closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Checks(exports.Exports):
    def check(self, config, *options, status):
        done = harness.run(harness.DSARD, "check", "--connect", *options, "-c", config)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        said = done.stdout + done.stderr
        for pattern in (canaries.MARK, re.compile(r"(?!nobody@dsard)[\w.+-]+@example\.test")):
            self.assertEqual(pattern.findall(said), [], "whoever reads this sees somebody's data")
        return done.stdout

    def line(self, said, name):
        """What stands behind a name, up to the end of its line."""
        found = re.findall(rf"^  {re.escape(name)} +(.*)$", said, re.MULTILINE)
        self.assertEqual(len(found), 1, said)
        return found[0]

    def expect(self, said, **lines):
        for name, words in lines.items():
            self.assertRegex(self.line(said, name), words)

    def secret(self, text):
        with open(self.path("secret"), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path("secret")

    def profile(self, name, changes):
        """A copy of a shipped profile that says something else."""
        shipped = harness.load(os.path.join(harness.ROOT, "connectors", name + ".json"))
        return harness.save(self.path("changed.json"), harness.merged(shipped, changes))


class Connections(Checks):
    def test_what_is_well_says_what_it_is(self):
        said = self.check(self.configure(), status=0)
        self.expect(said, billing=f"^ok +WHMCS {people.WHMCS_VERSION}$", panel=f"^ok +cPanel {people.CPANEL_VERSION}$",
                    forum=rf"^ok +phpBB {people.PHPBB_VERSION}, SQLite 3\.", 
                    marketing=f"^ok +Mautic {people.MAUTIC_VERSION}$", store="^ok ", kafka="^not configured$")
        self.assertNotIn("test person", said)
        self.assertEqual(os.listdir(self.path("spool")), [])
        self.assertEqual([name for _, _, names in os.walk(self.path("store")) for name in names], [])

    def test_wrong_credentials(self):
        for source, key in (("billing", "secret_file"), ("panel", "token_file"), ("marketing", "password_file")):
            with self.subTest(source):
                config = self.configure(sources={source: {"settings": {key: self.secret(WRONG_SECRET)}}})
                said = self.check(config, status=1)
                self.expect(said, **{source: "^FAILED +source_refused: "})
                self.assertEqual(said.count("FAILED"), 1, "the others are well")

    def test_what_is_not_there(self):
        for source, settings in (("billing", {"base_url": f"http://127.0.0.1:{free_port()}/"}),
                                 ("marketing", {"base_url": f"http://127.0.0.1:{free_port()}/"}),
                                 ("forum", {"path": self.path("no-such-database")})):
            with self.subTest(source):
                said = self.check(self.configure(sources={source: {"settings": settings}}), status=1)
                self.expect(said, **{source: "^FAILED +source_unreachable: "})
                self.assertEqual(said.count("FAILED"), 1, "the others are well")

    def test_a_database_with_a_write_ahead_log(self):
        """Nothing is written beside it, so somebody else must have it open."""
        path = shutil.copy(self.host.where["phpbb"]["path"], self.path("wal.sqlite"))
        config = self.configure(sources={"forum": {"settings": {"path": path}}})
        with contextlib.closing(sqlite3.connect(path)) as application:
            application.execute("PRAGMA journal_mode=WAL")
        self.expect(self.check(config, status=1), forum="^FAILED +source_unreachable: .*while its application has it open")
        with contextlib.closing(sqlite3.connect(path)) as application:
            application.execute("SELECT * FROM sqlite_master").fetchall()
            self.expect(self.check(config, status=0), forum="^ok ")

    def test_a_database_whose_application_broke_off(self):
        path = shutil.copy(self.host.where["phpbb"]["path"], self.path("whole.sqlite"))
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as application:
            application.execute("PRAGMA journal_mode=DELETE")
            application.execute("PRAGMA cache_size=1")  # what is changed goes to the file at once
            application.execute("BEGIN")
            application.execute("UPDATE phpbb_users SET username = hex(randomblob(50000))")
            for end in ("", "-journal"):
                shutil.copy(path + end, self.path("cut.sqlite" + end))
        config = self.configure(sources={"forum": {"settings": {"path": self.path("cut.sqlite")}}})
        self.expect(self.check(config, status=1), forum="^FAILED +source_unreachable: .*its application broke off")

    def test_another_version_than_the_profile_is_for(self):
        for source, name, least in (("billing", "billing/whmcs", "8.14"), ("forum", "forum/phpbb", "4")):
            with self.subTest(source):
                changed = self.profile(name, {"check": {"least": least}})
                said = self.check(self.configure(sources={source: {"profile": changed}}), status=1)
                self.expect(said, **{source: f"^FAILED +source_version: .*: expected at least {least}, which the profile is for"})
        changed = self.profile("billing/whmcs", {"check": {"least": "8.9"}})
        self.check(self.configure(sources={"billing": {"profile": changed}}), status=0)

    def test_what_is_no_version_is_not_shown(self):
        changed = self.profile("billing/whmcs", {"check": {
            "request": {"form": {"action": "GetClientsDetails", "clientid": people.ALICE["client"]}}, "version": "/client/email"}})
        said = self.check(self.configure(sources={"billing": {"profile": changed}}), status=1)
        self.expect(said, billing="^FAILED +source_answer: .* does not say its version at /client/email")
        changed = self.profile("forum/phpbb", {"check": {"sql": "SELECT user_email FROM {prefix}users WHERE user_id = 57"}})
        said = self.check(self.configure(sources={"forum": {"profile": changed}}), status=1)
        self.expect(said, forum="^FAILED +source_answer: ")

    def test_what_stands_before_a_version_is_not_part_of_it(self):
        for behind, status, words in (("BaseHTTP/", 0, r"^ok +WHMCS \d+\.\d+$"),
                                      ("Other/", 1, "^FAILED +source_answer: .* does not say its version at Server$"),
                                      ("", 1, "^FAILED +source_answer: "), ("BaseHTTP/0", 1, "^FAILED +source_answer: ")):
            with self.subTest(behind):
                changed = self.profile("billing/whmcs", {"check": {"version": {"header": "Server", "behind": behind}}})
                said = self.check(self.configure(sources={"billing": {"profile": changed}}), status=status)
                self.expect(said, billing=words)

    def test_what_is_no_version_is_told_as_what_it_is(self):
        changed = self.profile("forum/phpbb", {"check": {"what": "newest migration"}})
        self.expect(self.check(self.configure(sources={"forum": {"profile": changed}}), status=0),
                    forum=rf"^ok +phpBB \(newest migration {people.PHPBB_VERSION}\), SQLite 3\.")
        changed = self.profile("forum/phpbb", {"check": {"what": "newest migration", "least": "4"}})
        self.expect(self.check(self.configure(sources={"forum": {"profile": changed}}), status=1),
                    forum=r"^FAILED +source_version: .*phpBB \(newest migration .*\): expected at least 4")

    def test_another_prefix_of_the_tables(self):
        said = self.check(self.configure(sources={"forum": {"settings": {"table_prefix": "other_"}}}), status=1)
        self.expect(said, forum="^FAILED +source_answer: .*no such table")

    def test_a_wrong_check_in_a_profile(self):
        for name, check, words in (
                ("billing/whmcs", {"request": None}, "request"), ("billing/whmcs", {"wersion": "/a"}, "wersion"),
                ("billing/whmcs", {"version": "a"}, "/check/version"), ("billing/whmcs", {"least": "new"}, "/check/least"),
                ("billing/whmcs", {"request": {"form": {"userid": {"id": "email"}}}}, "/check"),
                ("forum/phpbb", {"sql": None}, "sql"), ("forum/phpbb", {"least": 3}, "/check/least")):
            with self.subTest(name, check=check):
                source = "billing" if "whmcs" in name else "forum"
                config = self.configure(sources={source: {"profile": self.profile(name, {"check": check})}})
                done = harness.run(harness.DSARD, "check", "-c", config)
                if check == {"request": None}:  # the defaults' request remains
                    self.assertEqual(done.returncode, 0, done.stderr)
                    continue
                self.assertEqual(done.returncode, 2, done.stdout)
                self.assertIn(words, done.stderr)

    def test_folders(self):
        os.mkdir(self.path("vmail"))
        mail = {"name": "mail", "connector": "files", "profile": "hosting-panel/mailboxes",
                "settings": {"mail_dir": self.path("vmail"), "mail_uid": 0}}
        self.expect(self.check(self.configure(sources={"mail": mail}), status=0), mail="^ok +Mailboxes$")
        lost = harness.merged(mail, {"settings": {"mail_dir": self.path("lost")}})
        self.expect(self.check(self.configure(sources={"mail": lost}), status=1), mail="^FAILED +source_unreachable: .*/lost: ")

    def test_a_connector_without_check_looks_up_nobody(self):
        for name, resolve, words in (
                ("knows", [{"type": "done", "status": "not_found"}], "^ok$"),
                ("finds", [{"type": "done", "status": "ok"}], "^FAILED +source_answer: .*an address that nobody has"),
                ("yields", [{"type": "identity", "kind": "shop_id", "value": "canary-7", "evidence": "x"}],
                 "^FAILED +source_answer: .*an address that nobody has"),
                ("refused", [{"type": "done", "status": "failed", "code": "source_refused", "text": "no", "retryable": False}],
                 "^FAILED +source_refused: ")):
            with self.subTest(name):
                shop = self.parrot("shop", {"hello": RESOLVES, "resolve": resolve})
                said = self.check(self.configure(sources={"shop": shop}), status=0 if words == "^ok$" else 1)
                self.expect(said, shop=words)

    def test_a_connector_that_cannot_be_tried_is_said_to_be(self):
        shop = self.parrot("shop", {"hello": {"collections": [COLLECTION]}})
        self.expect(self.check(self.configure(sources={"shop": shop}), status=0), shop="^not tried: ")

    def test_a_check_that_breaks_the_protocol(self):
        for name, answer, code in (
                ("absent", [{"type": "done", "status": "not_found"}], "source_protocol"),
                ("a record", [{"type": "record", "collection": "things", "payload": "{}"}], "source_protocol"),
                ("silent", [{"sleep": 60}], "source_silent"),
                ("long", [{"type": "done", "status": "ok", "system": "x\n" * 500}], None)):
            with self.subTest(name):
                shop = self.parrot("shop", {"hello": {**RESOLVES, "check": True}, "check": answer}, keep_alive_s=1)
                said = self.check(self.configure(sources={"shop": shop}), status=1 if code else 0)
                self.expect(said, shop=f"^FAILED +{code}: " if code else r"^ok +(x\?){100}$")

    def test_store_and_spool(self):
        for changes, words in (({"store": {"path": self.path("file")}}, "^FAILED +store_unusable: "),
                               ({"work": {"spool_dir": self.path("file")}}, "^FAILED +spool_unusable: ")):
            with self.subTest(words):
                config = self.configure()
                with open(self.path("file"), "w", encoding="utf-8"):
                    pass
                harness.save(config, harness.merged(harness.load(config), changes))
                said = self.check(config, "--identity", "email=" + ALICE, status=1)
                self.expect(said, store=words, billing="^ok")
                self.assertNotIn("test person", said)


class Person(Checks):
    def counted(self, said):
        """{source: {collection: n}} of the test person's part; records and files alike."""
        found, source = {}, None
        for line in said.partition("\ntest person\n")[2].splitlines():
            if line.startswith("  withheld "):
                break
            if line.startswith("    "):
                name, count = line.split()[:2]
                found[source][name] = int(count.rstrip(","))
            else:
                source = line.split()[0]
                found[source] = {}
        return {source: {name: n for name, n in counts.items() if n} for source, counts in found.items()}

    def test_the_counts_are_those_of_the_sources_and_nothing_is_kept(self):
        for person in ("alice", "malice", "carol"):
            with self.subTest(person):
                said = self.check(self.configure(), "--identity", "email=" + people.PEOPLE[person]["email"], status=0)
                self.assertEqual({name: counts for name, counts in self.counted(said).items() if counts}, harness.held(person))
                self.assertRegex(said, r"withheld +\d+ of \w+/\w+: [a-z_]+")
                self.assertEqual(os.listdir(self.path("spool")), [])
                self.assertEqual([name for _, _, names in os.walk(self.path("store")) for name in names], [])

    def test_nobody_is_not_found(self):
        said = self.check(self.configure(), "--identity", "email=dave@example.test", status=0)
        for source in harness.SOURCES:
            self.assertRegex(said, rf"\n  {source} +not_found\n")

    def test_several_identities(self):
        account = next(each["account"] for each in people.PANEL.values() if each["account"]["user"] == "alice")
        said = self.check(self.configure(sources={"billing": None}), "--identity", "email=" + ALICE, "--identity",
                          f"panel_account={account['user']} {account['domain']}", status=0)
        self.assertEqual(self.counted(said)["panel"], harness.held("alice")["panel"])

    def test_a_gap_is_named_by_its_code_alone(self):
        failing = [{"type": "end", "collection": "things", "status": "failed", "count": 0, "code": "source_error",
                    "text": "canary-what-was-read alice@example.test", "retryable": True}, {"type": "done", "status": "ok"}]
        shop = self.parrot("shop", {"hello": {**RESOLVES, "check": True}, "check": [{"type": "done", "status": "ok"}],
                                    "resolve": [{"type": "identity", "kind": "shop_id", "value": "7", "evidence": "x"},
                                                {"type": "done", "status": "ok"}], "fetch": failing})
        said = self.check(self.configure(sources={"shop": shop}), "--identity", "email=" + ALICE, status=1)
        self.assertRegex(said, r"\n  shop +failed: source_error\n    things +0  failed: source_error\n")

    def test_wrong_options(self):
        config = self.configure()
        for options in (["--identity", "email=zoe@example.test"], ["--connect", "--identity", "zoe"],
                        ["--connect", "--identity", "email="], ["--connect", "--identity", "email=zoe"],
                        ["--connect", "--identity", "E-mail=zoe@example.test"],
                        ["--connect", "--identity", "id=" + "zoe" * 171],
                        ["--connect", "--identity", b"id=\xff"]):
            with self.subTest(options):
                done = harness.run(harness.DSARD, "check", *options, "-c", config)
                self.assertEqual(done.returncode, 2, done.stdout)
                self.assertNotIn("zoe", done.stderr)


class Kafka(Checks):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="dsard-connect-"))
        cls.broker = cls.enterClassContext(broker_in(os.path.join(folder, "broker")))

    def kafka(self, **changes):
        """A configuration without sources but the forum, and with Kafka as a portal's."""
        portal = Portal(self, self.broker, self.host, self.keys)
        config = harness.merged(harness.merged(portal.changes, {"kafka": {"transactional_id": "check"}}), changes)
        return portal, self.configure(config, {"billing": None, "panel": None, "marketing": None})

    def test_brokers_topics_and_group(self):
        _, config = self.kafka()
        self.expect(self.check(config, status=0), kafka="^ok +1 brokers, 7 topics, 2 partitions$")

    def test_a_topic_that_is_not_there_is_not_made(self):
        _, config = self.kafka(kafka={"topics": {"audit": "no-such-topic"}})
        for _ in range(2):
            self.expect(self.check(config, status=1), kafka="^FAILED +kafka_topic: topic no-such-topic: it does not exist")

    def test_another_number_of_partitions(self):
        self.broker.create_topics({"wide-control": 3})
        _, config = self.kafka(kafka={"topics": {"control": "wide-control"}})
        self.expect(self.check(config, status=1), kafka="^FAILED +kafka_topic: topic wide-control: expected 2 partitions")

    def test_brokers_that_are_not_there(self):
        _, config = self.kafka(kafka={"brokers": f"127.0.0.1:{free_port()}"})
        self.expect(self.check(config, status=1), kafka="^FAILED +kafka: no answer from ")


if __name__ == "__main__":
    unittest.main()
