#!/usr/bin/env python3
"""`dsard once` while a source answers wrongly, or its connector lies: that source is the gap, all else is delivered.

Programs are those of $DSAR_BUILD.
"""
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest
import zipfile

import exports
import harness
from harness import canaries

# mode: the gap's code, and what is lost when a single collection's call is spoilt: that collection ("one"), it and those
# that were not asked yet ("rest"), or that or everything, whichever of two clocks is first ("time")
FAULTS = {"refuse401": ("source_refused", "rest"), "error500": ("source_error", "one"),
          "busy503": ("source_busy", "rest"), "garbage": ("source_answer", "one"), "html": ("source_answer", "one"),
          "cut": ("source_unreachable", "rest"), "endless": ("source_answer", "one"),
          "slow": ("source_timeout", "time"), "hang": ("source_timeout", "time"), "everybody": ("ownership", "one"),
          "drop_connection": ("source_unreachable", "rest"), "too_large": ("source_answer", "one"),
          "short_total": ("short_answer", "one")}
TRANSIENT = ("error500", "busy503", "garbage", "html", "cut", "drop_connection", "short_total")
MORE = {"slow": {"delay_ms": 1000}, "too_large": {"bytes": 20 << 20}}
ONE_TRY = {"retry": {"attempts": 1}}
# for those that only time ends; the others must not meet it on a slow machine
SHORT = {"slow": {"deadline_s": 2, "resolve_deadline_s": 1}, "hang": {"deadline_s": 2, "resolve_deadline_s": 1}}

# lie: the gap's code
LIES = {"crash": "source_crashed", "exit_early": "source_crashed", "garbage": "source_protocol",
        "not_json": "source_protocol", "long_line": "source_protocol", "big_payload": "source_protocol",
        "cut_payload": "source_crashed", "wrong_count": "source_protocol", "missing_end": "source_protocol",
        "double_end": "source_protocol", "undeclared_collection": "source_protocol",
        "unknown_type": "source_protocol", "bad_record": "bad_record", "deep_record": "bad_record",
        "silence": "source_silent", "dribble": "source_silent", "endless": "source_timeout", "slow": "source_timeout"}
# far less than what it would take by the defaults of keep_alive_s (30) and deadline_s (3600)
SOON_S = 25


class Faults(exports.Exports):
    def check_gap(self, answer, source, code):
        """Delivered, with this gap, and nothing of anybody else in it."""
        self.assertEqual((answer.status, answer.event["type"], answer.own["coverage"]),
                         (4, "org.dsard.completed.v1", "partial"), answer.errors)
        gap = answer.gap(source)
        self.assertEqual(gap["code"], code)
        self.assertGreater(len(gap["text"]), 10)
        self.assertNotRegex(gap["text"], "alice|canary|@|\n")
        self.assertEqual(answer.manifest["coverage"], "partial")
        self.assertEqual(canaries.leaked("alice", answer.whole_text), [])
        self.assertIn("not complete", answer.entries["report.html"].decode())

    def check_complete(self, answer, sources):
        held, counted = harness.held("alice"), harness.counted(answer.entries)
        for source in sources:
            self.assertEqual((answer.statuses[source], counted[source]), ("complete", held[source]))

    def check_no_trace(self, answer, prefix):
        """No entry begins with the prefix, and no byte of the archive belongs to none of its entries."""
        self.assertEqual([name for name in answer.entries if name.startswith(prefix)], [])
        with zipfile.ZipFile(answer.bundle) as archive, open(answer.bundle, "rb") as file:
            end = 0
            for entry in archive.infolist():
                self.assertEqual(entry.header_offset, end, "a gap in the archive")
                file.seek(entry.header_offset)
                header = file.read(30)
                names = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
                self.assertFalse(entry.flag_bits & 8, "a data descriptor")
                end += 30 + names + entry.compress_size
            self.assertEqual(archive.start_dir, end, "a gap in front of the central directory")
            self.assertEqual({entry.filename for entry in archive.infolist()}, set(answer.entries))


class SourceFaults(Faults):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        marks = canaries.MARK.findall(json.dumps([harness.people.CLIENTS, harness.people.PRODUCTS,
                                                  harness.people.TICKETS, harness.people.INVOICES]))
        cls.of_billing = {mark for mark in marks if mark.startswith("canary-alice")}

    def spoil(self, mode, **more):
        self.host.stubs["whmcs"].spoil({"mode": mode, **MORE.get(mode, {}), **more})

    def test_a_source_that_cannot_look_the_person_up_is_a_gap(self):
        for mode, (code, _) in FAULTS.items():
            with self.subTest(mode):
                config = self.configure(ONE_TRY, {"billing": SHORT.get(mode, {})})
                self.spoil(mode)
                started = time.monotonic()
                answer = self.ask("alice", config)
                self.assertLess(time.monotonic() - started, SOON_S)
                self.check_gap(answer, "billing", code)
                self.assertEqual(answer.statuses["billing"], "failed")
                self.assertEqual((answer.statuses["panel"], answer.gap("panel")["code"]),
                                 ("failed", "upstream_unresolved"))
                self.check_complete(answer, ("forum", "marketing"))
                self.check_no_trace(answer, ("billing/", "panel/"))
                self.assertFalse({mark for mark in self.of_billing if mark in answer.whole_text})

    def test_a_source_that_fails_while_it_is_read_is_a_gap(self):
        for mode, (code, lost) in FAULTS.items():
            with self.subTest(mode):
                config = self.configure(ONE_TRY, {"billing": SHORT.get(mode, {})})
                self.spoil(mode, calls=["GetInvoices"])
                started = time.monotonic()
                answer = self.ask("alice", config)
                self.assertLess(time.monotonic() - started, SOON_S)
                self.check_gap(answer, "billing", code)
                self.check_complete(answer, ("panel", "forum", "marketing"))
                if lost == "time" and answer.statuses["billing"] == "failed":
                    self.check_no_trace(answer, "billing/")
                    self.assertFalse({mark for mark in self.of_billing if mark in answer.whole_text})
                else:
                    self.assertEqual(answer.statuses["billing"], "partial")
                    self.check_other_collections(answer, mode)

    def check_other_collections(self, answer, mode):
        """Each collection is whole, or is not there and the manifest says why."""
        code, lost = FAULTS[mode]
        held, counted = harness.held("alice")["billing"], harness.counted(answer.entries)["billing"]
        billing, = (each for each in answer.manifest["sources"] if each["name"] == "billing")
        gaps = {each["name"]: each["reason"]["code"] for each in billing["collections"] if "reason" in each}
        self.assertEqual(gaps, dict.fromkeys(gaps, code))
        self.assertIn("invoices", gaps)
        if lost == "one":
            self.assertEqual(set(gaps), {"invoices"})
        if mode == "short_total":  # what came then is right, but not all
            gaps = {}
        self.assertEqual(counted, {name: count for name, count in held.items() if name not in gaps})
        self.check_no_trace(answer, tuple(f"billing/{name}." for name in gaps) or "nothing/")
        if gaps:
            self.assertNotIn("canary-alice-invoice", answer.whole_text)

    def test_each_source_may_fail(self):
        config = self.configure(ONE_TRY)
        for source, stub in (("panel", "cpanel"), ("marketing", "mautic")):
            for mode in ("refuse401", "garbage", "drop_connection"):
                with self.subTest(source=source, mode=mode):
                    self.host.stubs[stub].spoil({"mode": mode})
                    answer = self.ask("alice", config)
                    self.check_gap(answer, source, FAULTS[mode][0])
                    self.check_complete(answer, set(harness.SOURCES) - {source})
                    self.check_no_trace(answer, source + "/")
            self.host.stubs[stub].spoil({"mode": "ok"})

    def test_all_of_them_may_fail(self):
        for stub in self.host.stubs.values():
            stub.spoil({"mode": "error500"})
        config = self.configure(ONE_TRY, {"forum": {"settings": {"path": self.path("nothing.sqlite")}}})
        answer = self.ask("alice", config)
        self.assertEqual((answer.status, set(answer.statuses.values())), (4, {"failed"}), answer.errors)
        self.assertEqual(answer.event["data"]["results_count"], 0)
        self.assertNotIn("Nothing was found", answer.entries["report.html"].decode())

    def test_a_passing_fault_is_tried_again(self):
        config = self.configure({"retry": {"attempts": 2, "first_ms": 10, "max_ms": 3000}})
        for mode, call in [(mode, "GetInvoices") for mode in TRANSIENT] + [("cut", "GetClientsProducts")]:
            with self.subTest(mode=mode, call=call):
                self.spoil(mode, calls=[call], times=1)
                started = time.monotonic()
                answer = self.ask("alice", config)
                self.assertEqual((answer.status, answer.own["coverage"]), (0, "complete"), answer.errors)
                self.check_complete(answer, harness.SOURCES)
                self.assertEqual(canaries.leaked("alice", answer.whole_text), [])
                if mode == "busy503":
                    self.assertGreater(time.monotonic() - started, 1, "it asked for a second's patience")

    def test_a_source_that_keeps_failing_is_left_alone(self):
        """However often it might be asked again: and the others are delivered without waiting for it."""
        config = self.configure({"retry": {"attempts": 20, "first_ms": 10, "max_ms": 60000, "breaker_failures": 3}},
                                {"billing": {"settings": {"retries": 0}}})
        self.spoil("error500")
        started = time.monotonic()
        answer = self.ask("alice", config)
        self.assertLess(time.monotonic() - started, SOON_S)
        self.check_gap(answer, "billing", "source_error")
        self.check_complete(answer, ("forum", "marketing"))
        self.assertEqual(self.calls()["whmcs"], ["GetClientsDetails"] * 3)
        self.assertIn("source billing: it keeps failing, so it is left alone for 60 s", answer.errors)

    def test_a_refusal_is_not_tried_again(self):
        self.spoil("refuse401")
        self.ask("alice")
        self.assertEqual(self.calls()["whmcs"], ["GetClientsDetails"])


class Lies(Faults):
    others = ("forum",)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # dsard waits ten seconds for a hello: that passes while other tests run
        cls.mute = {}
        for lie in ("no_hello", "late_hello", "wrong_protocol"):
            folder = cls.enterClassContext(tempfile.TemporaryDirectory())
            config = harness.write_config(os.path.join(folder, "dsard.yaml"), cls.where, cls.keys,
                                          sources={"liar": exports.liar(lie)})
            cls.mute[lie] = subprocess.Popen([harness.DSARD, "check", "-c", config], text=True,
                                             stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
            cls.addClassCleanup(cls.mute[lie].kill)

    def configure_with(self, *sources):
        """Beside the forum alone: it needs no server, and so no time."""
        left_out = {name: None for name in harness.SOURCES if name not in self.others}
        return self.configure(ONE_TRY, left_out | {source["name"]: source for source in sources})

    def test_a_lying_connector_is_a_gap_and_the_other_is_delivered(self):
        for lie, code in LIES.items():
            with self.subTest(lie):
                config = self.configure_with(exports.liar(lie, keep_alive_s=2, deadline_s=3))
                started = time.monotonic()
                answer = self.ask("alice", config)
                self.assertLess(time.monotonic() - started, SOON_S)
                self.check_gap(answer, "liar", code)
                self.assertEqual(answer.statuses["liar"], "failed")
                self.check_complete(answer, self.others)
                self.check_no_trace(answer, "liar/")
                self.assertNotIn("canary-liar", answer.whole_text)

    def test_a_connector_that_is_another_one_than_at_the_start(self):
        """Its file is changed between the first hello and the next."""
        collection = {"name": "things", "title": "Things", "category": "things", "needs": ["email"], "fields": {}}
        source = self.parrot("shop", {"hello": {"collections": [collection]}, "fetch": []})
        path = source["arguments"][1]
        changed = harness.load(path)
        changed["hello"]["version"] = "2"
        source["connector"] = self.path("turncoat")
        with open(source["connector"], "w", encoding="utf-8") as script:
            script.write(f"#!/bin/sh\n'{sys.executable}' '{exports.PARROT}' '{path}'\n"
                         f"cat >'{path}' <<'END'\n{json.dumps(changed)}\nEND\n")
        os.chmod(source["connector"], 0o700)
        source["arguments"] = []
        source["sandbox"] = {"enabled": False}  # it writes a file
        answer = self.ask("alice", self.configure_with(source))
        self.check_gap(answer, "shop", "source_changed")
        self.check_complete(answer, self.others)

    def test_what_came_in_part_is_delivered_when_no_later_try_gives_more(self):
        """The first try gives one collection of two, the second breaks off after it gave another record."""
        def collection(name):
            return {"name": name, "title": name, "category": "things", "needs": ["email"], "fields": {}}

        def given(text, withheld):
            return [{"type": "record", "collection": "kept", "payload": json.dumps({"text": text}) + "\n"},
                    {"type": "withheld", "collection": "kept", "count": withheld, "reason": "trade_secret"},
                    {"type": "end", "collection": "kept", "status": "complete", "count": 1}]

        why = {"code": "down", "text": "the system is down", "retryable": True}
        script = {"hello": {"collections": [collection("kept"), collection("lost")]},
                  "fetch": [[*given("of the first", 1), {"type": "end", "collection": "lost", "status": "failed", **why},
                             {"type": "done", "status": "ok"}],
                            [*given("of the second", 7), {"type": "done", "status": "failed", **why, "code": "gone"}]]}
        config = self.configure({"retry": {"attempts": 2, "first_ms": 10}},
                                {name: None for name in harness.SOURCES if name not in self.others} |
                                {"shop": self.parrot("shop", script)})
        answer = self.ask("alice", config)
        self.assertIn("source shop: fetching failed at try 2 of 2 (gone)", answer.errors)
        self.check_gap(answer, "shop", "down")
        self.assertEqual(answer.statuses["shop"], "partial")
        self.check_complete(answer, self.others)
        self.assertEqual(harness.records(answer.entries)["shop"], {"kept": [{"text": "of the first"}]})
        self.assertIn({"collection": "shop/kept", "count": 1, "reason": "trade_secret"}, answer.manifest["withheld"])
        self.check_no_trace(answer, "shop/lost")
        self.assertNotIn("of the second", answer.whole_text)

    def test_no_source_can_end_the_request_by_its_words(self):
        """Codes by which dsard ends a whole request count for nothing in a connector's mouth."""
        collection = {"name": "things", "title": "Things", "category": "things", "needs": ["email"], "fields": {}}
        for asked, codes in (("resolve", ("ambiguous", "cancelled", "no_memory", "no_process", "Bad Code")),
                             ("fetch", ("ambiguous", "cancelled", "no_memory", ""))):
            for code in codes:
                with self.subTest(code=code, asked=asked):
                    failed = [{"type": "done", "status": "failed", "code": code, "text": "no more\nalice",
                               "retryable": False}]
                    ended = [{"type": "end", "collection": "things", "status": "failed", "count": 0, "code": code}]
                    script = {"hello": {"resolve": {"needs": ["email"], "yields": ["shop_id"]},
                                        "collections": [collection]},
                              "resolve": failed if asked == "resolve" else [{"type": "done", "status": "ok"}],
                              "fetch": ended + failed}
                    answer = self.ask("bob", self.configure_with(self.parrot("shop", script)))
                    self.assertEqual((answer.status, answer.gap("shop")["code"]), (4, "source_failed"), answer.errors)
                    self.assertNotIn("\n", answer.gap("shop")["text"])
                    self.assertNotIn("alice", json.dumps(answer.event), "the event quotes a connector")
                    self.assertEqual(answer.statuses["forum"], "complete")

    def test_what_waits_for_a_source_that_failed_is_a_gap_too(self):
        """A chain: `first` fails, `second` would be told by it, and `third` by `second`; half of `second` needs it not."""
        def collection(name, kind):
            return {"name": name, "title": name, "category": "things", "needs": [kind], "fields": {}}

        kept = [{"type": "record", "collection": "own", "payload": '{"id":1}\n'},
                {"type": "end", "collection": "own", "status": "complete", "count": 1}, {"type": "done", "status": "ok"}]
        sources = {
            "first": self.parrot("first", {
                "hello": {"resolve": {"needs": ["email"], "yields": ["a"]}, "collections": [collection("x", "a")]},
                "resolve": [{"type": "done", "status": "failed", "code": "down", "text": "it is down"}]}),
            "second": self.parrot("second", {
                "hello": {"resolve": {"needs": ["a"], "yields": ["b"]},
                          "collections": [collection("own", "email"), collection("rest", "b")]},
                "fetch": kept}),
            "third": self.parrot("third", {"hello": {"collections": [collection("x", "b")]}}),
        }
        config = self.configure({"identities": {"allow": [{"from": "first", "kind": "a", "to": ["second"]},
                                                          {"from": "second", "kind": "b", "to": ["third"]}]}}, sources)
        answer = self.ask("bob", config)
        self.assertEqual((answer.status, answer.own["coverage"]), (4, "partial"), answer.errors)
        self.assertEqual({name: (answer.statuses[name], answer.gap(name)["code"]) for name in sources},
                         {"first": ("failed", "down"), "second": ("partial", "upstream_unresolved"),
                          "third": ("failed", "upstream_unresolved")})
        for name in ("second", "third"):
            self.assertRegex(answer.gap(name)["text"], "source first has answered")
        self.assertEqual(harness.counted(answer.entries)["second"], {"own": 1})

    def test_without_a_good_hello_nothing_is_begun(self):
        for lie, process in self.mute.items():
            with self.subTest(lie):
                errors = process.communicate(timeout=harness.PATIENCE_S)[1]
                self.assertEqual(process.returncode, 2, errors)
                self.assertRegex(errors, r"dsard\.yaml:\d+:\d+: error: source liar: ")


if __name__ == "__main__":
    unittest.main()
