#!/usr/bin/env python3
"""The fault proxy in front of a real broker: what it lets pass it does not change, and it stops at the step it is told.
Skipped where Maven Central is out of reach, unless CI=true."""
import hashlib
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import kafka  # noqa: E402
import proxy  # noqa: E402
import wire  # noqa: E402
from test_kafka import SMOKE, setUpModule  # noqa: E402,F401  (unittest runs setUpModule)

PATIENCE_S = 60


class FaultProxy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.proxy = cls.enterClassContext(proxy.Proxy())
        cls.broker = cls.enterClassContext(kafka.Broker(os.path.join(folder, "broker"), proxy=cls.proxy))
        cls.broker.create_topics({"one": 1, "smoke-in": 4, "smoke-out": 4})

    def setUp(self):
        self.addCleanup(self.proxy.heal)
        host, _, port = self.proxy.bootstrap.rpartition(":")
        self.front = (host, int(port))

    def ask(self, timeout_s=PATIENCE_S):
        """One Metadata request on a connection of its own, from the client dsard-tests."""
        return wire.metadata(self.front, ["one"], timeout_s)[1]

    def kcat(self, *arguments, data=b"", client="kcat"):
        return subprocess.run(["kcat", "-b", self.proxy.bootstrap, "-q", "-X", "client.id=" + client, *arguments],
                              input=data, timeout=PATIENCE_S, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def n_connections(self):
        with self.proxy.changed:
            return len(self.proxy.connections)

    def test_clients_stay_behind_it(self):
        for address in (self.front, self.broker.address):
            self.assertEqual(wire.metadata(address)[0], {1: address})

    def test_what_passes_is_not_changed(self):
        data = os.urandom(768 << 10).replace(b"\n", b"") + b"\n"
        rule = self.proxy.when(proxy.PRODUCE, nth=1000)  # looks at all of them, stops at none
        for n in range(8):
            self.assertEqual(self.kcat("-P", "-t", "one", data=b"%d" % n + data).returncode, 0)
            if n == 4:
                rule.drop()
        came = self.kcat("-C", "-t", "one", "-e").stdout
        sent = b"".join(b"%d" % n + data for n in range(8))
        self.assertEqual(hashlib.sha256(came).digest(), hashlib.sha256(sent).digest())
        self.assertEqual(rule.left, 995)

    def test_frames_may_come_in_any_pieces(self):
        request = struct.pack(">hhi", proxy.METADATA, 1, 7) + wire.text("bytewise") + wire.array([wire.text("one")])
        frame = struct.pack(">i", len(request)) + request
        for rules in (0, 1):
            with self.subTest(rules=rules), socket.create_connection(self.front) as peer:
                seen = []
                if rules:
                    self.proxy.when(proxy.METADATA, nth=2, before=lambda step: seen.append(step.request))
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for byte in frame + frame[:9]:
                    peer.sendall(bytes([byte]))
                    time.sleep(0.001)
                first = proxy._receive(peer, 4)
                proxy._receive(peer, *struct.unpack(">i", first))
                peer.sendall(frame[9:] + frame)
                for _ in range(2):
                    length, correlation = struct.unpack(">ii", proxy._receive(peer, 8))
                    self.assertEqual(correlation, 7)
                    proxy._receive(peer, length - 4)
                self.assertEqual(seen, [frame] * rules)

    def test_connections_leave_nothing_behind(self):
        deadline = time.monotonic() + PATIENCE_S
        self.ask()
        while self.n_connections() and time.monotonic() < deadline:
            time.sleep(0.01)
        self.assertEqual(self.n_connections(), 0)
        self.assertFalse([each for each in threading.enumerate() if "_run" in each.name])

    def test_callbacks_come_in_order_and_at_the_nth_request_alone(self):
        moments = []
        rule = self.proxy.when(
            proxy.METADATA, client="dsard", nth=2, where=lambda step: b"one" in step.request,
            before=lambda step: moments.append(("before", step.answer)), sent=lambda step: moments.append(("sent", None)),
            answered=lambda step: moments.append(("answered", b"one" in step.answer)))
        for other in ({"client": "kcat"}, {"node": 2}, {"where": lambda step: False}):
            another = self.proxy.when(proxy.METADATA, before=lambda step: moments.append("another's"), **other)
            self.addCleanup(another.drop)
        self.ask()
        self.assertEqual(moments, [])
        self.assertRaises(TimeoutError, rule.wait, 0.01)
        for _ in range(2):
            self.assertEqual(self.ask(), {"one": 1})
        rule.wait(PATIENCE_S)
        self.assertEqual(moments, [("before", None), ("sent", None), ("answered", True)])

    def test_a_request_or_its_answer_is_lost(self):
        def swallow(_):
            return proxy.SWALLOW

        def close(_):
            return proxy.CLOSE

        for verdict, error in ((swallow, TimeoutError), (close, OSError)):
            for moment in ("before", "sent", "answered"):
                if (moment, verdict) == ("sent", swallow):
                    continue
                with self.subTest(moment=moment, verdict=verdict.__name__):
                    rule = self.proxy.when(proxy.METADATA, **{moment: verdict})
                    self.assertRaises(error, self.ask, 0.5)
                    rule.wait(PATIENCE_S)
                    self.assertEqual(self.ask(), {"one": 1})

    def test_the_answer_waits_until_the_step_is_left(self):
        """A client that is to die after its request was sent must not see the answer before."""
        answered, left = threading.Event(), threading.Event()

        def sent(_):
            self.assertFalse(answered.wait(0.3))
            left.set()

        rule = self.proxy.when(proxy.METADATA, sent=sent)
        self.ask()
        self.assertTrue(left.is_set())
        answered.set()
        rule.wait(PATIENCE_S)

    def test_what_a_callback_raises_reaches_the_test(self):
        rule = self.proxy.when(proxy.METADATA, before=lambda step: 1 // 0)
        self.assertRaises(OSError, self.ask)
        self.assertRaises(ZeroDivisionError, rule.wait, PATIENCE_S)

    def test_a_cut_is_one_clients(self):
        with self.proxy.cut(client="kc"):
            self.assertNotEqual(self.kcat("-L", "-m", "1").returncode, 0)
            self.assertEqual(self.ask(), {"one": 1})
        self.assertEqual(self.kcat("-L", "-t", "one").returncode, 0)
        for whom in ({}, {"node": 1}):
            with self.proxy.cut(**whom):
                self.assertRaises(OSError, self.ask)
        with self.proxy.cut(node=2):
            self.ask()

    def test_a_cut_drops_what_is_open(self):
        with socket.create_connection(self.front, timeout=PATIENCE_S) as before:
            with self.proxy.cut():
                self.assertEqual(before.recv(1), b"")
                with socket.create_connection(self.front, timeout=PATIENCE_S) as after:
                    self.assertEqual(after.recv(1), b"")

    def test_what_is_stalled_or_delayed_comes_later(self):
        begun = time.monotonic()
        with self.proxy.delay(0.2, client="dsard"):
            self.ask()
        self.assertGreater(time.monotonic() - begun, 0.4)
        stall = self.proxy.stall(client="dsard")
        self.assertRaises(TimeoutError, self.ask, 0.3)
        threading.Timer(0.3, stall.heal).start()
        begun = time.monotonic()
        self.assertEqual(self.ask(), {"one": 1})
        self.assertGreater(time.monotonic() - begun, 0.25)

    @unittest.skipUnless(os.path.exists(SMOKE), "kafka-smoke is not built; DSAR_BUILD names the build folder")
    def test_a_transaction_survives_the_loss_of_its_answers(self):
        """Of each kind of a transaction's requests one answer is lost; librdkafka asks again and all still agree."""
        rules = [self.proxy.when(each, where=lambda step, kind=kind: kind in step.request,
                                 answered=lambda step: proxy.CLOSE)
                 for each, kind in ((proxy.ADD_PARTITIONS_TO_TXN, b"smoke"), (proxy.ADD_OFFSETS_TO_TXN, b""),
                                    (proxy.TXN_OFFSET_COMMIT, b""), (proxy.END_TXN, b""), (proxy.PRODUCE, b"smoke"))]
        done = subprocess.run([SMOKE, self.proxy.bootstrap, "smoke-in", "smoke-out"], timeout=120,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 0, done.stdout[-1000:] + done.stderr[-1000:])
        for rule in rules:
            rule.wait(0)


class Carrying(unittest.TestCase):
    def test_it_carries_much_for_little(self):
        """Not a measurement: an order of magnitude below what was measured is an error."""
        total = 256 << 20
        sink = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(sink.close)
        frame = struct.pack(">ihhih", (64 << 10) - 4, proxy.PRODUCE, 1, 1, -1).ljust(64 << 10, b"x")

        def drain():
            with sink.accept()[0] as peer:
                while peer.recv(1 << 20):
                    pass

        with proxy.Proxy() as between:
            threading.Thread(target=drain, daemon=True).start()
            with socket.create_connection(between.listen(1, sink.getsockname())) as peer:
                begun, used = time.monotonic(), time.process_time()
                for _ in range(total // len(frame)):
                    peer.sendall(frame)
                peer.shutdown(socket.SHUT_WR)
                took, used = time.monotonic() - begun, time.process_time() - used
        speed = total / took / 1e6
        print(f"the proxy carried {speed:.0f} MB/s; {used / (total / 1e9):.1f} s of CPU a GB, both ends included",
              file=sys.stderr)
        self.assertGreater(speed, 30)


if __name__ == "__main__":
    unittest.main()
