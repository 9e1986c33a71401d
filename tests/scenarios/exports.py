"""What scenarios of `dsard once` share: an example host for the tests of a class, and answers to requests."""
import contextlib
import functools
import html
import os
import sys
import tempfile
import time

import harness
import host

LIAR = os.path.join(harness.ROOT, "tests", "fakes", "liar.py")
PARROT = os.path.join(harness.HERE, "parrot.py")
# what a person is shown of the bundle beside the data itself
FRONT = ("report.html", "manifest.json", "manifest.jws")


class Exports(harness.Scenario):
    """Scenarios whose requests `dsard once` answers. The host and the keys are the class's, all else the test's."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="dsard-host-"))
        cls.keys = harness.Keys(folder)
        cls.host = host.Host(os.path.join(folder, "host"))
        cls.addClassCleanup(cls.host.close)
        cls.where = cls.host.where

    def setUp(self):
        super().setUp()
        for stub in self.host.stubs.values():
            stub.spoil({"mode": "ok"})
            with stub.lock:
                stub.calls.clear()
        os.mkdir(self.path("out"))

    def configure(self, changes=None, sources=None, where=None):
        return harness.write_config(self.path("dsard.yaml"), where or self.where, self.keys, changes, sources)

    def ask(self, person, config=None, out=None, **own):
        """Runs `dsard once` for a person; `own` goes into the request's extensions.dsard."""
        request = harness.request_for(person, self.keys, **own)
        path = harness.save(self.path("request.json"), request)
        once = harness.Once(config or self.configure(), path, out or self.path("out"))
        return Answer(once, request, self.keys)

    def parrot(self, name, script, **more):
        return parrot(self.folder, name, script, **more)

    def calls(self):
        """What the host was asked: {stub: [action]}, those that were asked nothing left out."""
        made = {}
        for name, stub in self.host.stubs.items():
            with stub.lock:
                made[name] = [call["action"] for call in stub.calls]
        return {name: actions for name, actions in made.items() if actions}


def memory_kib(dsard):
    """Waits for its end: what it and each kind of program that it started had in memory at most."""
    most = {}
    while dsard.running():
        for pid in [dsard.pid, *dsard.children()]:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError, KeyError):
                with open(f"/proc/{pid}/status", encoding="utf-8") as file:
                    status = dict(each.split(":", 1) for each in file.read().splitlines())
                name = status["Name"].strip()
                most[name] = max(most.get(name, 0), int(status["VmHWM"].split()[0]))
        time.sleep(0.01)
    return most


class Answer:
    """How `dsard once` ended: status, errors, and, read when asked for, event, entries and manifest."""

    def __init__(self, once, request, keys):
        self.status, self.errors, self.output = once.status, once.errors, once.output
        self.bundle, self.outcome = once.bundle, once.outcome
        self.request, self.keys = request, keys

    @functools.cached_property
    def event(self):
        return harness.load(self.outcome)

    @functools.cached_property
    def passphrase(self):
        return harness.passphrase(self.outcome, self.keys.recipient)

    @functools.cached_property
    def entries(self):
        return harness.open_bundle(self.bundle, self.outcome, self.keys.recipient)

    @functools.cached_property
    def manifest(self):
        return harness.json.loads(self.entries["manifest.json"])

    @property
    def own(self):
        """What the event says beyond OpenDSR's members."""
        return self.event["data"]["extensions"]["dsard"]

    @functools.cached_property
    def statuses(self):
        """{source: status}; event and manifest must agree on it."""
        said = {each["name"]: each["status"] for each in self.own["sources"]}
        written = {each["name"]: each["status"] for each in self.manifest["sources"]}
        if said != written:
            raise AssertionError(f"the event says {said}, the manifest {written}")
        return said

    def gap(self, source):
        """Why a source is not complete, {"code", "text"} or None, as the manifest says; the event must give the code too."""
        said, written = ({each["name"]: each.get("reason") for each in sources}[source]
                         for sources in (self.own["sources"], self.manifest["sources"]))
        if bool(said) != bool(written) or (said and (said["code"] != written["code"] or not said["text"])):
            raise AssertionError(f"the event says {said}, the manifest {written}")
        return written

    @functools.cached_property
    def data_text(self):
        """All text of the records and files."""
        return harness.decoded_text({name: each for name, each in self.entries.items() if name not in FRONT})

    @functools.cached_property
    def whole_text(self):
        """All text of the bundle and of the event."""
        return harness.decoded_text(
            {**self.entries, "event": harness.json.dumps(self.event).encode(),
             "report": html.unescape(self.entries["report.html"].decode()).encode()})


def parrot(folder, name, script, **more):
    """A source of the configuration whose connector says what the script tells it; see parrot.py."""
    script = {**script, "hello": {"type": "hello", "protocol": 1, "name": name, "version": "1", "settings": [],
                                  **script.get("hello", {})}}
    path = harness.save(os.path.join(folder, name + ".parrot"), script)
    # it counts its tries in a file
    counts = any(isinstance(answers, list) and answers and isinstance(answers[0], list) for answers in script.values())
    sandbox = {"enabled": False} if counts else harness.PYTHON_SANDBOX
    return {"name": name, "connector": sys.executable, "arguments": [PARROT, path], "settings": {}, "sandbox": sandbox, **more}


def liar(mode, **more):
    """A source of the configuration that is a connector which lies."""
    return {"name": "liar", "connector": sys.executable, "arguments": [LIAR, "--lie", mode], "settings": {},
            "sandbox": harness.PYTHON_SANDBOX, **more}
