"""A connector as dsard sees it: a process that is spoken to on its standard input and output."""
import json
import select
import subprocess
import time

LINE_MAX, PAYLOAD_MAX = 131072, 262144
KEEP_ALIVE_S, LEAVE_S = 30, 5


class Broken(Exception):
    """The conversation cannot go on."""


def unique(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands twice in an object")
    return members


def constant(name):
    raise ValueError(f"{name} is no JSON")


def parse(text):
    return json.loads(text, object_pairs_hook=unique, parse_constant=constant)


class Connector:
    """One process, and what it says."""

    def __init__(self, argv):
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={})
        self.pending = b""

    def say(self, **message):
        try:
            # a member that nobody knows, which is to be ignored
            self.process.stdin.write(json.dumps({**message, "x_unknown": {}}).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Broken(f"it no longer reads, when {message['type']} is said") from None

    def fill(self, until):
        ready, _, _ = select.select([self.process.stdout], [], [], max(0, until - time.monotonic()))
        if not ready:
            raise Broken("nothing came in time")
        piece = self.process.stdout.read1(65536)
        self.pending += piece
        return bool(piece)

    def hear(self, timeout_s=KEEP_ALIVE_S):
        """The next message and its payload; None at the end."""
        until = time.monotonic() + timeout_s
        while b"\n" not in self.pending:
            if len(self.pending) >= LINE_MAX:
                raise Broken(f"a line is longer than {LINE_MAX} bytes")
            if not self.fill(until):
                if self.pending:
                    raise Broken("the last line is cut short")
                return None
        line, self.pending = self.pending.split(b"\n", 1)
        if len(line) >= LINE_MAX:
            raise Broken(f"a line is longer than {LINE_MAX} bytes")
        try:
            message = parse(line.decode())
        except ValueError:
            raise Broken("a line is not JSON") from None
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise Broken("a line is not an object with a `type`")
        return message, self.payload(message, until)

    def payload(self, message, until):
        size = message.get("bytes", 0)
        if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= PAYLOAD_MAX:
            raise Broken(f"`bytes` of a {message['type']} is not a number from 0 to {PAYLOAD_MAX}")
        while len(self.pending) < size:
            if not self.fill(until):
                raise Broken(f"the payload of a {message['type']} is cut short")
        payload, self.pending = self.pending[:size], self.pending[size:]
        return payload

    def leave(self):
        """Closes its input: its exit status, None when it does not leave."""
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        until = time.monotonic() + LEAVE_S
        try:
            while self.fill(until):
                self.pending = b""
            return self.process.wait(max(0.1, until - time.monotonic()))
        except (Broken, subprocess.TimeoutExpired):
            return None

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
