#!/usr/bin/env python3
"""What dsard does when the disk is full or broken, when memory is short, when descriptors, threads or processes run out,
and when a source answers a byte a second.

shim.c lets calls fail. FAULTS_SEED repeats a run (the seed is printed); FAULTS_CALLS says of how many calls of `dsard once`
each test takes a sample. Programs are those of $DSAR_BUILD, a build without sanitizers. What needs Kafka is skipped where Maven Central
is out of reach, unless CI=true.
"""
import concurrent.futures
import errno
import glob
import itertools
import json
import mmap
import os
import random
import re
import resource
import signal
import struct
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "scenarios")]
import delivery  # noqa: E402
import exports  # noqa: E402
import harness  # noqa: E402
from harness import wait_for  # noqa: E402
from portal import sha256  # noqa: E402

SHIM = os.path.join(harness.BUILD, "lib", "libfault-shim.so")
SEED = int(os.environ.get("FAULTS_SEED") or random.randrange(1 << 32))
SAMPLE = int(os.environ.get("FAULTS_CALLS") or 0)
EVER = (1 << 64) - 1
# what none of these faults may make dsard take longer than
DEADLINE_S = 60
# what names a person, long enough not to be met in ciphertext by chance
CLEAR = re.compile(rb"canary-[a-z0-9]|@example\.test|4242.?4242.?4242|M\xc3\xbcller")
# what a program says of a fault
SAID = re.compile(r"error: |dsard[a-z ]*: .{15}|no memory")
# failed; wrong configuration, when what it names could not be read; start again; delivered with gaps
STATUSES = (0, 1, 2, 3, 4)
THINGS = {"name": "things", "title": "Things", "category": "things", "needs": ["email"]}
SHOP = {"hello": {"collections": [THINGS]},
        "fetch": [{"type": "record", "collection": "things", "payload": '{"id":1,"of":"canary-shop"}\n'},
                  {"type": "file", "collection": "things", "file": "1", "name": "one.txt", "media_type": "text/plain",
                   "more": False, "payload": "canary-file"},
                  {"type": "withheld", "collection": "things", "count": 1, "reason": "trade_secret"},
                  {"type": "end", "collection": "things", "status": "complete", "count": 2},
                  {"type": "done", "status": "ok"}]}
HELD = {"forum": harness.held("alice")["forum"], "shop": {"things": 1}}


def setUpModule():
    if not os.path.exists(SHIM):
        raise unittest.SkipTest(f"{SHIM} is not there: a build with sanitizers has none")
    print(f"FAULTS_SEED={SEED}", file=sys.stderr)


class Faults:
    """The control file of shim.c (struct shim_control): says which calls of a process fail. `env` loads the shim."""

    KINDS = ("disk", "memory", "crypto", "descriptor", "process")
    N_FAILED, COUNTS = 4, 5

    def __init__(self, path):
        self.numbers = struct.Struct(f"={self.COUNTS + len(self.KINDS)}Q")
        with open(path, "w+b") as file:
            file.write(bytes(self.numbers.size))
            file.flush()
            self.map = mmap.mmap(file.fileno(), 0)
        self.env = {**os.environ, "LD_PRELOAD": SHIM, "FAULTS": path}

    def fail(self, kind, error, at, times=1):
        """Lets the `at`th call of a kind from now on fail, and so many behind it."""
        self.heal()
        struct.pack_into("=3Q", self.map, 8, self.count(kind) + at, times, error)
        struct.pack_into("=Q", self.map, 0, self.KINDS.index(kind) + 1)

    def heal(self):
        struct.pack_into("=Q", self.map, 0, 0)

    def n_failed(self):
        return self.numbers.unpack_from(self.map)[self.N_FAILED]

    def count(self, kind):
        return self.numbers.unpack_from(self.map)[self.COUNTS + self.KINDS.index(kind)]

    def close(self):
        self.map.close()


class Sweep(exports.Exports):
    """`dsard once` with a fault in each of its calls, or in a sample of them: it ends in time, says why, and what the
    store then names is whole."""

    def setUp(self):
        super().setUp()
        unused = dict.fromkeys(set(harness.SOURCES) - {"forum"})
        self.config = self.configure({"work": {"seal_threads": 1}, "retry": {"first_ms": 10, "max_ms": 20}},
                                     {**unused, "shop": self.parrot("shop", SHOP)})

    def sweep(self, kind, error, sample, times=1):
        count = self.count_calls(kind)
        calls = sorted(random.Random(SEED).sample(range(1, count + 1), min(count, SAMPLE or sample)))
        print(f"{kind}: {os.strerror(error)}: {len(calls)} of {count} calls", file=sys.stderr)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as threads:
            for at, problem in zip(calls, threads.map(lambda at: self.judge(kind, error, at, times), calls)):
                with self.subTest(kind=kind, error=os.strerror(error), at=at, times=times):
                    self.assertIsNone(problem)

    def count_calls(self, kind):
        status, errors, out, faults = self.run_once(lambda faults: None)
        self.assertEqual(status, 0, errors)
        self.check_store(status, out)
        return faults.count(kind)

    def judge(self, kind, error, at, times):
        """One run with a fault: None, or what is wrong with it."""
        try:
            status, errors, out, _ = self.run_once(lambda faults: faults.fail(kind, error, at, times))
            self.assertIn(status, STATUSES, errors)
            if status:
                self.assertRegex(errors, SAID)
            self.check_store(status, out)
        except (AssertionError, OSError, ValueError) as problem:
            return f"{type(problem).__name__}: {problem}"
        return None

    def run_once(self, arm):
        """One request in a folder of its own; `arm` is given the faults first. (status, errors, folder, faults)."""
        folder = tempfile.mkdtemp(dir=self.folder)
        request = harness.save(os.path.join(folder, "request.json"), harness.request_for("alice", self.keys))
        out = os.path.join(folder, "out")
        os.mkdir(out)
        faults = Faults(os.path.join(folder, "faults"))
        self.addCleanup(faults.close)
        arm(faults)
        try:
            done = harness.run(harness.DSARD, "once", "-c", self.config, "--request", request, "--out", out,
                               timeout_s=DEADLINE_S, env=faults.env)
        except subprocess.TimeoutExpired:
            raise AssertionError("dsard hangs") from None
        return done.returncode, done.stderr, out, faults

    def check_store(self, status, out):
        """What is named is there, whole, and opens; nothing is unfinished, spooled, or in the clear."""
        files = [path for path in glob.glob(out + "/**", recursive=True, include_hidden=True) if os.path.isfile(path)]
        for path in files:
            with open(path, "rb") as file:
                self.assertNotRegex(file.read(), CLEAR)
        self.assertEqual([path for path in files if ".unfinished" in path], [])
        self.assertEqual(os.listdir(self.path("spool")), [])
        for path in files:
            if path.endswith("receipt"):
                with open(path, encoding="utf-8") as file:
                    self.check_bundle(path, json.loads(file.readline())["event"])
        outcomes = [path for path in files if path.endswith(".outcome.json")]
        for path in outcomes:
            bundle = self.check_bundle(path, harness.load(path))
            harness.dsarctl("verify", bundle, "--event", path, "--key", self.keys.recipient, "--jwks",
                            self.keys.exporter_public)
        # one whose folder could not be synced may be seen, though it was said to have failed
        self.assertIn(len(outcomes), (1,) if status in (0, 4) else (0, 1))

    def check_bundle(self, beside, event):
        named = event["data"]["extensions"]["dsard"]["bundle"]["sha256"]
        bundle, = (path for path in glob.glob(os.path.dirname(beside) + "/*.zip") if sha256(path) == named)
        return bundle

    def test_the_disk_is_full(self):
        self.sweep("disk", errno.ENOSPC, 12)

    def test_the_disk_is_full_from_then_on(self):
        self.sweep("disk", errno.ENOSPC, 8, EVER)

    def test_the_disk_is_broken(self):
        self.sweep("disk", errno.EIO, 12)

    def test_there_is_no_memory(self):
        self.sweep("memory", errno.ENOMEM, 30)

    def test_there_is_no_memory_for_openssl(self):
        self.sweep("crypto", errno.ENOMEM, 10)

    def test_there_is_no_memory_from_then_on(self):
        self.sweep("memory", errno.ENOMEM, 5, EVER)

    def test_there_are_no_descriptors(self):
        self.sweep("descriptor", errno.EMFILE, 12)

    def test_there_are_no_descriptors_from_then_on(self):
        self.sweep("descriptor", errno.EMFILE, 6, EVER)

    def test_there_are_no_threads_and_processes(self):
        self.sweep("process", errno.EAGAIN, 10)


class Judges(harness.Scenario):
    def test_a_want_of_memory_is_never_said_to_be_the_fault_of_what_came(self):
        faults = Faults(self.path("faults"))
        self.addCleanup(faults.close)
        done = harness.run(os.path.join(harness.BUILD, "bin", "fault-memory"), timeout_s=DEADLINE_S, env=faults.env)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class Worker(delivery.Delivery):
    """A worker on Kafka, whose requests all end in exactly one outcome, with all that there is."""

    @classmethod
    def setUpClass(cls):
        delivery.setUpModule()

    def setUp(self):
        super().setUp()
        shop = exports.Exports.parrot(self, "shop", SHOP)
        forum = harness.sources_of(delivery.Shared.host.where)["forum"]
        self.on_kafka = self.portal(changes={"sources": [forum, shop], "identities": {"allow": []},
                                             "retry": {"first_ms": 50, "max_ms": 200}})
        self.asked = []
        self.faults = Faults(self.path("faults"))
        self.addCleanup(self.faults.close)

    def ask(self):
        self.asked.append(self.on_kafka.ask_for("alice"))
        return self.asked[-1]

    def check_all(self):
        """Exactly one terminal event a request, its bundle opens and holds what the sources hold; no dead letters."""
        for request in self.asked:
            event = self.on_kafka.heard(request, "completed")
            self.assertEqual(self.on_kafka.terminal(request), ["completed"])
            self.assertEqual(event.own["coverage"], "complete", event.own["sources"])
            self.assertEqual(harness.counted(self.on_kafka.bundle(event)[1]), HELD)
        self.assertEqual(self.on_kafka.dead.all(), [])
        self.assertEqual(os.listdir(self.path("spool")), [])

    def busy_worker(self):
        """A worker that has all of its connections and threads, for it has answered a request."""
        worker = self.on_kafka.worker()
        self.on_kafka.heard(self.ask(), "completed")
        return worker

    def answered(self, worker, *statuses):
        """Waits until all is answered or the worker has left, with one of these statuses; the worker, or the next one."""
        wait_for(lambda: not worker.running() or all(map(self.on_kafka.terminal, self.asked)), worker.log)
        if worker.running():
            return worker
        self.assertIn(worker.popen.returncode, statuses, worker.log())
        self.faults.heal()
        return self.on_kafka.worker(env=self.faults.env)

    def test_a_fault_that_passes_costs_at_most_another_try(self):
        chance = random.Random(SEED)
        worker = self.on_kafka.worker(env=self.faults.env)
        before = {kind: self.faults.count(kind) for kind in Faults.KINDS}
        self.on_kafka.heard(self.ask(), "completed")
        calls = {kind: self.faults.count(kind) - before[kind] for kind in Faults.KINDS}
        print(f"calls of one request: {calls}", file=sys.stderr)
        plan = [("disk", errno.ENOSPC), ("disk", errno.EIO), ("memory", errno.ENOMEM), ("crypto", errno.ENOMEM),
                ("descriptor", errno.EMFILE), ("process", errno.EAGAIN)] * 2
        for kind, error in plan:
            at, times = chance.randint(1, calls[kind]), chance.choice((1, 1, 3))
            with self.subTest(kind=kind, error=os.strerror(error), at=at, times=times):
                self.faults.fail(kind, error, at, times)
                self.ask()
                worker = self.answered(worker, 3)
        self.check_all()
        self.assertGreater(self.faults.n_failed(), len(plan) / 2)

    def test_a_fault_that_lasts_is_waited_out(self):
        worker = self.on_kafka.worker(env=self.faults.env)
        for kind, error in (("disk", errno.ENOSPC), ("disk", errno.EIO), ("process", errno.EAGAIN)):
            with self.subTest(kind=kind, error=os.strerror(error)):
                known = len(worker.log())
                self.faults.fail(kind, error, 1, EVER)
                request = self.ask()
                wait_for(lambda: worker.log().count(os.strerror(error), known) > 1, worker.log)
                self.assertEqual(self.on_kafka.terminal(request), [])
                self.faults.heal()
                self.on_kafka.heard(request, "completed")
                self.assertTrue(worker.running())
        self.check_all()

    def test_without_memory_the_worker_leaves_and_the_next_one_answers(self):
        worker = self.on_kafka.worker(env=self.faults.env)
        self.faults.fail("memory", errno.ENOMEM, 1, EVER)
        self.ask()
        wait_for(lambda: not worker.running(), worker.log)
        self.assertEqual(worker.popen.returncode, 3, worker.log())
        self.faults.heal()
        self.on_kafka.worker(env=self.faults.env)
        self.check_all()

    def test_descriptors_that_are_used_up_lose_nothing(self):
        worker = self.busy_worker()
        limits = resource.prlimit(worker.pid, resource.RLIMIT_NOFILE)
        used = set(map(int, os.listdir(f"/proc/{worker.pid}/fd")))
        free = next(at for at in itertools.count() if at not in used)
        # enough to begin each request, and not for its work
        resource.prlimit(worker.pid, resource.RLIMIT_NOFILE, (free + 4, limits[1]))
        for _ in range(3):
            self.ask()
        wait_for(lambda: "Too many open files" in worker.log(), worker.log)
        self.assertEqual(self.on_kafka.terminal(self.asked[-1]), [])
        if worker.running():
            resource.prlimit(worker.pid, resource.RLIMIT_NOFILE, limits)
        self.answered(worker, 3)
        self.check_all()

    def test_a_limit_of_memory_loses_nothing(self):
        worker = self.busy_worker()
        limits = resource.prlimit(worker.pid, resource.RLIMIT_AS)
        with open(f"/proc/{worker.pid}/status", encoding="ascii") as status:
            used = int(re.search(r"VmSize:\s+(\d+)", status.read()).group(1)) << 10
        # less than it has: what it gives back must not be enough
        resource.prlimit(worker.pid, resource.RLIMIT_AS, (used // 2, limits[1]))
        for _ in range(3):
            self.ask()
        wait_for(lambda: not worker.running() or re.search("no memory|annot allocate|temporarily unavailable",
                                                           worker.log()), worker.log)
        if worker.running():
            resource.prlimit(worker.pid, resource.RLIMIT_AS, limits)
        # librdkafka aborts without memory
        self.answered(worker, 3, -signal.SIGABRT)
        self.check_all()


class SlowSource(delivery.Delivery):
    """The example host with a source that answers a byte a second."""

    @classmethod
    def setUpClass(cls):
        delivery.setUpModule()

    def test_it_holds_up_no_other_request_and_is_a_gap_at_its_deadline(self):
        sources = harness.sources_of(delivery.Shared.host.where)
        sources["marketing"] |= {"deadline_s": 8, "resolve_deadline_s": 8}
        portal = self.portal(changes={"sources": [sources["forum"], sources["marketing"]], "identities": {"allow": []},
                                      "retry": {"attempts": 1, "horizon_s": 0}})
        portal.worker()
        self.spoil("marketing", mode="slow", delay_ms=1000, bytes=1)
        self.forget("marketing")
        slow = portal.ask_for("alice")
        wait_for(lambda: self.asked("marketing"), "the source to be asked")
        others = [portal.ask_for("alice", scope={"sources": ["forum"]}) for _ in range(3)]
        for request in others:
            self.assertEqual(portal.heard(request, "completed").own["coverage"], "complete")
        self.assertEqual(portal.terminal(slow), [], "the others waited for the slow source")
        event = portal.heard(slow, "completed")
        self.assertEqual(event.own["coverage"], "partial")
        gaps = {each["name"]: each.get("reason", {}).get("code") for each in event.own["sources"]}
        self.assertEqual(gaps, {"forum": None, "marketing": "source_timeout"})
        self.assertEqual(portal.terminal(slow), ["completed"])


if __name__ == "__main__":
    unittest.main()
