#!/usr/bin/env python3
"""A real Kafka for tests: one node, KRaft, from Maven Central's jars, on free ports, in a folder of its own.

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
JVM = ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]


class OutOfReach(Exception):
    pass


def version():
    with open(os.path.join(HERE, "pom.xml"), encoding="utf-8") as pom:
        return re.search(r"<kafka\.version>([^<]+)<", pom.read()).group(1)


def fetch():
    """The folder of the jars. Raises OutOfReach."""
    cache = os.environ.get("DSAR_CACHE") or os.path.expanduser("~/.cache/dsard")
    folder = os.path.join(cache, f"kafka-{version()}")
    os.makedirs(cache, exist_ok=True)
    with open(folder + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.isdir(folder):
            with tempfile.TemporaryDirectory(prefix="kafka-", dir=cache) as unfinished:
                jars = os.path.join(unfinished, "jars")
                _copy_jars(jars)
                os.rename(jars, folder)
    return folder


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


def _die_with_parent(parent):
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


class Broker:
    """One broker. `folder` is the broker's own, made by start() and removed by close().

    The broker dies with the thread that started it, so start it from one that lives as long as it is needed."""

    def __init__(self, folder, settings=None):
        self.folder = os.path.abspath(folder)
        self.settings = settings or {}
        self.process = self.address = None

    @property
    def bootstrap(self):
        return "%s:%d" % self.address

    def start(self, timeout_s=60):
        """Formats the folder when it is new, starts the broker and waits until it answers."""
        self.jars = fetch()
        deadline = time.monotonic() + timeout_s
        config = os.path.join(self.folder, "node.properties")
        new = not os.path.exists(config)
        for _ in range(3):
            if new:
                os.makedirs(self.folder, exist_ok=True)
                self._write(config)
                self._format(config, deadline)
            self._launch(config)
            if self._wait(deadline):
                return self
            # another process took the port between choosing and binding it
            if not new or "Address already in use" not in self.log():
                break
            shutil.rmtree(self.folder)
        raise RuntimeError(f"Kafka did not start: see {self._log_path()}\n{self.log()[-2000:]}")

    def _java(self):
        return ["java", *JVM, "-Dlog4j2.configurationFile=" + os.path.join(HERE, "log4j2.properties"),
                "-cp", os.path.join(self.jars, "*")]

    def _write(self, config):
        port, controller = _free_ports(2)
        self.address = ("127.0.0.1", port)
        values = {
            "process.roles": "broker,controller", "node.id": 1,
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}", "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
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
        with open(config, "w", encoding="utf-8") as file:
            file.writelines(f"{name}={value}\n" for name, value in values.items())

    def _format(self, config, deadline):
        # a cluster id is 16 bytes in base64url; it may be the same for every test's cluster
        command = [*self._java(), "kafka.tools.StorageTool", "format", "-t", "ZHNhcmQtdGVzdHMtMDAwMQ", "-c", config]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=max(1, deadline - time.monotonic()))
        if done.returncode != 0:
            raise RuntimeError(f"Kafka's storage could not be formatted: {done.stdout[-1000:]}")

    def _launch(self, config):
        with open(self._log_path(), "ab") as log:
            self.process = subprocess.Popen([*self._java(), "kafka.Kafka", config], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, start_new_session=True,
                                            preexec_fn=_die_with_parent(os.getpid()))

    def _wait(self, deadline):
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
        raise RuntimeError(f"Kafka did not answer in time: see {self._log_path()}")

    def _log_path(self):
        return os.path.join(self.folder, "broker.log")

    def log(self):
        with open(self._log_path(), encoding="utf-8", errors="replace") as file:
            return file.read()

    def create_topics(self, topics, settings=None, timeout_s=20):
        """topics: {name: partitions}. Returns when each partition has its leader."""
        deadline = time.monotonic() + timeout_s
        wire.create_topics(self.address, topics, settings=settings, timeout_s=timeout_s)
        while wire.metadata(self.address, list(topics))[1] != topics:
            if time.monotonic() > deadline:
                raise RuntimeError(f"topics without a leader after {timeout_s} s: {', '.join(topics)}")
            time.sleep(0.02)

    def rss_kib(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))

    def stop(self, timeout_s=20):
        """Ends the broker politely, or by force when the time is up. Its data stay."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self):
        """SIGKILL. Its data stay."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

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
