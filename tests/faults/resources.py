#!/usr/bin/env python3
"""What dsard does when the disk is full or broken, memory is short, or descriptors, threads and processes run out.

The library shim.c lets single calls fail. FAULTS_SEED repeats a run (the seed is printed), FAULTS_CALLS=all takes every call
and not a sample. Programs are those of $DSAR_BUILD, built without sanitizers.
"""
import concurrent.futures
import contextlib
import errno
import glob
import json
import mmap
import os
import random
import re
import struct
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "scenarios")]
import exports  # noqa: E402
import harness  # noqa: E402

SHIM = os.path.join(harness.BUILD, "lib", "libfault-shim.so")
SEED = int(os.environ.get("FAULTS_SEED") or random.randrange(1 << 32))
ALL = os.environ.get("FAULTS_CALLS") == "all"
KINDS = ("disk", "memory", "descriptor", "process")
EVER = (1 << 64) - 1
# what none of these faults may make dsard take longer than
DEADLINE_S = 60
# what names a person, long enough not to be met in ciphertext by chance
CLEAR = re.compile(rb"canary-[a-z0-9]|@example\.test|4242.?4242.?4242|M\xc3\xbcller")


def setUpModule():
    if not os.path.exists(SHIM):
        raise unittest.SkipTest(f"{SHIM} is not there: a build with sanitizers has none")
    print(f"FAULTS_SEED={SEED}", file=sys.stderr)


class Faults:
    """The shim's control file: which calls of a process fail. `env` loads the shim into it."""

    FORM = "=5Q4Q"

    def __init__(self, path):
        with open(path, "wb") as file:
            file.write(bytes(struct.calcsize(self.FORM)))
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 0)
        self.env = {**os.environ, "LD_PRELOAD": SHIM, "FAULTS": path}

    def fail(self, kind, error, at, times=1):
        """Lets the `at`th call of a kind fail, from now on if 0, and so many behind it."""
        struct.pack_into("=4Q", self.map, 0, 0, at or self.count(kind) + 1, times, error)
        struct.pack_into("=Q", self.map, 0, KINDS.index(kind) + 1)

    def heal(self):
        struct.pack_into("=Q", self.map, 0, 0)

    @property
    def n_failed(self):
        return struct.unpack_from(self.FORM, self.map)[4]

    def count(self, kind):
        return struct.unpack_from(self.FORM, self.map)[5 + KINDS.index(kind)]

    def close(self):
        self.map.close()


class Sweep(exports.Exports):
    """`dsard once` with a fault in each of its calls, or in a sample of them."""

    def setUp(self):
        super().setUp()
        shop = self.parrot("shop", {
            "hello": {"collections": [{"name": "things", "title": "Things", "category": "things", "needs": ["email"]}]},
            "fetch": [{"type": "record", "collection": "things", "payload": '{"id":1,"of":"canary-shop"}\n'},
                      {"type": "file", "collection": "things", "file": "1", "name": "one.txt", "media_type": "text/plain",
                       "more": False, "payload": "canary-file"},
                      {"type": "withheld", "collection": "things", "count": 1, "reason": "trade_secret"},
                      {"type": "end", "collection": "things", "status": "complete", "count": 2},
                      {"type": "done", "status": "ok"}]})
        self.config = self.configure(
            {"work": {"seal_threads": 1}, "retry": {"first_ms": 10, "max_ms": 20}},
            {**dict.fromkeys(("billing", "panel", "marketing")), "shop": shop})

    def run_once(self, arm):
        """One request in a folder of its own; `arm` is given the faults before it begins. (faults, status, errors, folder)."""
        folder = tempfile.mkdtemp(dir=self.folder)
        request = harness.request_for("alice", self.keys)
        path = harness.save(os.path.join(folder, "request.json"), request)
        out = os.path.join(folder, "out")
        os.mkdir(out)
        faults = Faults(os.path.join(folder, "faults"))
        arm(faults)
        with subprocess.Popen([harness.DSARD, "once", "-c", self.config, "--request", path, "--out", out],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env=faults.env) as process:
            try:
                _, errors = process.communicate(timeout=DEADLINE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                raise AssertionError("dsard hangs") from None
        return faults, process.returncode, errors, out

    def check_store(self, status, out):
        """What is named is there, whole, and opens; nothing is in the clear."""
        texts = [path for path in glob.glob(out + "/**", recursive=True, include_hidden=True) if os.path.isfile(path)]
        for path in texts:
            with open(path, "rb") as file:
                self.assertNotRegex(file.read(), CLEAR)
        self.assertEqual([path for path in texts if ".unfinished" in path], [])
        self.assertEqual(os.listdir(self.path("spool")), [])
        outcomes = [path for path in texts if path.endswith(".outcome.json")]
        receipts = [path for path in texts if path.endswith(".receipt")]
        for path in receipts:
            with open(path, encoding="utf-8") as file:
                self.check_bundle(os.path.dirname(path), json.loads(file.readline())["event"])
        for path in outcomes:
            self.check_outcome(path)
        self.assertEqual(len(outcomes), 0 if status in (1, 2, 3) else 1)
        return outcomes

    def check_bundle(self, folder, event):
        if event["type"] != "org.dsard.completed.v1":
            return None
        named = event["data"]["extensions"]["dsard"]["bundle"]
        bundles = [path for path in glob.glob(folder + "/*.zip") if os.path.getsize(path) == named["size"]]
        found = [path for path in bundles if exports.harness_sha256(path) == named["sha256"]]
        self.assertEqual(len(found), 1, "a receipt or an outcome names a bundle that is not there")
        return found[0]

    def check_outcome(self, path):
        event = harness.load(path)
        bundle = self.check_bundle(os.path.dirname(path), event)
        done = harness.run(harness.DSARCTL, "verify", bundle, "--event", path, "--key", self.keys.recipient, "--jwks",
                           self.keys.exporter_public)
        self.assertEqual(done.returncode, 0, done.stderr)

    def sweep(self, kind, error, sample, times=1):
        whole, status, errors, out = self.run_once(lambda faults: None)
        self.assertEqual(status, 0, errors)
        self.check_store(status, out)
        count = whole.count(kind)
        calls = range(1, count + 1)
        if not ALL and sample < count:
            calls = sorted(random.Random(SEED).sample(calls, sample))
        print(f"{kind}: {len(calls)} of {count} calls", file=sys.stderr)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as threads:
            for problem in threads.map(lambda at: self.judge(kind, error, at, times), calls):
                with self.subTest(kind=kind, **(problem or {})):
                    self.assertIsNone(problem)

    def judge(self, kind, error, at, times):
        """One run with a fault; None, or what is wrong with it."""
        try:
            faults, status, errors, out = self.run_once(lambda faults: faults.fail(kind, error, at, times))
            self.assertIn(status, (0, 1, 2, 3, 4), errors)
            if status:
                said = errors.strip().splitlines()[-1]
                self.assertRegex(said, "error|dsard[a-z ]*: .{15}|no memory", errors)
            self.check_store(status, out)
            if kind == os.environ.get("SHOW"):
                print(at, status, errors.strip().splitlines()[-1:], file=sys.stderr)
        except AssertionError as problem:
            return {"at": at, "problem": str(problem)[:1500]}
        return None

    def test_disk(self):
        self.sweep("disk", errno.ENOSPC, 50)

    def test_disk_io(self):
        self.sweep("disk", errno.EIO, 50)

    def test_disk_full(self):
        self.sweep("disk", errno.ENOSPC, 50, EVER)

    def test_memory(self):
        self.sweep("memory", errno.ENOMEM, 100)

    def test_memory_gone(self):
        self.sweep("memory", errno.ENOMEM, 50, EVER)

    def test_descriptor(self):
        self.sweep("descriptor", errno.EMFILE, 50)

    def test_process(self):
        self.sweep("process", errno.EAGAIN, 50)


def sha256(path):
    import hashlib
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


exports.harness_sha256 = sha256

if __name__ == "__main__":
    unittest.main()
