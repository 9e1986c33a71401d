#!/usr/bin/env python3
"""What dsard does with a wrong configuration or a wrong command line: file, line and column, status 2, nothing begun.

Programs are those of $DSAR_BUILD.
"""
import os
import re
import unittest

import exports
import harness

# in wrong texts, ^ stands in front of what the error must point at
GOOD = """\
controller:
  id: example-host
  name: Example Host
  contact: privacy@host.example
requests:
  trusted_keys_file: {keys.portal_public}
exporter:
  source: //dsard.host.example
  key_file: {keys.exporter}
store:
  path: store
  results_url: https://privacy.host.example/dsar/
work:
  spool_dir: spool
identities:
  allow:
    - {{from: billing, kind: panel_account, to: [panel]}}
sources:
  - name: billing
    connector: rest
    profile: billing/whmcs
    settings:
      base_url: {whmcs[url]}
      identifier_file: {whmcs[identifier_file]}
      secret_file: {whmcs[secret_file]}
  - name: panel
    connector: rest
    profile: hosting-panel/cpanel
    settings:
      base_url: {cpanel[url]}
      user: {cpanel[user]}
      token_file: {cpanel[token_file]}
  - name: forum
    connector: sql
    profile: forum/phpbb
    settings:
      path: {phpbb[path]}
"""

# (what stands in GOOD, what stands there instead, what the error says)
WRONG = [
    ("  name: Example Host\n", "  name: Example Host\n  ^nmae: x\n", "name"),
    ("controller:", "^kontroller: {{}}\ncontroller:", "controller"),
    ("  id: example-host\n", "  id: ^Example Host\n", "a-z"),
    ("  id: example-host\n", "  id:^\n", "controller.id"),
    ("  id: example-host\n", "  id: example-host\n  ^id: again\n", "id"),
    ("  id: example-host\n", "  id: ^${{NO_SUCH_VARIABLE_HERE}}\n", "NO_SUCH_VARIABLE_HERE"),
    ("  id: example-host\n", "^\tid: example-host\n", "tab|character"),
    ("  contact: privacy@host.example\n", "", "contact"),
    ("store:", "store: ^[]\nnothing:", "mapping"),
    ("  path: store\n", "  path: store\n  bundle_days: ^366\n", "1 to 365"),
    ("  path: store\n", "  path: store\n  bundle_days: ^1.5\n", "integer"),
    ("  path: store\n", "  path: store\n  kind: ^s4\n", "dir"),
    ("dsar/\n", "dsar\n", "'/' or '='"),
    ("  key_file: {keys.exporter}\n", "  key_file: ^no/such/key\n", "No such file"),
    ("  key_file: {keys.exporter}\n", "  key_file: ^{keys.folder}\n", "key_file"),
    ("requests:\n", "requests:\n  require_signature: ^perhaps\n", "true or false"),
    ("  spool_dir: spool\n", "  spool_dir: spool\n  seal_threads: ^-1\n", "0 to 64"),
    ("kind: panel_account", "kind: ^email", "only the request"),
    ("from: billing", "from: ^biling", "billing"),
    ("to: [panel]", "to: [^pannel]", "panel"),
    ("name: panel", "name: ^billing", "another name"),
    ("name: panel", "name: ^Panel", "first a letter"),
    ("connector: sql", "connector: ^sq", "No such file"),
    ("profile: forum/phpbb", "profile: ^forum/phpb", "No such file"),
    ("      user: {cpanel[user]}\n", "", "user"),
    ("      user: {cpanel[user]}\n", "      user: root\n      ^usr: x\n", "no such setting.*user"),
    ("      token_file: {cpanel[token_file]}\n", "      ^token: {cpanel[token]}\n", "secret.*token_file"),
    ("      token_file: {cpanel[token_file]}\n", "      token_file: ^no/such/file\n", "No such file"),
    ("      token_file: {cpanel[token_file]}\n", "", "token_file"),
    ("      base_url: {whmcs[url]}\n", "      base_url: ^ftp://host.example\n", "URL"),
    ("  - name: forum\n", "  - name: forum\n    arguments: [^--password=x]\n", "secret"),
    ("  - name: forum\n", "  - name: forum\n    deadline_s: ^0\n", "1 to 86400"),
    ("  - name: forum\n", "  - name: ^''\n", "name"),
    ("      path: {phpbb[path]}\n", "      path: {phpbb[path]}\n      ^path2: x\n", "no such setting.*path"),
    ("sources:", "sources", "line 18"),
]

USAGE = {
    "dsard run": ["-c"], "dsard once": ["--request", "--out", "-c"], "dsard check": ["-c"], "dsard options": [],
    "dsard demo": ["--dir"], "dsarctl keygen": ["--kind", "--out", "--public"],
    "dsarctl submit": ["--brokers", "--request", "--key", "--source", "--audience", "--recipient", "--seal-to", "--save",
                       "--topic", "--properties"],
    "dsarctl cancel": ["--request", "--id", "--sha256", "--brokers", "--key", "--source", "--audience", "--topic",
                       "--properties"],
    "dsarctl watch": ["--brokers", "--request", "--timeout", "--save"],
    "dsarctl open": ["--out", "--event", "--key", "--passphrase-file"], "dsarctl passphrase": ["--event", "--key"],
    "dsarctl verify": ["--event", "--key", "--passphrase-file", "--jwks"],
}
PROGRAMS = {"dsard": harness.DSARD, "dsarctl": harness.DSARCTL}


class Configuration(exports.Exports):
    def text(self, template):
        return template.format(keys=self.keys, **self.where)

    def write(self, text):
        for folder in ("store", "spool"):
            os.makedirs(self.path(folder), exist_ok=True)
        with open(self.path("dsard.yaml"), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path("dsard.yaml")

    def check(self, text):
        return harness.run(harness.DSARD, "check", "-c", self.write(text))

    def test_a_good_one_is_checked_without_a_connection(self):
        done = self.check(self.text(GOOD))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for source in ("billing", "panel", "forum"):
            self.assertRegex(done.stdout, rf"(?m)^{source} +\d+ collections$")
        self.assertEqual(self.calls(), {})

    def test_the_example_differs_from_a_good_one_by_its_files_alone(self):
        with open(os.path.join(harness.ROOT, "deploy", "dsard.example.yaml"), encoding="utf-8") as file:
            done = harness.run(harness.DSARD, "check", "-c", self.write(file.read()), env={"HOSTNAME": "worker-1"})
        self.assertEqual(done.returncode, 2)
        for line in done.stderr.splitlines():
            self.assertRegex(line, r":\d+:\d+: error: \S+: .*No such file or directory")

    def test_each_mistake_is_named_with_its_place_before_anything_is_begun(self):
        for right, wrong, says in WRONG:
            with self.subTest(wrong):
                self.assertIn(right, GOOD)
                text = self.text(GOOD.replace(right, wrong, 1))
                at = text.find("^")
                text = text.replace("^", "", 1)
                done = self.check(text)
                self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
                lines = done.stderr.splitlines()
                if lines[-1].startswith("dsard check: "):  # what it means
                    lines.pop()
                self.assertTrue(lines)
                places = []
                for line in lines:
                    found = re.fullmatch(rf"{re.escape(self.path('dsard.yaml'))}:(\d+):(\d+): error: (.+)", line)
                    self.assertTrue(found, line)
                    places.append((int(found[1]), int(found[2])))
                self.assertRegex(done.stderr, says)
                if at >= 0:
                    before = text[:at]
                    line = before.count("\n") + 1
                    self.assertIn((line, at - before.rfind("\n")), places, done.stderr)
                self.assertNotIn(self.where["cpanel"]["token"], done.stderr)
        self.assertEqual(self.calls(), {})
        self.assertEqual((os.listdir(self.path("store")), os.listdir(self.path("spool"))), ([], []))

    def test_once_and_run_refuse_what_check_refuses(self):
        request = harness.save(self.path("request.json"), harness.request_for("alice", self.keys))
        for right, wrong, says in WRONG[:1] + WRONG[25:27]:
            config = self.write(self.text(GOOD.replace(right, wrong.replace("^", ""), 1)))
            once = harness.Once(config, request, self.path("out"))
            self.assertEqual((once.status, once.output), (2, ""))
            self.assertRegex(once.errors, rf":\d+:\d+: error: .*{says}")
        done = harness.run(harness.DSARD, "run", "-c", self.write(self.text(GOOD)))
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, r":\d+:\d+: error: .kafka.brokers: missing")
        self.assertEqual((self.calls(), os.listdir(self.path("out"))), ({}, []))

    def test_all_mistakes_are_told_at_once(self):
        text = self.text(GOOD).replace("id: example-host", "id: X").replace("connector: sql", "connector: sq")
        self.assertEqual(self.check(text).stderr.count(": error: "), 2)

    def test_a_key_that_is_none(self):
        for path in (self.keys.recipient, self.keys.exporter_public, self.keys.portal_public):
            text = self.text(GOOD).replace(f"key_file: {self.keys.exporter}", f"key_file: {path}")
            request = harness.save(self.path("request.json"), harness.request_for("alice", self.keys))
            once = harness.Once(self.write(text), request, self.path("out"))
            self.assertEqual((once.status, once.output), (2, ""), once.errors)
            self.assertIn("exporter.key_file", once.errors)
        self.assertEqual(self.calls(), {})

    def test_identity_keys_that_are_none(self):
        worker = harness.load(self.keys.worker)
        for content, says in ((harness.load(self.keys.worker_public), "`d`"), (harness.load(self.keys.portal), "`use`"),
                              ({"keys": []}, "at least one key"), ({"keys": [worker, worker]}, r"keys\[1\].*`kid`"),
                              ({"keys": [worker, {**worker, "y": worker["x"], "kid": "b"}]}, r"keys\[1\]")):
            with self.subTest(says):
                path = harness.save(self.path("identity.jwk"), content)
                os.chmod(path, 0o600)
                text = self.text(GOOD).replace("requests:\n", f"requests:\n  identity_keys_file: {path}\n")
                done = self.check(text)
                self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
                self.assertRegex(done.stderr, rf"requests\.identity_keys_file: .*{says}")
                self.assertNotIn(worker["d"], done.stderr)
        harness.save(path, worker)
        os.chmod(path, 0o644)
        done = self.check(text)
        self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
        self.assertRegex(done.stderr, r"requests\.identity_keys_file: .*644")
        os.chmod(path, 0o600)
        self.assertEqual(self.check(text).returncode, 0)

    def test_what_is_no_configuration(self):
        for text in ("", "\0", "[]", "- a", "a: b", "{", "\xff" * 100, "a: &x [*x, *x]", "%YAML 3.0\n---\n", "--- a\n--- b\n",
                     "a: " + "[" * 10000):
            done = self.check(text)
            self.assertEqual((done.returncode, done.stdout), (2, ""), text[:20])
            self.assertRegex(done.stderr, r"^\S+dsard\.yaml:\d+:\d+: error: ")
        done = harness.run(harness.DSARD, "check", "-c", self.path("nothing.yaml"))
        self.assertEqual(done.returncode, 2)
        self.assertIn("nothing.yaml", done.stderr)


class CommandLine(exports.Exports):
    def run_command(self, command, *arguments):
        program, *words = command.split()
        return harness.run(PROGRAMS[program], *words, *arguments, env={})

    def test_each_command_helps(self):
        for command, options in USAGE.items():
            with self.subTest(command):
                done = self.run_command(command, "--help")
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertTrue(done.stdout.startswith(f"usage: {command}"), done.stdout)
                for option in options:
                    self.assertRegex(done.stdout, rf"(?<![\w-]){option}\b")

    def test_the_programs_name_all_commands_and_statuses(self):
        for program in PROGRAMS:
            done = self.run_command(program, "--help")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            for command in USAGE:
                if command.startswith(program + " "):
                    self.assertRegex(done.stdout, rf"(?m)^  {command.split()[1]} ")
            self.assertIn("exit status: 0 done; 1 failed; 2 wrong usage", done.stdout)
            done = self.run_command(program, "--version")
            self.assertEqual(done.returncode, 0)
            self.assertRegex(done.stdout, rf"^{program} \d+\.\d+\.\d+\n$")

    def test_wrong_usage_is_told_on_standard_error(self):
        wrong = [command + " --nosuch" for command in USAGE] + [command + " surplus" for command in USAGE]
        wrong += ["dsard", "dsarctl", "dsard nosuch", "dsarctl nosuch", "dsard once", "dsard check", "dsard run",
                  "dsarctl open", "dsarctl verify", "dsarctl verify bundle.zip", "dsarctl keygen --kind x --out y"]
        for command in wrong:
            with self.subTest(command):
                done = self.run_command(command)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertTrue(done.stderr)

    def test_a_request_that_cannot_be_read_is_wrong_usage(self):
        config = self.configure()
        good = harness.request_for("alice", self.keys)
        for request in ("", "[]", "{", '{"subject_request_id": "x"}', harness.json.dumps(good)[:-1]):
            path = self.path("request.json")
            with open(path, "w", encoding="utf-8") as file:
                file.write(request)
            once = harness.Once(config, path, self.path("out"))
            self.assertEqual((once.status, once.output), (2, ""), once.errors)
            self.assertRegex(once.errors, "^dsard once: .*request.json: .+\n$")
        once = harness.Once(config, self.path("nothing.json"), self.path("out"))
        self.assertEqual((once.status, once.output), (2, ""))
        once = harness.Once(config, harness.save(self.path("good.json"), good), self.path("nothing"))
        self.assertEqual((once.status, once.output), (2, ""))
        self.assertEqual((self.calls(), os.listdir(self.path("out"))), ({}, []))

    def test_a_request_that_cannot_be_answered_is_refused(self):
        config = self.configure()
        recipient = harness.load(self.keys.recipient_public)
        for code, changes in (
                ("unsupported_type", {"subject_request_type": "erasure"}),
                ("unsupported_regulation", {"regulation": "none"}),
                ("no_identity", {"subject_identities": []}),
                ("hashed_identity", {"subject_identities": [{"identity_type": "email", "identity_value": "00",
                                                             "identity_format": "sha256"}]}),
                ("unknown_envelope", {"extensions": {"dsard": {"envelope": "rar"}}}),
                ("due_time_past", {"submitted_time": "2020-01-01T00:00:00Z"}),
                ("bad_recipient", {"extensions": {"dsard": {"recipient": {"jwk": {**recipient, "x": recipient["y"]}}}}})):
            with self.subTest(code):
                request = harness.merged(harness.request_for("alice", self.keys), changes)
                path = harness.save(self.path("request.json"), request)
                answer = exports.Answer(harness.Once(config, path, self.path("out")), request, self.keys)
                self.assertEqual((answer.status, answer.bundle), (5, None), answer.errors)
                self.assertEqual(answer.event["type"], "org.dsard.refused.v1")
                self.assertEqual(answer.event["data"]["reason"]["code"], code)
                self.assertNotIn("alice", str(answer.event) + answer.errors)
        self.assertEqual(self.calls(), {})


if __name__ == "__main__":
    unittest.main()
