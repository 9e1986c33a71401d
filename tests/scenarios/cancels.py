#!/usr/bin/env python3
"""Requests that are cancelled on the control topic of a real Kafka (tests/kafka), whenever that comes.

Skipped where Maven Central is out of reach, unless CI=true.
"""
import hashlib
import json
import os
import random
import time
import unittest

from deliveries import PERSONAL, Delivery, setUpModule  # noqa: F401
from harness import load, merged, request_for, save, wait_for
from portal import CANCEL_TYPE, SOURCE, attributes, claims, sign


class Cancels(Delivery):
    def setUp(self):
        super().setUp()
        self.body = request_for("alice", self.keys)
        self.request = self.body["subject_request_id"]

    def check_cancelled(self, portal, request=None):
        """One terminal event, no bundle, and the receipt of what was published."""
        request = request or self.request
        event = portal.heard(request, "cancelled")
        self.assertEqual(portal.terminal(request), ["cancelled"])
        self.assertEqual((event.data["request_status"], event.data["reason"]["code"]), ("cancelled", "withdrawn"))
        self.assertNotRegex(json.dumps(event.event()), PERSONAL)
        self.assertEqual(portal.stored(request, ".zip"), [])
        receipt, = portal.stored(request, "receipt")
        with open(receipt, encoding="utf-8") as file:
            kept = json.loads(file.readline())["event"]
        self.assertEqual((kept["id"], kept["type"]), (event.headers["ce_id"], "org.dsard.cancelled.v1"))
        return event

    def settle(self, portal):
        """Waits for the outcome of another request of the same worker: what was done before has been published."""
        portal.heard(portal.ask_for("bob", scope={"sources": ["forum"]}), "completed")

    @staticmethod
    def wait_for_cancels(portal, n):
        """Until so many messages of the control topic are done with."""
        wait_for(lambda: sum(max(offset, 0) for offset, _ in portal.committed("control").values()) == n,
                 lambda: f"{n} cancels to be done: {portal.committed('control')}")

    def test_before_it_comes(self):
        portal = self.portal()
        worker = portal.worker()
        portal.cancel(self.body)
        wait_for(lambda: f"{self.request}: cancelled, but not accepted yet" in worker.log(), worker.log)
        portal.ask(self.body)
        self.check_cancelled(portal)
        self.assertEqual([each.kind for each in portal.said(self.request)], ["cancelled"])
        self.assertEqual(self.asked("billing"), [])
        wait_for(portal.audit.all, "the audit record")
        self.assertEqual([each.data["outcome"] for each in portal.audit.all()], ["org.dsard.cancelled.v1"])

    def test_while_it_waits_for_a_worker(self):
        portal = self.portal(changes={"work": {"concurrent_requests": 1}})
        portal.worker()
        first = self.export_that_waits(portal)
        portal.ask(self.body)
        portal.cancel(self.body)
        self.check_one_completed(portal, first)
        self.check_cancelled(portal)
        self.assertEqual([each.kind for each in portal.said(self.request)], ["cancelled"])

    def test_while_it_is_worked_on(self):
        portal = self.portal()
        portal.worker()
        self.spoil("marketing", mode="hang")
        portal.ask(self.body)
        wait_for(lambda: self.asked("marketing"), "the source to be asked")
        # long before the source's deadline
        portal.cancel(self.body)
        self.check_cancelled(portal)
        self.settle(portal)
        self.check_cancelled(portal)

    def test_while_it_is_parked(self):
        portal = self.portal(delays=(600,), changes={"retry": {"attempts": 1}})
        portal.worker()
        self.spoil("marketing", mode="error500")
        portal.ask(self.body)
        portal.heard(self.request, "retrying")
        # long before its time comes
        portal.cancel(self.body)
        self.check_cancelled(portal)

    def test_while_no_worker_runs(self):
        portal = self.portal(delays=(4,), changes={"retry": {"attempts": 1}})
        worker = portal.worker()
        self.spoil("marketing", mode="error500")
        portal.ask(self.body)
        portal.heard(self.request, "retrying")
        worker.kill()
        portal.cancel(self.body)
        self.spoil("marketing", mode="ok")
        portal.worker("two")
        self.check_cancelled(portal)

    def test_after_its_end_the_bundle_is_revoked(self):
        portal = self.portal()
        portal.worker()
        portal.ask(self.body)
        completed = self.check_one_completed(portal, self.request)
        receipts = portal.stored(self.request, "receipt")
        portal.cancel(self.body)
        expired = portal.heard(self.request, "expired")
        self.assertEqual((expired.data["request_status"], expired.data["reason"]["code"]), ("completed", "revoked"))
        self.assertEqual(portal.stored(self.request, ".zip"), [])
        self.assertEqual(portal.stored(self.request, "receipt"), receipts)
        wait_for(lambda: len(portal.audit.all()) == 2, "two audit records")
        self.assertEqual([each.data["outcome"] for each in portal.audit.all()],
                         ["org.dsard.completed.v1", "org.dsard.expired.v1"])
        # once more, and the request itself too: nothing new
        portal.cancel(self.body)
        self.assertEqual(portal.heard(self.request, "expired", 2).headers["ce_id"], expired.headers["ce_id"])
        portal.ask(self.body)
        portal.heard(self.request, "repeated")
        self.assertEqual(portal.terminal(self.request), ["completed"])
        self.assertEqual(portal.said(self.request, "completed")[0].headers["ce_id"], completed.headers["ce_id"])
        self.assertEqual(portal.dead.all(), [])

    def test_what_has_failed_or_was_refused_stays_so(self):
        portal = self.portal()
        portal.worker()
        refused = merged(self.body, {"regulation": "hipaa"})
        portal.ask(refused)
        portal.heard(self.request, "refused")
        portal.cancel(refused)
        self.settle(portal)
        self.wait_for_cancels(portal, 1)
        self.assertEqual([each.kind for each in portal.said(self.request)], ["refused"])

    def test_twice(self):
        portal = self.portal()
        portal.worker()
        self.spoil("marketing", mode="hang")
        portal.ask(self.body)
        wait_for(lambda: self.asked("marketing"), "the source to be asked")
        for _ in range(3):
            portal.cancel(self.body)
        self.check_cancelled(portal)
        portal.cancel(self.body)
        self.wait_for_cancels(portal, 4)
        self.check_cancelled(portal)
        self.assertEqual(portal.said(self.request, "expired"), [])

    def cancel_by(self, portal, key, source, body):
        """A cancel signed with another key, or from another source."""
        value = json.dumps({"api_version": "2.0", "subject_request_id": self.request,
                            "body_sha256": hashlib.sha256(json.dumps(body).encode()).hexdigest()}).encode()
        header = claims(key, self.request, typ=CANCEL_TYPE, iss=source)
        portal.send(value, self.request, {**attributes(self.request, ce_type=CANCEL_TYPE, ce_source=source),
                                          "dsar-signature": sign(key, value, header)}, "control")

    def test_only_by_whoever_asked_for_exactly_that(self):
        asker = self.keys.make("portal", "asker")
        keys = load(self.keys.portal_public)["keys"] + load(self.keys.asker_public)["keys"]
        keys[1]["dsard"]["rights"] = ["request"]
        trusted = save(self.path("trusted.jwks"), {"keys": keys})
        portal = self.portal(changes={"requests": {"trusted_keys_file": trusted}})
        worker = portal.worker()
        self.spoil("marketing", mode="slow", delay_ms=15)
        portal.ask(self.body)
        wait_for(lambda: self.asked("marketing"), "the source to be asked")
        portal.cancel(merged(self.body, {"regulation": "ccpa"}))
        self.cancel_by(portal, self.keys.portal, "//other.example", self.body)
        self.cancel_by(portal, asker, SOURCE, self.body)
        portal.cancel(self.body, aud="another-host")
        portal.cancel(self.body, typ="org.dsard.request.v1")
        portal.send(b"{}", self.request, portal.signed(b"{}", self.request, CANCEL_TYPE), "control")
        value = json.dumps(self.body).encode()
        portal.send(value, self.request, portal.signed(value, self.request), "control")
        letters = portal.buried(5)
        self.assertEqual(sorted(each.headers["dsar-dead-code"] for each in letters),
                         ["audience", "bad_cancel", "no_right", "typ_mismatch", "unknown_type"])
        self.assertEqual({each.headers["dsar-dead-topic"] for each in letters}, {portal.topics["control"]})
        self.assertEqual(worker.log().count("cancelled, but not accepted yet"), 2)
        self.check_one_completed(portal, self.request)
        self.settle(portal)
        self.assertEqual(portal.said(self.request, "cancelled", "expired"), [])
        self.assertEqual(len(portal.stored(self.request, ".zip")), 1)

    def test_a_store_that_cannot_be_written_holds_a_cancel_up_but_loses_none(self):
        portal = self.portal()
        worker = portal.worker()
        place = self.path("store", self.request)
        with open(place, "w", encoding="ascii"):
            pass
        portal.cancel(self.body)
        wait_for(lambda: worker.log().count("is looked at again later") > 1, worker.log)
        os.unlink(place)
        wait_for(lambda: f"{self.request}: cancelled, but not accepted yet" in worker.log(), worker.log)
        portal.ask(self.body)
        self.check_cancelled(portal)

    def test_at_any_moment_there_is_one_end(self):
        portal = self.portal()
        portal.worker()
        self.spoil("marketing", mode="slow", delay_ms=2)
        seed = random.randrange(1 << 32)
        moments = random.Random(seed)
        bodies = []
        for _ in range(12):
            body = request_for("alice", self.keys)
            bodies.append(body)
            portal.ask(body)
            time.sleep(moments.random() * 1.5)
            portal.cancel(body)
        with self.subTest(seed=seed):
            for body in bodies:
                request = body["subject_request_id"]
                kind, = wait_for(lambda request=request: portal.terminal(request), "an end")
                self.assertIn(kind, ("cancelled", "completed"))
                if kind == "completed":
                    portal.heard(request, "expired")
            self.settle(portal)
            for body in bodies:
                request = body["subject_request_id"]
                self.assertEqual(portal.stored(request, ".zip"), [])
                kind, = portal.terminal(request)
                self.assertEqual(len(portal.said(request, "expired")), kind == "completed")


if __name__ == "__main__":
    unittest.main()
