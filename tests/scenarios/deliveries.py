"""What scenarios of `dsard run` on a real Kafka share: a broker, an example host and keys for the tests of a file.

A file takes setUpModule from here. Its tests are skipped where Maven Central is out of reach, unless CI=true.
"""
import contextlib
import os
import re
import tempfile
import unittest

from harness import PRODUCTS, Keys, Scenario, canaries, counted, held, host, wait_for
from portal import Portal, broker_in

# what names a person, in texts that must not
PERSONAL = re.compile("|".join([canaries.MARK.pattern, canaries.ADDRESS.pattern, "Ångström", "Müller",
                                *map(re.escape, canaries.CARDS + canaries.IBANS)]), re.IGNORECASE)


class Shared:
    """What all tests use: one broker, one example host, one set of keys."""


def setUpModule():
    cleanup = contextlib.ExitStack()
    unittest.addModuleCleanup(cleanup.close)
    folder = cleanup.enter_context(tempfile.TemporaryDirectory(prefix="dsard-deliveries-"))
    Shared.broker = cleanup.enter_context(broker_in(os.path.join(folder, "broker")))
    Shared.host = host.Host(folder)
    cleanup.callback(Shared.host.close)
    Shared.keys = Keys(folder)
    Shared.keys.make("portal", "stranger")


class Delivery(Scenario):
    """A test with workers on the broker; the example host is well when it begins."""

    def setUp(self):
        super().setUp()
        self.keys = Shared.keys
        for source in PRODUCTS:
            self.spoil(source, mode="ok")
            self.forget(source)

    def portal(self, **options):
        return Portal(self, Shared.broker, Shared.host, self.keys, **options)

    @staticmethod
    def stub(source):
        return Shared.host.stubs[PRODUCTS[source]]

    def spoil(self, source, **fault):
        self.stub(source).spoil(fault)

    def asked(self, source):
        """The calls that a source of the example host has got since forget()."""
        with self.stub(source).lock:
            return [call["action"] for call in self.stub(source).calls]

    def forget(self, source):
        with self.stub(source).lock:
            self.stub(source).calls.clear()

    def export_that_waits(self, portal):
        """Asks for Alice's data of a source that takes its time; returns the request when its export has begun."""
        self.spoil("marketing", mode="slow", delay_ms=15)
        self.forget("marketing")
        request = portal.ask_for("alice")
        wait_for(lambda: self.asked("marketing"), "the source to be asked")
        return request

    def check_one_completed(self, portal, request, person="alice"):
        """One terminal event, and it names a bundle that is there, opens and is whole."""
        event = portal.heard(request, "completed")
        self.assertEqual(portal.terminal(request), ["completed"])
        self.assertEqual(event.own["coverage"], "complete", event.own["sources"])
        _, entries = portal.bundle(event)
        self.assertEqual(counted(entries), held(person))
        return event
