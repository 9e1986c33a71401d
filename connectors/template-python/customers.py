#!/usr/bin/env python3
"""A connector in Python to start from; it needs the standard library alone. It reads a file of customers, one JSON object a
line, and finds the person by e-mail address:

    {"id":"4711","email":"alice@example.test","name":"Alice Example","note":"prefers letters"}

Copy this file, let it be judged, then replace the upper part function by function:

    run ./customers.py -- --settings settings.json --identities identities.json

The lower part speaks the protocol (PROTOCOL.md) and may stay as it is. The same connector in C is in ../template.
"""
import json
import os
import select
import sys
import time

# `settings` is what the operator writes into the configuration, `yields` how we name people, `needs` what must be known of the
# person before we are asked, `fields` what may leave: a field without a class is taken for free text.
HELLO = {
    "name": "customers", "version": "1.0.0",
    "settings": [{"name": "path", "kind": "path", "required": True, "help": "the file of customers, one JSON object a line"}],
    "check": True,
    "resolve": {"needs": ["email"], "yields": ["customer_id"]},
    "collections": [{
        "name": "customers", "title": "Customer file", "category": "customers", "needs": ["customer_id"],
        "fields": {"/id": "own", "/email": "own", "/agent": "third_party", "/password": "secret"}}],
}


class Failure(Exception):
    """What went wrong. The text is for people and logs: it names the place and the remedy, never anything that was read."""

    def __init__(self, code, text, retryable=False):
        super().__init__(text)
        self.reason = {"code": code, "text": text, "retryable": retryable}


class Customers:
    """What we hold. Each method raises Failure when it cannot go on."""

    def configure(self, settings, secrets):
        """Takes the settings, and connects to nothing yet."""
        if not settings.get("path"):
            raise Failure("bad_settings", "path: expected the path of a file")
        self.path = settings["path"]

    def check(self, talk):
        """For `dsard check --connect`: can it work? Nobody's data are read. What the system says of itself."""
        open_file(self.path).close()
        return "a file of JSON lines"

    def resolve(self, talk, identities):
        """Says each identity that it finds with talk.found, and returns whether the person is known."""
        addresses = {ascii_lower(value) for kind, value in identities if kind == "email"}
        known, self.n_unreadable = False, 0
        for _, customer in self.lines(talk):
            # whole addresses: what merely looks alike is somebody else
            if ascii_lower(customer["email"]) in addresses:
                known = True
                talk.found("customer_id", customer["id"], "exact match of the e-mail address")
        if not known and self.n_unreadable:  # "not found" would be a promise
            raise Failure("source_answer",
                          f"lines that are no customer: {self.n_unreadable}; the person may be on one of them")
        return known

    def fetch(self, talk, collection, identities):
        """Sends the records of one collection with talk.record, and returns how it came out, with the reason if in part.
        There is one collection; with several, compare `collection`."""
        ids = {value for kind, value in identities if kind == "customer_id"}
        status, self.n_unreadable = "absent", 0
        for line, customer in self.lines(talk):
            # every record is looked at again for whose it is, just before it leaves
            if customer["id"] in ids:
                status = "complete"
                talk.record(line)
        if self.n_unreadable:  # what was sent is right, but may not be all
            return "partial", Failure("source_answer", f"lines that are no customer: {self.n_unreadable}")
        return status, None

    def lines(self, talk):
        """Every line as it stands there, so that numbers keep their digits, and what it says. In constant memory."""
        with open_file(self.path) as file:
            for number, line in enumerate(read_lines(file), 1):
                customer = read_customer(line) if len(line) <= PAYLOAD_MAX else None
                if customer:
                    yield line, customer
                elif line.strip() or len(line) > PAYLOAD_MAX:
                    self.n_unreadable += 1
                talk.progress(number)


def open_file(path):
    """What may pass is retryable; what the operator must mend is not."""
    try:
        return open(path, "rb")
    except OSError as why:
        refused = isinstance(why, PermissionError)
        raise Failure("source_refused" if refused else "source_unreachable",
                      f"{path} cannot be opened: {why.strerror}", not refused) from None


def read_lines(file):
    """Each line without its newline. One that is longer than a record may be is cut behind PAYLOAD_MAX + 1 bytes: what a system
    holds has no bound of its own."""
    while line := file.readline(PAYLOAD_MAX + 1):
        end = line
        while end and not end.endswith(b"\n"):
            end = file.readline(PAYLOAD_MAX)
        yield line.removesuffix(b"\n")


def ascii_lower(address):
    """Other letters than ASCII's have lower cases that are another letter's."""
    return address.encode().lower()


def read_customer(line):
    """None when the line is no customer."""
    try:
        customer = parse(line)
        (customer["id"] + customer["email"]).encode()
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
    return customer if customer["id"] else None


# --- the protocol: from here on nothing is about customers ---

PAYLOAD_MAX = 262144
PROGRESS_S = 2


class Stop(BaseException):
    """dsard wants the work stopped."""


class Left(BaseException):
    """dsard has closed our input: nobody listens any more."""


class Broken(BaseException):
    """What came is not the protocol."""


def unique(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands twice in an object")
    return members


def constant(name):
    raise ValueError(f"{name} is no JSON")


def parse(line):
    return json.loads(line.decode(), object_pairs_hook=unique, parse_constant=constant)


class Talk:
    """One conversation, and what a connector may say in it."""

    def __init__(self):
        # what a library prints lands in the log, not in the conversation
        self.out = os.fdopen(os.dup(1), "wb")
        os.dup2(2, 1)
        self.inbox, self.records, self.size, self.count = b"", [], 0, 0
        self.collection, self.every_s, self.said, self.until = None, PROGRESS_S, 0, 0

    def say(self, payload=None, **message):
        if payload is not None:
            message["bytes"] = len(payload)
        line = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        self.out.write(line + (payload or b""))
        self.out.flush()
        self.said = time.monotonic()

    def hear(self, wait=True):
        """The next message; None when none is there."""
        while b"\n" not in self.inbox:
            if not wait and not select.select([0], [], [], 0)[0]:
                return None
            piece = os.read(0, 65536)
            if not piece:
                raise Broken("the last line is cut short") if self.inbox else Left
            self.inbox += piece
        line, self.inbox = self.inbox.split(b"\n", 1)
        try:
            message = parse(line)
            if isinstance(message["type"], str):
                return message
        except (ValueError, KeyError, TypeError, RecursionError):
            pass
        raise Broken("a line is not a JSON object with a type")

    def progress(self, done):
        """To be called in every loop: says now and then that we are at work, and stops when dsard wants it or the time is
        over."""
        heard = self.hear(wait=False)
        if heard:
            if heard["type"] != "cancel":
                raise Broken("a message other than cancel while work is under way")
            raise Stop
        if time.monotonic() > self.until:
            raise Failure("source_timeout", "the deadline is over", True)
        if time.monotonic() - self.said > self.every_s:
            self.flush()
            where = {"collection": self.collection} if self.collection else {}
            self.say(type="progress", **where, done=done)

    def found(self, kind, value, evidence):
        self.say(type="identity", kind=kind, value=value, evidence=evidence)

    def record(self, line):
        """One JSON object in bytes, without a newline. Several go into one message."""
        if len(line) > PAYLOAD_MAX:
            raise Failure("record_too_large", f"a record of {len(line)} bytes, where at most {PAYLOAD_MAX} are possible")
        if self.size + len(self.records) + len(line) > PAYLOAD_MAX:
            self.flush()
        self.records.append(line)
        self.size += len(line)

    def flush(self):
        if self.records:
            self.say(b"\n".join(self.records), type="record", collection=self.collection, count=len(self.records))
        self.count += len(self.records)
        self.records, self.size = [], 0


def fetch(source, talk, message, identities):
    """Each collection that was asked for gets its `end`, and what ended well is kept beside what failed."""
    statuses = []
    for talk.collection in message["collections"]:
        talk.count, failure = 0, None
        try:
            status, failure = source.fetch(talk, talk.collection, identities)
            talk.flush()
        except Failure as why:
            status, failure = "failed", why
        talk.records, talk.size = [], 0
        talk.say(type="end", collection=talk.collection, status=status, count=talk.count,
                 **(failure.reason if failure else {}))
        statuses.append(status)
    talk.collection = None
    talk.say(type="done", status="not_found" if set(statuses) == {"absent"} else "ok")


def work(source, talk, message):
    """Answers one question."""
    talk.until = time.monotonic() + message["deadline_ms"] / 1000
    identities = [(each["kind"], each["value"]) for each in message.get("identities", [])]
    try:
        if message["type"] == "check":
            talk.say(type="done", status="ok", system=source.check(talk))
        elif message["type"] == "resolve":
            talk.say(type="done", status="ok" if source.resolve(talk, identities) else "not_found")
        elif message["type"] == "fetch":
            fetch(source, talk, message, identities)
        else:
            raise Broken("a message of an unknown type")
    except Failure as why:
        talk.say(type="done", status="failed", **why.reason)
    except Stop:
        talk.records, talk.size, talk.collection = [], 0, None
        talk.say(type="done", status="failed", code="cancelled", text="dsard wants the work stopped", retryable=False)


def converse(source, talk):
    talk.say(type="hello", protocol=1, **HELLO)
    message = talk.hear()
    if message["type"] != "configure":
        raise Broken("expected configure")
    talk.every_s = min(PROGRESS_S, message.get("keep_alive_ms", 30000) / 4000)
    try:
        source.configure(message["settings"], message["secrets"])
    except Failure as why:
        return talk.say(type="error", **why.reason)
    talk.say(type="ready")
    while True:
        message = talk.hear()
        if message["type"] != "cancel":  # one that crossed our `done` on its way
            work(source, talk, message)


def main():
    try:
        converse(Customers(), Talk())
    except Left:
        pass
    except Broken as why:
        sys.exit(f"standard input: {why}")
    except BrokenPipeError:
        os._exit(1)


if __name__ == "__main__":
    main()
