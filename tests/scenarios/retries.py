#!/usr/bin/env python3
"""Requests that wait on retry topics of a real Kafka (tests/kafka) for what does not answer at the moment.

Skipped where Maven Central is out of reach, unless CI=true.
"""
import json
import time
import unittest

from deliveries import PERSONAL, Delivery, setUpModule  # noqa: F401
from harness import request_for, wait_for

# one try in place, and no breaker, which would leave a source alone when it has been mended
PLAIN = {"attempts": 1, "breaker_failures": 0}


class Retries(Delivery):
    def retrying(self, delays=(1, 2), work=None, **retry):
        return self.portal(delays=delays, changes={"work": work or {}, "retry": {**PLAIN, **retry}})

    def check_parked(self, portal, request, attempt, tier, source="marketing"):
        """What `retrying` says of the attempt that failed, and what lies on the retry topic since."""
        event = portal.heard(request, "retrying", attempt)
        self.assertEqual((event.data["request_status"], event.data["reason"]["code"]),
                         ("in_progress", "sources_unavailable"))
        self.assertEqual(event.own["retry"]["attempt"], attempt)
        self.assertRegex(event.own["retry"]["next_time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertRegex(event.data["reason"]["text"], rf"\b{source}\b")
        for other in {"billing", "panel", "forum", "marketing"} - {source}:
            self.assertNotIn(other, event.data["reason"]["text"])
        self.assertNotRegex(json.dumps(event.event()), PERSONAL)
        self.assertEqual(portal.terminal(request), [])
        reader = portal.reader(f"retry.{tier}")
        return wait_for(lambda: [each for each in reader.all() if each.key == request], "a parked message")[-1]

    def test_a_source_that_is_mended_in_time_is_all_there(self):
        portal = self.retrying()
        portal.worker()
        body = request_for("alice", self.keys)
        value, request = json.dumps(body).encode(), body["subject_request_id"]
        headers = portal.signed(value, request)
        self.spoil("marketing", mode="error500")
        portal.send(value, request, headers)
        for attempt, tier in ((1, 0), (2, 1)):
            parked = self.check_parked(portal, request, attempt, tier)
            self.assertTrue(parked.headers.pop("dsar-parked"))
            self.assertEqual((parked.value, parked.headers), (value, headers))
        # the second attempt is over: the request's place is done, and so is that of the first that was parked
        wait_for(lambda: sorted(offset for offset, _ in portal.committed().values()) == [-1, 1], "the offset")
        self.assertEqual(portal.stored(request, ".zip") + portal.stored(request, "receipt"), [])
        self.spoil("marketing", mode="ok")
        event = self.check_one_completed(portal, request)
        said = [each.kind for each in portal.said(request)]
        self.assertEqual((said.count("accepted"), said.count("retrying")), (1, 2))
        self.assertEqual(len(portal.stored(request, ".zip")), 1)
        wait_for(portal.audit.all, "the audit record")
        self.assertEqual([each.data["outcome"] for each in portal.audit.all()], ["org.dsard.completed.v1"])
        self.assertEqual({each["status"] for each in event.own["sources"]}, {"complete"})
        self.assertEqual(portal.dead.all(), [])

    def test_a_source_that_is_never_mended_is_a_gap_when_the_time_is_over(self):
        portal = self.retrying(horizon_s=6)
        portal.worker()
        self.spoil("marketing", mode="error500")
        began = time.monotonic()
        request = portal.ask_for("alice")
        event = portal.heard(request, "completed")
        # the last attempt is made when there is no time for another delay of 2 s, by a clock of whole seconds
        self.assertGreater(time.monotonic() - began, 3)
        self.assertEqual((portal.terminal(request), event.own["coverage"]), (["completed"], "partial"))
        gaps = {each["name"]: each["reason"]["code"] for each in event.own["sources"] if "reason" in each}
        self.assertEqual(gaps, {"marketing": "source_error"})
        attempts = [each.own["retry"]["attempt"] for each in portal.said(request, "retrying")]
        self.assertIn(attempts, ([1], [1, 2], [1, 2, 3]))
        _, entries = portal.bundle(event)
        self.assertIn("forum/posts.json", entries)

    def test_the_margin_before_the_due_time_ends_it_too(self):
        portal = self.retrying(margin_s=3590)
        portal.worker()
        self.spoil("marketing", mode="error500")
        due = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3593))
        request = portal.ask_for("alice", due_time=due)
        event = portal.heard(request, "completed")
        self.assertEqual((portal.terminal(request), event.own["coverage"]), (["completed"], "partial"))
        self.assertLessEqual(len(portal.said(request, "retrying")), 2)

    def test_one_that_is_due_soon_is_at_risk_and_gets_what_there_is_at_once(self):
        portal = self.retrying()
        worker = portal.worker()
        self.spoil("marketing", mode="error500")
        due = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
        request = portal.ask_for("alice", due_time=due)
        event = portal.heard(request, "completed")
        self.assertEqual((event.own["coverage"], portal.said(request, "retrying")), ("partial", []))
        self.assertRegex(worker.log(), f"warning {request}: at risk: due in 3[0-9]+ s")

    def test_when_no_source_has_ever_answered_it_has_failed(self):
        portal = self.retrying(horizon_s=2)
        portal.worker()
        self.spoil("marketing", mode="drop_connection")
        request = portal.ask_for("alice", scope={"sources": ["marketing"]})
        event = portal.heard(request, "failed")
        self.assertEqual((event.data["reason"]["code"], event.data["request_status"]),
                         ("no_source_answered", "cancelled"))
        self.assertEqual(portal.terminal(request), ["failed"])
        self.assertGreaterEqual(len(portal.said(request, "retrying")), 1)
        self.assertEqual(portal.stored(request, ".zip"), [])
        self.assertEqual(len(portal.stored(request, "receipt")), 1)

    def test_what_no_attempt_can_mend_is_not_tried_again(self):
        portal = self.retrying()
        portal.worker()
        self.spoil("marketing", mode="refuse401")
        request, other = portal.ask_for("alice"), portal.ask_for("alice", scope={"sources": ["marketing"]})
        event = portal.heard(request, "completed")
        self.assertEqual((event.own["coverage"], portal.terminal(request)), ("partial", ["completed"]))
        self.assertEqual(portal.heard(other, "failed").data["reason"]["code"], "no_source_answered")
        self.assertEqual(portal.said(request, "retrying") + portal.said(other, "retrying"), [])

    def test_a_source_that_asks_for_more_time_gets_it(self):
        portal = self.retrying(delays=(1, 4))
        portal.worker()
        self.spoil("marketing", mode="busy503", retry_after_s=3)
        request = portal.ask_for("alice")
        self.check_parked(portal, request, 1, tier=1)
        self.spoil("marketing", mode="ok")
        self.check_one_completed(portal, request)
        self.assertEqual(len(portal.said(request, "retrying")), 1)

    def test_parked_requests_hold_up_nobody(self):
        portal = self.retrying(delays=(4,), work={"concurrent_requests": 1})
        portal.worker()
        self.spoil("marketing", mode="error500")
        parked = [portal.ask_for("alice", scope={"sources": ["marketing"]}) for _ in range(5)]
        for request in parked:
            portal.heard(request, "retrying")
        # their source is dead, so the only worker would never come to another if it waited for them
        other = portal.ask_for("bob", scope={"sources": ["forum"]})
        portal.heard(other, "completed")
        self.assertEqual([portal.terminal(request) for request in parked], [[]] * 5)
        self.spoil("marketing", mode="ok")
        for request in parked:
            self.assertEqual(portal.heard(request, "completed").own["coverage"], "complete")
            self.assertEqual(portal.terminal(request), ["completed"])

    def test_a_parked_request_outlives_its_worker(self):
        portal = self.retrying(delays=(3,))
        worker = portal.worker()
        self.spoil("marketing", mode="error500")
        request = portal.ask_for("alice")
        portal.heard(request, "retrying")
        worker.kill()
        self.spoil("marketing", mode="ok")
        portal.worker("two")
        self.check_one_completed(portal, request)
        self.assertEqual([each.kind for each in portal.said(request)].count("accepted"), 1)

    def test_what_is_forged_on_a_retry_topic_is_a_dead_letter(self):
        portal = self.retrying(delays=(3,))
        portal.worker()
        self.spoil("marketing", mode="error500")
        good = portal.ask_for("alice")
        parked = self.check_parked(portal, good, 1, 0)
        genuine = parked.headers["dsar-parked"]
        forged = {}
        for name, header in (("none", {}), ("garbage", {"dsar-parked": "a.b.c"}),
                             ("of another request", {"dsar-parked": genuine})):
            body = request_for("bob", self.keys)
            value, request = json.dumps(body).encode(), body["subject_request_id"]
            forged[request] = name
            portal.send(value, request, {**portal.signed(value, request), **header}, topic="retry.0")
        # its own header over another body under its id, signed as a request should be
        value = json.dumps({**json.loads(parked.value), "regulation": "ccpa"}).encode()
        portal.send(value, good, {**portal.signed(value, good), "dsar-parked": genuine}, topic="retry.0")
        letters = portal.buried(4)
        self.assertEqual({each.headers["dsar-dead-code"] for each in letters}, {"bad_parking"})
        self.assertEqual({each.key for each in letters}, {*forged, good})
        self.spoil("marketing", mode="ok")
        self.check_one_completed(portal, good)
        self.assertEqual({each.key for each in portal.events.all()}, {good})
        self.assertEqual(len(portal.dead.all()), 4)

    def test_a_copy_of_a_parked_message_ends_nothing(self):
        portal = self.retrying(delays=(3,))
        portal.worker()
        self.spoil("marketing", mode="error500")
        request = portal.ask_for("alice")
        parked = self.check_parked(portal, request, 1, 0)
        for _ in range(2):
            portal.send(parked.value, request, parked.headers, topic="retry.0")
        self.spoil("marketing", mode="ok")
        self.check_one_completed(portal, request)
        wait_for(lambda: len(portal.said(request, "repeated")) == 2, "both copies to be told from it")
        self.assertEqual(portal.terminal(request), ["completed"])
        self.assertEqual(portal.dead.all(), [])


if __name__ == "__main__":
    unittest.main()
