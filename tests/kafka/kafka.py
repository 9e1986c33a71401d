#!/usr/bin/env python3
"""A real Kafka for tests: one node or several, KRaft, from Maven Central's jars, on free ports, in a folder of its own.

  kafka.py fetch                                    copies the jars into the cache, once; prints where they are
  kafka.py run --dir DIR [--topic NAME:PARTITIONS]  prints one line of JSON, runs until standard input ends or SIGTERM

The cache is $DSAR_CACHE or ~/.cache/dsard. Exit status 77 where Maven Central is out of reach.
"""
import argparse
import ctypes
import fcntl
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import wire

HERE = os.path.dirname(os.path.abspath(__file__))
OUT_OF_REACH = 77
FETCH_TIMEOUT_S = 600
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)
JVM = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]


class OutOfReach(Exception):
    pass


def version():
    with open(os.path.join(HERE, "pom.xml"), encoding="utf-8") as pom:
        return re.search(r"<kafka\.version>([^<]+)<", pom.read()).group(1)


def cached(name, fill):
    """The folder of that name in the cache; where there is none, fill(folder) makes it, once."""
    cache = os.environ.get("DSAR_CACHE") or os.path.expanduser("~/.cache/dsard")
    folder = os.path.join(cache, name)
    os.makedirs(cache, exist_ok=True)
    with open(folder + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.isdir(folder):
            with tempfile.TemporaryDirectory(prefix="unfinished-", dir=cache) as unfinished:
                filled = os.path.join(unfinished, "filled")
                fill(filled)
                os.rename(filled, folder)
    return folder


def fetch():
    """The folder of the jars. Raises OutOfReach."""
    return cached(f"kafka-{version()}", _copy_jars)


def _copy_jars(folder):
    # -C: a jar whose checksum is wrong is an error
    command = ["mvn", "-B", "-q", "-C", "-f", os.path.join(HERE, "pom.xml"), "dependency:copy-dependencies",
               "-DincludeScope=runtime", "-DoutputDirectory=" + folder]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", timeout=FETCH_TIMEOUT_S)
    except FileNotFoundError:
        raise OutOfReach("mvn is not installed; Debian's package is maven") from None
    except subprocess.TimeoutExpired:
        raise OutOfReach(f"Maven Central did not answer within {FETCH_TIMEOUT_S} s") from None
    if done.returncode != 0:
        why = next((line for line in done.stdout.splitlines() if "ERROR" in line), "mvn failed without a word")
        raise OutOfReach(f"Kafka {version()} could not be fetched from Maven Central: {why.strip()[:300]}")


def die_with_parent(parent):
    """A preexec_fn: SIGKILL when the thread that started the process has ended. `parent` is os.getpid()."""
    def before_exec():
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
    return before_exec


def _free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def start_together(brokers, timeout_s=120):
    """Starts brokers that are one quorum, or one that belongs to a quorum, and waits until each answers. Those without a
    folder get one."""
    deadline = time.monotonic() + timeout_s
    new = not os.path.exists(brokers[0].config)
    for _ in range(3):
        if new:
            voters = ",".join(each.choose_ports() for each in brokers)
            for each in brokers:
                each.make(voters)
        for each in brokers:
            each.launch()
        if all([each.wait(deadline) for each in brokers]):
            return
        # another process took a port between choosing and binding it
        if not new or not any("Address already in use" in each.log() for each in brokers):
            break
        for each in brokers:
            each.close()
    raise RuntimeError("Kafka did not start: see " + ", ".join(f"{each.log_path}\n{each.log()[-2000:]}"
                                                               for each in brokers))


def _create_topics(address, topics, replicas, settings, timeout_s):
    deadline = time.monotonic() + timeout_s
    wire.create_topics(address, topics, replicas, settings, timeout_s)
    while wire.metadata(address, list(topics))[1] != topics:
        if time.monotonic() > deadline:
            raise RuntimeError(f"topics without a leader after {timeout_s} s: {', '.join(topics)}")
        time.sleep(0.02)


class Broker:
    """One broker. `folder` is the broker's own, made by start() and removed by close(). Clients that start at the
    bootstrap of `proxy` (proxy.Proxy) stay behind it; others talk to the broker itself.

    The broker dies with the thread that started it, so start it from one that lives as long as it is needed."""

    def __init__(self, folder, settings=None, proxy=None, node=1, heap_mib=512):
        self.folder = os.path.abspath(folder)
        self.settings, self.proxy, self.node, self.heap_mib = settings or {}, proxy, node, heap_mib
        self.config = os.path.join(self.folder, "node.properties")
        self.log_path = os.path.join(self.folder, "broker.log")
        self.process = self.address = None

    @property
    def bootstrap(self):
        return "%s:%d" % self.address

    def start(self, timeout_s=60):
        """Formats the folder when it is new, starts the broker and waits until it answers."""
        start_together([self], timeout_s)
        return self

    def _java(self):
        return ["java", f"-Xmx{self.heap_mib}m", *JVM,
                "-Dlog4j2.configurationFile=" + os.path.join(HERE, "log4j2.properties"),
                "-cp", os.path.join(fetch(), "*")]

    def choose_ports(self):
        """Its entry among the quorum's voters."""
        port, behind, controller = _free_ports(3)
        self.address, self.behind_proxy = ("127.0.0.1", port), ("127.0.0.1", behind)
        self.controller = f"127.0.0.1:{controller}"
        return f"{self.node}@{self.controller}"

    def make(self, voters):
        """Writes its configuration and formats its storage."""
        os.makedirs(self.folder, exist_ok=True)
        with open(self.config, "w", encoding="utf-8") as file:
            file.writelines(f"{name}={value}\n" for name, value in self._values(voters).items())
        # a cluster id is 16 bytes in base64url; it may be the same for every test's cluster
        command = [*self._java(), "kafka.tools.StorageTool", "format", "-t", "ZHNhcmQtdGVzdHMtMDAwMQ", "-c", self.config]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=60)
        if done.returncode != 0:
            raise RuntimeError(f"Kafka's storage could not be formatted: {done.stdout[-1000:]}")

    def _values(self, voters):
        listeners, advertised, protocols = [f"PLAINTEXT://{self.bootstrap}"], [f"PLAINTEXT://{self.bootstrap}"], ""
        if self.proxy:
            listeners.append("PROXY://%s:%d" % self.behind_proxy)
            advertised.append("PROXY://%s:%d" % self.proxy.listen(self.node, self.behind_proxy))
            protocols = ",PROXY:PLAINTEXT"
        return {
            "process.roles": "broker,controller", "node.id": self.node, "controller.quorum.voters": voters,
            "listeners": ",".join([*listeners, f"CONTROLLER://{self.controller}"]),
            "advertised.listeners": ",".join(advertised), "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT" + protocols,
            "log.dirs": os.path.join(self.folder, "data"), "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": 1, "offsets.topic.num.partitions": 4,
            "transaction.state.log.replication.factor": 1, "transaction.state.log.min.isr": 1,
            "transaction.state.log.num.partitions": 4,
            # after a SIGKILL the broker may return when the session of the dead one has timed out
            "broker.session.timeout.ms": 2000, "broker.heartbeat.interval.ms": 500,
            "transaction.abort.timed.out.transaction.cleanup.interval.ms": 1000,
            "share.coordinator.state.topic.replication.factor": 1, "share.coordinator.state.topic.min.isr": 1,
            "group.initial.rebalance.delay.ms": 0, "group.min.session.timeout.ms": 1000,
            **self.settings,
        }

    def launch(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([*self._java(), "kafka.Kafka", self.config], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, start_new_session=True,
                                            preexec_fn=die_with_parent(os.getpid()))

    def wait(self, deadline):
        """True when the broker answers, False when it ended. Raises when the time is up."""
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                return False
            try:
                if wire.metadata(self.address, timeout_s=2)[0]:
                    return True
            except OSError:
                time.sleep(0.05)
        self.kill()
        raise RuntimeError(f"Kafka did not answer in time: see {self.log_path}")

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def create_topics(self, topics, settings=None, timeout_s=20):
        """topics: {name: partitions}. Returns when each partition has its leader."""
        _create_topics(self.address, topics, 1, settings, timeout_s)

    def rss_kib(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))

    def running(self):
        return self.process is not None and self.process.poll() is None

    def stop(self, timeout_s=20):
        """Ends the broker politely, or by force when the time is up. Its data stay."""
        if self.running():
            self.process.terminate()
            try:
                self.process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self):
        """SIGKILL. Its data stay."""
        if self.running():
            self.process.kill()
            self.process.wait()

    def suspend(self):
        """SIGSTOP: it keeps its connections and answers nothing."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        """SIGCONT."""
        self.process.send_signal(signal.SIGCONT)

    def restart(self, timeout_s=60):
        """The same broker again, on the same ports and data."""
        self.stop()
        return self.start(timeout_s)

    def close(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()


class Cluster:
    """Brokers that are one quorum and hold a replica of everything each; what fewer than two have is not acknowledged.
    `nodes` is the list of Brokers: kill(), start(), suspend() and resume() are theirs. As with Broker, start it from a
    thread that lives as long as it is needed."""

    def __init__(self, folder, settings=None, proxy=None, size=3):
        replicas = {f"{topic}.replication.factor": size
                    for topic in ("offsets.topic", "transaction.state.log", "share.coordinator.state.topic")}
        in_sync = {name: 2 for name in ("min.insync.replicas", "transaction.state.log.min.isr",
                                        "share.coordinator.state.topic.min.isr")}
        self.nodes = [Broker(os.path.join(folder, f"node-{node}"), {**replicas, **in_sync, **(settings or {})}, proxy,
                             node, heap_mib=384) for node in range(1, size + 1)]

    @property
    def address(self):
        """Of a broker that runs."""
        return next(each.address for each in self.nodes if each.running())

    @property
    def bootstrap(self):
        return ",".join(each.bootstrap for each in self.nodes)

    def start(self, timeout_s=120):
        try:
            start_together(self.nodes, timeout_s)
        except BaseException:
            self.close()
            raise
        return self

    def create_topics(self, topics, settings=None, timeout_s=20):
        """topics: {name: partitions}. Returns when each partition has its leader."""
        _create_topics(self.address, topics, len(self.nodes), settings, timeout_s)

    def close(self):
        for each in self.nodes:
            each.close()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()


def run(arguments):
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    topics = {name: int(partitions) for name, _, partitions in (each.rpartition(":") for each in arguments.topic)}
    with Broker(arguments.dir) as broker:
        if topics:
            broker.create_topics(topics)
        print(json.dumps({"bootstrap": broker.bootstrap, "pid": broker.process.pid}), flush=True)

        def wait_for_end():
            while os.read(0, 4096):
                pass
            ended.set()

        threading.Thread(target=wait_for_end, daemon=True).start()
        while not ended.wait(0.5):
            if broker.process.poll() is not None:
                raise RuntimeError(f"Kafka ended by itself: {broker.log()[-1000:]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("fetch", help="copy the jars into the cache")
    runner = commands.add_parser("run", help="run a broker until standard input ends")
    runner.add_argument("--dir", required=True, help="a folder for the broker alone; removed at the end")
    runner.add_argument("--topic", action="append", default=[], metavar="NAME:PARTITIONS")
    arguments = parser.parse_args()
    try:
        if arguments.command == "fetch":
            print(fetch())
        else:
            run(arguments)
    except OutOfReach as problem:
        print(f"kafka.py: {problem}", file=sys.stderr)
        return OUT_OF_REACH
    except (OSError, RuntimeError, subprocess.SubprocessError) as problem:
        print(f"kafka.py: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
