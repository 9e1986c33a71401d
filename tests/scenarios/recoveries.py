"""What scenarios share in which a fault proxy stands between workers and a real Kafka: it, brokers, an example host, keys.

A file calls set_up() in its setUpModule. Its tests are skipped where Maven Central is out of reach, unless CI=true.
"""
import contextlib
import os
import tempfile
import unittest

from harness import Keys, Scenario, host, request_for, wait_for
from portal import Portal, broker_in
import kafka
import proxy


class Shared:
    """What all tests use: a broker behind one proxy, one example host, one set of keys."""


def set_up(kind=kafka.Broker, **options):
    """Makes what is shared, for as long as the tests of a file run."""
    cleanup = contextlib.ExitStack()
    unittest.addModuleCleanup(cleanup.close)
    folder = cleanup.enter_context(tempfile.TemporaryDirectory(prefix="dsard-recovery-"))
    Shared.proxy = cleanup.enter_context(proxy.Proxy())
    Shared.broker = cleanup.enter_context(
        broker_in(os.path.join(folder, "broker"), kind, proxy=Shared.proxy, **options))
    Shared.host = host.Host(folder)
    cleanup.callback(Shared.host.close)
    Shared.keys = Keys(folder)


class Recovery(Scenario):
    def setUp(self):
        super().setUp()
        self.addCleanup(Shared.proxy.heal)
        self.addCleanup(self.spoil, mode="ok")

    def portal(self, changes=None, partitions=1, **options):
        """A portal that speaks to the broker itself, while its workers are behind the proxy. A claim dies soon."""
        portal = Portal(self, Shared.broker, Shared.host, Shared.keys, partitions=partitions, changes=changes, **options)
        portal.changes["kafka"]["brokers"] = Shared.proxy.bootstrap
        portal.changes["work"] = {"claim_s": 1, **portal.changes.get("work", {})}
        return portal

    @staticmethod
    def spoil(**fault):
        Shared.host.stubs["mautic"].spoil(fault)

    def hold(self, portal, body=None, **fault):
        """Sends a request whose export waits at one source until the fault is healed; returns its id."""
        stub = Shared.host.stubs["mautic"]
        self.spoil(mode="hang", **fault)
        with stub.lock:
            stub.calls.clear()
        request = portal.ask(body or request_for("alice", Shared.keys))

        def asked():
            with stub.lock:
                return list(stub.calls)

        wait_for(asked, "the source to be asked")
        return request

    @staticmethod
    def identity(portal, name="one"):
        return f"{portal.group}-{name}"

    def when(self, portal, api, name="one", **moments):
        return Shared.proxy.when(api, client=self.identity(portal, name), **moments)

    def heard(self, portal, request, kind="completed"):
        event = portal.heard(request, kind)
        self.assertEqual(portal.terminal(request), [kind])
        return event
