#!/usr/bin/env python3
"""wrong.py MODE: a small connector that keeps to the protocol but for one thing, its MODE; `right` keeps to all of it."""
import json
import os
import select
import sys
import time

MODE = sys.argv[1]
HELLO = {
    "type": "hello", "protocol": 1, "name": "wrong", "version": "1.0.0", "settings": [],
    "resolve": {"needs": ["email"], "yields": ["id"]},
    "collections": [
        {"name": "notes", "title": "Notes", "category": "test", "needs": ["id"], "fields": {"/a": "own"}},
        {"name": "papers", "title": "Papers", "category": "test", "needs": ["id"]},
    ],
}


def say(payload=None, **message):
    if payload is not None:
        message["bytes"] = len(payload)
    os.write(1, json.dumps(message).encode() + b"\n")
    if payload:
        sent = 0
        while sent < len(payload):
            sent += os.write(1, payload[sent:])


def hear():
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            return None
        line += byte
    return json.loads(line)


def hello():
    if MODE == "no_hello":
        sys.exit(0)
    if MODE == "chatter":
        os.write(1, b"starting up\n")
    if MODE == "bad_name":
        HELLO["name"] = "Wrong One"
    if MODE == "bad_class":
        HELLO["collections"][0]["fields"]["/a"] = "public"
    if MODE == "files_collection":
        HELLO["collections"][1]["name"] = "files"
    if MODE == "no_collections":
        HELLO["collections"] = []
    if MODE == "long_title":
        HELLO["collections"][0]["title"] = "x" * 201
    if MODE == "restless_hello":
        HELLO["version"] = str(os.getpid())
    say(**HELLO)


def resolve():
    kind = "other" if MODE == "bad_kind" else "id"
    value = {"empty_value": "", "number_value": 7}.get(MODE, "7")
    say(type="identity", kind=kind, value=value, evidence="exact match")
    say(type="done", status="fine" if MODE == "bad_status" else "ok")


def notes():
    payload = b'{"a":1}\n{"a":2}'
    count = 3 if MODE == "bad_count" else 2
    if MODE == "bad_record":
        payload = b'{"a":1}\n["a"]'
    if MODE == "huge":
        payload = b'{"a":1}\n{"a":"' + b"x" * 262144 + b'"}'
    if MODE == "deep_record":
        payload = b'{"a":1}\n{"a":' + b"[" * 64 + b"]" * 64 + b"}"
    if MODE == "wide_record":
        payload = b'{"a":1}\n{' + b",".join(b'"%d":1' % at for at in range(4097)) + b"}"
    if MODE == "twin_keys":
        payload = b'{"a":1}\n{"a":1,"a":2}'
    if MODE == "empty_withheld":
        say(type="withheld", collection="notes", count=0, reason="x")
    if MODE == "stranger":
        say(b"{}", type="record", collection="secrets", count=1)
    if MODE == "long_line":
        say(type="warning", code="x", text="x" * 140000)
    say(payload, type="record", collection="notes", count=count)
    if MODE == "cut":
        os.write(1, b'{"type":"record","collection":"notes","bytes":9}\n{"a"')
        sys.exit(0)
    if MODE != "no_end":
        say(type="end", collection="notes", status="complete", count=1 if MODE == "bad_end" else 2)
    if MODE == "two_ends":
        say(type="end", collection="notes", status="complete", count=2)


def papers():
    name = "a" * (1025 if MODE == "long_name" else 1024)
    say(b"x" * 10, type="file", collection="papers", file="1", name=name, media_type="b/c", more=True)
    if MODE == "mixed_files":
        say(b"x", type="file", collection="papers", file="2", name="a", media_type="b/c", more=False)
    say(b"", type="file", collection="papers", file="1", more=False)
    if MODE == "no_reason":
        say(type="end", collection="papers", status="partial", count=1)
    say(type="end", collection="papers", status="complete", count=1)


def fetch(collections):
    if MODE == "exits":
        sys.exit(0)
    # a moment in which a cancel may come
    if select.select([0], [], [], 0.3)[0]:
        if MODE == "deaf":
            time.sleep(10)
        hear()
        return say(type="done", status="failed", code="stopped" if MODE == "bad_cancel" else "cancelled",
                   retryable=False)
    if "notes" in collections:
        notes()
    if "papers" in collections:
        papers()
    return say(type="done", status="failed") if MODE == "bare_failure" else say(type="done", status="ok")


def main():
    hello()
    while (message := hear()) is not None:
        if message["type"] == "configure":
            say(type="error", code="bad_settings", text="no") if MODE == "unready" else say(type="ready")
        elif message["type"] == "resolve":
            resolve()
        elif message["type"] == "fetch":
            fetch(message["collections"])
    if MODE == "stays":
        time.sleep(60)
    sys.exit(3 if MODE == "bad_exit" else 0)


if __name__ == "__main__":
    main()
