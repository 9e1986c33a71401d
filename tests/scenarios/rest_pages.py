#!/usr/bin/env python3
"""dsar-rest: every way in which pages follow, and what a silent cut comes to."""
import argparse
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import rest
from rest_stub import Stub, fetch, items, owned, profile, refusal


def listed(page, path="/list", **more):
    return profile(things=owned(path, page=page, key="/id", **more))


class Ways(unittest.TestCase):
    def pages(self, answer, page, **more):
        """The outcome, and what was asked."""
        with Stub({"/list": answer}) as stub:
            outcome = fetch(listed(page, **more), stub.url, "things")
            return outcome, stub.calls

    def check(self, outcome, ids, status="complete", code=None):
        self.assertEqual((outcome.ids, outcome.status, outcome.code), (ids, status, code), outcome.end)

    def test_offset_and_a_short_page_is_not_the_last(self):
        pages = {"0": items(1, 2), "2": items(3), "3": items(4, 5), "5": []}
        outcome, calls = self.pages(lambda call: {"items": pages[call.query["skip"]]},
                                    {"kind": "offset", "in": "query", "start": "skip", "size": "n", "by": 3})
        self.check(outcome, [1, 2, 3, 4, 5])
        self.assertEqual([call.query["n"] for call in calls], ["3"] * 4)

    def test_offset_in_the_form(self):
        pages = {"0": items(1, 2), "2": items(3), "3": []}
        value = listed({"kind": "offset", "in": "form", "start": "skip"}, request={"method": "POST", "form": {"a": "b"}})
        with Stub({"/list": lambda call: {"items": pages[call.form["skip"]]}}) as stub:
            self.check(fetch(value, stub.url, "things"), [1, 2, 3])
        self.assertEqual({call.form["a"] for call in stub.calls}, {"b"})

    def test_page_numbers_end_where_the_system_says_that_there_is_no_such_page(self):
        def answer(call):
            number = int(call.query["page"])
            return {"items": items(number)} if number < 3 else (400, {}, b'{"code":"invalid_page_number"}')
        page = {"kind": "page", "in": "query", "number": "page"}
        outcome, _ = self.pages(answer, {**page, "end": [{"ptr": "/code", "eq": "invalid_page_number"}]})
        self.check(outcome, [1, 2])
        outcome, _ = self.pages(answer, page)
        self.assertEqual((outcome.status, outcome.code), ("failed", "source_answer"))
        # what ends the pages says nothing of the first
        outcome, _ = self.pages(lambda _: (404, {}, b""), {**page, "end": [{"status": 404}]})
        self.assertEqual((outcome.status, outcome.code), ("failed", "source_answer"))

    def test_totals_and_pages_may_stand_in_headers(self):
        pages = {"1": items(1, 2), "2": items(3)}
        page = {"kind": "page", "in": "query", "number": "page", "pages": {"header": "X-WP-TotalPages"}}

        def answer(total):
            return lambda call: ({"items": pages[call.query["page"]]}, {"x-wp-total": total, "x-wp-totalpages": "2"})
        total = {"total": {"header": "X-WP-Total"}}
        outcome, calls = self.pages(answer("3"), page, **total)
        self.check(outcome, [1, 2, 3])
        self.assertEqual(len(calls), 2)
        self.check(self.pages(answer("4"), page, **total)[0], [1, 2, 3], "partial", "short_answer")
        self.assertEqual(self.pages(answer("many"), page, **total)[0].code, "source_answer")
        outcome, _ = self.pages(lambda call: {"items": pages[call.query["page"]]}, page, **total)
        self.assertEqual(outcome.code, "source_answer")

    def test_a_cursor_is_taken_from_the_answer(self):
        pages = {None: ("a&b=c", items(1)), "a&b=c": ("ü", []), "ü": (None, items(2))}

        def answer(call):
            cursor, page = pages[call.query.get("after")]
            return {"items": page, "meta": {"next": cursor}}
        outcome, _ = self.pages(answer, {"kind": "cursor", "in": "query", "cursor": "after", "next": "/meta/next"})
        self.check(outcome, [1, 2])

    def test_a_cursor_is_taken_from_the_last_record(self):
        pages = {None: (items(1, 2), True), "2": (items(3), False)}

        def answer(call):
            page, more = pages[call.query.get("starting_after")]
            return {"items": page, "has_more": more}
        page = {"kind": "cursor", "in": "query", "cursor": "starting_after", "last": "/id"}
        outcome, calls = self.pages(answer, {**page, "more": "/has_more"})
        self.check(outcome, [1, 2, 3])
        self.assertEqual(len(calls), 2)
        pages["3"] = ([], False)
        self.check(self.pages(answer, page)[0], [1, 2, 3])

    def test_more_without_a_cursor_is_partial(self):
        page = {"kind": "cursor", "in": "query", "cursor": "after", "next": "/next", "more": "/more"}
        for more in (True, 1, "yes"):
            outcome, _ = self.pages(lambda _, more=more: {"items": items(1), "next": "", "more": more}, page)
            self.check(outcome, [1], "partial", "short_answer")
        for more in (False, 0, "0", None, "false"):
            outcome, _ = self.pages(lambda _, more=more: {"items": items(1), "next": "x", "more": more}, page)
            self.check(outcome, [1])

    def test_a_cursor_that_leads_back_is_partial(self):
        outcome, calls = self.pages(lambda _: {"items": items(1), "next": "same"},
                                    {"kind": "cursor", "in": "query", "cursor": "after", "next": "/next"})
        self.check(outcome, [1], "partial", "short_answer")
        self.assertEqual(len(calls), 2)
        n = [0]

        def endless(_):
            n[0] += 1
            return {"items": [], "next": str(n[0])}
        outcome, calls = self.pages(endless, {"kind": "cursor", "in": "query", "cursor": "after", "next": "/next", "max_pages": 7})
        self.check(outcome, [], "partial", "page_limit")
        self.assertEqual(len(calls), 7)

    def test_links_are_followed_by_path_and_query_alone(self):
        """Whatever host they name: nothing is asked of it."""
        with Stub({"*": lambda _: {"items": items(66)}}) as other:
            links = {None: f'<{other.url}/list?p=2&x=%2F>; rel="next", <{other.url}/list?p=9>; rel="last"',
                     "2": '</list?p=3>; title="a, b; rel=next"; rel="prev next"', "3": '<?p=4>;rel=next', "4": '<x>; rel=prev'}

            def answer(call):
                at = call.query.get("p")
                return {"items": items(int(at or 1))}, {"Link": links[at]}
            outcome, calls = self.pages(answer, {"kind": "link"})
            self.check(outcome, [1, 2, 3, 4])
            self.assertEqual([call.target for call in calls][1], "/list?p=2&x=%2F")
            self.assertEqual(other.calls, [])

    def test_several_link_headers(self):
        outcome, _ = self.pages(lambda call: ({"items": items(int(call.query.get("p", 1)))},
                                              {"Link": ['<a>; rel="prev"', '</list?p=2>; REL=Next'] if "p" not in call.query else []}),
                                {"kind": "link"})
        self.check(outcome, [1, 2])

    def test_next_urls_are_followed_by_path_and_query_alone(self):
        for host in ("https://elsewhere.example.test", "//elsewhere.example.test", "http://127.0.0.1:1", "", "ftp://u:p@other"):
            pages = {None: host + "/list?p=2", "2": None}
            outcome, calls = self.pages(
                lambda call, pages=pages: {"items": items(int(call.query.get("p", 1))), "paging": {"next": pages[call.query.get("p")]}},
                {"kind": "next", "next": "/paging/next", "in": "query", "size": "n", "by": 5})
            self.check(outcome, [1, 2])
            self.assertEqual([call.target for call in calls], ["/list?person=901&n=5", "/list?p=2"])

    def test_a_next_url_stands_behind_the_host_and_not_behind_the_base(self):
        def answer(call):
            return {"items": items(int(call.query.get("p", 1))), "next": "/app/list?p=2" if "p" not in call.query else None}
        with Stub({"/app/list": answer}) as stub:
            self.check(fetch(listed({"kind": "next", "next": "/next"}), stub.url + "/app/", "things"), [1, 2])

    def test_what_is_no_url_is_no_page(self):
        for reference in ("http://[", "http://a b/", "\x01"):
            outcome, _ = self.pages(lambda _, reference=reference: {"items": items(1), "next": reference}, {"kind": "next", "next": "/next"})
            self.assertEqual((outcome.status, outcome.code), ("failed", "source_answer"), reference)

    def test_where_the_path_alone_says_whose_records_they_are_it_stays(self):
        value = profile(things={"request": {"path": ["people", {"id": "person_id"}, "things"]}, "records": "/items",
                                "unasserted": "the path names the person", "page": {"kind": "next", "next": "/next"}})
        for following, code in (("/people/901/things?p=2", None), ("?p=2", None), ("/things?p=2", "source_answer"),
                                ("/people/1/things?p=2", "source_answer")):
            def answer(call, following=following):
                return {"items": items(int(call.query.get("p", 1))), "next": following if "p" not in call.query else None}
            with Stub({"*": answer}) as stub:
                outcome = fetch(value, stub.url, "things")
                self.assertEqual((outcome.code, len(stub.calls)), (code, 1 if code else 2), following)

    def test_a_next_page_may_not_leave_out_whose_records_they_are(self):
        person = {"id": "person_id"}
        below = {"path": ["people", person, "things"]}
        asked = {"query": {"path": "/things", "query": {"person": person}}, "part": {**below, "query": {"q": ["p:", person]}},
                 "header": {**below, "headers": {"Person": person}}, "user": {**below, "auth": {"kind": "basic", "user": person, "password": "x"}},
                 "form": {**below, "method": "POST", "idempotent": True, "form": {"person": person}},
                 "record": {"path": "/things", "query": {"of": {"record": "/id"}}}, "url": {"path": {"url": {"record": "/url"}, "under": "/"}}}
        for page in ({"kind": "link"}, {"kind": "next", "next": "/next"}):
            for name, request in asked.items():
                step = {"request": request, "records": "/items", "page": page, "parent": owned("/list")}
                with self.subTest(name=name, kind=page["kind"]):
                    self.assertIn("/collections/0/page/kind", refusal(profile(things={**step, "unasserted": "a test"})))
                    self.assertEqual(refusal(profile(things={**step, "assert": [{"ptr": "/person", "eq_id": "person_id"}]})), "")
            fine = {"request": {**below, "query": {"all": "true"}}, "records": "/items", "page": page, "unasserted": "a test"}
            self.assertEqual(refusal(profile(things=fine)), "")

    def test_a_next_page_is_of_the_same_tenant(self):
        """Another tenant has another person of the same number."""
        settings = [{"name": "tenant", "kind": "text", "required": True, "help": "whose"}]
        value = {"query": {"person": {"id": "person_id"}, "of": ["t ", {"setting": "tenant"}]}}
        for kind in ("next", "link"):
            page = {"kind": kind, **({"next": "/next"} if kind == "next" else {})}
            for following, code in (
                    ("?p=2&person=901&of=t+a%26b", None), ("/list?of=t%20%61%26b&p=2", None), ("?%6Ff=t%20a%26b&p=2", None),
                    ("?p=2&person=901", "source_answer"), ("?p=2&of=", "source_answer"), ("?p=2&of", "source_answer"),
                    ("?p=2&of=t%20a", "source_answer"), ("?p=2&of=t%20a%26bc", "source_answer"), ("?p=2&off=t%20a%26b", "source_answer"),
                    ("?p=2&of=t%20a%26b&of=t%20c", "source_answer"), ("?p=2#&of=t%20a%26b", "source_answer")):
                def answer(call, following=following):
                    more = following if "p" not in call.query else None
                    return {"items": items(int(call.query.get("p", 1))), "next": more}, {"Link": [f'<{more}>; rel="next"'] if more else []}
                with self.subTest(following, kind=kind), Stub({"/list": answer}) as stub:
                    outcome = fetch(profile(settings=settings, things={**owned("/list", page=page, key="/id"), "request": {
                        "path": "/list", **value}}), stub.url, "things", tenant="a&b")
                    self.assertEqual((outcome.code, len(stub.calls)), (code, 1 if code else 2))
                    if code:
                        self.assertIn("without a parameter that the settings give", outcome.end["text"])


class Cuts(unittest.TestCase):
    """Fewer records than there are never come as complete."""

    def outcome(self, answer, **collection):
        with Stub({"/list": answer}) as stub:
            return fetch(profile(things=owned("/list", key="/id", **collection)), stub.url, "things")

    def test_less_than_announced(self):
        for page in (None, {"kind": "link"}, {"kind": "offset", "in": "query", "start": "s"},
                     {"kind": "cursor", "in": "query", "cursor": "c", "next": "/next"}):
            more = {"page": page} if page else {}
            outcome = self.outcome(lambda call: {"items": [] if call.query.get("s", "0") != "0" else items(1, 2), "total": "3"},
                                   total="/total", **more)
            self.assertEqual((outcome.ids, outcome.status, outcome.code, outcome.end["retryable"]),
                             ([1, 2], "partial", "short_answer", True), page)

    def test_as_many_as_the_system_gives_at_most(self):
        for n, cap, total, status in ((3, 3, None, "partial"), (2, 3, None, "complete"), (4, 3, None, "partial"), (3, 3, 3, "complete"),
                                      (3, 3, 9, "partial")):
            body = {"items": items(*range(n)), **({"total": total} if total else {})}
            outcome = self.outcome(lambda _, body=body: body, cap=cap, **({"total": "/total"} if total else {}))
            self.assertEqual((len(outcome.ids), outcome.status), (n, status), (n, cap, total))
            if status == "partial":
                self.assertEqual((outcome.code, outcome.end["retryable"]), ("short_answer", total is not None))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--build", default=rest.BUILD)
    arguments, others = parser.parse_known_args()
    rest.BUILD = arguments.build
    unittest.main(argv=[sys.argv[0], *others], verbosity=1)
