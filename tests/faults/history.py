"""The history of a run: one JSON object a line, each with `what` it tells. check.py reads it.

  run        seed, at, seconds, group, topics {what: name}, partitions, store and keys (folders beside the history)
  sent       request, person (null: nobody), address, due, at                  before it is sent for the first time
  acked      request, topic, partition, offset, again, at                      Kafka has it; also of cancels
  fault      kind, target, begin, end; done: false where it could not be inflicted
  exit       worker, status (negative: by this signal), told (to leave), at
  seen       request, kind, at                 a terminal event, as a reader that is there all the time got it
  message    topic, partition, offset, committed, key, kind, headers, value    all of them, read after the end; of the
             topic of events what was aborted too. The value is a text, and left out where it is of no interest
  committed  topic, partition, offset          the group's, after the end
  object     request, name, size, sha256; of records `json`                    what the store holds after the end
  end        at, answered: false where the patience ended first

Times are seconds of Unix time.
"""
import concurrent.futures
import hashlib
import json
import os
import subprocess
import threading
import time

import kafka
import portal

# nobody waits longer for a broker that has stopped
KCAT = ["kcat", "-C", "-E", "-J", "-u", "-q", "-o", "beginning", "-X", "reconnect.backoff.max.ms=500", "-X",
        "socket.timeout.ms=3000", "-X", "topic.metadata.refresh.interval.ms=2000",
        # a new leader may not know the offset for a moment: what was read is told apart, what is skipped is not
        "-X", "auto.offset.reset=earliest"]
DUMP_TIMEOUT_S = 120
# events of which nothing but their being there is looked at
BRIEF = {"accepted", "progress"}


class History:
    """Thread-safe."""

    def __init__(self, path):
        self.lock, self.file = threading.Lock(), open(path, "w", encoding="utf-8")

    def add(self, what, **facts):
        line = json.dumps({"what": what, **facts}) + "\n"
        with self.lock:
            self.file.write(line)
            self.file.flush()

    def close(self):
        self.file.close()


class Watcher(threading.Thread):
    """Reads what is committed to the topic of events for as long as a run lasts. `answered`: {request: [kinds]} of
    terminal events; replaced where it changes, never changed."""

    def __init__(self, bootstrap, topic, history):
        super().__init__(daemon=True)
        self.command = [*KCAT, "-b", bootstrap, "-t", topic, "-X", "isolation.level=read_committed"]
        self.history, self.answered, self.places, self.closed = history, {}, set(), False
        self.kcat = None
        self.start()

    def run(self):
        while not self.closed:
            with subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL,
                                  preexec_fn=kafka.die_with_parent(os.getpid())) as self.kcat:
                for line in self.kcat.stdout:
                    self._take(portal.Message(line))

    def _take(self, message):
        place = message.partition, message.offset
        if message.kind in portal.TERMINAL and place not in self.places:
            self.places.add(place)
            self.history.add("seen", request=message.key, kind=message.kind, at=time.time())
            self.answered[message.key] = [*self.answered.get(message.key, []), message.kind]

    def close(self):
        self.closed = True
        if self.kcat:
            self.kcat.kill()
        self.join()


def _read(bootstrap, topic, isolation):
    done = subprocess.run([*KCAT, "-e", "-b", bootstrap, "-t", topic, "-X", f"isolation.level={isolation}"], check=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=DUMP_TIMEOUT_S)
    return [portal.Message(line) for line in done.stdout.splitlines()]


def add_messages(history, bootstrap, topics):
    """All messages of the topics, {what: name}; of the topic of events those of aborted transactions too."""
    wanted = [(what, topic, "read_committed") for what, topic in topics.items()]
    wanted.append(("aborted", topics["events"], "read_uncommitted"))
    with concurrent.futures.ThreadPoolExecutor(4) as pool:  # they mostly wait
        found = dict(pool.map(lambda each: (each[0], _read(bootstrap, *each[1:])), wanted))
    committed = {(each.partition, each.offset) for each in found["events"]}
    found["aborted"] = [each for each in found["aborted"] if (each.partition, each.offset) not in committed]
    for what, messages in found.items():
        for each in messages:
            kind = each.kind if "ce_type" in each.headers else None
            valued = what in ("events", "aborted", "audit") and kind not in BRIEF
            history.add("message", topic="events" if what == "aborted" else what, partition=each.partition,
                        offset=each.offset, key=each.key, kind=kind, committed=what != "aborted", headers=each.headers,
                        **({"value": each.value.decode()} if valued else {}))


def add_store(history, store):
    """What the store holds: of each object its digest, of signed records what they say."""
    for at, _, names in os.walk(store):
        for name in names:
            path = os.path.join(at, name)
            with open(path, "rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            facts = {"request": os.path.relpath(at, store), "name": name, "size": os.path.getsize(path), "sha256": sha256}
            if name == "receipt":
                with open(path, encoding="utf-8") as file:
                    facts["json"] = json.loads(file.readline())
            history.add("object", **facts)
