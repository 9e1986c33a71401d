#!/usr/bin/env python3
"""A real broker: it starts, keeps its data over a stop and a kill, and agrees with this librdkafka on everything that
dsard needs. Skipped where Maven Central is out of reach, unless CI=true."""
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import kafka  # noqa: E402
import producer  # noqa: E402
import wire  # noqa: E402

BUILD = os.environ.get("DSAR_BUILD") or os.path.join(HERE, "..", "..", "build", "debug")
SMOKE = os.path.join(BUILD, "bin", "kafka-smoke")


def setUpModule():
    try:
        kafka.fetch()
    except kafka.OutOfReach as problem:
        if os.environ.get("CI") == "true":
            raise
        raise unittest.SkipTest(str(problem)) from None


class RealKafka(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        start = time.monotonic()
        cls.broker = kafka.Broker(os.path.join(cls.folder.name, "broker")).start()
        print(f"Kafka {kafka.version()} answered after {time.monotonic() - start:.1f} s,"
              f" {cls.broker.rss_kib() // 1024} MiB", file=sys.stderr)

    @classmethod
    def tearDownClass(cls):
        cls.broker.close()
        cls.folder.cleanup()

    def kcat(self, *arguments, data=None):
        return subprocess.run(["kcat", "-b", self.broker.bootstrap, "-q", *arguments], input=data, timeout=30,
                              stdout=subprocess.PIPE, check=True).stdout

    def test_messages_survive_a_stop_and_a_kill(self):
        self.broker.create_topics({"kept": 1})
        self.kcat("-P", "-t", "kept", data=b"before\n")
        address = self.broker.address
        for end in (self.broker.stop, self.broker.kill):
            end()
            self.assertRaises(OSError, wire.metadata, address)
            self.broker.start()
            self.assertEqual(self.broker.address, address)
            self.assertEqual(self.kcat("-C", "-t", "kept", "-e"), b"before\n")

    def test_topics_are_made_once_and_not_by_themselves(self):
        self.broker.create_topics({"four": 4, "one": 1}, settings={"retention.ms": 3888000000})
        self.broker.create_topics({"four": 4})
        self.assertEqual(wire.metadata(self.broker.address, ["four", "one", "none"])[1],
                         {"four": 4, "one": 1, "none": 0})
        self.assertRaisesRegex(OSError, "topic bad/name", self.broker.create_topics, {"bad/name": 1})

    def test_our_own_producer_is_understood(self):
        self.assertEqual(producer.crc32c(b"123456789"), 0xE3069283)  # the check value of CRC-32C
        self.broker.create_topics({"own": 2})
        own = producer.Producer([self.broker.address])
        sent = [("key", b"x" * size, {"content-type": "text/plain", "long": "y" * 300}) for size in (0, 1, 64, 9000)]
        for offset, message in enumerate(sent):
            self.assertEqual(own.send_once("own", 1, *message), offset)
        came = [json.loads(line) for line in self.kcat("-C", "-t", "own", "-p", "1", "-e", "-J").splitlines()]
        self.assertEqual([(each["key"], each["payload"].encode(), dict(zip(each["headers"][::2], each["headers"][1::2])))
                          for each in came], sent)
        self.assertRaises(OSError, own.send, "own", 2, *sent[0], time.monotonic())

    @unittest.skipUnless(os.path.exists(SMOKE), "kafka-smoke is not built; DSAR_BUILD names the build folder")
    def test_librdkafka_agrees(self):
        self.broker.create_topics({"smoke-in": 4, "smoke-out": 4})
        done = subprocess.run([SMOKE, self.broker.bootstrap, "smoke-in", "smoke-out"], timeout=120,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 0, done.stdout[-1000:] + done.stderr[-1000:])

    def test_it_dies_with_its_parent(self):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, os.path.join(HERE, "kafka.py"), "run", "--dir", os.path.join(folder, "broker")]
            with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
                where = json.loads(parent.stdout.readline())
                parent.kill()
                parent.wait(10)
            host, _, port = where["bootstrap"].partition(":")
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline:
                try:
                    wire.metadata((host, int(port)), timeout_s=1)
                except OSError:
                    return
            self.fail("the broker still answers")


if __name__ == "__main__":
    unittest.main()
