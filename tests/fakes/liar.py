#!/usr/bin/env python3
"""A connector that misbehaves on purpose: liar.py --lie MODE. See include/dsar/PROTOCOL.md for what it should do.

  ok                    two records, one file, one thing withheld: no lie
  before the fetch:
    no_hello            never says hello            late_hello          says it after 15 seconds
    wrong_protocol      hello of protocol 99
  in the fetch, after a first good record:
    crash               SIGSEGV                     exit_early          leaves with status 0, nothing said
    garbage             bytes that are no text      not_json            half a message
    long_line           a line of 200,000 bytes     unknown_type        a message of a type that is not
    big_payload         announces 300,000 bytes     cut_payload         announces 1,000 bytes, sends 10, leaves
    wrong_count         counts 5 where it sent 2    missing_end         says done without end
    double_end          says end twice              undeclared_collection  a record of another collection
    bad_record          a record that breaks off    deep_record         a record of 100,000 nested lists
    silence             never another word          endless             records without end
    slow                a sign of life every second, but no end
    dribble             one message that never ends, a byte at a time
"""
import argparse
import json
import os
import signal
import sys
import time

RECORD = b'{"id":12345678901234567890,"text":"canary-liar-5e1f"}'
HELLO = {"type": "hello", "protocol": 1, "name": "liar", "version": "1.0.0", "settings": [],
         "collections": [{"name": "things", "title": "Things", "category": "lies", "needs": ["email"],
                          "fields": {"/id": "own"}}]}
LATE_S = 15


def say(message, payload=None):
    if payload is not None:
        message = {**message, "bytes": len(payload)}
    write(json.dumps(message).encode() + b"\n" + (payload or b""))


def write(data):
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def record(payload=RECORD, **more):
    say({"type": "record", "collection": "things", **more}, payload)


def end(count=2, **more):
    say({"type": "end", "collection": "things", "status": "complete", "count": count, **more})


def done():
    say({"type": "done", "status": "ok"})


def leave(status=0):
    sys.stdout.buffer.flush()
    os._exit(status)


def tell_truth():
    record(RECORD + b"\n" + RECORD, count=2)
    say({"type": "file", "collection": "things", "file": "1", "name": "truth.txt", "media_type": "text/plain",
         "more": True}, b"canary-liar-")
    say({"type": "file", "collection": "things", "file": "1", "more": False}, b"file-5e20\n")
    say({"type": "withheld", "collection": "things", "count": 1, "reason": "trade_secret"})
    end(3)
    done()


def silence():
    while True:
        time.sleep(60)


def endless():
    while True:
        record((RECORD + b"\n") * 1000, count=1000)


def slow():
    while True:
        say({"type": "progress", "collection": "things", "done": 1})
        time.sleep(1)


def dribble():
    write(b'{"type":"')
    while True:
        write(b"x")
        time.sleep(0.05)


def lie(mode):
    """What follows a first good record."""
    acts = {
        "crash": lambda: os.kill(os.getpid(), signal.SIGSEGV),
        "exit_early": leave,
        "garbage": lambda: write(bytes((i * 131 + 200) % 256 for i in range(5000)) + b"\n"),
        "not_json": lambda: write(b'{"type":"record","collec\n'),
        "long_line": lambda: write(b'{"type":"warning","code":"long","text":"' + b"a" * 200000 + b'"}\n'),
        "big_payload": lambda: record(b'{"a":"' + b"a" * 299992 + b'"}'),
        "cut_payload": lambda: (write(b'{"type":"record","collection":"things","bytes":1000}\n{"id":"cut'), leave()),
        "wrong_count": lambda: (record(), end(5), done()),
        "missing_end": lambda: (record(), done()),
        "double_end": lambda: (record(), end(), end(), done()),
        "undeclared_collection": lambda: (say({"type": "record", "collection": "secrets"}, RECORD), end(), done()),
        "unknown_type": lambda: (say({"type": "surprise"}), record(), end(), done()),
        "bad_record": lambda: (record(b'{"id":1,"text":"no end'), end(), done()),
        "deep_record": lambda: (record(b'{"a":' + b"[" * 100000 + b"]" * 100000 + b"}"), end(), done()),
        "silence": silence, "endless": endless, "slow": slow, "dribble": dribble,
    }
    acts[mode]()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lie", default="ok", metavar="MODE")
    mode = parser.parse_args().lie
    if mode == "no_hello":
        silence()
    if mode == "late_hello":
        time.sleep(LATE_S)
    say({**HELLO, "protocol": 99} if mode == "wrong_protocol" else HELLO)
    for line in sys.stdin.buffer:
        message = json.loads(line)
        if message["type"] == "configure":
            say({"type": "ready"})
        elif message["type"] == "cancel":
            say({"type": "done", "status": "failed", "code": "cancelled", "retryable": False})
        elif message["type"] == "fetch" and mode in ("ok", "late_hello", "wrong_protocol"):
            tell_truth()
        elif message["type"] == "fetch":
            record()
            lie(mode)


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:
        leave(1)
