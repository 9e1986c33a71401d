#!/usr/bin/env python3
"""The connectors made for tests: each lie of liar.py is told, and the generator says what it sends."""
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("DSAR_BUILD") or os.path.join(HERE, "..", "..", "build", "debug")
GENERATOR = os.path.join(BUILD, "bin", "fake-generator")


class Liar(unittest.TestCase):
    def run_liar(self, mode, timeout=2):
        liar = subprocess.Popen([sys.executable, os.path.join(HERE, "liar.py"), "--lie", mode], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        asked = b'{"type":"configure","settings":{},"secrets":{}}\n{"type":"fetch","collections":["things"]}\n'
        try:
            return liar.communicate(asked, timeout)[0], liar.returncode
        except subprocess.TimeoutExpired as late:
            liar.kill()
            return (late.stdout or b"") + liar.communicate()[0], None

    def test_each_lie(self):
        for mode, pattern, code in (
                ("ok", rb'"count": 3}\n.*"done"', 0), ("crash", rb'"record"', -11), ("exit_early", rb'5e1f"}$', 0),
                ("garbage", rb"\xc8\x4b", 0), ("not_json", rb'"collec\n$', 0), ("long_line", rb"a{200000}", 0),
                ("big_payload", rb'"bytes": 300000}', 0), ("cut_payload", rb'"bytes":1000}\n.{10}$', 0),
                ("wrong_count", rb'"count": 5}', 0), ("missing_end", rb'5e1f"}{"type": "done"', 0),
                ("double_end", rb'("type": "end".*){2}', 0), ("undeclared_collection", rb'"secrets"', 0),
                ("unknown_type", rb'"surprise"', 0), ("bad_record", rb"no end", 0), ("deep_record", rb"\[{100000}", 0),
                ("wrong_protocol", rb'"protocol": 99', 0)):
            with self.subTest(mode):
                said, status = self.run_liar(mode)
                self.assertTrue(re.search(pattern, said, re.DOTALL), said[-300:])
                self.assertEqual(status, code)

    def test_those_that_never_end(self):
        for mode in ("no_hello", "late_hello", "silence", "slow", "dribble"):
            with self.subTest(mode):
                said, status = self.run_liar(mode, 1.2 if mode == "slow" else 0.5)
                self.assertIsNone(status)
                self.assertEqual(said.count(b'"progress"') > 1, mode == "slow")
                self.assertEqual(bool(re.search(rb'"type":"x{2,}$', said)), mode == "dribble")
                self.assertEqual(b'"hello"' in said, mode in ("silence", "slow", "dribble"))

    def test_endless_has_no_end(self):
        liar = subprocess.Popen([sys.executable, os.path.join(HERE, "liar.py"), "--lie", "endless"],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        liar.stdin.write(b'{"type":"configure"}\n{"type":"fetch"}\n')
        liar.stdin.flush()
        self.assertEqual(len(liar.stdout.read(20 << 20)), 20 << 20)
        liar.stdout.close()
        self.assertEqual(liar.wait(5), 1, "and leaves when nobody reads")
        liar.stdin.close()


@unittest.skipUnless(os.path.exists(GENERATOR), "fake-generator is not built; DSAR_BUILD names the build folder")
class Generator(unittest.TestCase):
    def test_it_speaks_the_protocol_and_copies_what_it_says(self):
        with tempfile.TemporaryDirectory() as folder:
            asked = [{"type": "configure", "settings": {"bytes": 40 << 20, "shape": "mixed", "folder": folder}},
                     {"type": "fetch", "collections": ["records", "mails", "noise"]}]
            with subprocess.Popen([GENERATOR], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as generator:
                generator.stdin.write("".join(json.dumps(each) + "\n" for each in asked).encode())
                generator.stdin.close()
                said, counted, ended = self.read(generator.stdout)
                self.assertEqual(generator.wait(10), 0)
            self.assertEqual(counted, ended)
            for name, share in (("records", 20), ("mails", 10), ("noise", 10)):
                self.assertTrue(share << 20 <= len(said[name]) < (share << 20) + (256 << 10), name)
                with open(os.path.join(folder, name + "-0"), "rb") as copy:
                    self.assertEqual(copy.read(), said[name])
            first, second = said["records"].splitlines()[:2]
            self.assertEqual((len(json.loads(first)), len(json.loads(first, parse_float=str))), (20, 20))
            self.assertNotEqual(first, second)

    def read(self, stream):
        """Everything said: bytes, things counted and things claimed, each by collection."""
        said, counted, ended = {}, {}, {}
        for line in stream:
            message = json.loads(line)
            payload, name = stream.read(message.get("bytes", 0)), message.get("collection")
            if message["type"] in ("record", "file"):
                said[name] = said.get(name, b"") + payload
                more = message["count"] if message["type"] == "record" else not message["more"]
                counted[name] = counted.get(name, 0) + more
            if message["type"] == "record":
                self.assertEqual(len([json.loads(each) for each in payload.splitlines()]), message["count"])
            elif message["type"] == "end":
                ended[name] = message["count"]
        self.assertEqual(message, {"type": "done", "status": "ok"})
        return said, counted, ended


if __name__ == "__main__":
    unittest.main()
