#!/usr/bin/env python3
"""What may go wrong between dsard and a real Kafka, each at its exact step: one outcome each, and nothing lost.

A fault proxy stands between the workers and the broker. The names say which failure case of delivery a test is for.
Skipped where Maven Central is out of reach, unless CI=true.
"""
import contextlib
import os
import signal
import threading
import time
import unittest

from harness import DSARD, request_for, wait_for
from recoveries import Recovery, Shared, set_up
import proxy
import wire


def setUpModule():
    set_up()


def pending(pid):
    """The signals that a process has been sent and has not taken yet."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        masks = [int(line.split()[1], 16) for line in status if line.startswith(("SigPnd:", "ShdPnd:"))]
    return {number for number in signal.valid_signals() for mask in masks if mask >> (number - 1) & 1}


class Case1KilledAtEachStep(Recovery):
    """SIGKILL before the transaction, within it, while it ends and after it: the next life takes up from the receipt."""

    def check(self, api, moment):
        portal = self.portal()
        worker = portal.worker()
        killed = self.when(portal, api, **{moment: lambda step: (worker.kill(), proxy.CLOSE)[1]})
        request = portal.ask_for("carol")
        killed.wait(60)
        self.assertFalse(worker.running())
        worker = portal.worker()
        event = self.heard(portal, request)
        portal.bundle(event)
        wait_for(lambda: portal.committed()[0][0] == 1, lambda: f"the offset to be committed: {portal.committed()}")
        # one more request shows that nothing of the first comes again
        self.heard(portal, portal.ask_for("carol"))
        self.assertEqual(portal.terminal(request), ["completed"])
        self.assertEqual(len(portal.stored(request, ".zip")), 1)
        self.assertEqual(len(portal.stored(request, "receipt")), 1)

    def test_before_anything_is_produced(self):
        self.check(proxy.ADD_PARTITIONS_TO_TXN, "before")

    def test_after_produce(self):
        self.check(proxy.ADD_OFFSETS_TO_TXN, "before")

    def test_while_offsets_are_sent(self):
        self.check(proxy.TXN_OFFSET_COMMIT, "before")

    def test_after_send_offsets(self):
        self.check(proxy.END_TXN, "before")

    def test_during_end_txn(self):
        self.check(proxy.END_TXN, "sent")

    def test_after_the_commit(self):
        self.check(proxy.END_TXN, "answered")


class Case2TheAnswerIsLost(Recovery):
    """EndTxn's answer is lost and the producer is fenced: only the committed offsets tell what became of it."""

    def check(self, moment):
        portal = self.portal()
        worker = portal.worker()

        def lose(step):
            wire.fence(Shared.broker.address, self.identity(portal))
            return proxy.CLOSE

        lost = self.when(portal, proxy.END_TXN, **{moment: lose})
        request = portal.ask_for("carol")
        lost.wait(60)
        event = self.heard(portal, request)
        self.heard(portal, portal.ask_for("carol"))
        wait_for(lambda: portal.committed() == {0: (2, "")}, lambda: f"all committed: {portal.committed()}")
        self.assertEqual(portal.terminal(request), ["completed"])
        self.assertTrue(worker.running())
        self.assertIn("what became of a transaction is being found out", worker.log())
        portal.bundle(event)
        self.assertEqual(len(portal.stored(request, ".zip")), 1)

    def test_a_commit_that_was_applied_is_not_published_again(self):
        self.check("answered")

    def test_a_commit_that_was_not_applied_is_made_again(self):
        self.check("before")


class Case3Suspended(Recovery):
    def test_a_worker_that_sleeps_through_its_transaction_publishes_nothing_twice(self):
        portal = self.portal()
        worker = portal.worker("one")
        asleep = self.when(portal, proxy.END_TXN, before=lambda step: worker.signal(signal.SIGSTOP))
        request = portal.ask_for("carol")
        asleep.wait(60)
        # its transaction ends by time-out or by its own late commit, which the new owner waits for
        other = portal.worker("two", ready=False)
        wait_for(lambda: "partitions assigned" in other.log(), lambda: f"the other to take over: {other.log()}")
        self.heard(portal, request)
        worker.signal(signal.SIGCONT)
        wait_for(lambda: worker.log().count("partitions assigned") > 1, lambda: f"it to come back: {worker.log()}")
        requests = [portal.ask_for("carol") for _ in range(4)]
        for each in requests:
            self.heard(portal, each)
        self.assertEqual(portal.terminal(request), ["completed"])
        self.assertTrue(worker.running() and other.running())
        self.assertEqual(len(portal.stored(request, "receipt")), 1)

    def test_a_worker_that_sleeps_while_it_exports_finds_it_done(self):
        portal = self.portal()
        worker = portal.worker("one")
        request = self.hold(portal)
        worker.signal(signal.SIGSTOP)
        self.spoil(mode="ok")
        portal.worker("two")
        # the claim of the one that sleeps dies of age
        event = self.heard(portal, request)
        worker.signal(signal.SIGCONT)
        wait_for(lambda: worker.log().count("partitions assigned") > 1, lambda: f"it to come back: {worker.log()}")
        self.heard(portal, portal.ask_for("carol"))
        self.assertEqual(portal.terminal(request), ["completed"])
        portal.bundle(event)


class Case4JoinAndLeave(Recovery):
    def test_a_request_that_is_worked_on_while_its_partition_goes_and_comes_back(self):
        portal = self.portal()
        one = portal.worker("one")
        request = self.hold(portal)
        two = portal.worker("two", ready=False)
        wait_for(lambda: one.log().count("partitions assigned") > 1, lambda: f"a rebalance: {one.log()}")
        self.assertEqual(two.end(), 0, two.log())
        self.spoil(mode="ok")
        self.heard(portal, request)
        wait_for(lambda: portal.committed() == {0: (1, "")}, lambda: f"its offset: {portal.committed()}")
        self.assertEqual(len(portal.stored(request, "receipt")), 1)

    def test_a_new_owner_waits_for_what_still_runs_elsewhere(self):
        portal = self.portal()
        one = portal.worker("one")
        request = self.hold(portal)
        # it keeps its claim while it cannot reach Kafka, and loses its partition
        with Shared.proxy.cut(client=self.identity(portal, "one")):
            two = portal.worker("two")
            wait_for(lambda: "another worker is working on it" in two.log(), lambda: f"the claim: {two.log()}")
            self.spoil(mode="ok")
            event = self.heard(portal, request)
        self.assertIn("outcome taken from its receipt", two.log())
        self.assertEqual(len(portal.stored(request, "receipt")), 1)
        portal.bundle(event)
        self.assertTrue(one.running())

    def test_a_worker_that_ends_a_request_late_removes_its_bundle(self):
        """Its partition is gone, and by its new owner the request was cancelled."""
        portal = self.portal()
        one = portal.worker("one")
        body = request_for("alice", Shared.keys)
        request = self.hold(portal, body)
        with Shared.proxy.cut(client=self.identity(portal, "one")):
            two = portal.worker("two")
            wait_for(lambda: "another worker is working on it" in two.log(), lambda: f"the claim: {two.log()}")
            portal.cancel(body)
            self.heard(portal, request, "cancelled")
            self.spoil(mode="ok")
            wait_for(lambda: "it has ended meanwhile as" in one.log(), lambda: f"its end: {one.log()}")
        wait_for(lambda: not portal.stored(request, ".zip"), "its bundle to be removed")
        self.assertEqual(len(portal.stored(request, "receipt")), 1)
        self.heard(portal, portal.ask_for("carol"))
        self.assertEqual(portal.terminal(request), ["cancelled"])

    def test_a_worker_that_is_removed_before_it_owns_anything_joins_again(self):
        """It commits as a member: what comes with no member's name is refused by no broker."""
        portal = self.portal()
        told = threading.Event()

        def expel_then_close(step):
            if not told.is_set():
                wire.expel(Shared.broker.address, portal.group)
            return proxy.CLOSE

        def close_until_told(step):
            if told.is_set():
                return proxy.FORWARD
            self.when(portal, proxy.OFFSET_FETCH, before=close_until_told)
            return proxy.CLOSE

        def tell(step):
            told.set()

        first = self.when(portal, proxy.OFFSET_FETCH, before=expel_then_close)
        self.when(portal, proxy.OFFSET_FETCH, nth=2, before=close_until_told)
        self.when(portal, proxy.HEARTBEAT, answered=tell, where=lambda step: first.happened.is_set())
        one = portal.worker("one")
        first.wait(60)
        commits = []
        commit = self.when(portal, proxy.TXN_OFFSET_COMMIT, before=lambda step: commits.append(step.request))
        self.heard(portal, portal.ask_for("carol"))
        commit.wait(60)
        self.assertTrue(told.is_set())
        # a broker names a member by its client and a UUID
        self.assertRegex(commits[0], self.identity(portal).encode() + b"-[0-9a-f]{8}-")
        self.assertTrue(one.running(), one.log())


class Case5Fenced(Recovery):
    def test_a_transaction_that_the_broker_gave_up(self):
        portal = self.portal(changes={"kafka": {"properties": {
            "transaction.timeout.ms": "3000", "message.timeout.ms": "2500"}}})
        worker = portal.worker()

        def wait_too_long(step):
            time.sleep(8)  # of the broker's clock: longer than the transaction may last and the broker looks for such

        late = self.when(portal, proxy.END_TXN, before=wait_too_long)
        request = portal.ask_for("carol")
        late.wait(60)
        self.heard(portal, request)
        self.heard(portal, portal.ask_for("carol"))
        self.assertEqual(portal.terminal(request), ["completed"])
        self.assertTrue(worker.running(), worker.log())

    def test_two_processes_with_one_transactional_id(self):
        portal = self.portal(partitions=2)  # so that both have work
        one = portal.worker("one")
        config = self.path("one.yaml")
        requests = [portal.ask_for("carol") for _ in range(3)]
        two = self.start(DSARD, "run", "-c", config, log="two.log")
        wait_for(lambda: "partitions assigned" in two.log(), lambda: f"the second to join: {two.log()}")
        requests += [portal.ask_for("carol") for _ in range(8)]
        for request in requests:
            self.heard(portal, request)
        # each fences the other off, and says so
        self.assertTrue(any("what became of a transaction is being found out" in each.log() for each in (one, two)))
        for process in (one, two):
            if not process.running():
                self.assertEqual(process.popen.wait(), 3)
                self.assertIn("another process", process.log())
        if not one.running() and not two.running():
            portal.worker("one")
        self.heard(portal, portal.ask_for("carol"))
        for request in requests:
            self.assertEqual(portal.terminal(request), ["completed"])


class Case6OutOfOrder(Recovery):
    def test_a_long_job_at_the_base_holds_up_no_other_nor_repeats_them(self):
        portal = self.portal(changes={"work": {"concurrent_requests": 3}})
        worker = portal.worker()
        first = self.hold(portal, times=1)
        others = [portal.ask_for("carol") for _ in range(20)]
        for request in others:
            self.heard(portal, request)
        wait_for(lambda: portal.committed() == {0: (0, "dsard1:1+20")}, lambda: f"the map: {portal.committed()}")
        worker.kill()
        self.spoil(mode="ok")
        portal.worker()
        self.heard(portal, first)
        wait_for(lambda: portal.committed() == {0: (21, "")}, lambda: f"the base: {portal.committed()}")
        for request in others:
            self.assertEqual([each.kind for each in portal.said(request)].count("accepted"), 1)
            self.assertEqual(portal.terminal(request), ["completed"])

    def test_metadata_of_others_is_refused_and_left_as_it_is(self):
        portal = self.portal()
        for metadata in ("somebody else's", "dsard1:5+", "dsard2:1+1"):
            wire.commit(Shared.broker.address, portal.group, portal.topics["requests"], 0, 0, metadata)
            worker = portal.worker("one", ready=False)
            self.assertEqual(worker.popen.wait(60), 3, worker.log())
            self.assertIn("use a consumer group of its own", worker.log())
            self.assertEqual(portal.committed(), {0: (0, metadata)})


class Case7Retention(Recovery):
    def test_a_request_whose_message_is_deleted_while_it_is_worked_on(self):
        portal = self.portal()
        worker = portal.worker()
        first = self.hold(portal, times=1)
        others = [portal.ask_for("carol") for _ in range(3)]
        for request in others:
            self.heard(portal, request)
        wire.delete_records(Shared.broker.address, portal.topics["requests"], 0, 3)
        self.spoil(mode="ok")
        self.heard(portal, first)
        wait_for(lambda: portal.committed() == {0: (4, "")}, lambda: f"the base: {portal.committed()}")
        self.assertTrue(worker.running())

    def test_a_base_that_is_gone_when_a_worker_starts(self):
        portal = self.portal()
        requests = [portal.ask_for("carol") for _ in range(3)]
        wire.commit(Shared.broker.address, portal.group, portal.topics["requests"], 0, 0, "dsard1:2+1")
        wire.delete_records(Shared.broker.address, portal.topics["requests"], 0, 1)
        portal.worker()
        self.heard(portal, requests[1])
        wait_for(lambda: portal.committed() == {0: (3, "")}, lambda: f"the base: {portal.committed()}")
        self.assertEqual([portal.terminal(each) for each in requests], [[], ["completed"], []])


class Case8Brokers(Recovery):
    def test_no_broker_for_longer_than_messages_live(self):
        portal = self.portal(changes={"kafka": {"properties": {
            "transaction.timeout.ms": "6000", "message.timeout.ms": "4000"}}})
        worker = portal.worker()
        held = self.when(portal, proxy.END_TXN, before=lambda step: proxy.CLOSE)
        request = portal.ask_for("carol")
        held.wait(60)
        with Shared.proxy.cut():
            time.sleep(15)  # what is measured is the outage itself
        self.heard(portal, request)
        self.heard(portal, portal.ask_for("carol"))
        self.assertEqual(portal.terminal(request), ["completed"])
        self.assertTrue(worker.running(), worker.log())

    def test_the_broker_is_killed_and_comes_back(self):
        portal = self.portal()
        worker = portal.worker()
        killed = self.when(portal, proxy.END_TXN, before=lambda step: (Shared.broker.kill(), proxy.CLOSE)[1])
        request = portal.ask_for("carol")
        killed.wait(60)
        Shared.broker.restart()
        self.heard(portal, request)
        self.heard(portal, portal.ask_for("carol"))
        self.assertEqual(portal.terminal(request), ["completed"])
        self.assertTrue(worker.running(), worker.log())


class Case9DeadLetters(Recovery):
    def test_letters_wait_for_their_topic_and_hold_up_no_other(self):
        portal = self.portal()
        portal.topics["dead"] += ".later"
        portal.changes["kafka"]["topics"]["dead"] = portal.topics["dead"]
        worker = portal.worker()
        self.assertIn("waits until it exists", worker.log())
        portal.send(b"no request", "key", {})
        request = portal.ask_for("carol")
        self.heard(portal, request)
        wait_for(lambda: portal.committed() == {0: (0, "dsard1:1+1")}, lambda: f"the other: {portal.committed()}")
        Shared.broker.create_topics({portal.topics["dead"]: 1})
        dead = portal.reader("dead")
        letter, = wait_for(lambda: dead.all(), lambda: f"the letter: {worker.log()}", 120)
        self.assertEqual(letter.value, b"no request")
        wait_for(lambda: portal.committed() == {0: (2, "")}, lambda: f"the base: {portal.committed()}")


class Case10Leaving(Recovery):
    def test_before_the_first_assignment(self):
        portal = self.portal()
        with Shared.proxy.stall():
            worker = portal.worker(ready=False)
            wait_for(lambda: "takes requests" in worker.log(), lambda: f"it to begin: {worker.log()}")
            self.assertEqual(worker.end(), 0, worker.log())

    def test_while_it_joins(self):
        portal = self.portal()
        joining = Shared.proxy.when(proxy.JOIN_GROUP, client=self.identity(portal),
                                    sent=lambda step: worker.signal(signal.SIGTERM))
        worker = portal.worker(ready=False)
        joining.wait(60)
        self.assertEqual(worker.popen.wait(60), 0, worker.log())

    def test_inside_a_revoke(self):
        portal = self.portal()
        one = portal.worker("one")
        revoking = threading.Event()
        held = self.when(portal, proxy.END_TXN, before=lambda step: revoking.wait(60) and None)
        request = portal.ask_for("carol")
        wait_for(lambda: portal.stored(request, "receipt"), "the commit to begin")
        # the revoke waits for the transaction, which waits for us
        two = portal.worker("two", ready=False)
        wait_for(lambda: "revoked" in one.log(), lambda: f"a revoke: {one.log()}")
        one.signal(signal.SIGTERM)
        revoking.set()
        held.wait(60)
        self.assertEqual(one.popen.wait(60), 0, one.log())
        self.heard(portal, request)
        self.heard(portal, portal.ask_for("carol"))
        self.assertTrue(two.running())
        self.assertEqual(portal.terminal(request), ["completed"])

    def test_during_a_commit(self):
        for moment in ("before", "answered"):
            with self.subTest(moment):
                portal = self.portal()
                worker = portal.worker()
                told = self.when(portal, proxy.END_TXN, **{moment: lambda step: worker.signal(signal.SIGTERM)})
                request = portal.ask_for("carol")
                told.wait(60)
                self.assertEqual(worker.popen.wait(60), 0, worker.log())
                self.heard(portal, request)
                wait_for(lambda: portal.committed() == {0: (1, "")}, lambda: f"its offset: {portal.committed()}")

    def test_a_second_signal_during_a_commit_that_hangs(self):
        portal = self.portal()
        worker = portal.worker()
        with contextlib.ExitStack() as stalled:
            hanging = self.when(portal, proxy.END_TXN,
                                before=lambda step: stalled.enter_context(Shared.proxy.stall()) and None)
            request = portal.ask_for("carol")
            hanging.wait(60)
            worker.signal(signal.SIGTERM)
            # the first signal is taken before the second is sent: two at once would be one
            wait_for(lambda: signal.SIGTERM not in pending(worker.pid), "the first signal to be taken")
            worker.signal(signal.SIGTERM)
            began = time.monotonic()
            status = worker.popen.wait(60)
            self.assertLess(time.monotonic() - began, 45)
            self.assertIn(status, (0, 3), worker.log())
        portal.worker()
        self.heard(portal, request)
        self.assertEqual(len(portal.stored(request, "receipt")), 1)


class Case11TwoAttempts(Recovery):
    def test_the_outcome_names_its_own_bundle_and_the_other_is_swept(self):
        portal = self.portal(changes={"store": {"sweep_after_s": 5}})
        worker = portal.worker()
        store = self.path("store")
        identity = self.hold(portal)
        stray = os.path.join(store, identity, "0123456789abcdef0123456789abcdef.zip")
        with open(stray, "wb") as file:
            file.write(b"a bundle whose worker died before it left a receipt")
        worker.kill()
        self.spoil(mode="ok")
        worker = portal.worker()
        event = self.heard(portal, identity)
        wait_for(lambda: not os.path.exists(stray), lambda: f"the sweep: {worker.log()}")
        path, = portal.stored(identity, ".zip")
        self.assertEqual(portal.bundle(event)[0], path)


if __name__ == "__main__":
    unittest.main()
