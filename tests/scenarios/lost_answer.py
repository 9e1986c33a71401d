#!/usr/bin/env python3
"""The answer to a message is lost and its transaction aborted: no message of the next one is taken for a copy of it.

Skipped where Maven Central is out of reach, unless CI=true.
"""
import unittest

from harness import request_for, wait_for
from recoveries import Recovery, Shared, set_up
import kafka
import proxy
import wire


def setUpModule():
    # a broker that is slow for a while stays the leader of what it leads
    set_up(kafka.Cluster, size=2, settings={"broker.session.timeout.ms": 30000})


class LostAnswer(Recovery):
    """The broker that leads a topic is cut off with an answer; the other one coordinates, and so ends the transaction."""

    def setting(self, topic):
        """A portal, the name of a worker, and the node that leads the topic and coordinates neither the group nor the
        worker's transactions."""
        portal = self.portal()
        (leader, _), = wire.cluster(Shared.broker.address, [portal.topics[topic]])[1][portal.topics[topic]].values()

        def elsewhere(stem, kind):
            return next(text for text in (f"{stem}-{n}" for n in range(100))
                        if wire.coordinator(Shared.broker.address, text, kind, 60)[0] != leader)

        portal.group = portal.changes["kafka"]["group"] = elsewhere(portal.group, wire.GROUP)
        return portal, elsewhere(portal.group, wire.TRANSACTION).removeprefix(portal.group + "-"), leader

    def lose(self, portal, name, topic, leader):
        """The rule whose end is the end of a transaction that is aborted while a message to the topic, which is written,
        waits for being sent again."""
        client, topic = self.identity(portal, name), portal.topics[topic].encode()
        cuts = []

        def cut(step):
            cuts.append(Shared.proxy.cut(client=client, node=leader))
            return proxy.CLOSE

        def refuse(step):
            lost.wait(60)
            wire.expel(Shared.broker.address, portal.group)

        # what belongs to a transaction has its id behind the client's, which is the same
        lost = self.when(portal, proxy.PRODUCE, name, node=leader, answered=cut, where=lambda step: (
            topic in step.request and wire.text(client) * 2 in step.request))
        self.when(portal, proxy.TXN_OFFSET_COMMIT, name, before=refuse)
        return self.when(portal, proxy.END_TXN, name, answered=lambda step: cuts[0].heal(),
                         where=lambda step: step.request.endswith(b"\0"))

    def check(self, topic):
        portal, name, leader = self.setting(topic)
        aborted = self.lose(portal, name, topic, leader)
        worker = portal.worker(name)
        body = request_for("carol", Shared.keys)
        requests = [portal.ask(body)]
        aborted.wait(60)
        # what was aborted is the next transaction, so what it held has come when what is asked for now has
        wait_for(lambda: portal.committed() == {0: (1, "")}, lambda: f"it to be made again: {worker.log()}")
        portal.ask(body)
        requests += [portal.ask_for("carol") for _ in range(2)]
        wait_for(lambda: portal.committed() == {0: (4, "")}, lambda: f"all committed: {portal.committed()}")
        portal.heard(requests[-1], "completed")
        wait_for(lambda: requests[-1] in audited(portal), "the last audit record")
        self.assertIn("a transaction was aborted and will be made again", worker.log())
        self.assertEqual([portal.terminal(each) for each in requests], [["completed"]] * len(requests))
        self.assertEqual(sorted(audited(portal)), sorted(requests))
        self.assertEqual(len(portal.said(requests[0], "repeated")), 1)
        self.assertTrue(worker.running())

    def test_of_an_event(self):
        self.check("events")

    def test_of_an_audit_record(self):
        self.check("audit")


def audited(portal):
    return [each.data["subject_request_id"] for each in portal.audit.all()]


if __name__ == "__main__":
    unittest.main()
