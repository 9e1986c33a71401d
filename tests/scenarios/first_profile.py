#!/usr/bin/env python3
"""connectors/README.md, done as it says by somebody who has an empty folder: its files, its commands, what they print."""
import json
import os
import re
import signal
import subprocess
import sys
import unittest
import urllib.request

import harness

sys.path.insert(0, os.path.join(harness.ROOT, "tests", "servers"))
from server import free_port  # noqa: E402

BLOCK = re.compile(r"^```(\w+)(?: ([\w.]+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class FirstProfile(harness.Scenario):
    def setUp(self):
        super().setUp()
        with open(os.path.join(harness.ROOT, "connectors", "README.md"), encoding="utf-8") as file:
            text = file.read()
        self.port = str(free_port())
        start = text.index("## Connect one more product by a profile")
        self.blocks = [(language, name, block.replace("8080", self.port)) for language, name, block in BLOCK.findall(text[start:])]

    def of(self, language):
        return [block for each, _, block in self.blocks if each == language]

    def run_all(self):
        """Everything in its order, in one shell; what it printed. The shop goes on until the test ends."""
        script = []
        for language, name, block in self.blocks:
            if name:
                script.append(f"cat >{name} <<'END OF FILE'\n{block}END OF FILE\n")
            elif language == "sh":
                script.append(block)
        environment = {**os.environ, "DSARD": harness.ROOT, "PATH": os.path.dirname(harness.DSARD) + ":" + os.environ["PATH"]}
        with open(self.path("printed"), "w+", encoding="utf-8") as printed:
            shell = subprocess.Popen(["sh", "-eu", "-c", "".join(script)], cwd=self.folder, env=environment, stdout=printed,
                                     stderr=printed, stdin=subprocess.DEVNULL, start_new_session=True)
            self.addCleanup(os.killpg, shell.pid, signal.SIGKILL)
            status = shell.wait(harness.PATIENCE_S)
            printed.seek(0)
            return status, printed.read()

    def test_the_steps_lead_where_they_say(self):
        status, printed = self.run_all()
        self.assertEqual(status, 0, printed)
        for block in self.of("text"):
            for line in block.splitlines():
                self.assertIn(line, printed)
        opened = harness.load(self.path("opened", "shop", "orders.json"))
        self.assertEqual({each["customer_id"] for each in opened}, {41})
        self.assertEqual(len(opened), 25)
        self.check_answers()
        self.check_careless()

    def check_answers(self):
        """The shop answers as the text shows."""
        for block in self.of("http"):
            call, _, answer = block.partition("\n\n")
            request = urllib.request.Request(f"http://127.0.0.1:{self.port}{call.split()[1]}",
                                             headers={"Authorization": "Bearer shop-secret"})
            with urllib.request.urlopen(request, timeout=30) as said:
                self.assertEqual(json.load(said), json.loads(answer))

    def check_careless(self):
        """What is somebody else's did not leave."""
        bundle, = (os.path.join(at, name) for at, _, names in os.walk(self.path("careless")) for name in names
                   if name.endswith(".zip"))
        outcome, = (os.path.join(at, name) for at, _, names in os.walk(self.path("careless")) for name in names
                    if name.endswith(".outcome.json"))
        entries = harness.open_bundle(bundle, outcome, self.path("recipient.jwk"))
        self.assertNotIn("canary-", harness.decoded_text(entries))


if __name__ == "__main__":
    unittest.main()
