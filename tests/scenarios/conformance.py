#!/usr/bin/env python3
"""tests/conformance/run passes every connector that is shipped, each profile of the example host's products, and both templates.

Programs are those of $DSAR_BUILD.
"""
import os
import pwd
import unittest

import exports
import harness

RUN = os.path.join(harness.ROOT, "tests", "conformance", "run")
PROFILES = os.path.join(harness.ROOT, "connectors")

# Files of Alice, which the runner counts with the records.
FILES = {("billing", "tickets"): 2}


def engine(name):
    return os.path.join(harness.BUILD, "libexec", "dsard", "dsar-" + name)


class Conformance(exports.Exports):
    def judge(self, program, given, identities):
        """The lines of the runner, which must find nothing wrong, and has judged what stands on the settings."""
        settings = harness.save(self.path("settings.json"), given)
        person = harness.save(self.path("identities.json"), [{"kind": kind, "value": value} for kind, value in identities])
        done = harness.run(RUN, *program, "--", "--settings", settings, "--identities", person, timeout_s=600)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        lines = done.stdout.splitlines()
        self.assertEqual([line for line in lines if line.startswith("FAIL")], [])
        for rule in ("fetch", "again", "cancel", "deadline", "input_ends", "slow_reader", "discretion"):
            self.assertTrue(any(line.startswith(f"ok   {rule}:") for line in lines), done.stdout)
        return next(line for line in lines if line.startswith("ok   fetch:"))

    def source(self, name):
        """What a source of the example host is configured with: settings, and the contents of its secrets' files."""
        settings, secrets = {}, {}
        for key, value in harness.sources_of(self.where)[name]["settings"].items():
            if key.endswith("_file"):
                with open(value, encoding="utf-8") as file:
                    secrets[key.removesuffix("_file")] = file.read().strip()
            else:
                settings[key] = value
        return {"settings": settings, "secrets": secrets}

    def judge_source(self, name, more=()):
        source = harness.sources_of(self.where)[name]
        told = self.judge([engine(source["connector"]), "--profile", os.path.join(PROFILES, source["profile"] + ".json")],
                          self.source(name), [("email", harness.people.PEOPLE["alice"]["email"]), *more])
        for collection, count in harness.held("alice").get(name, {}).items():
            self.assertRegex(told, rf"[;,] {collection}: {count + FILES.get((name, collection), 0)}(;|$)")

    def test_rest_with_whmcs(self):
        self.judge_source("billing")

    def test_rest_with_cpanel(self):
        account = next(panel["account"] for panel in harness.people.PANEL.values() if "alice" in panel["account"]["email"])
        self.judge_source("panel", [("panel_account", f"{account['user']} {account['domain']}")])

    def test_rest_with_mautic(self):
        self.judge_source("marketing")

    def test_sql_with_phpbb(self):
        self.judge_source("forum")

    def test_files(self):
        """Each against files of Alice's and files of somebody's beside them. They must be their owner's, who is not root."""
        alice = harness.people.PEOPLE["alice"]["email"]
        user, domain = alice.split("@")
        owner = pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
        account, uid = owner.pw_name, owner.pw_uid
        for name in ("mail", "log", "home"):
            os.makedirs(self.path(name))
        for box in (user, "malice"):
            for folder in ("cur", "new", "tmp"):
                os.makedirs(self.path("mail", domain, box, "Maildir", folder))
            with open(self.path("mail", domain, box, "Maildir", "cur", "1:2,S"), "w", encoding="ascii") as file:
                file.write("Subject: x\n\ny\n")
        for folder in (account, "malice"):
            os.makedirs(self.path("home", folder, "www"))
        with open(self.path("log", "access.log"), "w", encoding="ascii") as log:
            for address in ("192.0.2.7", "192.0.2.70", "192.0.2.7"):
                log.write(f'{address} - - [23/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "x"\n')
        for folder, below, files in os.walk(self.folder):
            for name in (*below, *files):
                os.chown(os.path.join(folder, name), uid, -1)
        for profile, settings, identity, counted in (
                ("mailboxes", {"mail_dir": self.path("mail"), "mail_uid": uid}, ("email", alice), "mailbox: 2"),
                ("cpanel-home", {"home_dir": self.path("home")}, ("cpanel_user", account), "home: 2"),
                ("access-log", {"log_dir": self.path("log")}, ("ip_address", "192.0.2.7"), "visits: 2")):
            with self.subTest(profile):
                told = self.judge([engine("files"), "--profile", os.path.join(PROFILES, "hosting-panel", profile + ".json")],
                                  {"settings": settings}, [identity])
                self.assertRegex(told, rf"[;,] {counted}(;|$)")

    def test_every_other_profile_says_hello_as_it_should(self):
        """What can be told without their systems; scenarios/product_*.py have those."""
        tried = 0
        for folder, _, names in os.walk(PROFILES):
            for path in (os.path.join(folder, name) for name in names if name.endswith(".json")):
                found = harness.load(path)
                if "engine" not in found:
                    continue
                tried += 1
                with self.subTest(path):
                    done = harness.run(RUN, engine(found["engine"]), "--profile", path, timeout_s=120)
                    self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                    self.assertIn("ok   hello:", done.stdout)
        self.assertGreater(tried, 10)

    def test_the_templates(self):
        with open(self.path("customers.jsonl"), "w", encoding="utf-8") as file:
            file.write('{"id":"1","email":"alice@example.test"}\n{"id":"2","email":"malice@example.test"}\n')
        for program in (os.path.join(harness.BUILD, "bin", "dsar-template"),
                        os.path.join(PROFILES, "template-python", "customers.py")):
            with self.subTest(program):
                told = self.judge([program], {"settings": {"path": self.path("customers.jsonl")}},
                                  [("email", "alice@example.test")])
                self.assertIn("; customers: 1", told)


if __name__ == "__main__":
    unittest.main()
