#!/usr/bin/env python3
"""dsar-rest: records that belong to records, exports that are waited for, files; and whose all of it is."""
import argparse
import base64
import json
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import rest
from rest_stub import Session, Stub, fetch, items, owned, profile, refusal

OFFSET = {"kind": "offset", "in": "query", "start": "skip"}


def paged(call, records):
    """Two at a time."""
    at = int(call.query["skip"])
    return {"items": records[at:at + 2]}


class Details(unittest.TestCase):
    """`each`: what completes a record."""

    def ask(self, each, answers):
        value = profile(things=owned("/list", key="/id", each=each))
        with Stub({"/list": lambda _: {"items": items(1, 2)}, **answers}) as stub:
            return fetch(value, stub.url, "things"), stub

    def test_several_steps_complete_a_record(self):
        each = [{"request": {"path": ["head", {"record": "/id"}]}, "records": "", "omit": ["secret"],
                 "assert": [{"ptr": "/of", "eq_record": "/id"}]},
                {"request": {"path": ["notes", {"record": "/id"}]}, "records": "/items", "into": "notes", "page": OFFSET,
                 "key": "/id", "assert": [{"ptr": "/of", "eq_record": "/id"}]}]
        notes = {1: [{"id": 11, "of": 1}, {"id": 12, "of": 1}, {"id": 13, "of": 1}], 2: []}
        answers = {f"/head/{of}": lambda _, of=of: {"of": of, "id": 99, "title": f"t{of}", "secret": "x"} for of in (1, 2)}
        answers |= {f"/notes/{of}": lambda call, of=of: paged(call, notes[of]) for of in (1, 2)}
        outcome, _ = self.ask(each, answers)
        self.assertEqual((outcome.status, outcome.records),
                         ("complete", [{"id": of, "person": 901, "of": of, "title": f"t{of}", "notes": notes[of]} for of in (1, 2)]))

    def test_a_list_takes_the_place_of_a_member_of_its_name(self):
        each = {"request": {"path": ["notes", {"record": "/id"}]}, "records": "/items", "into": "person", "unasserted": "a test"}
        outcome, _ = self.ask(each, {"/notes/1": lambda _: {"items": [{"n": 1}]}, "/notes/2": lambda _: {"items": []}})
        self.assertEqual([record["person"] for record in outcome.records], [[{"n": 1}], []])

    def test_a_list_that_is_cut_makes_the_collection_partial(self):
        each = {"request": {"path": ["notes", {"record": "/id"}]}, "records": "/items", "into": "notes", "total": "/total",
                "unasserted": "a test"}
        outcome, _ = self.ask(each, {"*": lambda _: {"items": [{"n": 1}], "total": 2}})
        self.assertEqual((outcome.status, outcome.code, len(outcome.records)), ("partial", "short_answer", 2))

    def test_somebody_elses_details_fail_the_collection(self):
        for into in ({}, {"into": "notes", "records_kind": "single"}):
            each = {"request": {"path": ["head", {"record": "/id"}]}, "records": "", "assert": [{"ptr": "/of", "eq_record": "/id"}], **into}
            outcome, _ = self.ask(each, {"*": lambda _: {"of": 2, "text": "canary-malice"}})
            self.assertEqual((outcome.status, outcome.code), ("failed", "ownership"))
            self.assertNotIn(b"canary-malice", outcome.connector.said)


class Children(unittest.TestCase):
    """`parent`: a collection that is read for each record of another step."""

    def setUp(self):
        self.forums = [{"id": 1, "person": 901}, {"id": 2, "person": 901}, {"id": 3, "person": 901}]
        self.topics = {1: [{"id": 10, "forum": 1}], 2: [], 3: [{"id": 30, "forum": 3}, {"id": 31, "forum": 3}, {"id": 32, "forum": 3}]}
        self.posts = {topic["id"]: [{"id": topic["id"] * 10 + n, "topic": topic["id"]} for n in range(3)]
                      for topics in self.topics.values() for topic in topics}
        topics = {"request": {"path": ["forums", {"record": "/id"}, "topics"]}, "records": "/items", "page": OFFSET, "key": "/id",
                  "assert": [{"ptr": "/forum", "eq_record": "/id"}], "parent": owned("/forums", page=OFFSET, key="/id")}
        self.collection = {"request": {"path": ["forums", {"record": "/id", "up": 1}, "topics", {"record": "/id"}, "posts"]},
                           "records": "/items", "page": OFFSET, "key": "/id", "assert": [{"ptr": "/topic", "eq_record": "/id"}],
                           "not_found": [{"status": 404}], "parent": topics}

    def answer(self, call):
        parts = call.path.strip("/").split("/")
        if parts == ["forums"]:
            return paged(call, self.forums)
        if len(parts) == 3:
            return paged(call, self.topics[int(parts[1])])
        if int(parts[3]) not in self.posts or int(parts[3]) // 10 != int(parts[1]):
            return 404, {}, b"{}"
        return paged(call, self.posts[int(parts[3])])

    def ask(self):
        with Stub({"*": self.answer}) as stub:
            return fetch(profile(posts=self.collection), stub.url, "posts")

    def test_all_of_all_levels_come_once(self):
        outcome = self.ask()
        self.assertEqual((outcome.status, outcome.ids),
                         ("complete", [post["id"] for posts in self.posts.values() for post in posts]))

    def test_what_is_not_there_for_one_parent_is_none(self):
        del self.posts[31]
        outcome = self.ask()
        self.assertEqual((outcome.status, [each for each in outcome.ids if each // 10 == 31], len(outcome.ids)), ("complete", [], 9))

    def test_nobody_is_absent(self):
        self.collection["parent"]["parent"]["not_found"] = [{"status": 404}]
        with Stub({}) as stub:
            self.assertEqual(fetch(profile(posts=self.collection), stub.url, "posts").status, "absent")

    def test_everybodys_children_fail_the_collection(self):
        self.posts[30][1]["topic"] = 31
        self.assertEqual(self.ask().code, "ownership")
        self.setUp()
        self.topics[3][2]["forum"] = 77
        self.assertEqual(self.ask().code, "ownership")
        self.setUp()
        self.forums[1]["person"] = 902
        self.assertEqual(self.ask().code, "ownership")

    def test_a_record_without_the_value_is_never_asked_with(self):
        for value in (None, "", {}, []):
            self.setUp()
            self.forums[2]["id"] = value
            with Stub({"*": self.answer}) as stub:
                outcome = fetch(profile(posts=self.collection), stub.url, "posts")
            self.assertEqual(outcome.code, "empty_bind", value)
            self.assertFalse([path for path in stub.paths() if "//" in path])

    def test_ownership_goes_down_from_what_is_owned_alone(self):
        top = self.collection["parent"]["parent"]
        del top["assert"]
        top["unasserted"] = "a test"
        self.assertIn("/collections/0/parent/assert: expected tests of which one", refusal(profile(posts=self.collection)))

    def test_levels_are_counted(self):
        self.collection["request"]["path"][1]["up"] = 2
        self.assertIn("/collections/0", refusal(profile(posts=self.collection)))
        at = self.collection
        for _ in range(4):
            at["parent"] = at = json.loads(json.dumps(owned("/x")))
        self.assertIn("3 levels at most", refusal(profile(posts=self.collection)))


class Exports(unittest.TestCase):
    """`export`: begun by one call, waited for by others."""

    EXPORT = {"start": {"request": {"method": "POST", "path": "/exports", "form": {"person": {"id": "person_id"}}},
                        "ok": [{"ptr": "/state", "eq": "queued"}]},
              "poll": {"request": {"path": ["exports", {"started": "/id"}]}, "done": [{"ptr": "/state", "eq": "ready"}],
                       "failed": [{"ptr": "/state", "eq": "broken"}], "every_s": 1, "max_s": 30}}

    def ask(self, states, export=None, path=None, deadline_ms=20000):
        left = list(states)

        def poll(_):
            state = left.pop(0) if len(left) > 1 else left[0]
            return {"state": state, "url": "https://cdn.example.test/made/x7?sig=a%2Fb" if state == "ready" else None}
        value = profile(things={"request": {"path": path or {"url": {"polled": "/url"}, "under": "/made/"}}, "records": "/items",
                                "assert": [{"ptr": "/person", "eq_id": "person_id"}], "export": export or self.EXPORT})
        with Stub({"/exports": lambda call: {"state": "queued", "id": f"x{call.form['person']}"}, "/exports/x901": poll,
                   "/made/x7": lambda _: {"items": items(1, 2)}, "/made/x901": lambda _: {"items": items(3)}}) as stub:
            outcome = fetch(value, stub.url, "things", deadline_ms=deadline_ms)
            return outcome, [(call.method, call.target) for call in stub.calls], stub.calls

    def test_it_is_begun_once_waited_for_and_fetched(self):
        outcome, asked, calls = self.ask(["queued", "working", "ready"])
        self.assertEqual((outcome.status, outcome.ids), ("complete", [1, 2]))
        self.assertEqual(asked, [("POST", "/exports")] + [("GET", "/exports/x901")] * 3 + [("GET", "/made/x7?sig=a%2Fb")])
        self.assertGreater(calls[3].at - calls[1].at, 1.9)

    def test_what_is_ready_at_once_needs_no_poll(self):
        outcome, asked, _ = self.ask(["ready"], {"start": self.EXPORT["start"]}, ["made", {"started": "/id"}])
        self.assertEqual((outcome.ids, asked), ([3], [("POST", "/exports"), ("GET", "/made/x901")]))

    def test_one_that_fails_or_takes_too_long(self):
        outcome, asked, _ = self.ask(["working", "broken"])
        self.assertEqual((outcome.code, outcome.end["retryable"]), ("source_error", True))
        outcome, _, _ = self.ask(["working"], {**self.EXPORT, "poll": {**self.EXPORT["poll"], "max_s": 2}})
        self.assertEqual((outcome.code, outcome.end["retryable"]), ("source_timeout", True))
        self.assertIn("not ready after 2 s", outcome.end["text"])
        began = time.monotonic()
        outcome, _, _ = self.ask(["working"], deadline_ms=1500)
        self.assertEqual(outcome.code, "source_timeout")
        self.assertLess(time.monotonic() - began, 5)

    def test_a_profile_says_where_values_come_from(self):
        things = owned("/x", export=self.EXPORT)
        for path, spoil in (("/export/start/request", lambda c: c["export"]["start"]["request"].update(path=["x", {"started": "/id"}])),
                            ("/export/poll/request", lambda c: c["export"]["poll"]["request"].update(path={"url": {"polled": "/id"}, "under": "/"})),
                            ("/export/poll/done", lambda c: c["export"]["poll"].pop("done")),
                            ("/export/start", lambda c: c["export"]["start"].update(records="/x")),
                            ("/export", lambda c: c["export"].pop("start")), ("/export/then", lambda c: c["export"].update(then={})),
                            ("/request/path/url", lambda c: c["request"].update(path={"url": {"id": "person_id"}, "under": "/"})),
                            *(("/request/path/under", lambda c, under=under: c["request"].update(path={"url": {"polled": "/url"}, **under}))
                              for under in ({}, {"under": "made/"}, {"under": "/made"}, {"under": ""}, {"under": "/m?/"}, {"under": "/%2e/"}))):
            changed = json.loads(json.dumps(things))
            spoil(changed)
            self.assertIn(path, refusal(profile(things=changed)), path)


def encoded(data):
    return base64.b64encode(data).decode()


class Files(unittest.TestCase):
    """`files`: what records name, streamed."""

    PLAIN = {"in": "/files/*", "name": "0/name", "request": {"path": ["files", {"record": "/id"}, {"element": "0/at"}]}}

    def ask(self, rules, records, answers, settings=None, **more):
        value = profile(things=owned("/list", files=rules, **more))
        with Stub({"/list": lambda _: {"items": records}, **answers}) as stub:
            outcome = fetch(value, stub.url, "things", **(settings or {}))
            return outcome, stub.calls[1:]

    def record(self, *files, **more):
        return {"id": 1, "person": 901, "files": list(files), **more}

    def test_a_binary_file_is_what_the_system_sends(self):
        data = bytes(range(256)) * 3000
        outcome, calls = self.ask([self.PLAIN], [self.record({"name": "a/b\n.bin", "at": 7}, {"name": "", "at": 8}, None, "")], {
            "/files/1/7": lambda _: (200, {"Content-Type": "image/png; q=1"}, data),
            "/files/1/8": lambda _: (200, {"Content-Type": "bad type"}, b"")})
        self.assertEqual((outcome.status, outcome.end["count"]), ("complete", 3))
        self.assertEqual(outcome.files, {"1": {"name": "a/b_.bin", "type": "image/png", "data": data, "whole": True},
                                         "2": {"name": "file", "type": "application/octet-stream", "data": b"", "whole": True}})
        self.assertEqual([call.headers["Accept"] for call in calls], ["*/*", "*/*"])

    def test_a_url_of_a_record_is_asked_for_here_alone(self):
        rule = {"in": "/files/*", "name": "0/name", "request": {"path": {"url": {"element": "0/url"}, "under": "/f/"}}}
        with Stub({"*": lambda _: (200, {}, b"stolen")}) as other:
            outcome, calls = self.ask([rule], [self.record({"name": "n", "url": other.url + "/f/1?sig=x"}, {"name": "m", "url": "http://["},
                                                           {"name": "o", "url": None})], {"/f/1": lambda _: (200, {}, b"own")})
            self.assertEqual(other.calls, [])
        self.assertEqual(([file["data"] for file in outcome.files.values()], calls[0].target), ([b"own"], "/f/1?sig=x"))

    def test_a_url_leads_nowhere_but_to_its_folder(self):
        """Whoever may write what a record says cannot have the system's own pages exported, whatever it redirects to."""
        rule = {"in": "/files/*", "name": "0/name", "request": {"path": {"url": {"element": "0/url"}, "under": "/f/"}}}
        for under in ("", "/app"):
            outside = ("/api/users", "/f/../api/users", "/f/%2e%2e/api/users", "/f/.%2E/x", "/f/a%2fb", "/f/a%5cb", "/f\\..\\api", "/fx", "/f",
                       "http://127.0.0.1/api?/f/", "../../api/users", "?of=/f/", "/f/..;/api", "/f/..;x=1/api", "/f/x/.;/..;", "/f/..%3b/api",
                       "/f/%252e%252e/api", "/f/a%25b", "/f/.%00./api", "/f/..%0a/api", "/f/%7f", "/f/%u002e%u002e/api", "/f/..%")
            with Stub({under + "/list": lambda _, under=under: {"items": [self.record(
                    *({"name": "n", "url": under + url if url[0] == "/" else url} for url in outside),
                    {"name": "moved", "url": under + "/f/moved"}, {"name": "good", "url": under + "/f/.own;v=1.%C3%A9..txt?up=/..;/%25"})]},
                       under + "/f/moved": lambda _: (302, {"Location": "/api/users"}, b""),
                       under + "/f/.own;v=1.%C3%A9..txt": lambda _: (200, {}, b"own"), "*": lambda _: (200, {}, b"stolen")}) as stub:
                outcome = fetch(profile(things=owned("/list", files=[rule])), stub.url + under, "things")
                asked = [call.target for call in stub.calls[1:]]
            self.assertEqual([file["data"] for file in outcome.files.values()], [b"own"])
            self.assertEqual(asked, [under + end for end in ("/f/moved", "/f/.own;v=1.%C3%A9..txt?up=/..;/%25")])
            self.assertEqual((outcome.status, outcome.code, outcome.withheld),
                             ("partial", "file_missing", {"not_fetched": len(outside) + 1}))
            self.assertIn("leads out of the folder of its URLs", outcome.end["text"])

    def test_base64_in_an_answer(self):
        """Wherever the text stands in it, and however it is written."""
        rule = {**self.PLAIN, "base64": "/file/data", "media_type": "0/type", "ok": [{"ptr": "/result", "eq": "success"}]}
        data = bytes(range(256)) * 600 + b"x"
        slashed = encoded(data).replace("/", "\\/")
        for text in (encoded(data), slashed, encoded(data).rstrip("="), "\\n".join([slashed[:4], slashed[4:]]), encoded(data).replace("+", "\\u002b"),
                     base64.urlsafe_b64encode(data).decode()):
            for body in ('{"result":"success","file":{"x":["\\"{",{"data":"no"}],"data":"%s"}}',
                         '{"data":"no","file":{"file":{"data":1},"data":"%s","z":[]},"result":"success"}'):
                outcome, _ = self.ask([rule], [self.record({"name": "a", "at": 7, "type": "text/plain"})],
                                      {"/files/1/7": lambda _, body=body, text=text: (200, {}, (body % text).encode())})
                self.assertEqual((outcome.status, outcome.files), ("complete", {
                    "1": {"name": "a", "type": "text/plain", "data": data, "whole": True}}), (body, text[:20]))

    def test_base64_in_the_record(self):
        rule = {"in": "/files/*", "name": "0#", "data": "/content/data", "media_type": "0/type"}
        data = bytes(range(256)) * 2000
        outcome, calls = self.ask([rule], [self.record({"type": "a/b", "content": {"data": encoded(data)}}, {"content": {"data": "%%%"}},
                                                       {"content": {}})], {})
        self.assertEqual(outcome.files, {"1": {"name": "0", "type": "a/b", "data": data, "whole": True}})
        self.assertEqual([file["content"] for file in outcome.records[0]["files"]], [{"data": None}, {"data": "%%%"}, {}])
        self.assertEqual((outcome.status, outcome.code, outcome.withheld), ("partial", "file_missing", {"not_fetched": 2}))
        self.assertEqual(calls, [])

    def test_files_that_details_name(self):
        each = {"request": {"path": ["detail", {"record": "/id"}]}, "records": "", "unasserted": "a test"}
        rules = [{"in": "/replies/*/files/*", "name": "0/name", "request": {"path": ["reply", {"element": "2/id"}, {"element": "0#"}]}},
                 self.PLAIN, {"in": "", "name": "0/id", "request": {"path": ["whole", {"record": "/id"}]}}]
        detail = {"files": [{"name": "listed twice", "at": 1}], "replies": [{"id": 5, "files": [{"name": "a"}, {"name": "b"}]}]}
        outcome, _ = self.ask(rules, [self.record({"name": "own", "at": 1})],
                              {"/detail/1": lambda _: detail, "*": lambda call: (200, {}, call.path.encode())}, each=each)
        self.assertEqual([(file["name"], file["data"]) for file in outcome.files.values()],
                         [("own", b"/files/1/1"), ("1", b"/whole/1"), ("a", b"/reply/5/0"), ("b", b"/reply/5/1")])
        self.assertEqual(outcome.status, "complete")

    def test_a_file_that_cannot_be_had_does_not_lose_the_others(self):
        base = {**self.PLAIN, "base64": "/data", "ok": [{"ptr": "/ok", "eq": True}], "not_found": [{"ptr": "/error", "eq": "gone"}]}
        plain = {**self.PLAIN, "not_found": [{"status": 404}]}
        good = {"/files/1/2": lambda _: (200, {"Content-Type": "text/plain"}, b"good")}
        cases = [(plain, answer) for answer in ((404, {}, b""), (400, {}, b""), (302, {"Location": "http://127.0.0.2/x"}, b""),
                                                (200, {"Content-Type": "text/html"}, b"<html>log in</html>"))]
        for rule, bad in cases:
            outcome, _ = self.ask([rule], [self.record({"name": "a", "at": 1}, {"name": "b", "at": 2})], {"/files/1/1": lambda _, bad=bad: bad, **good})
            self.assertEqual(([file["data"] for file in outcome.files.values()], outcome.status, outcome.code, outcome.withheld),
                             ([b"good"], "partial", "file_missing", {"not_fetched": 1}), bad)
        for body in ({"ok": False}, {"ok": True}, {"ok": True, "data": None}, {"ok": False, "error": "gone"}):
            outcome, _ = self.ask([base], [self.record({"name": "a", "at": 1})], {"/files/1/1": lambda _, body=body: body})
            self.assertEqual((outcome.files, outcome.status, outcome.code), ({}, "partial", "file_missing"), body)

    def test_a_page_is_a_file_where_its_name_says_so(self):
        outcome, _ = self.ask([self.PLAIN], [self.record({"name": "page.HTML", "at": 1})],
                              {"/files/1/1": lambda _: (200, {"Content-Type": "text/html"}, b"<html>")})
        self.assertEqual(outcome.status, "complete")

    def test_a_file_that_breaks_off_fails_the_collection(self):
        base = {**self.PLAIN, "base64": "/data", "ok": [{"ptr": "/ok", "eq": True}]}
        good = encoded(b"x" * 9000)
        cases = [(self.PLAIN, (200, {"Content-Length": "900000", "Connection": "close"}, b"x" * 600000), "source_unreachable"),
                 (base, (200, {}, f'{{"data":"{good}%","ok":true}}'.encode()), "source_answer"),
                 (base, (200, {}, f'{{"data":"{good}","ok":false}}'.encode()), "source_answer"),
                 (base, (200, {}, f'{{"data":"{good}","data":"{good}","ok":true}}'.encode()), "source_answer"),
                 (base, (200, {}, f'{{"data":"{good}'.encode()), "source_answer"),
                 (base, (200, {}, f'{{"data":"{good}x","ok":true}}'.encode()), "source_answer")]
        for rule, answer, code in cases:
            outcome, calls = self.ask([rule], [self.record({"name": "a", "at": 1})], {"/files/1/1": lambda _, answer=answer: answer})
            self.assertEqual((outcome.status, outcome.code, len(calls)), ("failed", code, 1), answer[2][-20:])
            # the same of a file that only the details name; a record behind it would come within the file
            each = {"request": {"path": ["detail", {"record": "/id"}]}, "records": "", "unasserted": "asked for by the record's own number"}
            outcome, calls = self.ask([rule], [{"id": 1, "person": 901}, {"id": 2, "person": 901}],
                                      {"/detail/1": lambda _: {"files": [{"name": "a", "at": 1}]}, "/files/1/1": lambda _, answer=answer: answer}, each=each)
            self.assertEqual((outcome.status, outcome.code), ("failed", code), outcome.end["text"])

    def test_a_file_is_bounded(self):
        for body in (b"x" * 5000, (b"x" * 1000 for _ in range(5))):
            outcome, _ = self.ask([self.PLAIN], [self.record({"name": "a", "at": 1})], {"/files/1/1": lambda _, body=body: (200, {}, body)},
                                  {"file_max_bytes": 4000})
            self.assertEqual(outcome.status == "complete", False)
            self.assertIn("file_max_bytes", outcome.end["text"])

    def test_files_take_no_memory_of_their_size(self):
        """192 MiB as they are, and 192 MiB as base64 in JSON, through a process that may hold no more than a little."""
        piece = os.urandom(3 << 18)
        text = base64.b64encode(piece)
        count = 256
        rules = [self.PLAIN, {"in": "/packed/*", "name": "0/name", "base64": "/data", "request": {"path": ["packed", {"element": "0/name"}]}}]

        def packed():
            yield b'{"data":"'
            for _ in range(count):
                yield text
            yield b'"}'
        value = profile(things=owned("/list", files=rules))
        with Stub({"/list": lambda _: {"items": [self.record({"name": "a", "at": 1}, packed=[{"name": "b"}])]},
                   "/files/1/1": lambda _: (200, {}, (piece for _ in range(count))), "/packed/b": lambda _: (200, {}, packed())}) as stub:
            with Session(value, stub.url) as session:
                sizes, whole = {}, {}
                session.connector.send({"type": "fetch", "request": "r", "deadline_ms": 300000, "collections": ["things"],
                                        "identities": [{"kind": "person_id", "value": "901"}]})
                while True:
                    # what is received is not kept here either
                    message = json.loads(session.connector.process.stdout.readline())
                    data = session.connector.process.stdout.read(message.get("bytes", 0))
                    if message["type"] == "file":
                        sizes[message["file"]] = sizes.get(message["file"], 0) + len(data)
                        whole[message["file"]] = not message["more"]
                    if message["type"] == "end":
                        end = message
                    if message["type"] == "done":
                        break
                with open(f"/proc/{session.connector.process.pid}/status", encoding="ascii") as file:
                    peak_kib = int(next(line for line in file if line.startswith("VmHWM")).split()[1])
        self.assertEqual((sizes, set(whole.values()), end["status"]), ({"1": len(piece) * count, "2": len(piece) * count}, {True}, "complete"))
        print(f"peak of dsar-rest: {peak_kib} KiB for {2 * len(piece) * count >> 20} MiB of files")
        self.assertLess(peak_kib, 64 * 1024)

    def test_a_rule_names_its_file(self):
        for rule in ({"in": "/f/*", "name": "0", "request": {"path": "/f"}}, {"in": "/f/*", "request": {"path": ["f", {"record": "/id"}]}},
                     {"name": "0", "data": "/d"}, {"in": "f", "name": "0", "data": "/d"}, {"in": "/f", "name": "/x", "data": "/d"},
                     {"in": "/f", "name": "0", "data": "/d", "request": {"path": ["f", {"record": "/id"}]}}, {"in": "/f", "name": "0", "data": ""},
                     {"in": "/f", "name": "0", "ok": [{"ptr": "/a", "eq": 1}], "request": {"path": ["f", {"record": "/id"}]}}):
            self.assertIn("/files/0", refusal(profile(things=owned("/list", files=[rule]))), rule)


class Everybody(unittest.TestCase):
    """A system that answers whatever it is asked with everybody's data."""

    EVERYBODY = items(1, 2) + items(66, 67, person=902)

    def ask(self, value, identities=None):
        def answer(call):
            return {"items": self.EVERYBODY, "id": 1, "state": "ready", "person": 902, "of": 66}
        with Stub({"*": answer}) as stub:
            outcome = fetch(value, stub.url, "things", identities=identities)
            return outcome, stub.calls

    def shapes(self):
        """A collection of each shape, each of which would hand on what it is given."""
        mine = {"assert": [{"ptr": "/person", "eq_id": "person_id"}]}
        below = {"request": {"path": ["sub", {"record": "/id"}]}, "records": "/items", **mine}
        yield owned("/list")
        for page in (OFFSET, {"kind": "page", "in": "query", "number": "p"}, {"kind": "cursor", "in": "query", "cursor": "c", "next": "/id"},
                     {"kind": "link"}, {"kind": "next", "next": "/state"}):
            yield owned("/list", page=page)
        yield {**owned("/list", request={"method": "POST"}), "request": {"method": "POST", "path": "/list", "form": {"p": {"id": "person_id"}}}}
        yield {**below, "parent": owned("/list")}
        yield owned("/list", export={"start": {"request": {"path": ["start", {"id": "person_id"}]}}})
        yield owned("/list", files=[{"in": "", "name": "0/id", "request": {"path": ["f", {"record": "/id"}]}}])
        yield owned("/list", each={**below, "into": "more"})

    def test_no_record_without_an_owner(self):
        for shape in self.shapes():
            outcome, _ = self.ask(profile(things=shape))
            self.assertEqual((outcome.status, outcome.code, outcome.end["retryable"], outcome.records, outcome.files),
                             ("failed", "ownership", False, [], {}), shape)

    def test_no_call_with_an_empty_bind(self):
        for shape in self.shapes():
            for identities, code in (([("person_id", "")], "empty_bind"), ([("other", "1")], "empty_bind"), ([("person_id", " ")], "empty_bind"),
                                     ([("person_id", "0")], "bad_identity"), ([("person_id", "*")], "bad_identity")):
                outcome, calls = self.ask(profile(things=shape), identities)
                self.assertEqual((outcome.code, calls), (code, []), shape)

    def test_a_profile_that_binds_nobody_does_not_load(self):
        unbound = {"request": {"path": "/list"}, "records": "/items", "assert": [{"ptr": "/person", "eq_id": "person_id"}]}
        self.assertIn("/collections/0/needs/person_id", refusal(profile(things=unbound)))
        # bound above, or by the export, it is
        for fine in ({**unbound, "request": {"path": ["x", {"record": "/id"}]}, "parent": owned("/list")},
                     {**unbound, "export": {"start": {"request": {"path": ["x", {"id": "person_id"}]}}}}):
            self.assertEqual(refusal(profile(things=fine)), "")

    def test_a_profile_asks_for_no_setting_that_it_does_not_use(self):
        setting = {"name": "region", "kind": "text", "required": False, "help": "none"}
        self.assertIn("/settings/0", refusal(profile(things=owned("/list"), settings=[setting])))
        self.assertIn("/settings/0", refusal(profile(things=owned("/list"), settings=[{**setting, "kind": "secret"}])))

    def test_unknown_keys_are_refused_wherever_they_stand(self):
        whole = owned("/list", page={**OFFSET, "size": "n"}, each=[{"request": {"path": ["a", {"record": "/id"}]}, "records": "", "unasserted": "a"}],
                      files=[{"in": "/f/*", "name": "0", "request": {"path": ["f", {"element": "0"}]}}], parent=owned("/p"),
                      export={"start": {"request": {"path": ["s", {"id": "person_id"}]}},
                              "poll": {"request": {"path": ["s", {"started": "/id"}]}, "done": [{"ptr": "/d", "eq": True}]}},
                      total={"header": "X-Total"}, key="/id")
        self.assertEqual(refusal(profile(things=whole)), "")

        def places(value, path):
            if isinstance(value, dict):
                if path[-1:] not in (["query"], ["form"], ["headers"], ["needs"]):
                    yield path
                for key, member in value.items():
                    yield from places(member, [*path, key])
            elif isinstance(value, list):
                for at, member in enumerate(value):
                    yield from places(member, [*path, at])
        for path in list(places(whole, [])):
            changed = json.loads(json.dumps(whole))
            at = changed
            for key in path:
                at = at[key]
            at["surprise"] = 1
            said = refusal(profile(things=changed))
            self.assertIn("/collections/0", said, path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--build", default=rest.BUILD)
    arguments, others = parser.parse_known_args()
    rest.BUILD = arguments.build
    unittest.main(argv=[sys.argv[0], *others], verbosity=1)
