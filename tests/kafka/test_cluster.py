#!/usr/bin/env python3
"""A cluster of three: what is acknowledged survives a broker that dies or stops, and one broker alone acknowledges
nothing. Skipped where Maven Central is out of reach, unless CI=true."""
import subprocess
import tempfile
import time
import unittest

from test_kafka import setUpModule  # noqa: F401  (unittest runs it)
import kafka
import wire

PATIENCE_S = 60


class Cluster(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(kafka.Cluster(cls.enterClassContext(tempfile.TemporaryDirectory())))
        cls.cluster.create_topics({"kept": 3})

    def produce(self, text, timeout_s=PATIENCE_S):
        """By an idempotent producer, so that what is sent again after a lost answer is there once."""
        settings = {"enable.idempotence": "true", "message.timeout.ms": timeout_s * 1000, "socket.timeout.ms": 1000}
        command = ["kcat", "-P", "-b", self.cluster.bootstrap, "-t", "kept", "-E"]
        for name, value in settings.items():
            command += ["-X", f"{name}={value}"]
        return subprocess.run(command, input=text.encode(), timeout=PATIENCE_S + 10,
                              stderr=subprocess.DEVNULL).returncode == 0

    def wait_for(self, question, what):
        deadline = time.monotonic() + PATIENCE_S
        while not question():
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.05)

    def test_what_is_acknowledged_stays_whichever_broker_is_lost(self):
        sent = []
        self.wait_for(lambda: len(wire.metadata(self.cluster.address)[0]) == 3, "three brokers")
        for node, lose, back in ((0, "kill", "start"), (1, "suspend", "resume")):
            node = self.cluster.nodes[node]
            sent.append(f"{node.node} {lose}")
            getattr(node, lose)()
            self.assertTrue(self.produce(sent[-1]), sent[-1])
            getattr(node, back)()
            self.wait_for(lambda: len(wire.metadata(node.address)[0]) == 3, "the broker is one of three again")
        came = subprocess.run(["kcat", "-C", "-b", self.cluster.bootstrap, "-t", "kept", "-e", "-q"], timeout=PATIENCE_S,
                              stdout=subprocess.PIPE, check=True).stdout
        self.assertEqual(sorted(each for each in came.decode().split("\n") if each[:1].isdigit()), sent)

    def test_one_alone_acknowledges_nothing(self):
        nodes = self.cluster.nodes
        for node in nodes[:2]:
            node.kill()
        self.assertFalse(self.produce("lonely", timeout_s=3))
        self.assertEqual(self.cluster.address, nodes[2].address)
        kafka.start_together(nodes[:2])
        self.assertTrue(self.produce("together"))


if __name__ == "__main__":
    unittest.main()
