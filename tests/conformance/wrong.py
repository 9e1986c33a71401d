#!/usr/bin/env python3
"""wrong.py MODE: a small connector that keeps to the protocol but for one thing, its MODE; `right` keeps to all of it."""
import fcntl
import json
import os
import select
import signal
import sys
import time

MODE = sys.argv[1]
SECRET = "correct horse"
HELLO = {
    "type": "hello", "protocol": 1, "name": "wrong", "version": "1.0.0",
    "settings": [
        {"name": "token", "kind": "secret", "required": True, "help": "any"},
        {"name": "host", "kind": "host", "required": False, "help": "any", "default": "localhost", "ports": [1, 65535]},
        {"name": "port", "kind": "port", "required": False, "help": "any", "default": 65535},
        {"name": "most", "kind": "integer", "required": False, "help": "any", "default": -1},
        {"name": "quick", "kind": "boolean", "required": False, "help": "any", "default": False},
    ],
    "check": True,
    "resolve": {"needs": ["email"], "yields": ["id"]},
    "collections": [
        {"name": "notes", "title": "Notes", "category": "test", "needs": ["id"], "fields": {"/a": "own"}},
        {"name": "papers", "title": "Papers", "category": "test", "needs": ["id"]},
        {"name": "mails", "title": "Mails", "category": "test", "needs": ["email"]},
    ],
}
PERSON = "alice@example.test"
LOCK = os.open(__file__, os.O_RDONLY)
asked = 0  # fetches
inbox = b""


def write(data):
    while data:
        data = data[os.write(1, data):]


def say(payload=None, **message):
    if payload is not None:
        message["bytes"] = len(payload)
    write(json.dumps(message).encode() + b"\n" + (payload or b""))


def hear():
    """None at the end; what is no message ends the program."""
    global inbox
    while b"\n" not in inbox:
        piece = os.read(0, 65536)
        if not piece and inbox and MODE != "takes_half":
            sys.exit(1)
        if not piece:
            return None
        inbox += piece
        if len(inbox) > 100000 and MODE == "short_buffer":
            sys.exit(1)
    line, inbox = inbox.split(b"\n", 1)
    try:
        return json.loads(line)
    except ValueError:
        return {"type": "junk"} if MODE == "takes_garbage" else sys.exit(1)


def fail(code, **more):
    say(type="done", status="failed", code=code, text="it is so", retryable=False, **more)


def is_stopped(for_s=0.0):
    """Whether a cancel has come, or the end."""
    return b"\n" in inbox or bool(select.select([0], [], [], for_s)[0])


def hello():
    if MODE == "no_hello":
        sys.exit(0)
    if MODE == "late_hello":
        time.sleep(11)
    if MODE == "chatter":
        write(b"starting up\n")
    changes = {
        "protocol_2": {"protocol": 2}, "bad_name": {"name": "Wrong One"}, "no_collections": {"collections": []},
        "empty_version": {"version": ""}, "restless_hello": {"version": str(os.getpid())}, "bad_check": {"check": "yes"}, "bad_reads": {"reads": ["etc/passwd"]},
        "blind_resolve": {"resolve": {"needs": [], "yields": ["id"]}},
        "bad_setting": {"settings": [{"name": "token", "kind": "password", "required": True, "help": "any"}]},
    }
    HELLO.update(changes.get(MODE, {}))
    changes = {
        "secret_default": {"kind": "secret", "default": "s"}, "text_default": {"kind": "text", "default": 7},
        "null_default": {"kind": "path", "default": None}, "integer_default": {"kind": "integer", "default": "7"},
        "real_default": {"kind": "integer", "default": 7.0}, "boolean_default": {"kind": "boolean", "default": 1},
        "true_default": {"kind": "integer", "default": True}, "port_default": {"kind": "port", "default": 65536},
        "ports_of_text": {"kind": "text", "ports": [25]}, "one_port": {"kind": "host", "ports": 25},
        "no_ports": {"kind": "host", "ports": None}, "port_0": {"kind": "host", "ports": [25, 0]},
        "port_text": {"kind": "host", "ports": ["25"]},
    }
    if MODE in changes:
        HELLO["settings"].append({"name": "more", "required": False, "help": "any", **changes[MODE]})
    changes = {
        "bad_class": {"fields": {"/a": "public"}}, "files_collection": {"name": "files"}, "long_title": {"title": "x" * 201},
        "twice": {"name": "papers"}, "no_needs": {"needs": None},
    }
    if MODE in changes:
        HELLO["collections"][0].update(changes[MODE])
    say(**HELLO)
    if MODE == "talks_on":
        say(type="progress", done=0)


def configure(message):
    if MODE == "late_ready":
        time.sleep(11)
    if MODE == "unready" or (not message["secrets"] and MODE != "easy"):
        say(type="error", code="bad_settings", text=SECRET if MODE == "tells_secret" else "token: expected one", retryable=False)
        sys.exit(3 if MODE == "error_status" else 0)
    say(type="progress", done=1) if MODE == "slow_ready" else say(type="ready")


def check(_):
    if MODE == "check_fails":
        return fail("source_unreachable")
    if MODE == "check_absent":
        return say(type="done", status="not_found")
    if MODE == "check_lists":
        say(type="identity", kind="id", value="7", evidence="x")
    return say(type="done", status="ok", system="x" * 201 if MODE == "long_system" else "Test 1.0")


def is_found(values):
    if MODE == "prefix":
        return any(PERSON in value for value in values)
    if MODE == "substring":
        return any(value in PERSON for value in values)
    if MODE == "wildcard":
        return any(value == PERSON or value == "%" for value in values)
    return PERSON in values or (MODE == "finds_anybody" and "nobody@dsard.invalid" in values)


def resolve(message):
    if MODE == "deaf_resolve":
        time.sleep(0.2)
        if is_stopped():
            time.sleep(10)
    elif is_stopped(0.05):
        hear()
        return fail("cancelled")
    if not is_found([each["value"] for each in message["identities"] if each["kind"] == "email"]):
        return say(type="done", status="not_found")
    if MODE == "forgets_all":
        return say(type="done", status="not_found")
    if MODE == "resolve_fails":
        return fail("source_refused")
    kind = "other" if MODE == "bad_kind" else "id"
    value = {"empty_value": "", "number_value": 7, "control_value": "7\n", "long_value": "7" * 513,
             "endless_waves": str(time.monotonic()), "moody": str(os.getpid())}.get(MODE, "7")
    if MODE == "record_in_resolve":
        say(b"{}", type="record", collection="notes", count=1)
    say(type="identity", kind=kind, value=value, evidence=f"it is {PERSON}" if MODE == "tells_identity" else "exact match")
    return say(type="done", status="fine" if MODE == "bad_status" else "not_found" if MODE == "unsure" else "ok")


PAYLOADS = {
    "bad_record": b'{"a":1}\n["a"]', "huge": b'{"a":1}\n{"a":"' + b"x" * 262144 + b'"}', "infinite": b'{"a":1}\n{"a":NaN}',
    "deep_record": b'{"a":1}\n{"a":' + b"[" * 64 + b"]" * 64 + b"}",
    "wide_record": b'{"a":1}\n{' + b",".join(b'"%d":1' % at for at in range(4097)) + b"}",
    "twin_keys": b'{"a":1}\n{"a":1,"a":2}', "no_utf8": b'{"a":1}\n{"a":"\xff"}',
}


def notes():
    payload = PAYLOADS.get(MODE, b'{"a":1}\n{"a":2}')
    if MODE == "secret_record":
        payload = b'{"a":1}\n{"a":"' + SECRET.encode() + b'"}'
    if MODE == "empty_withheld":
        say(type="withheld", collection="notes", count=0, reason="x")
    for at in range(65 if MODE == "many_reasons" else 0):
        say(type="withheld", collection="notes", count=1, reason=f"x{at}")
    if MODE == "stranger":
        say(b"{}", type="record", collection="secrets", count=1)
    if MODE == "long_line":
        say(type="warning", code="x", text="x" * 140000)
    if MODE == "no_type":
        say(kind="record")
    if MODE == "new_message":
        say(type="surprise", collection="notes")
    say(payload, type="record", collection="notes", count=3 if MODE == "bad_count" else 2)
    if MODE == "grows" and asked > 2:
        say(b"{}", type="record", collection="notes")
    if MODE == "cut":
        write(b'{"type":"record","collection":"notes","bytes":9}\n{"a"')
        sys.exit(0)
    if MODE == "dies":
        os.kill(os.getpid(), signal.SIGSEGV)
    if MODE == "dribbles":
        write(b'{"type":"')
        while True:
            write(b"x")
            time.sleep(0.1)
    count = 1 if MODE == "bad_total" else 3 if MODE == "grows" and asked > 2 else 2
    if MODE == "absent_with":
        return say(type="end", collection="notes", status="absent", count=count)
    if MODE == "end_fails":
        return say(type="end", collection="notes", status="failed", count=count, code="source_refused", text="x", retryable=False)
    if MODE != "no_end":
        say(type="end", collection="notes", status="complete", count=count)
    return say(type="end", collection="notes", status="complete", count=2) if MODE == "two_ends" else None


def papers():
    name = "a" * (1025 if MODE == "long_name" else 1024)
    first = {"name": name, "media_type": "b/c"} if MODE != "nameless" else {}
    say(b"x" * 10, type="file", collection="papers", file="1", more=True, **first)
    if MODE == "mixed_files":
        say(b"x", type="file", collection="papers", file="2", name="a", media_type="b/c", more=False)
    if MODE == "interrupted":
        say(type="withheld", collection="papers", count=1, reason="x")
    if MODE == "open_file":
        return say(type="end", collection="papers", status="complete", count=0)
    say(b"", type="file", collection="papers", file="1", more=False)
    if MODE == "no_reason":
        say(type="end", collection="papers", status="partial", count=1)
    return say(type="end", collection="papers", status="complete", count=1)


def mails(message):
    known = any(each["value"] == PERSON for each in message["identities"]) or MODE == "shows_all"
    if known:
        say(b'{"to":1}', type="record", collection="mails")
    say(type="end", collection="mails", status="complete" if known else "absent", count=int(known))


def wait_for_system(message):
    """As a slow system makes one wait; what it is asked meanwhile. True when it is to stop."""
    if MODE == "silent":
        time.sleep(60)
    if MODE == "endless":
        while not is_stopped():
            say(type="progress", collection=message["collections"][0], done=1)
            time.sleep(0.2)
    if MODE == "no_deadline" and message["deadline_ms"] < 1000:
        time.sleep(6)
    if not is_stopped(0.3):
        return False
    return True


def flood(message):
    """More than a pipe holds."""
    if MODE not in ("impatient", "blind_writer"):
        return
    for _ in range(40):
        if MODE == "impatient" and not select.select([], [1], [], 0.5)[1]:
            sys.exit(1)
        try:
            say(type="progress", collection=message["collections"][0], done=1, x="x" * 8000)
        except BrokenPipeError:
            time.sleep(10 if MODE == "blind_writer" else 0)
            sys.exit(1)


def fetch(message):
    global asked
    asked += 1
    if MODE == "exits" or (MODE == "once_only" and asked > 1):
        sys.exit(0)
    if MODE == "locks":
        lock()
    if wait_for_system(message):
        heard = hear()
        if heard is None:
            if MODE == "ignores_end":
                time.sleep(10)
            sys.exit(4 if MODE == "bad_end" else 0)
        if MODE == "deaf":
            time.sleep(10)
        if MODE == "forgets_after_cancel":
            fail("cancelled")
            sys.exit(0)
        return fail("stopped" if MODE == "bad_cancel" else "cancelled")
    flood(message)
    if "notes" in message["collections"]:
        notes()
    if "papers" in message["collections"]:
        papers()
    if "mails" in message["collections"]:
        mails(message)
    if MODE == "log_secret":
        os.write(2, f"token is {SECRET}\n".encode())
    if MODE == "log_identity":
        os.write(2, f"GET /users?email={PERSON}\n".encode())
    if MODE == "bare_failure":
        return say(type="done", status="failed")
    if MODE == "fetch_fails":
        return fail("source_error")
    say(type="done", status="not_found" if MODE == "denies" else "ok")
    return say(type="progress", collection="notes", done=1) if MODE == "talks_behind" and asked == 5 else None


def lock():
    """Only one process may work."""
    try:
        fcntl.flock(LOCK, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(1)


def answer(message, configured):
    kind = message["type"]
    if kind == "cancel":
        return fail("cancelled") if MODE == "answers_cancel" else None
    if kind not in ("check", "resolve", "fetch"):
        return None if MODE == "takes_unknown" or kind == "junk" else sys.exit(1)
    if not configured and MODE != "eager":
        sys.exit(0 if MODE == "polite" else 1)
    return {"check": check, "resolve": resolve, "fetch": fetch}[kind](message)


def main():
    hello()
    configured = False
    while (message := hear()) is not None:
        if message["type"] == "configure":
            configure(message)
            configured = True
        else:
            answer(message, configured)
    if MODE == "stays":
        time.sleep(60)
    sys.exit(3 if MODE == "bad_exit" else 0)


if __name__ == "__main__":
    main()
