"""What a run is made of: three brokers behind the fault proxy, the example host, three workers, a disk for their store
and spools."""
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request

import disk
import harness
import kafka
import plan
import proxy
import wire

PARTITIONS = 6
TIERS_S = (2, 5, 10)
HORIZON_S = 30
DUE_S = 900
# a worker that has ended by itself is started again after so long, as a service manager does
RESTART_S = 1
LEAVE_S = 60
REFILL_S = 0.5


class Ground:
    """What runs one after another share: the cluster, the proxy in front of it, the host and the keys. A context."""

    def __init__(self, folder):
        self.folder, self.stack = folder, contextlib.ExitStack()
        self.mountable = disk.enter_namespace()

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.proxy = stack.enter_context(proxy.Proxy())
            self.cluster = stack.enter_context(kafka.Cluster(self.path("kafka"), proxy=self.proxy))
            self.host = stack.enter_context(self._start_host())
            stack.callback(self.host.stdin.close)
            self.where = json.loads(self.host.stdout.readline())
            self.keys = harness.Keys(self.folder)
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def keep_logs(self, folder):
        """Copies what the brokers have said."""
        for node in self.cluster.nodes:
            shutil.copy(node.log_path, os.path.join(folder, f"broker-{node.node}.log"))

    def _start_host(self):
        command = [sys.executable, os.path.join(harness.ROOT, "tests", "fakes", "host.py"), "--dir",
                   self.path("host")]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def spoil(self, product, **fault):
        """A fault of tests/fakes/stub.py, or mode="ok"."""
        urllib.request.urlopen(urllib.request.Request(self.where[product]["url"] + "/__fault", method="POST",
                                                      data=json.dumps(fault).encode()), timeout=5).close()

    def in_sync(self):
        """Whether all brokers hold all that there is."""
        try:
            brokers, topics = wire.cluster(self.cluster.address, timeout_s=2)
        except (OSError, StopIteration):
            return False
        size = len(self.cluster.nodes)
        return len(brokers) == size and all(n_in_sync == size for partitions in topics.values()
                                            for _, n_in_sync in partitions.values())


class Worker:
    """A `dsard run` that is started again whenever it has ended, unless it is held down."""

    def __init__(self, stage, name):
        self.stage, self.name, self.client = stage, name, f"{stage.group}-{name}"
        self.config = stage.configure(name, self.client)
        self.held_down = self.told = False
        self.process = self.ended = None

    def start(self):
        """From the main thread alone: the process dies with the thread that has started it."""
        self.held_down = self.told = False
        self.process = harness.Process([harness.DSARD, "run", "-c", self.config], self.stage.path(self.name + ".log"),
                                       preexec_fn=kafka.die_with_parent(os.getpid()))

    def kill(self):
        """It stays dead until start()."""
        self.held_down = True
        self.process.kill()

    def tell_to_leave(self):
        self.told = True
        self.process.signal(signal.SIGTERM)

    def stop(self):
        self.process.signal(signal.SIGSTOP)

    def resume(self):
        self.process.signal(signal.SIGCONT)

    def watch(self):
        """Notes that it has ended; starts it again."""
        if self.process.running():
            return
        if not self.ended:
            self.ended = time.monotonic()
            self.stage.history.add("exit", worker=self.name, status=self.process.popen.returncode,
                                   told=self.told, at=time.time())
        if not self.held_down and time.monotonic() - self.ended > RESTART_S:
            self.ended = None
            self.start()


class Stage:
    """One run's topics, workers, store. `folder` is its own, new."""

    def __init__(self, ground, folder, history, name):
        self.ground, self.folder, self.history, self.group = ground, folder, history, name
        self.disk = disk.Disk(self.path("disk"), ground.mountable)
        names = ["requests", "control", "events", "dead", "audit", *(f"retry.{delay_s}s" for delay_s in TIERS_S)]
        self.topics = {each: f"{name}.{each}" for each in names}
        ground.cluster.create_topics(dict.fromkeys(self.topics.values(), PARTITIONS))
        self.workers = {each: Worker(self, each) for each in plan.WORKERS}
        self.refilled = 0.0

    def path(self, *names):
        return os.path.join(self.folder, *names)

    @property
    def store(self):
        return self.path("disk", "store")

    def configure(self, name, client):
        return harness.write_config(self.path(name + ".yaml"), self.ground.where, self.ground.keys, {
            "kafka": {
                "brokers": self.ground.proxy.bootstrap, "group": self.group, "transactional_id": client,
                "topics": {each: topic for each, topic in self.topics.items() if not each.startswith("retry")},
                "properties": {"session.timeout.ms": "6000", "heartbeat.interval.ms": "1000",
                               "socket.timeout.ms": "5000"}},
            "store": {"path": self.store, "sweep_after_s": 300},
            "work": {"spool_dir": self.path("disk", "spool-" + name), "concurrent_requests": 3, "claim_s": 3,
                     "grace_s": 10},
            "retry": {"attempts": 2, "first_ms": 50, "max_ms": 500, "horizon_s": HORIZON_S, "margin_s": 30,
                      "breaker_open_s": 3,
                      "tiers": [{"topic": self.topics[f"retry.{delay_s}s"], "delay_s": delay_s}
                                for delay_s in TIERS_S]},
        })

    def start(self):
        for worker in self.workers.values():
            worker.start()
        for worker in self.workers.values():
            harness.wait_for(lambda worker=worker: "partitions assigned" in worker.process.log(), worker.process.log)

    def watch(self):
        """What is to be done again and again."""
        for worker in self.workers.values():
            worker.watch()
        if self.disk.full and time.monotonic() - self.refilled > REFILL_S:
            self.refilled = time.monotonic()
            self.disk.fill()

    def committed(self, what):
        """{partition: offset} of the group; {} while that cannot be told."""
        with contextlib.suppress(OSError, StopIteration):
            found = wire.committed(self.ground.cluster.address, self.group, self.topics[what], PARTITIONS)
            return {partition: offset for partition, (offset, _) in found.items()}
        return {}

    def end(self):
        """Tells all workers to leave, and waits until they have."""
        for worker in self.workers.values():
            worker.tell_to_leave()
            worker.held_down = True
        deadline = time.monotonic() + LEAVE_S
        while any(each.process.running() for each in self.workers.values()) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.close()

    def close(self):
        for worker in self.workers.values():
            if worker.process:
                worker.held_down = True
                worker.process.close()
                worker.watch()
