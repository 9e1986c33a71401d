"""A connector as dsard sees it: a process that is spoken to on its standard input and output."""
import json
import os
import select
import signal
import subprocess
import tempfile
import time

LINE_MAX, PAYLOAD_MAX, KEEP_ALIVE_S = 131072, 262144, 30
LEAVE_S = 5  # the document says 2; a busy machine may take longer


class Broken(Exception):
    """The conversation cannot go on."""


class Silent(Broken):
    """Nothing whole came in time."""


def a(kind):
    return f"an {kind}" if kind[0] in "aeio" else f"a {kind}"


def unique(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands twice in an object")
    return members


def constant(name):
    raise ValueError(f"{name} is no JSON")


def parse(text):
    return json.loads(text, object_pairs_hook=unique, parse_constant=constant)


class Heard:
    """What a connector let out that nobody may read there: secrets anywhere, identities in texts and in its log."""

    def __init__(self, secrets, identities):
        # a short value may stand in a text by chance
        self.secrets = [each.encode() for each in secrets if len(each) >= 6]
        self.identities = [each.lower().encode() for each in identities if len(each) >= 6]
        self.found = set()

    def know(self, identities):
        self.identities += [each.lower().encode() for each in identities if len(each) >= 6]

    def take(self, where, data, is_text):
        if any(secret in data for secret in self.secrets):
            self.found.add(f"a secret in {where}")
        if is_text and any(value in data.lower() for value in self.identities):
            self.found.add(f"an identity in {where}")


class Connector:
    """One process, and what it says."""

    def __init__(self, argv, heard=None):
        self.log = tempfile.TemporaryFile()
        self.heard, self.pending, self.begun = heard, b"", time.monotonic()
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, env={},
                                        start_new_session=True)

    def write(self, data, what):
        """All of it, however slowly it reads."""
        try:
            self.process.stdin.write(data)
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Broken(f"it no longer reads, when {what} is said") from None

    def say(self, pad=0, **message):
        """With a member that nobody knows, which is to be ignored; `pad` is how long the line is to be at least."""
        line = json.dumps({**message, "x_unknown": {}}).encode() + b"\n"
        if len(line) < pad:
            more = "x" * (pad - len(line) - len(', "x_pad": ""'))
            line = json.dumps({**message, "x_unknown": {}, "x_pad": more}).encode() + b"\n"
        self.write(line, message["type"])

    def fill(self, until, waited_s=None):
        ready, _, _ = select.select([self.process.stdout], [], [], max(0, until - time.monotonic()))
        if not ready:
            raise Silent("nothing whole came" + (f" for {waited_s:.0f} s" if waited_s else " in time"))
        piece = os.read(self.process.stdout.fileno(), 65536)
        self.pending += piece
        return bool(piece)

    def hear(self, timeout_s=KEEP_ALIVE_S):
        """The next message and its payload; None at the end."""
        until = time.monotonic() + timeout_s
        while b"\n" not in self.pending:
            if len(self.pending) >= LINE_MAX:
                raise Broken(f"a line is longer than {LINE_MAX} bytes")
            if not self.fill(until, timeout_s):
                if self.pending:
                    raise Broken("the last line is cut short")
                return None
        line, self.pending = self.pending.split(b"\n", 1)
        if len(line) >= LINE_MAX:
            raise Broken(f"a line is longer than {LINE_MAX} bytes")
        try:
            message = parse(line.decode())
        except (ValueError, RecursionError):
            raise Broken("a line is not JSON") from None
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise Broken("a line is not an object with a `type`")
        payload = self.payload(message, until)
        self.overhear(line, message, payload)
        return message, payload

    def overhear(self, line, message, payload):
        if self.heard:
            self.heard.take(a(message["type"]), line + payload, False)
            for key in ("text", "evidence", "system"):
                self.heard.take(f"the `{key}` of {a(message['type'])}", str(message.get(key, "")).encode(errors="replace"),
                                True)

    def payload(self, message, until):
        size = message.get("bytes", 0)
        if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= PAYLOAD_MAX:
            raise Broken(f"`bytes` of {a(message['type'])} is not a number from 0 to {PAYLOAD_MAX}")
        while len(self.pending) < size:
            if not self.fill(until):
                raise Broken(f"the payload of {a(message['type'])} is cut short")
        payload, self.pending = self.pending[:size], self.pending[size:]
        return payload

    def is_silent(self, for_s):
        """Whether it says nothing for a while."""
        return not self.pending and not select.select([self.process.stdout], [], [], for_s)[0]

    def wait(self):
        """Until it has left: its exit status, None when it does not leave. What it says meanwhile is dropped."""
        until = time.monotonic() + LEAVE_S
        try:
            while self.fill(until):
                self.pending = b""
            return self.process.wait(max(0.1, until - time.monotonic()))
        except (Broken, subprocess.TimeoutExpired):
            return None

    def close_input(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass

    def leave(self):
        """Closes its input: its exit status, None when it does not leave."""
        self.close_input()
        return self.wait()

    def end(self):
        """Kills what is left of it, whatever it started included, and reads its log."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.close_input()
        self.process.stdout.close()
        self.log.seek(0)
        if self.heard:
            self.heard.take("its log", self.log.read(), True)
        self.log.close()
