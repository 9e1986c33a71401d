#!/usr/bin/env python3
"""What connectors may do of the system: what their settings name and no more; what is missing is said.

Programs are those of $DSAR_BUILD.
"""
import contextlib
import json
import os
import re
import socket
import sys
import tempfile
import unittest

import exports
import harness

HOSTILE = os.path.join(harness.BUILD, "bin", "fake-hostile")
KERNEL = os.path.join(harness.BUILD, "bin", "fake-kernel")

# A connector in Python, which tries what its settings and arguments say; what came out is its only record.
NOSY = '''
import json, os, socket, sys
sys.dont_write_bytecode = True
SETTINGS = [{"name": name, "kind": kind, "required": False, "help": "tried"} for name, kind in
            (("path", "path"), ("url", "url"), ("host", "host"), ("port", "port"), ("socket", "socket"), ("more", "text"))]
SETTINGS[2]["ports"] = [3306, 5432]

def say(message, payload=b""):
    sys.stdout.buffer.write(json.dumps(message).encode() + b"\\n" + payload)
    sys.stdout.buffer.flush()

def outcome(attempt, *arguments):
    try:
        return attempt(*arguments) or "done"
    except OSError as why:
        return why.strerror

def connect(family, kind, address):
    with socket.socket(family, kind) as tried:
        tried.settimeout(5)
        tried.connect(address)

def attempt(what, target):
    if what == "read":
        return outcome(lambda: open(target).close())
    if what == "write":
        return outcome(lambda: open(target, "w").close())
    if what == "empty":
        return outcome(lambda: os.close(os.open(target, os.O_RDONLY | os.O_TRUNC)))
    if what == "empty-unread":
        return outcome(lambda: os.close(os.open(target, os.O_ACCMODE | os.O_TRUNC)))
    if what == "truncate":
        return outcome(os.truncate, target, 0)
    if what == "tcp":
        return outcome(connect, socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", target))
    if what == "udp":
        return outcome(connect, socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", target))
    if what == "unix":
        return outcome(connect, socket.AF_UNIX, socket.SOCK_STREAM, target)
    if what == "exec":
        return outcome(os.posix_spawn, target, [target], {})
    if what == "fork":
        return outcome(os.fork)
    if what == "kill":
        return outcome(os.kill, os.getppid(), 0)
    if what == "uid":
        return str(os.getuid())
    if what == "environment":
        return json.dumps(dict(os.environ))

say({"type": "hello", "protocol": 1, "name": "nosy", "version": "1", "settings": SETTINGS, "reads": ["/etc/group"], "collections": [
    {"name": "attempts", "title": "Attempts", "category": "attempts", "needs": ["email"], "fields": {"": "own"}}]})
for line in sys.stdin:
    heard = json.loads(line)
    if heard["type"] == "configure":
        tried = json.loads(heard["settings"]["more"])
        say({"type": "ready"})
    elif heard["type"] == "fetch":
        record = json.dumps({name: attempt(*what) for name, what in tried.items()}).encode()
        say({"type": "record", "collection": "attempts", "count": 1, "bytes": len(record)}, record)
        say({"type": "end", "collection": "attempts", "status": "complete", "count": 1})
        say({"type": "done", "status": "ok"})
'''
NO = {"Permission denied", "Operation not permitted"}
# a daemon built with sanitizers leaves connectors what those need
with open(os.path.join(harness.BUILD, "CMakeCache.txt"), encoding="utf-8") as cache:
    SANITIZED = re.search(r"(?m)^DSAR_SANITIZE:\w+=.", cache.read()) is not None
STARTING = {} if SANITIZED else {"fork": ["fork", None], "exec": ["exec", "/bin/true"]}
NO_OTHERS = {"billing": None, "panel": None, "forum": None, "marketing": None}


class Nosy(exports.Exports):
    """Tests whose only source is a connector that tries things."""

    def setUp(self):
        super().setUp()
        with open(self.path("nosy.py"), "w", encoding="utf-8") as script:
            script.write(NOSY)

    def listen(self, family=socket.AF_INET, address=("127.0.0.1", 0)):
        listener = self.enterContext(socket.socket(family, socket.SOCK_STREAM))
        listener.bind(address)
        listener.listen(64)
        return listener.getsockname()[1]

    def source(self, attempts, settings=None, **sandbox):
        return {"name": "nosy", "connector": sys.executable, "arguments": [self.path("nosy.py")],
                "settings": {**(settings or {}), "more": json.dumps(attempts)},
                "sandbox": {**sandbox, "read": [sys.base_prefix, *sandbox.get("read", [])]}}

    def config(self, source, **changes):
        return self.configure(changes, {**NO_OTHERS, "nosy": source})

    def tried(self, attempts, settings=None, changes=None, **sandbox):
        """How each attempt came out."""
        answer = self.ask("alice", self.config(self.source(attempts, settings, **sandbox), **(changes or {})))
        self.assertEqual(answer.status, 0, answer.errors)
        return harness.records(answer.entries)["nosy"]["attempts"][0]


class Sandbox(Nosy):
    def test_a_connector_in_any_language_gets_what_its_settings_name_and_no_more(self):
        given, other, port, other_port = self.path("given"), self.path("other"), self.listen(), self.listen()
        for path in (given, other, given + "-wal"):
            harness.save(path, {})
        came = self.tried(
            {"path": ["read", given], "beside": ["read", given + "-wal"], "url": ["tcp", port], "reads": ["read", "/etc/group"],
             "other": ["read", other], "configuration": ["read", self.path("dsard.yaml")], "key": ["read", self.keys.exporter],
             "users": ["read", "/etc/passwd"], "parent": ["read", f"/proc/{os.getpid()}/environ"],
             "store": ["read", self.path("out")], "write": ["write", given], "create": ["write", self.path("new")],
             "tmp": ["write", "/tmp/dsard-nosy"], "tcp": ["tcp", other_port], "dns": ["tcp", 53], "udp": ["udp", 53],
             "kill": ["kill", None], "environment": ["environment", None], **STARTING},
            {"path": given, "url": f"http://127.0.0.1:{port}/"})
        self.assertEqual({came.pop(name) for name in ("path", "beside", "url", "reads")}, {"done"})
        # Python sets one itself where the locale is none
        self.assertLessEqual(set(json.loads(came.pop("environment"))), {"LC_CTYPE"})
        self.assertEqual({name: said for name, said in came.items() if said not in NO}, {})
        self.assertFalse(os.path.exists(self.path("new")))

    def test_a_name_opens_the_way_to_name_servers(self):
        attempts = {"udp": ["udp", 53], "other": ["tcp", self.listen()]}
        for host, opened in (("shop.example.test", True), ("192.0.2.1", False), ("[2001:db8::1]", False), ("localhost", False),
                             ("api.localhost", False), ("notlocalhost", True)):
            with self.subTest(host):
                came = self.tried(attempts, {"url": f"https://{host}:8443/path"})
                self.assertEqual(came["udp"] == "done", opened, came)
                self.assertIn(came["other"], NO)
        came = self.tried(attempts, {"url": "https://shop.example.test/"}, resolve_names="no")
        self.assertIn(came["udp"], NO)
        self.assertEqual(self.tried(attempts, {}, resolve_names="yes")["udp"], "done")
        self.assertEqual(self.tried(attempts, {"host": "db.example.test"})["udp"], "done")

    def test_ports_and_sockets_by_their_kinds_of_setting(self):
        port, path = self.listen(), self.path("socket")
        listener = self.enterContext(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        listener.bind(path)
        listener.listen(8)
        attempts = {"tcp": ["tcp", port], "unix": ["unix", path]}
        came = self.tried(attempts, {"port": str(port)})
        self.assertEqual(came["tcp"], "done")
        self.assertIn(came["unix"], NO)
        came = self.tried(attempts, {"socket": path})
        self.assertEqual(came["unix"], "done")
        self.assertIn(came["tcp"], NO)

    def test_what_the_operator_grants(self):
        port, folder = self.listen(), self.path("folder")
        os.mkdir(folder)
        harness.save(os.path.join(folder, "file"), {})
        attempts = {"tcp": ["tcp", port], "read": ["read", os.path.join(folder, "file")], **STARTING}
        self.assertTrue(set(self.tried(attempts).values()) <= NO)
        came = self.tried({"tcp": attempts["tcp"], "read": attempts["read"], "exec": ["exec", "/bin/true"]},
                          connect=[str(port)], read=["folder"], processes=True)
        self.assertEqual((came["tcp"], came["read"]), ("done", "done"))
        self.assertNotIn(came["exec"], NO)

    def test_one_that_is_not_confined_is_told(self):
        config = self.config(self.source({"read": ["read", self.keys.exporter]}, enabled=False))
        answer = self.ask("alice", config)
        self.assertEqual(harness.records(answer.entries)["nosy"]["attempts"], [{"read": "done"}])
        self.assertRegex(answer.errors, "source nosy: its connector is not confined")
        self.assertIn("not confined", harness.run(harness.DSARD, "check", "-c", config).stdout)

    def test_check_shows_what_each_may_do(self):
        given, port = harness.save(self.path("given"), {}), self.listen()
        config = self.config(self.source({}, {"path": given, "url": "https://shop.example.test:8443/", "port": str(port)}))
        done = harness.run(harness.DSARD, "check", "-c", config)
        self.assertEqual(done.returncode, 0, done.stderr)
        for line in (f"  reads {given}", "  connects to TCP port 8443", f"  connects to TCP port {port}",
                     "  connects to TCP port 53", "  asks name servers", f"  reads and runs {sys.base_prefix}", "sandbox"):
            self.assertIn(line + "\n", done.stdout)

    def test_a_host_brings_its_usual_ports_where_none_is_set(self):
        for settings, ports in (({"host": "db"}, {"3306", "5432", "53"}), ({"host": "db", "port": "3307"}, {"3307", "53"}),
                                ({"host": "::1"}, {"3306", "5432"}), ({}, set())):
            done = harness.run(harness.DSARD, "check", "-c", self.config(self.source({}, settings)))
            self.assertEqual(set(re.findall(r"connects to TCP port (\d+)", done.stdout)), ports, done.stderr)

    def test_what_cannot_be_granted_is_an_error(self):
        for sandbox, says in (({"read": ["nothing-here"]}, r"sandbox\.read: \S+/nothing-here: No such file"),
                              ({"connect": ["0"]}, "a port, 1 to 65535"), ({"connect": ["65536"]}, "a port, 1 to 65535"),
                              ({"user": "no-such-user-here"}, "user 'no-such-user-here': there is none"),
                              ({"user": "root"}, "another user than root"), ({"memory": 1}, "unknown key")):
            with self.subTest(says):
                done = harness.run(harness.DSARD, "check", "-c", self.config(self.source({}, **sandbox)))
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertRegex(done.stderr, rf":\d+:\d+: error: .*{says}")
        for settings, says in (({"port": "0"}, "expected a port"), ({"host": ""}, "expected a host")):
            done = harness.run(harness.DSARD, "check", "-c", self.config(self.source({}, settings)))
            self.assertEqual(done.returncode, 2)
            self.assertRegex(done.stderr, says)

    def test_one_that_is_ended_for_a_system_call_is_a_gap_that_says_so(self):
        source = {"name": "nosy", "connector": HOSTILE, "arguments": ["--strict", "speak", str(os.getpid())], "settings": {}}
        answer = self.ask("alice", self.config(source))
        self.assertEqual((answer.status, answer.statuses["nosy"]), (4, "failed"), answer.errors)
        gap = answer.gap("nosy")
        self.assertEqual(gap["code"], "sandbox_violation")
        self.assertRegex(gap["text"], r"source nosy: .*system call.*SIGSYS")

    @unittest.skipIf(os.geteuid() != 0, "takes root")
    def test_connectors_of_root_run_as_another_user(self):
        os.chmod(self.folder, 0o755)
        folder = self.enterContext(tempfile.TemporaryDirectory())
        os.chmod(folder, 0o755)
        given = harness.save(os.path.join(folder, "given"), {})
        os.chmod(given, 0o600)
        interpreter = self.world_readable_python()
        attempts = {"uid": ["uid", None], "read": ["read", given]}
        for user, sandbox, expected in (("65533", {}, "Permission denied"), ("65533", {"read_any_owner": True}, "done"),
                                        (None, {}, "done")):
            with self.subTest(user=user, **sandbox):
                source = {**self.source(attempts, {"path": given}, **sandbox), "connector": interpreter}
                answer = self.ask("alice", self.config(source, **({"sandbox": {"user": user}} if user else {})))
                self.assertEqual(answer.status, 0, answer.errors)
                came = harness.records(answer.entries)["nosy"]["attempts"][0]
                self.assertEqual(came, {"uid": user or "0", "read": expected})
                self.assertEqual("connectors run as root" in answer.errors, user is None)

    def world_readable_python(self):
        """An interpreter that another user can start."""
        for candidate in (sys.executable, "/usr/bin/python3"):
            with contextlib.suppress(OSError):
                home = os.path.join(os.path.expanduser("~"), "")
                if os.path.exists(candidate) and not os.path.realpath(candidate).startswith(home):
                    return candidate
        return self.skipTest("python3 is out of other users' reach")


class Lacking(Nosy):
    """On kernels that have less, as fake-kernel shows them."""

    def on_kernel_without(self, what, *arguments):
        return harness.run(KERNEL, what, harness.DSARD, *arguments)

    def test_what_is_missing_is_said_and_the_rest_holds(self):
        given = harness.save(self.path("given"), {})
        request = harness.save(self.path("request.json"), harness.request_for("alice", self.keys))
        config = self.config(self.source({"read": ["read", self.keys.exporter], "write": ["write", self.path("new")],
                                          "udp": ["udp", 53], "kill": ["kill", None], "truncate": ["truncate", given],
                                          "empty": ["empty", given], "empty-unread": ["empty-unread", given]}, {"path": given}))
        os.mkdir(self.path("filters"))
        os.mkdir(self.path("landlock"))
        for what, parts, lost in (("landlock", ("files", "emptying", "ports", "signals"), {"read", "write"}), ("filters", ("calls",), {"udp"})):
            with self.subTest(what):
                done = self.on_kernel_without(what, "check", "-c", config)
                self.assertEqual(done.returncode, 0, done.stderr)
                missing = re.findall(r"(?m)^  (\w+) +no: ", done.stdout)
                self.assertEqual(sorted(set(missing) - {"user"}), sorted(parts))
                done = self.on_kernel_without(what, "once", "-c", config, "--request", request, "--out", self.path(what))
                self.assertEqual(done.returncode, 0, done.stderr)
                for part in parts:
                    self.assertRegex(done.stderr, f"the sandbox lacks {part}: ")
                entries = harness.open_bundle(*[re.search(rf"(?m)^{name}: (.+)$", done.stdout)[1]
                                                for name in ("bundle", "outcome")], self.keys.recipient)
                came = harness.records(entries)["nosy"]["attempts"][0]
                self.assertEqual({name for name, said in came.items() if said == "done"}, lost, came)
                self.assertGreater(os.path.getsize(given), 0)
                if os.path.exists(self.path("new")):
                    self.assertEqual(os.path.getsize(self.path("new")), 0)

    def test_what_is_required_must_be_there(self):
        config = self.config(self.source({}), sandbox={"required": True})
        for what, part in (("landlock", "files"), ("filters", "calls")):
            done = self.on_kernel_without(what, "check", "-c", config)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertRegex(done.stderr, f"lacks {part}: ")
        if os.geteuid() == 0:
            self.assertRegex(harness.run(harness.DSARD, "check", "-c", config).stderr, "lacks user: connectors run as root")


if __name__ == "__main__":
    unittest.main()
