#!/usr/bin/env python3
"""`dsard once` against the example host: what is in a person's bundle, what is asked of whom, and what leaves no trace.

Programs are those of $DSAR_BUILD.
"""
import contextlib
import hashlib
import html
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import unittest

import exports
import harness
from harness import canaries, people

COLLECTION = {"name": "things", "title": "Things", "category": "things", "needs": ["email"], "fields": {}}
KEPT = [{"type": "record", "collection": "things", "payload": '{"id":1}\n'},
        {"type": "end", "collection": "things", "status": "complete", "count": 1}, {"type": "done", "status": "ok"}]


class Completeness(exports.Exports):
    def check_whole(self, person, answer, held):
        """The bundle holds what the sources hold of the person, and nothing of anybody else."""
        self.assertEqual(answer.status, 0, answer.errors)
        self.assertEqual(harness.counted(answer.entries), held)
        self.assertEqual(canaries.missing(person, answer.data_text), [])
        self.assertEqual(canaries.missing(person, answer.data_text, "files"), [])
        self.assertEqual(canaries.leaked(person, answer.whole_text), [])
        self.assertEqual(answer.own["coverage"], "complete")
        self.assertEqual({each["name"]: each["records"] for each in answer.own["sources"] if each["records"]},
                         {source: sum(collections.values()) for source, collections in held.items()})
        self.check_manifest(answer)

    def check_manifest(self, answer):
        listed = {each["name"]: (each["bytes"], each["sha256"]) for each in answer.manifest["entries"]}
        self.assertEqual(listed, {name: (len(content), hashlib.sha256(content).hexdigest())
                                  for name, content in answer.entries.items()
                                  if name not in ("manifest.json", "manifest.jws")})

    def test_each_person_gets_all_of_theirs_and_nothing_else(self):
        for person in people.PEOPLE:
            with self.subTest(person):
                answer = self.ask(person, locale="fr")
                self.check_whole(person, answer, harness.held(person))
                self.assertEqual(answer.entries, harness.open_with_7zz(answer.bundle, answer.passphrase))
                report = answer.entries["report.html"].decode()
                self.assertIn('<html lang="fr', report)
                self.assertIn("<title>Copie de vos données personnelles</title>", html.unescape(report))
                if person in ("alice", "malice"):
                    self.assertEqual(set(answer.statuses.values()), {"complete"})

    def test_digits_arrive_as_the_source_wrote_them(self):
        entries = self.ask("alice").entries
        for name, pattern in (("billing/credits.json", rb'"amount":\s*1000000\.00[,}]'),
                              ("billing/credits.json", rb'"amount":\s*-1\.10[,}]'),
                              ("billing/orders.json", rb'"ordernum":\s*12345678901234567890[,}]'),
                              ("billing/invoices.json", rb'"balance":\s*1\.10[,}]'),
                              ("billing/products.json", rb'"ordernumber":\s*"12345678901234567890"'),
                              ("forum/attachments.json", rb'"filesize":\s*12345678901[,}]')):
            self.assertRegex(entries[name], pattern)
        report = entries["report.html"].decode()
        for digits in ("12345678901234567890", "1000000.00", "-1.10"):
            self.assertIn(digits, report)

    def test_what_takes_several_pages_comes_whole(self):
        count = 150
        running = subprocess.Popen(
            [sys.executable, os.path.join(harness.ROOT, "tests", "fakes", "host.py"), "--dir", self.path("big"),
             "--big", str(count)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        with running:
            where = json.loads(running.stdout.readline())
            answer = self.ask("alice", self.configure(where=where))
            running.stdin.close()
            running.wait(harness.PATIENCE_S)
        held = harness.held("alice")
        for collection in ("tickets", "emails"):
            held["billing"][collection] += count
        self.check_whole("alice", answer, held)
        for collection, text in (("tickets", "Generated ticket {}."), ("emails", "Generated message {}.")):
            content = answer.entries[f"billing/{collection}.json"].decode()
            for at in range(count):
                self.assertEqual(content.count(text.format(at)), 1)

    def test_files_are_listed_with_their_real_names(self):
        answer = self.ask("alice", self.configure(sources={"liar": exports.liar("ok")}))
        self.assertEqual((answer.status, answer.own["coverage"]), (0, "complete"), answer.errors)
        self.assertEqual(answer.entries["liar/files/0001.txt"], b"canary-liar-file-5e20\n")
        listed, = json.loads(answer.entries["liar/files.json"])
        self.assertEqual((listed["name"], listed["media_type"], listed["collection"]),
                         ("truth.txt", "text/plain", "things"))
        self.assertEqual(answer.event["data"]["results_count"],
                         answer.manifest["records"] + 1 + len(canaries.canaries("alice")["files"]))
        self.check_manifest(answer)

    def test_nobody_is_an_answer_too(self):
        answer = self.ask("dave")
        self.assertEqual((answer.status, answer.event["type"]), (0, "org.dsard.completed.v1"), answer.errors)
        self.assertEqual((answer.event["data"]["results_count"], answer.own["coverage"]), (0, "complete"))
        self.assertEqual(set(answer.statuses.values()), {"not_found"})
        self.assertEqual(set(answer.entries), set(exports.FRONT))
        self.assertEqual(answer.manifest["searched"]["identities"],
                         [{"kind": "email", "value": "dave@example.test", "from": "request"}])
        report = html.unescape(answer.entries["report.html"].decode())
        for words in ("Nothing was found", "dave@example.test", "Billing", "Panel", "Forum", "Marketing"):
            self.assertIn(words, report)

    def test_a_request_is_answered_once_in_a_folder(self):
        config, request = self.configure(), harness.request_for("bob", self.keys)
        path = harness.save(self.path("request.json"), request)
        answer = exports.Answer(harness.Once(config, path, self.path("out")), request, self.keys)
        self.assertEqual((answer.status, harness.counted(answer.entries)), (0, harness.held("bob")))
        left = sorted(os.listdir(os.path.dirname(answer.bundle)))
        again = harness.Once(config, path, self.path("out"))
        self.assertEqual((again.status, again.output), (2, ""), again.errors)
        self.assertRegex(again.errors, f"(?m)^dsard once: .*{request['subject_request_id']}: .* use another --out$")
        self.assertEqual(sorted(os.listdir(os.path.dirname(answer.bundle))), left)
        elsewhere = exports.Answer(harness.Once(config, path, tempfile.mkdtemp(dir=self.folder)), request, self.keys)
        self.assertEqual((elsewhere.status, harness.counted(elsewhere.entries)), (0, harness.held("bob")))
        self.assertNotEqual(elsewhere.passphrase, answer.passphrase)


class Identities(exports.Exports):
    def shop(self, *found, kinds=("shop_id",)):
        """A source that finds these (kind, value), and holds one thing by e-mail."""
        return self.parrot("shop", {
            "hello": {"resolve": {"needs": ["email"], "yields": list(kinds)}, "collections": [COLLECTION]},
            "resolve": [{"type": "identity", "kind": kind, "value": value, "evidence": "e"} for kind, value in found]
            + [{"type": "done", "status": "ok"}],
            "fetch": KEPT})

    def test_more_values_than_allowed_refuse_the_request_and_name_nobody(self):
        values = [f"canary-value-{at}-4a4a" for at in range(6)]
        shop = self.shop(*(("shop_id", value) for value in values))
        answer = self.ask("alice", self.configure({"work": {"identities_per_source": 5}}, {"shop": shop}))
        self.assertEqual((answer.status, answer.bundle), (5, None), answer.errors)
        self.assertIn("dsard once: refused: ", answer.errors)
        self.assertEqual(answer.event["type"], "org.dsard.refused.v1")
        self.assertEqual(answer.event["data"]["reason"]["code"], "ambiguous")
        said = json.dumps(answer.event) + answer.errors + answer.output
        self.assertNotRegex(said, "canary-|alice|@")
        left = os.listdir(os.path.dirname(answer.outcome))
        self.assertEqual(sorted(name.partition(".")[2] or name for name in left), ["outcome.json", "receipt"])

    def test_as_many_values_as_allowed_are_taken(self):
        found = [("shop_id", str(at)) for at in range(5)]
        answer = self.ask("bob", self.configure({"work": {"identities_per_source": 5}},
                                                {"shop": self.shop(*found, found[0])}))
        self.assertEqual((answer.status, answer.statuses["shop"]), (0, "complete"), answer.errors)

    def test_a_source_that_names_what_only_the_request_may_name_fails_alone(self):
        """An address, a kind that the request itself verified, a kind that its hello does not have."""
        for kind, kinds in (("email", ("email",)), ("email", ("shop_id",)), ("EMAIL", ("shop_id",)),
                            ("customer_id", ("customer_id",)), ("customer_id", ("shop_id",))):
            with self.subTest(kind=kind, hello=kinds):
                config = self.configure(sources={"shop": self.shop((kind, "malice@example.test"), kinds=kinds)})
                request = harness.request_for("alice", self.keys)
                request["subject_identities"].append({"identity_type": "customer_id", "identity_value": "1"})
                path = harness.save(self.path("request.json"), request)
                answer = exports.Answer(harness.Once(config, path, self.path("out")), request, self.keys)
                self.assertEqual(answer.status, 4, answer.errors)
                self.assertEqual(answer.gap("shop")["code"], "identity_refused")
                self.assertEqual({**answer.statuses, "shop": ""},
                                 dict.fromkeys(harness.SOURCES, "complete") | {"shop": ""})
                self.assertEqual(harness.counted(answer.entries), harness.held("alice"))
                self.assertEqual(canaries.leaked("alice", answer.whole_text), [])

    def test_without_an_edge_nothing_is_passed_on(self):
        answer = self.ask("alice", self.configure({"identities": {"allow": []}}))
        self.assertEqual((answer.status, answer.statuses["panel"]), (0, "not_found"), answer.errors)
        self.assertNotIn("cpanel", self.calls())


class Scope(exports.Exports):
    def test_only_the_sources_in_scope_are_asked(self):
        answer = self.ask("alice", scope={"sources": ["forum"]})
        self.assertEqual(answer.status, 0, answer.errors)
        self.assertEqual(answer.statuses,
                         {"billing": "skipped", "panel": "skipped", "forum": "complete", "marketing": "skipped"})
        self.assertEqual(harness.counted(answer.entries), {"forum": harness.held("alice")["forum"]})
        self.assertEqual(self.calls(), {})

    def test_a_source_that_leads_to_one_in_scope_is_asked_who_and_nothing_more(self):
        answer = self.ask("alice", scope={"sources": ["panel"]})
        self.assertEqual(answer.status, 0, answer.errors)
        self.assertEqual((answer.statuses["panel"], answer.statuses["billing"]), ("complete", "skipped"))
        self.assertEqual(harness.counted(answer.entries), {"panel": harness.held("alice")["panel"]})
        calls = self.calls()
        self.assertNotIn("mautic", calls)
        self.assertEqual(set(calls["whmcs"]), {"GetClientsDetails", "GetClientsProducts"})

    def test_only_the_categories_in_scope_are_fetched(self):
        answer = self.ask("alice", scope={"sources": ["billing", "marketing"], "categories": ["payments"]})
        self.assertEqual(answer.status, 0, answer.errors)
        self.assertEqual((answer.statuses["billing"], answer.statuses["marketing"]), ("complete", "skipped"))
        billing, = (each for each in answer.manifest["sources"] if each["name"] == "billing")
        self.assertEqual({each["category"] for each in billing["collections"]}, {"payments"})
        counted, held = harness.counted(answer.entries), harness.held("alice")["billing"]
        self.assertEqual(set(counted), {"billing"})
        self.assertIn("invoices", counted["billing"])
        self.assertNotIn("tickets", counted["billing"])
        self.assertEqual(counted["billing"], {name: held[name] for name in counted["billing"]})
        self.assertNotIn("mautic", self.calls())

    def test_a_scope_that_leaves_out_everything_is_refused(self):
        for scope in ({"sources": ["nosuch"]}, {"categories": ["nosuch"]}):
            answer = self.ask("alice", scope=scope)
            self.assertEqual((answer.status, answer.event["data"]["reason"]["code"]), (5, "empty_scope"))
        self.assertEqual(self.calls(), {})


class Secrecy(exports.Exports):
    def secrets(self):
        return [self.where[product][name] for product, name in
                (("whmcs", "identifier"), ("whmcs", "secret"), ("cpanel", "token"), ("mautic", "password"))]

    def look_into(self, path, needles, found):
        with contextlib.suppress(OSError), open(path, "rb") as file:
            content = file.read()
            found.update((path, needle) for needle in needles if needle in content)
            return len(content)
        return 0

    @staticmethod
    def read_proc(pid, name):
        try:
            with open(f"/proc/{pid}/{name}", "rb") as file:
                return file.read()
        except OSError:
            return None

    def test_no_plaintext_on_disk_and_nothing_secret_in_sight(self):
        if os.geteuid():
            self.skipTest("only root may look into the files of a process that cannot be dumped")
        marks = [mark.encode() for mark in canaries.canaries("alice")["own"]] + [b"alice@example.test", b"Alice "]
        needles = [secret.encode() for secret in self.secrets()] + marks
        self.host.stubs["whmcs"].spoil({"mode": "slow", "delay_ms": 30, "calls": ["GetActivityLog"]})
        config = self.configure({"log": {"level": "debug"}})
        request = harness.save(self.path("request.json"), harness.request_for("alice", self.keys))
        tmp = self.path("tmp")
        os.mkdir(tmp)
        process = self.start(harness.DSARD, "once", "-c", config, "--request", request, "--out", self.path("out"),
                             env={"TMPDIR": tmp, "HOME": tmp})
        found, most_spooled, connectors, passphrases = set(), 0, set(), set()
        while process.running():
            pids = [process.pid]
            with contextlib.suppress(OSError):
                pids += process.children()
            for pid in pids:
                names = {name: self.read_proc(pid, name) for name in ("cmdline", "environ")}
                found.update((f"{pid} {name}", needle) for name, content in names.items()
                             for needle in needles if content and needle in content)
                if pid != process.pid and names["cmdline"] and b"libexec" in names["cmdline"].split(b"\0")[0]:
                    connectors.add(names["cmdline"])
                    self.assertFalse(names["environ"], "a connector has an environment")
                with contextlib.suppress(OSError):
                    for number in os.listdir(f"/proc/{pid}/fd"):
                        link = f"/proc/{pid}/fd/{number}"
                        with contextlib.suppress(OSError):
                            if self.path("spool") in os.readlink(link):
                                most_spooled = max(most_spooled, self.look_into(link, needles, found))
            for folder in ("spool", "store", "out", "tmp"):
                for at, _, files in os.walk(self.path(folder)):
                    for name in files:
                        self.look_into(os.path.join(at, name), needles, found)
            time.sleep(0.02)
        log = process.log()
        self.assertEqual(process.popen.returncode, 0, log)
        outcome = re.search("^outcome: (.+)$", log, re.MULTILINE).group(1)
        passphrases = {harness.passphrase(outcome, self.keys.recipient).encode()}
        for at, _, files in os.walk(self.path("out")):
            for name in files:
                self.look_into(os.path.join(at, name), needles + list(passphrases), found)
        self.assertEqual(found, set())
        self.assertFalse([needle for needle in needles + list(passphrases) if needle.decode() in log])
        self.assertGreater(most_spooled, 4096, "nothing was seen in the spool while the export ran")
        self.assertGreaterEqual(len(connectors), 3)
        self.assertEqual((os.listdir(self.path("spool")), os.listdir(tmp)), ([], []))

    def test_no_core_is_dumped(self):
        self.host.stubs["whmcs"].spoil({"mode": "slow", "delay_ms": 30, "calls": ["GetActivityLog"]})
        request = harness.save(self.path("request.json"), harness.request_for("alice", self.keys))
        process = self.start(harness.DSARD, "once", "-c", self.configure(), "--request", request,
                             "--out", self.path("out"))
        def limits():
            """Those of dsard and of a connector at the same moment."""
            with contextlib.suppress(OSError):
                found = [self.read_proc(pid, "limits") for pid in [process.pid, *process.children()]]
                return len(found) > 1 and all(found) and found
            return None

        for each in harness.wait_for(limits, process.log):
            self.assertRegex(each, rb"Max core file size +0 +0 ")


class FullDisk(exports.Exports):
    @contextlib.contextmanager
    def small(self, folder, kib):
        """A file system of so many KiB at `folder`."""
        os.makedirs(folder, exist_ok=True)
        if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", folder],
                                          check=False, capture_output=True).returncode:
            self.skipTest("file systems cannot be mounted here")
        try:
            yield folder
        finally:
            subprocess.run(["umount", folder], check=True)

    def check_failed(self, answer, word):
        """One clear line, no bundle, no receipt, nothing half done."""
        self.assertEqual((answer.status, answer.output), (1, ""), answer.errors)
        lines = [line for line in answer.errors.splitlines() if not re.match(r"\d{4}-.*Z (info|warning) ", line)]
        self.assertEqual(len(lines), 1, answer.errors)
        self.assertRegex(lines[0], f"^dsard once: .*{word}.*No space left on device")
        left = [name for _, _, files in os.walk(self.path("out")) for name in files]
        left += [name for _, _, files in os.walk(self.path("spool")) for name in files]
        self.assertEqual(left, [])

    def test_a_full_spool(self):
        with self.small(self.path("spool"), 16):
            self.check_failed(self.ask("alice"), "spool")

    def test_a_full_store(self):
        with self.small(self.path("out"), 24):
            self.check_failed(self.ask("alice"), "store")

    def test_a_store_that_is_full_for_the_receipt(self):
        size = os.path.getsize(self.ask("dave", out=tempfile.mkdtemp(dir=self.folder)).bundle)
        with self.small(self.path("out"), -(-size // 4096) * 4):
            answer = self.ask("dave")
            self.check_failed(answer, "store")

    def test_a_store_or_spool_that_cannot_be_written(self):
        for folder in ("out", "spool"):
            with self.subTest(folder), self.small(self.path(folder), 64) as path:
                subprocess.run(["mount", "-o", "remount,ro", path], check=True)
                answer = self.ask("dave", self.configure())
                self.assertEqual((answer.status, answer.output), (1, ""), answer.errors)
                self.assertRegex(answer.errors, r"^dsard once: (spool|store) .*expected a folder that can be written")
        self.assertEqual(self.calls(), {})


if __name__ == "__main__":
    unittest.main()
