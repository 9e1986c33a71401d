#!/usr/bin/env python3
"""The judge itself: a right history passes, and each wrong one is told for what it is. Bundles are dsard's own."""
import copy
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import check  # noqa: E402  (it finds the other folders)
import harness  # noqa: E402
import host  # noqa: E402
import plan  # noqa: E402

OTHER = "00000000-0000-4000-8000-000000000000"


def message(topic, key, offset, kind=None, headers=None, value=None, committed=True):
    line = {"what": "message", "topic": topic, "partition": 0, "offset": offset, "committed": committed, "key": key,
            "kind": kind, "headers": headers or {}}
    return line if value is None else {**line, "value": json.dumps(value)}


class Made:
    """What `dsard once` made of a request, as lines of a history."""

    def __init__(self, person, folder, config, keys, offset):
        asked = harness.request_for(person, keys)
        path = harness.save(os.path.join(folder, "request.json"), asked)
        once = harness.Once(config, path, os.path.join(folder, "disk", "store"))
        if once.status != 0:
            raise AssertionError(once.errors)
        self.request, self.event = asked["subject_request_id"], harness.load(once.outcome)
        stored = os.path.dirname(once.bundle)
        os.unlink(once.outcome)
        names = {name: text for name, text in self.event.items()
                 if name not in ("data", "dsarsignature", "datacontenttype")}
        self.headers = {**{"ce_" + name: text for name, text in names.items()}, "content-type": "application/json",
                        "dsar-signature": self.event["dsarsignature"]}
        data = self.event["data"]
        self.lines = [
            {"what": "sent", "request": self.request, "person": person if person in plan.PEOPLE else None,
             "address": asked["subject_identities"][0]["identity_value"], "due": "", "at": 100.0 + offset},
            {"what": "acked", "request": self.request, "topic": "requests", "partition": 0, "offset": offset,
             "again": False, "at": 100.1 + offset},
            {"what": "seen", "request": self.request, "kind": "completed", "at": 101.0 + offset},
            message("requests", self.request, offset),
            message("events", self.request, offset * 2, "accepted"),
            message("events", self.request, offset * 2 + 1, "completed", self.headers, data),
            message("audit", "writer", offset, "audit", {}, {"subject_request_id": self.request,
                                                             "outcome": "org.dsard.completed.v1"}),
        ]
        for name in sorted(os.listdir(stored)):
            with open(os.path.join(stored, name), "rb") as file:
                content = file.read()
            line = {"what": "object", "request": self.request, "name": name, "size": len(content),
                    "sha256": hashlib.sha256(content).hexdigest()}
            if name == "receipt":
                line["json"] = json.loads(content.splitlines()[0])
            self.lines.append(line)


def setUpModule():
    """What all tests begin with."""
    Judge.folder = unittest.enterModuleContext(tempfile.TemporaryDirectory(prefix="dsard-judge-"))
    keys = harness.Keys(Judge.folder)
    example = host.Host(os.path.join(Judge.folder, "host"))
    unittest.addModuleCleanup(example.close)
    config = harness.write_config(os.path.join(Judge.folder, "dsard.yaml"), example.where, keys)
    os.makedirs(os.path.join(Judge.folder, "disk", "store"))
    Judge.made = {each: Made(each, Judge.folder, config, keys, at)
                  for at, each in enumerate(("alice", "bob", "dave", plan.NOBODY[0]))}
    Judge.alice, Judge.bob = Judge.made["alice"], Judge.made["bob"]
    Judge.right = [
        {"what": "run", "seed": "made", "at": 99.0, "seconds": 10, "store": "disk/store", "group": "g", "topics": {},
         "partitions": 1},
        *(line for each in Judge.made.values() for line in each.lines),
        {"what": "fault", "kind": "worker killed", "target": "one", "begin": 100.2, "end": 101.5, "done": True},
        {"what": "exit", "worker": "one", "status": -9, "told": False, "at": 100.2},
        {"what": "exit", "worker": "one", "status": 3, "told": False, "at": 100.2},
        {"what": "exit", "worker": "one", "status": 0, "told": True, "at": 110.0},
        {"what": "committed", "topic": "requests", "partition": 0, "offset": len(Judge.made)},
        {"what": "end", "at": 111.0, "answered": True},
    ]


class Judge(unittest.TestCase):
    n_open = 0  # opening takes most of the time

    def setUp(self):
        self.lines = copy.deepcopy(self.right)

    def find(self, made=None, **members):
        """The one line of these members, of a request if one is named."""
        found, = (each for each in self.lines if members.items() <= each.items()
                  and (made is None or made.request in (each.get("request"), each.get("key"))))
        return found

    def event(self, made, **members):
        return self.find(made, topic="events", kind="completed", **members)

    def object(self, made, end):
        found, = (each for each in self.lines if each["what"] == "object" and each["request"] == made.request
                  and each["name"].endswith(end))
        return found

    def write(self):
        path = os.path.join(self.folder, "history.jsonl")
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(line) + "\n" for line in self.lines)
        return path

    def judge(self):
        return check.judge(check.History(self.write()), self.n_open)[1]

    def expect(self, *patterns):
        """These things are wrong, and nothing else."""
        wrong = self.judge()
        for pattern in patterns:
            self.assertTrue([each for each in wrong if pattern in each], f"{pattern}: {wrong}")
        self.assertFalse([each for each in wrong if not any(pattern in each for pattern in patterns)])

    def end_as(self, made, kind):
        """Replaces the end of a request by one without a bundle."""
        for line in (self.event(made), self.find(made, what="seen")):
            line["kind"] = kind
        event, audit = self.event_line(made, kind), self.audit(made)
        event["headers"]["ce_type"] = f"org.dsard.{kind}.v1"
        audit["value"] = audit["value"].replace("completed", kind)
        receipt = self.object(made, "receipt")
        receipt["json"]["event"]["type"] = event["headers"]["ce_type"]
        receipt["json"]["bundle"] = None
        self.lines.remove(self.object(made, ".zip"))

    def event_line(self, made, kind):
        return self.find(made, topic="events", kind=kind)

    def audit(self, made):
        found, = (each for each in self.lines if each.get("topic") == "audit" and made.request in each["value"])
        return found


class Right(Judge):
    n_open = 100

    def test_a_right_history_passes(self):
        self.assertEqual(self.judge(), [])
        self.assertEqual(check.contents(check.History(self.write()), 100)[0], len(self.made))

    def test_so_do_a_message_sent_twice_and_what_was_aborted(self):
        self.lines += [message("requests", self.alice.request, 9), message("events", self.alice.request, 90, "repeated",
                                                                           {}, {}),
                       {**self.event(self.bob), "offset": 91, "committed": False}]
        self.find(what="committed")["offset"] = 10
        self.assertEqual(self.judge(), [])

    def test_so_do_cancels(self):
        """One before the end, one after it."""
        for offset, made in enumerate((self.alice, self.bob)):
            self.lines.append(message("control", made.request, offset))
        self.lines.append({"what": "committed", "topic": "control", "partition": 0, "offset": 2})
        self.end_as(self.alice, "cancelled")
        self.lines.remove(self.object(self.bob, ".zip"))
        self.lines += [message("events", self.bob.request, 90, "expired", {"ce_type": "org.dsard.expired.v1"}, {}),
                       message("audit", "writer", 90, "audit", {}, {"subject_request_id": self.bob.request,
                                                                    "outcome": "org.dsard.expired.v1"})]
        self.assertEqual(self.judge(), [])

    def test_the_program_says_so(self):
        done = subprocess.run([os.path.join(HERE, "check.py"), self.write()], stdout=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("4 bundles opened", done.stdout)
        self.assertIn("| worker killed | 1 |", done.stdout)
        self.assertTrue(done.stdout.endswith("all is well\n"))


class Outcomes(Judge):
    def test_two_terminal_events(self):
        self.lines.append({**self.event(self.alice), "offset": 90})
        self.expect("2 terminal events: completed, completed", "is there 2 times", "1 audit records of 2")

    def test_none(self):
        self.lines.remove(self.event(self.alice))
        self.expect("0 terminal events: none", "is there 0 times", "1 audit records of 0")

    def test_one_that_was_aborted(self):
        self.event(self.alice)["committed"] = False
        self.expect("0 terminal events: none", "is there 0 times", "1 audit records of 0")

    def test_one_that_nobody_has_seen(self):
        self.lines.remove(self.find(self.alice, what="seen"))
        self.expect("was seen 0 times and is there 1 times")

    def test_one_without_a_request(self):
        self.lines.remove(self.find(self.alice, topic="requests", what="message"))
        self.expect("an event, and nobody asked", "acknowledged at requests 0:0, and gone")

    def test_a_request_that_is_lost(self):
        self.lines = [each for each in self.lines if self.alice.request not in json.dumps(each)
                      or each["what"] in ("sent", "acked")]
        self.expect("acknowledged at requests 0:0, and gone")

    def test_a_request_that_nobody_of_ours_sent(self):
        self.lines.remove(self.find(self.alice, what="sent"))
        self.expect("not one of this run's")

    def test_repeated_without_another_message(self):
        self.lines.append(message("events", self.alice.request, 90, "repeated", {}, {}))
        self.expect("1 repeated, of 1 messages")

    def test_another_message_without_repeated(self):
        self.lines.append(message("requests", self.alice.request, 9))
        self.find(what="committed")["offset"] = 10
        self.expect("0 repeated, of 2 messages")

    def test_a_good_request_that_is_refused(self):
        self.end_as(self.alice, "refused")
        self.expect("refused, and all that are sent are good")

    def test_a_cancel_that_nobody_sent(self):
        self.end_as(self.alice, "cancelled")
        self.expect("cancelled by nobody")

    def test_an_audit_record_that_is_missing(self):
        self.lines.remove(self.audit(self.alice))
        self.expect("0 audit records of 1")


class Messages(Judge):
    def test_a_dead_letter(self):
        self.lines.append(message("dead", self.alice.request, 0, headers={"dsar-dead-code": "bad_signature"}))
        self.expect("bad_signature")

    def test_what_was_not_read_to_the_end(self):
        self.find(what="committed")["offset"] -= 1
        self.expect("requests 0: not committed")
        self.lines.remove(self.find(what="committed"))
        self.lines.append(message("retry.2s", self.alice.request, 0))
        self.expect("requests 0: not committed", "retry.2s 0: not committed")

    def test_a_worker_that_crashes(self):
        for status, told in ((-11, False), (1, False), (0, False), (-6, True)):
            with self.subTest(status):
                self.lines[-1:-1] = [{"what": "exit", "worker": "two", "status": status, "told": told, "at": 100.0}]
                self.expect(f"worker two ended with status {status}")
                self.setUp()

    def test_what_was_not_answered_in_time(self):
        self.find(what="end")["answered"] = False
        self.expect("the patience ended")

    def test_a_history_without_an_end(self):
        self.lines.pop()
        done = subprocess.run([os.path.join(HERE, "check.py"), self.write()], stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 2, done.stderr)


class Bundles(Judge):
    n_open = 100

    def test_one_that_is_missing(self):
        self.lines.remove(self.object(self.alice, ".zip"))
        self.expect("its receipt names a bundle that is not there", "completed, and its bundle is not there")

    def test_one_that_is_not_what_the_receipt_names(self):
        self.object(self.alice, "receipt")["json"]["bundle"] = "another.zip"
        self.expect("its receipt names a bundle that is not there")

    def test_another_digest(self):
        self.object(self.alice, ".zip")["sha256"] = "0" * 64
        self.expect("its receipt names a bundle that is not there", "completed, and its bundle is not there")

    def test_bytes_that_are_not_of_the_digest(self):
        """The listing is right, and the file was changed since."""
        line = self.object(self.alice, ".zip")
        path = os.path.join(self.folder, "disk", "store", line["request"], line["name"])
        shutil.copy(path, path + ".whole")
        self.addCleanup(os.rename, path + ".whole", path)
        with open(path, "r+b") as file:
            file.seek(line["size"] // 2)
            byte = file.read(1)
            file.seek(line["size"] // 2)
            file.write(bytes([byte[0] ^ 1]))
        self.expect("its bundle: it does not open")

    def test_an_event_without_a_receipt(self):
        self.lines.remove(self.object(self.alice, "receipt"))
        self.expect("completed, and no receipt of it")

    def test_a_receipt_of_another_request(self):
        self.object(self.alice, "receipt")["json"]["request"] = OTHER
        self.expect("the receipt of another")

    def test_one_for_two_requests(self):
        """Carol's event names Alice's bundle, which lies in Carol's folder."""
        carol = str(OTHER)
        lines = [json.loads(json.dumps(each).replace(self.alice.request, carol)) for each in self.alice.lines]
        for each in lines:
            if "offset" in each:
                each["offset"] += 50
        self.lines[1:1] = lines
        self.find(what="committed")["offset"] = 60
        store = os.path.join(self.folder, "disk", "store")
        shutil.copytree(os.path.join(store, self.alice.request), os.path.join(store, carol))
        self.addCleanup(shutil.rmtree, os.path.join(store, carol))
        self.expect("the bundle of another", "it does not open")

    def test_another_persons(self):
        sent = self.find(self.bob, what="sent")
        sent["person"], sent["address"] = "carol", "carol@example.test"
        self.expect("it answers for somebody else", "source forum is complete with", "it holds what is not theirs",
                    "it lacks what is theirs")

    def test_an_event_that_was_changed(self):
        line = self.event(self.alice)
        line["value"] = line["value"].replace('"results_count": ', '"results_count": 1')
        self.expect("its bundle: it does not open")

    def test_a_gap_that_nobody_names(self):
        for spoil, said in ((lambda own: own.update(coverage="partial"), "coverage partial, but [] missing"),
                            (lambda own: own["sources"][0].update(status="failed"), "coverage complete, but ['billing']"),
                            (lambda own: own["sources"][0].update(reason={"code": "x", "text": "x"}), "['billing']")):
            self.setUp()
            line = self.event(self.bob)
            data = json.loads(line["value"])
            spoil(data["extensions"]["dsard"])
            line["value"] = json.dumps(data)
            self.expect(said, "its bundle: it does not open")

    def test_one_that_outlives_its_cancel(self):
        self.lines += [message("control", self.alice.request, 0),
                       {"what": "committed", "topic": "control", "partition": 0, "offset": 1}]
        self.expect("cancelled after its end, and its bundle is not withdrawn")


class Content(Judge):
    """What opens, and should not hold what it holds."""

    def setUp(self):
        super().setUp()
        saved = harness.save(os.path.join(self.folder, "event.json"), self.alice.event)
        line = self.object(self.alice, ".zip")
        path = os.path.join(self.folder, "disk", "store", line["request"], line["name"])
        self.entries = harness.open_bundle(path, saved, os.path.join(self.folder, "recipient.jwk"))
        self.manifest = json.loads(self.entries["manifest.json"])

    def wrong(self):
        """With a manifest that lists what is there."""
        for each in self.manifest["entries"]:
            each["sha256"] = hashlib.sha256(self.entries.get(each["name"], b"")).hexdigest()
        self.manifest["entries"] = [each for each in self.manifest["entries"] if each["name"] in self.entries]
        self.entries["manifest.json"] = json.dumps(self.manifest).encode()
        return "\n".join(check.content(self.find(self.alice, what="sent"), check.Event(self.event(self.alice)),
                                       self.entries))

    def records(self, name, change):
        found = json.loads(self.entries[name])
        change(found)
        self.entries[name] = json.dumps(found).encode()

    def section(self, name):
        return next(each for each in self.manifest["sources"] if each["name"] == name)

    def test_it_is_right(self):
        self.assertEqual(self.wrong(), "")

    def test_a_foreign_record(self):
        self.records("billing/tickets.json", lambda found: found.append({"text": "canary-malice-ticket-81a1"}))
        self.assertRegex(self.wrong(), "billing is complete(.|\n)*not theirs: canary-malice-ticket-81a1")

    def test_a_foreign_record_in_the_place_of_an_own(self):
        self.records("billing/tickets.json", lambda found: found.__setitem__(0, {"text": "malice@example.test"}))
        self.assertRegex(self.wrong(), "not theirs: malice@example.test(.|\n)*lacks what is theirs: .*canary-alice-ticket")

    def test_a_record_that_is_missing(self):
        self.records("billing/tickets.json", lambda found: found.pop())
        self.assertRegex(self.wrong(), "billing is complete(.|\n)*lacks")

    def test_a_foreign_name_in_the_report(self):
        self.entries["report.html"] += b"<p>canary-malice-ticket-81a1</p>"
        self.assertRegex(self.wrong(), "not theirs")

    def test_a_source_that_forgot_the_person(self):
        self.entries = {name: each for name, each in self.entries.items() if not name.startswith("panel/")}
        self.section("panel").update(status="not_found", collections=[])
        self.assertRegex(self.wrong(), "panel is not_found")

    def test_a_failed_source_that_left_something(self):
        self.section("panel").update(status="failed", reason={"code": "x", "text": "x"}, collections=[])
        self.assertRegex(self.wrong(), "panel is failed with")

    def test_a_partial_source_that_hides_a_gap(self):
        self.section("billing").update(status="partial", reason={"code": "x", "text": "x"})
        del self.entries["billing/tickets.json"]
        self.assertRegex(self.wrong(), "billing is partial")

    def test_another_request(self):
        self.manifest["request"]["id"] = OTHER
        self.assertRegex(self.wrong(), "the manifest is of request")

    def test_an_entry_that_is_not_listed(self):
        self.entries["billing/more.json"] = b"[]"
        self.assertRegex(self.wrong(), "not those of the manifest")

    def test_an_event_that_says_something_else(self):
        self.manifest["coverage"] = "partial"
        self.assertRegex(self.wrong(), "the event says")


if __name__ == "__main__":
    unittest.main()
