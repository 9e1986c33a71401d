#!/usr/bin/env python3
"""`dsard run` on a real Kafka: from a signed request to its one outcome, whatever is sent and whatever dies.

Skipped where Maven Central is out of reach, unless CI=true.
"""
import contextlib
import hashlib
import json
import os
import re
import resource
import signal
import stat
import time
import unittest
import uuid

from deliveries import PERSONAL, Delivery, Shared, setUpModule  # noqa: F401
from harness import (DSARD, DSARCTL, PRODUCTS, canaries, counted, decoded_text, dsarctl, held, load, merged,
                     open_with_7zz, passphrase, request_for, run, save, wait_for)
from portal import CANCEL_TYPE, REQUEST_TYPE, SOURCE, attributes, b64url, claims, from_b64url, sha256, sign

# what names a person, in bytes: long enough not to be met in ciphertext by chance
CLEAR = re.compile(rb"canary-[a-z0-9]|@example\.test|4242.?4242.?4242|DE89 ?3704|M\xc3\xbcller")


class TheWholeWay(Delivery):
    def test_sealed_identities_are_opened_by_the_worker(self):
        portal = self.portal()
        portal.worker()
        request = portal.submit(request_for("alice", self.keys), "--seal-to", self.keys.worker_public)
        _, entries = portal.bundle(portal.heard(request, "completed"))
        self.assertEqual(counted(entries), held("alice"))
        requests = portal.reader("requests")
        for message in [*wait_for(requests.all, "the request"), *portal.events.all()]:
            self.assertNotRegex(message.value.decode(), PERSONAL)

    def test_identities_sealed_to_another_key_are_refused(self):
        portal = self.portal()
        portal.worker()
        request = portal.submit(request_for("alice", self.keys), "--seal-to", self.keys.recipient_public)
        self.assertEqual(portal.heard(request, "refused").data["reason"]["code"], "unknown_identity_key")
        self.assertEqual(portal.terminal(request), ["refused"])

    def test_a_submitted_request_becomes_a_bundle_that_opens(self):
        portal = self.portal()
        portal.worker()
        request = portal.submit(request_for("alice", self.keys))
        saved = self.path("event.json")
        watched = dsarctl("watch", "--brokers", Shared.broker.bootstrap, "--request", request, "--topic",
                          portal.topics["events"], "--timeout", "60", "--save", saved)
        event = portal.heard(request, "completed")

        kinds = [each.kind for each in portal.said(request)]
        self.assertEqual((kinds[0], kinds.count("accepted"), kinds.count("completed")), ("accepted", 1, 1))
        self.assertEqual(set(kinds), {"accepted", "progress", "completed"})
        self.assertIn("coverage complete", watched.splitlines()[-1])
        self.assertEqual(load(saved), event.event())

        bundle, entries = portal.bundle(event)
        self.assertEqual(portal.stored(request, ".zip"), [bundle])
        self.assertEqual(os.path.getsize(bundle), event.own["bundle"]["size"])
        self.assertEqual(event.data["results_url"], "https://privacy.host.example/dsar/" + request)
        self.assertEqual(event.data["request_status"], "completed")
        self.assertEqual(entries, open_with_7zz(bundle, passphrase(saved, self.keys.recipient)))
        verified = dsarctl("verify", bundle, "--event", saved, "--key", self.keys.recipient, "--jwks",
                           self.keys.exporter_public)
        self.assertIn("signature", verified)

        self.assertEqual(counted(entries), held("alice"))
        self.assertEqual(event.data["results_count"], sum(sum(each.values()) for each in held("alice").values())
                         + len(canaries.canaries("alice")["files"]))
        text = decoded_text(entries)
        self.assertEqual(canaries.missing("alice", text), [])
        self.assertEqual(canaries.leaked("alice", text), [])

        offsets = {partition: offset for partition, (offset, _) in portal.committed().items()}
        self.assertEqual(sorted(offsets.values()), [-1, 1])
        self.assertEqual(portal.dead.all(), [])

        audit, = wait_for(portal.audit.all, "an audit record")
        self.assertEqual(audit.data["subject_request_id"], request)
        self.assertEqual(audit.data["outcome"], "org.dsard.completed.v1")
        self.assertEqual(audit.data["sources"], event.own["sources"])
        self.assertEqual(audit.data["withheld"], event.own["withheld"])
        self.assertNotRegex(audit.value.decode() + str(audit.headers), PERSONAL)

    def test_an_event_that_was_changed_does_not_verify(self):
        portal = self.portal()
        portal.worker()
        event = portal.heard(portal.ask_for("malice"), "completed")
        bundle, _ = portal.bundle(event)
        changed = event.event()
        changed["data"]["results_count"] += 1
        done = run(DSARCTL, "verify", bundle, "--event", save(self.path("changed.json"), changed), "--jwks",
                   self.keys.exporter_public)
        self.assertEqual(done.returncode, 1, done.stdout)

    def test_nobody_found_is_an_answer_too(self):
        portal = self.portal()
        portal.worker()
        event = portal.heard(portal.ask_for("nobody@example.test"), "completed")
        self.assertEqual((event.data["results_count"], event.own["coverage"]), (0, "complete"))
        _, entries = portal.bundle(event)
        self.assertEqual(set(entries), {"report.html", "manifest.json", "manifest.jws"})
        searched = {source["name"]: source["status"] for source in json.loads(entries["manifest.json"])["sources"]}
        self.assertEqual(searched, dict.fromkeys(["billing", "panel", "forum", "marketing"], "not_found"))
        for title in ("Billing", "Panel", "Forum", "Marketing"):
            self.assertIn(title, entries["report.html"].decode())

    def test_structured_events_are_read(self):
        portal = self.portal()
        portal.worker()
        body = request_for("bob", self.keys)
        request = body["subject_request_id"]
        event = {"specversion": "1.0", "id": str(uuid.uuid4()), "source": SOURCE, "type": REQUEST_TYPE,
                 "subject": request, "datacontenttype": "application/json", "data": body}
        value = json.dumps(event, indent=3).encode()
        signature = sign(self.keys.portal, value, claims(self.keys.portal, request))
        portal.send(value, request, {"content-type": "application/cloudevents+json; charset=UTF-8",
                                     "dsar-signature": signature})
        self.check_one_completed(portal, request, "bob")

    def test_schema_registry_framing_is_taken_off(self):
        portal = self.portal(changes={"kafka": {"framing": "confluent"}})
        portal.worker()
        body = request_for("bob", self.keys)
        request, bare = body["subject_request_id"], json.dumps(body).encode()
        framed = b"\0\0\0\0\7" + bare
        portal.send(framed, request, portal.signed(framed, request))
        self.check_one_completed(portal, request, "bob")
        other = request_for("bob", self.keys)
        portal.ask(other)
        letter, = portal.buried(1)
        self.assertEqual(letter.headers["dsar-dead-code"], "bad_framing")


class BadInput(Delivery):
    """The table of what cannot be trusted, and of what cannot be answered."""

    def rows(self):
        """(name, code, value, key, headers) of messages that must become dead letters, and nothing else."""
        key = self.keys.portal

        def fresh(**changes):
            body = merged(request_for("alice", self.keys), changes)
            return body.get("subject_request_id") or str(uuid.uuid4()), json.dumps(body).encode()

        def row(name, code, made=None, message_key="id", headers=None, **changes):
            request, value = made or fresh()
            signature = sign(key, value, claims(key, request, **changes))
            return (name, code, value, request if message_key == "id" else message_key,
                    merged({**attributes(request), "dsar-signature": signature}, headers or {}))

        other = str(uuid.uuid4())
        yield row("not JSON", "bad_request", (str(uuid.uuid4()), f"not JSON {other}".encode()))
        yield row("JSON cut short", "bad_request", (lambda made: (made[0], made[1][:-9]))(fresh()))
        yield row("not UTF-8", "bad_request", (str(uuid.uuid4()), b'{"\xff\xfe":"' + other.encode() + b'"}'))
        request, value = fresh()
        yield "not a CloudEvent", "bad_event", value, request, {}
        yield row("no specversion", "bad_event", headers={"ce_specversion": None})
        yield row("not JSON's type", "bad_event", headers={"content-type": "application/xml"})
        yield row("no id", "bad_request", fresh(subject_request_id=None))
        yield row("an id that is no UUID", "bad_request", fresh(subject_request_id="4711-" + other))
        yield row("an id in upper case", "bad_request", fresh(subject_request_id=str(uuid.uuid4()).upper()))
        yield row("unsigned", "unsigned", headers={"dsar-signature": None})
        yield row("not a JWS", "bad_signature", headers={"dsar-signature": "signed, I swear"})
        request, value = fresh()
        yield ("signed by a stranger in the portal's name", "bad_signature", value, request,
               {**attributes(request), "dsar-signature": sign(self.keys.stranger, value, claims(key, request))})
        request, value = fresh()
        yield ("signed by a stranger", "unknown_kid", value, request,
               {**attributes(request), "dsar-signature": sign(self.keys.stranger, value,
                                                              claims(self.keys.stranger, request))})
        yield row("no kid", "unknown_kid", kid=None)
        for algorithm in ("RS256", "HS256", "none", "ES384", None):
            yield row(f"algorithm {algorithm}", "wrong_algorithm", alg=algorithm)
        request, value = fresh()
        header = b64url(json.dumps(claims(key, request, alg="none")).encode())
        yield ("algorithm none, as it is meant", "wrong_algorithm", value, request,
               {**attributes(request), "dsar-signature": f"{header}.."})
        request, value = fresh()
        header = b64url(json.dumps(claims(key, request)).encode())
        yield ("a header without a signature", "bad_signature", value, request,
               {**attributes(request), "dsar-signature": f"{header}.."})
        yield row("a key that comes along", "bad_signature", jwk=load(self.keys.stranger_public)["keys"][0])
        yield row("typ", "typ_mismatch", typ="org.dsard.cancel.v1")
        yield row("iss", "iss_mismatch", iss="//other.example")
        yield row("source", "iss_mismatch", headers={"ce_source": "//other.example"})
        yield row("sub", "sub_mismatch", sub=other)
        yield row("no sub", "sub_mismatch", sub=None)
        yield row("aud", "audience", aud="another-host")
        yield row("expired", "expired", iat=int(time.time()) - 7200, exp=int(time.time()) - 3600)
        yield row("not yet", "not_yet_valid", iat=int(time.time()) + 3600, exp=int(time.time()) + 7200)
        _, _, value, request, headers = row("", "")
        yield "another body", "bad_signature", value.replace(b"alice@", b"malice@"), request, headers
        yield "a blank more", "bad_signature", value + b" ", request, headers
        yield row("another key", "sub_mismatch", message_key=other)
        yield row("no key", "sub_mismatch", message_key=None)
        yield row("another type", "unknown_type", headers={"ce_type": "org.dsard.erase.v1"})
        yield row("too large", "too_large", fresh(padding="x" * 270000))

    def test_what_cannot_be_trusted_is_a_dead_letter_and_no_event(self):
        portal = self.portal()
        worker = portal.worker()
        rows = list(self.rows())
        for _, _, value, key, headers in rows:
            portal.send(value, key, headers)
        portal.send(None, str(uuid.uuid4()), {})
        letters = portal.buried(len(rows) + 1)
        # an event of theirs would have gone before those of a request that comes later
        good = portal.heard(portal.ask_for("bob"), "completed")
        self.assertEqual({each.key for each in portal.events.all()}, {good.key})
        self.assertEqual(os.listdir(self.path("store")), [good.key])
        self.assertEqual(len(portal.dead.all()), len(letters))

        places = set()
        for name, code, value, key, headers in rows:
            with self.subTest(name):
                letter, = (each for each in letters if each.value == value)
                self.assertEqual(letter.key, key)
                said = {each: letter.headers.pop(each) for each in list(letter.headers)
                        if each.startswith("dsar-dead-")}
                self.assertEqual(letter.headers, headers)
                self.assertEqual(said["dsar-dead-code"], code, said["dsar-dead-text"])
                self.assertEqual(said["dsar-dead-topic"], portal.topics["requests"])
                self.assertNotRegex(" ".join(said.values()), PERSONAL)
                places.add((said["dsar-dead-partition"], said["dsar-dead-offset"]))
        self.assertEqual(len(places), len(rows))
        tombstone, = (each for each in letters if each.value is None)
        self.assertEqual(tombstone.headers["dsar-dead-code"], "tombstone")
        self.assertNotRegex(worker.log(), PERSONAL)
        wait_for(lambda: sum(offset for offset, _ in portal.committed().values()) == len(rows) + 2,
                 "every offset to be committed")

    def test_a_message_too_large_for_a_letter_leaves_its_digest_and_holds_up_nobody(self):
        portal = self.portal()
        portal.worker()
        value = b"x" * 900_000
        portal.send(value, "large", {"ce_type": "org.dsard.request.v1"})
        request = portal.ask_for("bob")
        portal.heard(request, "completed")
        letter = portal.buried(1)[0]
        self.assertFalse(letter.value)
        self.assertEqual(letter.headers["dsar-dead-bytes"], "900000")
        self.assertEqual(letter.headers["dsar-dead-sha256"], hashlib.sha256(value).hexdigest())

    def test_what_is_signed_and_cannot_be_answered_is_refused_once(self):
        portal = self.portal()
        portal.worker()
        jwk = load(self.keys.recipient_public)
        off_the_curve = merged(jwk, {"y": jwk["x"]})
        identity = {"identity_type": "email", "identity_value": "alice@example.test", "identity_format": "raw"}
        hashed = {"identity_type": "email", "identity_value": "0" * 64, "identity_format": "sha256"}
        rows = {
            "unsupported_type": request_for("alice", self.keys) | {"subject_request_type": "erasure"},
            "unsupported_regulation": request_for("alice", self.keys) | {"regulation": "hipaa"},
            "unknown_envelope": request_for("alice", self.keys, envelope="rar"),
            "bad_recipient": request_for("alice", self.keys, recipient={"jwk": off_the_curve}),
            "due_time_past": request_for("alice", self.keys, due_time="2026-01-01T00:00:00Z"),
            "hashed_identity": request_for("alice", self.keys) | {"subject_identities": [hashed]},
            "no_identity": request_for("alice", self.keys) | {"subject_identities": []},
            "too_many_identities": request_for("alice", self.keys) | {"subject_identities": [identity] * 33},
            "bad_request": request_for("alice", self.keys, surprise=True),
        }
        for code, body in rows.items():
            portal.ask(body)
        for code, body in rows.items():
            with self.subTest(code):
                event = portal.heard(body["subject_request_id"], "refused")
                self.assertEqual(event.data["reason"]["code"], code)
                self.assertGreater(len(event.data["reason"]["text"]), 10)
                self.assertEqual(event.data["request_status"], "cancelled")
                self.assertEqual([each.kind for each in portal.said(event.key)], ["refused"])
                self.assertNotRegex(json.dumps(event.event()), PERSONAL)
                kept = [os.path.basename(path).rpartition(".")[2] for path in portal.stored(event.key, "")]
                self.assertEqual(sorted(kept), ["accepted", "receipt"])
        self.assertEqual(portal.dead.all(), [])


class ExactlyOnce(Delivery):
    def test_a_worker_killed_while_it_exports_answers_after_its_restart(self):
        portal = self.portal()
        worker = portal.worker()
        request = self.export_that_waits(portal)
        worker.kill()
        self.assertEqual(portal.stored(request, "receipt"), [])
        self.spoil("marketing", mode="ok")
        portal.worker()
        self.check_one_completed(portal, request)
        self.assertEqual(len(portal.stored(request, ".zip")), 1)

    def test_an_outcome_that_was_stored_is_published_as_it_is(self):
        portal = self.portal()
        worker = portal.worker()
        request = self.export_that_waits(portal)
        broker = Shared.broker.process
        broker.send_signal(signal.SIGSTOP)
        try:
            receipt, = wait_for(lambda: portal.stored(request, "receipt"), "a receipt")
            worker.kill()
        finally:
            broker.send_signal(signal.SIGCONT)
        self.assertEqual(portal.terminal(request), [])
        for source in PRODUCTS:
            self.forget(source)
        worker = portal.worker()
        event = self.check_one_completed(portal, request)
        with open(receipt, encoding="utf-8") as file:
            kept = json.loads(file.readline())["event"]
        self.assertEqual(event.data, kept["data"])
        self.assertEqual(event.headers["ce_id"], kept["id"])
        self.assertEqual(len(portal.stored(request, ".zip")), 1)
        self.assertEqual([source for source in PRODUCTS if self.asked(source)], [])
        self.assertIn("outcome taken from its receipt", worker.log())

    def test_the_same_message_again_is_repeated_and_another_under_its_id_is_dead(self):
        portal = self.portal()
        portal.worker()
        body = request_for("bob", self.keys)
        request, value = body["subject_request_id"], json.dumps(body).encode()
        headers = portal.signed(value, request)
        for _ in range(3):
            portal.send(value, request, headers)
        completed = portal.heard(request, "completed")
        portal.heard(request, "repeated", 2)
        for event in portal.said(request, "repeated"):
            self.assertIn(event.own["repeats"]["type"], ("org.dsard.accepted.v1", "org.dsard.completed.v1"))
        other = json.dumps(merged(body, {"submitted_time": "2026-01-02T03:04:05Z"})).encode()
        portal.send(other, request, portal.signed(other, request))
        letter, = portal.buried(1)
        self.assertEqual((letter.value, letter.headers["dsar-dead-code"]), (other, "id_reused"))
        portal.send(value, request, headers)
        repeated = portal.heard(request, "repeated", 3)
        self.assertEqual(repeated.own["repeats"], {"type": "org.dsard.completed.v1",
                                                   "time": completed.headers["ce_time"]})
        self.assertEqual(repeated.data["request_status"], "completed")
        self.assertEqual(portal.terminal(request), ["completed"])
        self.assertEqual([each.kind for each in portal.said(request)].count("accepted"), 1)
        self.assertEqual(len(portal.stored(request, ".zip")), 1)

    def test_a_worker_told_to_leave_finishes_what_it_has_begun(self):
        portal = self.portal()
        worker = portal.worker()
        request = self.export_that_waits(portal)
        self.assertEqual(portal.terminal(request), [])
        self.assertEqual(worker.end(), 0, worker.log())
        self.check_one_completed(portal, request)
        self.assertEqual(sorted(offset for offset, _ in portal.committed().values()), [-1, 1])

    def test_a_worker_told_twice_leaves_at_once_and_the_next_one_answers(self):
        portal = self.portal()
        worker = portal.worker()
        self.spoil("marketing", mode="hang")
        self.forget("marketing")
        request = portal.ask_for("alice")
        wait_for(lambda: self.asked("marketing"), "the source to be asked")
        worker.signal(signal.SIGTERM)
        wait_for(lambda: "leaving" in worker.log(), "the worker to leave")
        began = time.monotonic()
        self.assertEqual(worker.end(), 0, worker.log())
        self.assertLess(time.monotonic() - began, 15)
        self.spoil("marketing", mode="ok")
        portal.worker()
        self.check_one_completed(portal, request)

    def test_a_full_worker_goes_on_when_its_partitions_are_given_to_it_again(self):
        portal = self.portal(changes={"work": {"concurrent_requests": 1}})
        one = portal.worker("one")
        self.spoil("marketing", mode="slow", delay_ms=15)
        requests = [portal.ask_for("alice") for _ in range(8)]
        # one in work and one waiting are all that it takes, so it has paused its partitions
        wait_for(lambda: any(portal.said(request, "accepted") for request in requests), "the first to be in work")
        portal.worker("two")
        wait_for(lambda: one.log().count("partitions assigned") == 2, lambda: f"a second assignment: {one.log()}")
        self.spoil("marketing", mode="ok")
        for request in requests:
            self.check_one_completed(portal, request)

    def test_fifty_requests_by_workers_that_join_and_die_have_one_outcome_each(self):
        portal = self.portal(partitions=4)
        one = portal.worker("one")
        asked = {}
        for at in range(50):
            person = ("alice", "malice", "bob", "carol", "dave")[at % 5]
            asked[portal.ask_for(person)] = person
            if at == 15:
                portal.worker("two", ready=False)
            if at == 35:
                one.kill()
                one = portal.worker("one", ready=False)
        # a claim of the worker that was killed dies of age
        wait_for(lambda: all(portal.said(request, "completed") for request in asked), "an answer to each", timeout_s=240)
        self.assertTrue(one.running())
        self.assertEqual({request: portal.terminal(request) for request in asked},
                         dict.fromkeys(asked, ["completed"]))
        self.assertEqual(portal.dead.all(), [])
        for request in asked:
            event = portal.heard(request, "completed")
            digests = [sha256(path) for path in portal.stored(request, ".zip")]
            self.assertIn(event.own["bundle"]["sha256"], digests)
            self.assertEqual(event.own["coverage"], "complete")
        for request in list(asked)[:5] + list(asked)[-5:]:
            self.check_one_completed(portal, request, asked[request])
        wait_for(lambda: len(portal.audit.all()) >= len(asked), "the audit records")
        self.assertEqual(sorted(each.data["subject_request_id"] for each in portal.audit.all()), sorted(asked))
        for name in ("one", "two"):
            with open(self.path(name + ".log"), encoding="utf-8") as log:
                self.assertIn("bundle of", log.read(), f"worker {name} has done nothing")


class NotDurable(Delivery):
    """No event for a bundle that is not durable; once it can be, there is one."""

    def check_mended(self, portal, worker, request, why, mend):
        """It is tried in place, then parked, and no worker is held up; once it can be done it is."""
        event = portal.heard(request, "retrying")
        self.assertRegex(worker.log(), why)
        self.assertEqual(worker.log().count("will be made again"), 2)
        self.assertIn(event.data["reason"]["code"], ("store_failed", "spool_failed"))
        self.assertEqual((portal.terminal(request), portal.stored(request, "receipt")), ([], []))
        self.assertTrue(worker.running())
        mend()
        self.check_one_completed(portal, request)
        self.assertEqual(len(portal.stored(request, ".zip")), 1)
        self.assertEqual([name for name in os.listdir(self.path("store", request)) if name.startswith(".")], [])

    def test_a_store_that_cannot_be_written(self):
        portal = self.portal()
        worker = portal.worker()
        body = request_for("alice", self.keys)
        place = self.path("store", body["subject_request_id"])
        with open(place, "w", encoding="ascii"):
            pass
        request = portal.ask(body)
        self.check_mended(portal, worker, request, "cannot be opened", lambda: os.unlink(place))

    def test_what_cannot_be_done_until_its_due_time_ends_as_failed(self):
        portal = self.portal()
        portal.worker()
        os.rename(self.path("spool"), self.path("elsewhere"))
        due = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 6))
        request = portal.ask_for("alice", due_time=due)
        event = portal.heard(request, "failed")
        self.assertEqual((event.data["reason"]["code"], event.data["request_status"]), ("spool_failed", "cancelled"))
        os.rename(self.path("elsewhere"), self.path("spool"))
        other = portal.ask_for("bob")
        portal.heard(other, "completed")
        self.assertEqual([each.kind for each in portal.said(request)], ["accepted", "failed"])
        self.assertEqual(portal.stored(request, ".zip"), [])

    def test_a_spool_that_is_gone(self):
        portal = self.portal()
        worker = portal.worker()
        os.rename(self.path("spool"), self.path("elsewhere"))
        request = portal.ask_for("alice")
        self.check_mended(portal, worker, request, "the spool gets no file",
                          lambda: os.rename(self.path("elsewhere"), self.path("spool")))

    def full_disk(self, folder):
        """A file system of 64 KiB in the folder, filled; returns what mends it."""
        os.makedirs(self.path(folder), mode=0o700)
        mounted = run("mount", "-t", "tmpfs", "-o", "size=64k", "dsard-test", self.path(folder))
        if mounted.returncode != 0:
            self.skipTest("no file system can be mounted here")
        self.addCleanup(run, "umount", self.path(folder))
        filler = self.path(folder, ".filler")
        with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass

        def mend():
            os.unlink(filler)
            run("mount", "-o", "remount,size=8m", self.path(folder))
        return mend

    def test_a_spool_that_is_full(self):
        mend = self.full_disk("spool")
        portal = self.portal()
        worker = portal.worker()
        request = portal.ask_for("alice")
        self.check_mended(portal, worker, request, "No space left", mend)

    def test_a_store_that_is_full(self):
        mend = self.full_disk("store")
        portal = self.portal()
        worker = portal.worker()
        request = portal.ask_for("alice")
        self.check_mended(portal, worker, request, "No space left", mend)


class Tools(Delivery):
    """What `dsarctl` puts on Kafka, where nobody reads it but the test."""

    def first(self, portal, topic):
        reader = portal.reader(topic)
        return wait_for(reader.all, f"a message on {topic}")[0]

    def test_what_submit_saves_is_what_it_sent(self):
        portal = self.portal()
        request = portal.submit(request_for("alice", self.keys), "--seal-to", self.keys.worker_public, "--save",
                                self.path("saved"))
        sent = self.first(portal, "requests")
        with open(self.path("saved"), "rb") as file:
            self.assertEqual(sent.value, file.read())
        self.assertEqual(sent.key, request)
        self.assertNotRegex(sent.value.decode() + str(sent.headers), PERSONAL)

    def test_a_cancellation_is_bound_to_what_was_sent(self):
        portal = self.portal()
        request = portal.submit(request_for("alice", self.keys), "--save", self.path("saved"))
        self.assertEqual(portal.dsarctl("cancel", "control", "--request", self.path("saved")), request)
        sent = self.first(portal, "control")
        self.assertEqual(sent.key, request)
        self.assertEqual(sent.data, {"api_version": "2.0", "subject_request_id": request,
                                     "body_sha256": sha256(self.path("saved"))})
        for name, text in attributes(request, ce_type=CANCEL_TYPE, ce_id=sent.headers["ce_id"]).items():
            self.assertEqual(sent.headers[name], text)
        header = json.loads(from_b64url(sent.headers["dsar-signature"].split(".")[0]))
        expected = claims(self.keys.portal, request, typ=CANCEL_TYPE, iat=header["iat"], exp=header["iat"] + 45 * 86400)
        self.assertEqual(header, expected)
        self.assertAlmostEqual(header["iat"], time.time(), delta=60)

    def test_the_tests_own_portal_cancels_alike(self):
        portal = self.portal()
        portal.submit(request_for("alice", self.keys), "--save", self.path("saved"))
        with open(self.path("saved"), "rb") as file:
            saved = file.read()
        portal.dsarctl("cancel", "control", "--id", json.loads(saved)["subject_request_id"], "--sha256",
                       sha256(self.path("saved")))
        portal.cancel(saved)
        reader = portal.reader("control")
        wait_for(lambda: len(reader.all()) == 2, "two cancellations")
        one, other = reader.all()
        self.assertEqual((one.key, one.data, one.partition), (other.key, other.data, other.partition))
        self.assertEqual({**one.headers, "dsar-signature": 0, "ce_id": 0, "ce_time": 0},
                         {**other.headers, "dsar-signature": 0, "ce_id": 0, "ce_time": 0})


class NothingInClear(Delivery):
    def places(self, *processes):
        """(name, bytes) of whatever may rest on disk or be seen of the processes by others."""
        for folder in ("store", "spool", "tmp"):
            for at, _, names in os.walk(self.path(folder)):
                for name in names:
                    # what is in work may be gone by now
                    with contextlib.suppress(FileNotFoundError), open(os.path.join(at, name), "rb") as file:
                        yield os.path.join(at, name), file.read()
        for pid in processes:
            for name in ("cmdline", "environ"):
                # a connector may have ended by now
                with contextlib.suppress(OSError), open(f"/proc/{pid}/{name}", "rb") as file:
                    yield f"/proc/{pid}/{name}", file.read()
            yield from self.open_files(pid)

    def open_files(self, pid):
        """Spool files have no name, so they are read as the process holds them."""
        folder = f"/proc/{pid}/fd"
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for number in os.listdir(folder):
                with contextlib.suppress(OSError):
                    name = os.path.join(folder, number)
                    if stat.S_ISREG(os.stat(name).st_mode) and os.readlink(name).startswith(self.path("spool")):
                        with open(name, "rb") as file:
                            yield name, file.read()

    def check_clear(self, *processes):
        seen = dict(self.places(*processes))
        found = {name: match.group() for name, content in seen.items() if (match := CLEAR.search(content))}
        self.assertEqual(found, {})
        return seen

    def test_no_place_outside_the_bundle_holds_personal_data(self):
        portal = self.portal(changes={"log": {"level": "debug"}})
        os.mkdir(self.path("tmp"))
        worker = portal.worker(env={**os.environ, "TMPDIR": self.path("tmp")})
        request = self.export_that_waits(portal)
        rounds, spooled, children = 0, 0, set()
        while not portal.terminal(request):
            family = worker.children()
            children.update(family)
            seen = self.check_clear(worker.pid, *family)
            spooled = max(spooled, sum(len(content) for name, content in seen.items() if "/fd/" in name))
            rounds += 1
            self.assertLess(rounds, 10000)
            time.sleep(0.02)
        self.check_one_completed(portal, request)
        self.assertGreater(len(children), 2)
        self.assertGreater(spooled, 1000, "the spool was never seen with anything in it")
        seen = self.check_clear(worker.pid)
        self.assertTrue(any(name.endswith(".zip") for name in seen))
        secrets = [Shared.host.where[product][name] for product, name in
                   (("whmcs", "identifier"), ("whmcs", "secret"), ("cpanel", "token"), ("mautic", "password"))]
        log = worker.log()
        self.assertIn(" debug ", log)
        self.assertNotRegex(log, PERSONAL)
        for secret in secrets:
            self.assertNotIn(secret, log)
        for event in portal.events.all():
            self.assertNotRegex(event.value.decode() + str(event.headers), PERSONAL)
        for _, metadata in portal.committed().values():
            self.assertNotRegex(metadata, PERSONAL)
        self.assertEqual(worker.end(), 0)
        self.check_clear()
        self.assertEqual(os.listdir(self.path("spool")), [])
        self.assertEqual(os.listdir(self.path("tmp")), [])

    def test_no_process_leaves_a_core(self):
        portal = self.portal()
        worker = portal.worker()
        request = self.export_that_waits(portal)
        for pid in [worker.pid, *worker.children()]:
            with contextlib.suppress(ProcessLookupError):
                self.assertEqual(resource.prlimit(pid, resource.RLIMIT_CORE), (0, 0))
        worker.signal(signal.SIGTERM)
        portal.heard(request, "completed")

    def test_a_worker_is_not_for_other_processes_of_its_user_to_look_into(self):
        """The kernel gives the files of an undumpable process to root, so it takes a process of someone else."""
        fifo = self.path("dsard.yaml")
        os.mkfifo(fifo, 0o644)
        os.chmod(fifo, 0o644)
        os.chmod(self.folder, 0o755)
        other = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
        try:
            # it waits for its configuration
            worker = self.start(DSARD, "run", "-c", fifo, **other)
        except PermissionError:
            self.skipTest("the build folder is not for other users to read")
        wait_for(lambda: os.stat(f"/proc/{worker.pid}/mem").st_uid == 0 or not worker.running(), "undumpable", 10)
        self.assertTrue(worker.running(), worker.log())


if __name__ == "__main__":
    unittest.main()
