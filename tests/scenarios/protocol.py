#!/usr/bin/env python3
"""The transcripts of include/dsar/PROTOCOL.md are what dsard and both templates really say, byte for byte; and a copy of the C
template is built against what is installed, and nothing else.

Programs are those of $DSAR_BUILD.
"""
import glob
import json
import os
import shlex
import signal
import subprocess
import sys
import unittest

import exports
import harness

sys.path.insert(0, os.path.join(harness.ROOT, "tests", "conformance"))
import transcripts  # noqa: E402

PLAYER = os.path.join(harness.ROOT, "tests", "conformance", "transcripts.py")
REQUEST = "2c0e8f0a-6a58-4b0c-9d7e-0a1b2c3d4e5f"
TEMPLATES = {
    "C": os.path.join(harness.BUILD, "bin", "dsar-template"),
    "Python": os.path.join(harness.ROOT, "connectors", "template-python", "customers.py"),
}
RECORD_MAX = 262144
NORMAL = ["resolve", "second wave", "fetch"]


class Transcripts(exports.Exports):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with open(os.path.join(harness.ROOT, "include", "dsar", "PROTOCOL.md"), encoding="utf-8") as file:
            cls.document, cls.files = transcripts.read(file.read())

    def setUp(self):
        super().setUp()
        os.mkdir(self.path("shop"))
        for name, content in self.files.items():
            with open(self.path("shop", name), "wb") as file:
                file.write(content)
        self.transcripts = transcripts.moved(self.document, self.path("shop"))

    # --- the connectors' side ---

    def test_the_templates_say_them(self):
        self.assertGreaterEqual(len(self.transcripts), 10)
        for language, program in TEMPLATES.items():
            for name, steps in self.transcripts.items():
                with self.subTest(language, transcript=name):
                    self.assertIsNone(transcripts.replay([program], steps))

    def test_the_templates_answer_for_real(self):
        for language, program in TEMPLATES.items():
            with self.subTest(language):
                source = {"name": "shop", "connector": program, "settings": {"path": self.path("shop", "customers.jsonl")}}
                answer = self.ask("alice", self.configure_alone(source), self.out(language))
                self.assertEqual(answer.status, 0, answer.errors)
                self.assertEqual(harness.counted(answer.entries), {"shop": {"customers": 1}})
                self.assertIn(b'"discount":1.10}', answer.entries["shop/customers.json"])
                self.assertNotIn("Malice", answer.whole_text)

    def test_the_templates_bound_what_they_read(self):
        """The longest record comes. A longer line, here of zeros to the file's end, is told and takes no memory."""
        head, tail = b'{"id":"4711","email":"alice@example.test","note":"', b'"}'
        longest = head + b"x" * (RECORD_MAX - len(head) - len(tail)) + tail
        with open(self.path("shop", "customers.jsonl"), "wb") as file:
            file.write(longest + b"\n" + longest.replace(b"x", b"xx", 1) + b"\n")
            file.truncate(256 << 20)
        for language, program in TEMPLATES.items():
            with self.subTest(language):
                said, peak_kib = self.fetch(program)
                self.assertTrue(b"\n" + longest + b"{" in said, said[:200])
                self.assertRegex(said[-500:], rb'"end".*"status":"partial","count":1,.*lines that are no customer: 2"')
                self.assertLess(peak_kib, 100 << 10)

    def fetch(self, program):
        """What the connector says when it is asked for everything of Alice, and the most memory that it takes, in KiB."""
        asked = [{"type": "configure", "settings": {"path": self.path("shop", "customers.jsonl")}, "secrets": {}},
                 {"type": "fetch", "request": REQUEST, "deadline_ms": 60000, "collections": ["customers"],
                  "identities": [{"kind": "customer_id", "value": "4711"}]}]
        with subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as connector:
            connector.stdin.write("".join(json.dumps(each) + "\n" for each in asked).encode())
            connector.stdin.flush()
            said = b""
            while b'"done"' not in said:
                piece = connector.stdout.read1()
                self.assertTrue(piece, said[-300:])
                said += piece
            connector.stdin.close()
            _, status, usage = os.wait4(connector.pid, 0)
            connector.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(connector.returncode, 0)
        return said, usage.ru_maxrss

    # --- dsard's side ---

    def out(self, name):
        os.makedirs(self.path("out", name))
        return self.path("out", name)

    def configure_alone(self, source):
        return self.configure(sources={**{name: None for name in harness.SOURCES}, "shop": source})

    def player(self, file="customers.jsonl", more=()):
        """A source that plays the document's part of the connector; `more` are transcripts besides."""
        transcripts.save({**self.transcripts, **dict(more)}, self.folder)
        return {"name": "shop", "connector": sys.executable, "arguments": [PLAYER, self.folder],
                "settings": {"path": self.path("shop", file)}, "sandbox": {"enabled": False}}  # it writes files

    def begin(self, address, source):
        """`dsard once`, as the request of the document."""
        request = {**harness.request_for(address, self.keys), "subject_request_id": REQUEST}
        return (harness.DSARD, "once", "-c", self.configure_alone(source), "--request",
                harness.save(self.path("request.json"), request), "--out", self.path("out"))

    def played(self):
        """What was played; the hellos at the start are left out."""
        self.assertFalse(os.path.exists(self.path("unexpected")),
                         f"dsard said something else: {self.noted('unexpected')}")
        return [name for name in self.noted("played").splitlines() if name != "hello"]

    def noted(self, name):
        if not os.path.exists(self.path(name)):
            return ""
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def play(self, address, source, status):
        done = harness.run(*self.begin(address, source))
        played = self.played()
        self.assertEqual(done.returncode, status, done.stderr)
        return played

    def test_dsard_says_them_of_somebody_who_is_known(self):
        self.assertEqual(self.play("alice@example.test", self.player(), 0), NORMAL)
        self.assertIn("hello", self.noted("played").splitlines())

    def test_dsard_says_them_of_somebody_who_is_not(self):
        self.assertEqual(self.play("nobody@example.test", self.player(), 0), ["not found"])

    def of_bob(self, name):
        """The transcript of Alice, as it is of Bob and the damaged file."""
        changes = ((b"alice@", b"bob@"), (b"4711", b"4713"), (b"customers.jsonl", b"damaged.jsonl"))
        steps = []
        for mark, data in self.transcripts[name]:
            for old, new in changes:
                data = data.replace(old, new)
            steps.append((mark, data))
        return steps

    def test_dsard_says_them_of_a_part(self):
        more = [(name + " of bob", self.of_bob(name)) for name in ("resolve", "second wave")]
        self.assertEqual(self.play("bob@example.test", self.player("damaged.jsonl", more), 4),
                         ["resolve of bob", "second wave of bob", "partial"])

    def test_dsard_says_them_of_a_failure(self):
        self.assertEqual(self.play("alice@example.test", self.player("lost.jsonl"), 4), ["failed"] * 3)

    def test_dsard_says_them_of_a_cancel(self):
        process = self.start(*self.begin("carol@example.test", self.player()))
        harness.wait_for(lambda: self.noted("waiting"), process.log)
        process.signal(signal.SIGTERM)
        process.popen.wait(harness.PATIENCE_S)
        self.assertEqual(self.played(), ["cancel"])

    def test_dsard_says_them_of_a_check(self):
        done = harness.run(harness.DSARD, "check", "--connect", "-c", self.configure_alone(self.player()))
        self.assertEqual(self.played(), ["check"])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("a file of JSON lines", done.stdout)


class Installed(harness.Scenario):
    """What an author of a connector gets: `cmake --install BUILD --component connector`."""

    def setUp(self):
        super().setUp()
        done = harness.run("cmake", "--install", harness.BUILD, "--component", "connector", "--prefix", self.path("usr"))
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_copy_of_the_template_is_built_with_one_line(self):
        with open(self.path("usr", "share", "dsard", "template", "customers.c"), encoding="utf-8") as file:
            text = file.read()
        line = next(line.strip(" *") for line in text.splitlines() if " cc " in line).strip()
        with open(self.path("customers.c"), "w", encoding="utf-8") as file:
            file.write(text)
        pkgconfig = os.path.dirname(glob.glob(self.path("usr", "lib*", "**", "dsar-connector.pc"), recursive=True)[0])
        done = harness.run("sh", "-c", f"cd {shlex.quote(self.folder)} && {line} -Wall -Wextra -Werror",
                           env={**os.environ, "PKG_CONFIG_PATH": pkgconfig})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.judge(self.path("dsar-customers"))

    def test_the_python_template_works_from_where_it_is_installed(self):
        self.judge(self.path("usr", "share", "dsard", "template-python", "customers.py"))

    def judge(self, program):
        """By the runner that is installed."""
        with open(self.path("customers.jsonl"), "w", encoding="utf-8") as file:
            file.write('{"id":"1","email":"alice@example.test"}\n')
        settings = harness.save(self.path("settings.json"), {"settings": {"path": self.path("customers.jsonl")}})
        identities = harness.save(self.path("identities.json"), [{"kind": "email", "value": "alice@example.test"}])
        done = harness.run(self.path("usr", "share", "dsard", "conformance", "run"), program, "--", "--settings", settings,
                           "--identities", identities)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
