#!/usr/bin/env python3
"""dsar-files: what of a person's mailboxes, folders and logs leaves, and that nothing else does.

Most tests speak the protocol with it; those of Exports ask `dsard once`. $MAILBOX_MIB is the size of the large mailbox
(default 200). Programs are those of $DSAR_BUILD.
"""
import contextlib
import gzip
import io
import json
import os
import signal
import socket
import subprocess
import sys
import tarfile
import time
import types
import unittest

import exports
import harness

sys.path.insert(0, os.path.join(harness.ROOT, "tests", "conformance"))
import peer  # noqa: E402

ENGINE = os.path.join(harness.BUILD, "libexec", "dsard", "dsar-files")
CANARY = "canary-malice-4d6f"
LARGE = 8 << 20
MAILBOX_MIB = int(os.environ.get("MAILBOX_MIB") or 200)
RSS_MAX_KIB = 64 << 10


def profile(**collection):
    """A profile with one collection `things`: a folder by the identity `login`, where `collection` does not say otherwise."""
    things = {"name": "things", "title": "Things", "category": "files", "needs": {"login": "text"}, "kind": "folder",
              "base": {"setting": "base"}, "path": [{"id": "login"}], "content": "own", **collection}
    return {"profile": 1, "name": "test/things", "title": "Things", "engine": "files", "version": "1",
            "settings": [{"name": "base", "kind": "path", "required": True, "help": "h"},
                         {"name": "uid", "kind": "integer", "required": False, "default": 4242, "help": "h"},
                         {"name": "most", "kind": "integer", "required": False, "default": 5, "help": "h"}],
            "collections": [{key: value for key, value in things.items() if value is not None}]}


class Outcome:
    """What one fetch brought."""

    def __init__(self):
        self.files, self.records, self.withheld, self.warnings, self.end = {}, [], {}, [], None

    @property
    def status(self):
        return self.end["status"]

    @property
    def code(self):
        return self.end.get("code")

    def tar(self, name="things-1.tar"):
        """{path: TarInfo} of a tar, which must be whole."""
        with tarfile.open(fileobj=io.BytesIO(self.files[name]), errors="surrogateescape") as opened:
            return {member.name: member for member in opened.getmembers()}

    def content(self, path, name="things-1.tar"):
        with tarfile.open(fileobj=io.BytesIO(self.files[name]), errors="surrogateescape") as opened:
            return opened.extractfile(path).read()

    @property
    def everything(self):
        return b"".join(self.files.values()) + json.dumps(self.records).encode()


class Files(harness.Scenario):
    """Alice's folder and Malice's lie side by side below `base`; every byte of Malice's is a canary."""

    def setUp(self):
        super().setUp()
        for name in ("alice", "malice", "alice2"):
            os.makedirs(self.path("base", name))
        self.write("malice", "secret", text=CANARY)
        self.write("alice2", "secret", text=CANARY)

    def write(self, *names, text="", size=None):
        path = self.path("base", *names)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
            if size is not None:
                file.truncate(size)
        return path

    def engine(self, made, wrapper=(), **settings):
        connector = peer.Connector([*wrapper, ENGINE, "--profile", harness.save(self.path("profile.json"), made)])
        self.addCleanup(self.stop, connector)
        self.assertEqual(connector.hear()[0]["type"], "hello")
        connector.say(type="configure", settings={"base": self.path("base"), **settings}, secrets={})
        self.assertEqual(connector.hear()[0], {"type": "ready"})
        return connector

    @staticmethod
    def stop(connector):
        with contextlib.suppress(BrokenPipeError):
            connector.process.stdin.close()
        connector.end()

    def hear(self, connector, seen=lambda payload: None):
        """All of one fetch. `seen` is called with each piece of a file."""
        outcome, name = Outcome(), None
        while True:
            message, payload = connector.hear()
            if message["type"] == "file":
                name = message.get("name", name)
                outcome.files[name] = outcome.files.get(name, b"") + payload
                seen(payload)
            elif message["type"] == "record":
                outcome.records += [json.loads(line) for line in payload.decode().splitlines()]
            elif message["type"] == "withheld":
                reason = message["reason"]
                outcome.withheld[reason] = outcome.withheld.get(reason, 0) + message["count"]
            elif message["type"] == "warning":
                outcome.warnings.append(message["code"])
            elif message["type"] == "end":
                outcome.end = message
            elif message["type"] == "done":
                return outcome

    def ask(self, connector, *identities):
        connector.say(type="fetch", request="r", deadline_ms=60000, collections=["things"],
                      identities=[{"kind": kind, "value": value} for kind, value in identities])

    def fetch(self, made=None, *identities, seen=lambda payload: None, wrapper=(), **settings):
        connector = self.engine(made or profile(), wrapper, **settings)
        self.ask(connector, *(identities or [("login", "alice")]))
        outcome = self.hear(connector, seen)
        self.assertNotIn(CANARY.encode(), outcome.everything)
        return outcome

    def link(self, target, *names):
        os.symlink(target, self.path("base", *names))

    def while_reading(self, change):
        """Fetches two folders with a large file each, and calls `change` with the name of the one that is still to come."""
        contents = {"first": b"1" * LARGE, "second": b"2" * LARGE}
        for name, content in contents.items():
            self.write("alice", name, "large", text=content)
        changed = types.SimpleNamespace(other=None)

        def seen(payload):
            if changed.other is None and (b"1" * 1000 in payload or b"2" * 1000 in payload):
                changed.current = "first" if b"1" * 1000 in payload else "second"
                changed.other = "second" if changed.current == "first" else "first"
                change(changed.other)

        changed.outcome = self.fetch(seen=seen)
        return changed


class Folders(Files):
    def test_a_folder_comes_as_it_is(self):
        self.write("alice", "notes.txt", text="my notes")
        self.write("alice", "deep", "er", "é" * 100, "file", text="below")
        self.write("alice", "empty")
        os.makedirs(self.path("base", "alice", "nothing"))
        odd = self.path("base", "alice").encode() + b"/odd \xff\n name"
        with open(odd, "wb") as file:
            file.write(b"odd")
        os.chmod(self.path("base", "alice", "notes.txt"), 0o4640)
        os.utime(self.path("base", "alice", "notes.txt"), (1, 1000000000))
        outcome = self.fetch()
        self.assertEqual((outcome.status, outcome.end["count"]), ("complete", 2))
        members = outcome.tar()
        self.assertEqual(set(members), {"notes.txt", "deep", "deep/er", "deep/er/" + "é" * 100,
                                        "deep/er/" + "é" * 100 + "/file", "empty", "nothing", "odd \udcff\n name"})
        self.assertEqual(outcome.content("notes.txt"), b"my notes")
        self.assertEqual(outcome.content("odd \udcff\n name"), b"odd")
        notes = members["notes.txt"]
        self.assertEqual((notes.mode, notes.mtime, notes.uid, notes.uname), (0o640, 1000000000, 0, ""))
        self.assertEqual(outcome.records, [{"root": "alice", "kind": "folder", "file": "things-1.tar", "folders": 4,
                                            "files": 4, "bytes": 16}])
        listed = subprocess.run(["bsdtar", "-tf", "-"], input=outcome.files["things-1.tar"], capture_output=True,
                                check=True).stdout
        self.assertEqual(len(listed.splitlines()), 8)

    def test_who_has_no_folder_is_absent(self):
        for value in ("nobody", "alic", "alice3", "ALICE"):
            outcome = self.fetch(None, ("login", value))
            self.assertEqual((outcome.status, outcome.end["count"]), ("absent", 0), value)

    def test_without_the_base_nobody_is_absent(self):
        outcome = self.fetch(base=self.path("unmounted"))
        self.assertEqual((outcome.status, outcome.code, outcome.end["retryable"]), ("failed", "source_unreachable", True))

    def test_two_accounts_are_two_tars_and_one_twice_is_one(self):
        self.write("alice", "a", text="a")
        self.write("alice-shop", "b", text="b")
        lower = profile(path=[{"id": "login", "as": "lower"}])
        outcome = self.fetch(lower, ("login", "alice"), ("login", "Alice-Shop"), ("login", "ALICE"))
        self.assertEqual(set(outcome.files), {"things-1.tar", "things-2.tar"})
        self.assertEqual(outcome.content("b", "things-2.tar"), b"b")
        self.assertEqual([each["root"] for each in outcome.records], ["alice", "alice-shop"])

    def test_a_value_is_never_a_path(self):
        self.write("alice", "a", text="a")
        made = profile(path=[{"id": "login", "part": "local"}], needs={"login": "text"})
        for value, code in (("..", "bad_identity"), (".", "bad_identity"), ("", "empty_bind"), (" ", "empty_bind"), ("alice\u200b", "bad_identity"), ("/", "bad_identity"),
                            ("alice/../malice", "bad_identity"), ("../base/malice", "bad_identity"),
                            ("/etc", "bad_identity"), (".hidden", "bad_identity"), ("a" * 256, "bad_identity"),
                            ("alice\n", "bad_identity")):
            with self.subTest(value):
                outcome = self.fetch(None, ("login", value))
                self.assertEqual((outcome.status, outcome.code, outcome.files), ("failed", code, {}))
        for value, code in (("@example.test", "empty_bind"), ("..@example.test", "bad_identity"),
                            ("alice", "bad_identity"), ("a/b@example.test", "bad_identity")):
            with self.subTest(value):
                self.assertEqual(self.fetch(made, ("login", value)).code, code)

    def test_a_value_with_a_nul_ends_the_conversation(self):
        connector = self.engine(profile())
        self.ask(connector, ("login", "malice\0"))
        self.assertIsNone(connector.hear())
        self.assertEqual(connector.leave(), 1)

    def test_mixed_content_is_counted_and_stays(self):
        for name in ("a", "b", "c"):
            self.write("alice", name, "file", text="of several people")
        outcome = self.fetch(profile(content="mixed"))
        self.assertEqual((outcome.status, outcome.files, outcome.withheld), ("complete", {}, {"mixed_content": 3}))
        self.assertEqual(outcome.records, [{"root": "alice", "kind": "folder", "folders": 3, "mixed_content": 3,
                                            "files": 0, "bytes": 0}])

    def test_another_owner_is_refused(self):
        self.write("alice", "a", text=CANARY)
        for owner, uid in (({"uid": {"setting": "uid"}}, os.getuid() + 1), ({"user": {"id": "login"}}, 1)):
            outcome = self.fetch(profile(owner=owner), uid=uid)
            self.assertEqual((outcome.status, outcome.code), ("failed", "ownership"))

    def test_root_is_nobody(self):
        self.write("root", "a", text=CANARY)
        if os.getuid() == 0:
            os.chown(self.path("base", "root"), 0, 0)
        outcome = self.fetch(profile(owner={"user": {"id": "login"}}), ("login", "root"))
        self.assertEqual((outcome.status, outcome.code, outcome.files), ("failed", "ownership", {}))

    def test_the_right_owner_is_not(self):
        self.write("alice", "a", text="a")
        os.makedirs(self.path("base", "daemon"))
        os.chown(self.path("base", "alice"), os.getuid() or 4242, -1)
        self.assertEqual(self.fetch(profile(owner={"uid": {"setting": "uid"}}), uid=os.getuid() or 4242).status, "complete")
        if os.getuid() == 0:
            os.chown(self.path("base", "daemon"), 1, 1)
            outcome = self.fetch(profile(owner={"user": {"id": "login"}}), ("login", "daemon"))
            self.assertEqual(outcome.status, "complete")


class Escapes(Files):
    def setUp(self):
        super().setUp()
        self.write("alice", "own", text="own")

    def test_links_are_kept_as_links(self):
        self.link("../malice/secret", "alice", "file")
        self.link("../malice", "alice", "folder")
        self.link(self.path("base", "malice"), "alice", "absolute")
        self.link("/proc/self/root", "alice", "magic")
        self.link("nowhere", "alice", "dangling")
        outcome = self.fetch()
        self.assertEqual((outcome.status, outcome.withheld), ("complete", {}))
        links = {name: member.linkname for name, member in outcome.tar().items() if member.issym()}
        self.assertEqual(links, {"file": "../malice/secret", "folder": "../malice", "magic": "/proc/self/root",
                                 "absolute": self.path("base", "malice"), "dangling": "nowhere"})
        self.assertEqual(outcome.records[0]["symlinks"], 5)

    def test_a_root_that_is_a_link_is_not_the_persons(self):
        self.link("malice", "carol")
        os.makedirs(self.path("base", "dave"))
        self.link("../malice", "dave", "mail")
        self.assertEqual(self.fetch(None, ("login", "carol")).code, "ownership")
        below = profile(path=[{"id": "login"}, "mail"])
        self.assertEqual(self.fetch(below, ("login", "dave")).code, "ownership")
        further = profile(path=[{"id": "login"}, "mail", "sub"])
        self.assertEqual(self.fetch(further, ("login", "dave")).code, "ownership")
        self.assertEqual(self.fetch(below, ("login", "alice")).status, "absent")

    def test_the_base_may_be_a_link(self):
        os.symlink(self.path("base"), self.path("elsewhere"))
        self.assertEqual(self.fetch(base=self.path("elsewhere")).status, "complete")

    def test_a_file_with_a_name_elsewhere_is_withheld(self):
        os.link(self.path("base", "malice", "secret"), self.path("base", "alice", "stolen"))
        os.link(self.path("base", "malice", "secret"), self.path("base", "alice", "stolen-too"))
        outcome = self.fetch()
        self.assertEqual((outcome.status, outcome.withheld), ("complete", {"linked_elsewhere": 2}))
        self.assertEqual(set(outcome.tar()), {"own"})

    def test_a_file_whose_names_are_all_here_is_kept_once(self):
        self.write("alice", "sub", "one", text="shared")
        for name in ("two", "three"):
            os.link(self.path("base", "alice", "sub", "one"), self.path("base", "alice", name))
        outcome = self.fetch()
        members = outcome.tar()
        self.assertEqual((outcome.status, outcome.withheld), ("complete", {}))
        self.assertEqual(sorted(members[name].islnk() for name in ("sub/one", "two", "three")), [False, True, True])
        self.assertEqual(outcome.content("three"), b"shared")
        self.assertEqual((outcome.records[0]["files"], outcome.records[0]["hard_links"]), (2, 2))

    @unittest.skipUnless(os.getuid() == 0, "only root gives files away")
    def test_of_another_user_they_are_not(self):
        path = self.write("alice", "one", text="of another user")
        os.link(path, self.path("base", "alice", "two"))
        os.chown(path, 4242, -1)
        self.assertEqual(self.fetch().withheld, {"linked_elsewhere": 2})

    def test_any_keeps_messages_that_several_were_given(self):
        message = self.write("bob", "message", text="to alice and bob")
        os.link(message, self.path("base", "alice", "message"))
        os.link(message, self.path("base", "alice", "again"))
        outcome = self.fetch(profile(hard_links="any"))
        self.assertEqual((outcome.status, outcome.withheld, outcome.content("again")), ("complete", {}, b"to alice and bob"))
        self.assertEqual(sum(member.islnk() for member in outcome.tar().values()), 1)

    def test_special_files_are_counted_and_never_opened(self):
        os.mkfifo(self.path("base", "alice", "fifo"))
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        here = os.getcwd()
        os.chdir(self.path("base", "alice"))
        listener.bind("socket")
        os.chdir(here)
        count = 2
        if os.getuid() == 0:
            with contextlib.suppress(PermissionError):
                os.mknod(self.path("base", "alice", "device"), 0o20600, os.makedev(1, 5))  # /dev/zero, which has no end
                count += 1
        outcome = self.fetch()
        self.assertEqual((outcome.status, outcome.withheld), ("complete", {"special_file": count}))
        self.assertEqual(set(outcome.tar()), {"own"})

    def mounting(self, *commands):
        """A wrapper that mounts things where only the program sees them; skips the test where that is not allowed."""
        wrapper = ["unshare", "--mount", "/bin/sh", "-c", " && ".join([*commands, 'exec "$@"']), "sh"]
        if os.getuid() != 0 or harness.run(*wrapper, "true").returncode != 0:
            self.skipTest("mounting is not allowed here")
        return wrapper

    def test_what_is_mounted_below_stays_out(self):
        for name in ("bind", "memory"):
            os.makedirs(self.path("base", "alice", name))
        file = self.write("alice", "file")
        base = self.path("base")
        wrapper = self.mounting(f"mount --bind {base}/malice {base}/alice/bind", f"mount --bind {base}/malice/secret {file}",
                                f"mount -t tmpfs none {base}/alice/memory", f"echo {CANARY} >{base}/alice/memory/secret")
        outcome = self.fetch(wrapper=wrapper)
        self.assertEqual((outcome.status, outcome.withheld), ("complete", {"other_mount": 3}))
        self.assertEqual(set(outcome.tar()), {"own", "bind", "memory"})

    def test_a_root_may_be_a_mount(self):
        os.makedirs(self.path("base", "erin"))
        base = self.path("base")
        outcome = self.fetch(None, ("login", "erin"), wrapper=self.mounting(f"mount --bind {base}/alice {base}/erin"))
        self.assertEqual((outcome.status, set(outcome.tar())), ("complete", {"own"}))

    def test_a_folder_that_becomes_a_link_while_it_is_read_is_not_followed(self):
        changed = self.while_reading(lambda other: (os.rename(self.path("base", "alice", other), self.path("away")),
                                                    self.link("../malice", "alice", other)))
        self.assertNotIn(f"{changed.other}/secret", changed.outcome.tar())
        self.assertTrue(changed.outcome.tar()[changed.other].issym())


class Changes(Files):
    """Files that change while they are read. What is not read yet of a large file waits until the test has read more."""

    def test_what_vanishes_is_reported(self):
        def vanish(other):
            os.unlink(self.path("base", "alice", other, "large"))
            os.rmdir(self.path("base", "alice", other))

        outcome = self.while_reading(vanish).outcome
        self.assertEqual((outcome.status, outcome.code, outcome.end["retryable"]), ("partial", "source_changed", True))
        self.assertEqual((outcome.records[0]["vanished"], outcome.records[0]["files"]), (1, 1))
        self.assertEqual(outcome.warnings, ["source_changed"])
        outcome.tar()

    def of_current(self, change):
        def do(other):
            change(self.path("base", "alice", "second" if other == "first" else "first", "large"))

        changed = self.while_reading(do)
        self.assertEqual(changed.outcome.tar()[changed.other + "/large"].size, LARGE)
        return changed.outcome, changed.current + "/large"

    def test_what_grows_is_given_as_it_was(self):
        def grow(path):
            with open(path, "ab") as file:
                file.write(b"x" * 1000)

        outcome, path = self.of_current(grow)
        self.assertEqual((outcome.status, outcome.code, outcome.end["retryable"]), ("partial", "source_changed", False))
        self.assertEqual((outcome.tar()[path].size, outcome.records[0]["changed"]), (LARGE, 1))
        self.assertNotIn(b"x", outcome.content(path))

    def test_what_shrinks_is_filled_with_zeros(self):
        outcome, path = self.of_current(lambda path: os.truncate(path, 4 << 20))
        self.assertEqual((outcome.status, outcome.code, outcome.end["retryable"]), ("partial", "source_changed", True))
        self.assertEqual((outcome.tar()[path].size, outcome.records[0]["cut"]), (LARGE, 1))
        self.assertEqual(outcome.content(path)[4 << 20:], bytes(4 << 20))

    def test_what_is_written_over_is_reported(self):
        def rewrite(path):
            with open(path, "r+b") as file:
                file.write(b"y")

        outcome, _ = self.of_current(rewrite)
        self.assertEqual((outcome.code, outcome.records[0]["changed"]), ("source_changed", 1))

    def test_what_may_not_be_read_is_reported(self):
        os.chmod(self.write("alice", "locked", text="x"), 0)
        # root reads everything, unless its capabilities are gone
        outcome = self.fetch(wrapper=["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.getuid() == 0 else [])
        self.assertEqual((outcome.status, outcome.code), ("partial", "file_unreadable"))

    def test_a_cancel_is_heard_within_a_file(self):
        self.write("alice", "huge", size=1 << 40)
        with open(self.path("base", "alice", "huge"), "r+b") as file:
            file.write(b"z" * LARGE)
        connector = self.engine(profile())
        self.ask(connector, ("login", "alice"))
        while b"z" not in connector.hear()[1]:
            pass
        connector.say(type="cancel")
        begun = time.monotonic()
        while (message := connector.hear()[0])["type"] != "done":
            pass
        self.assertEqual((message["status"], message["code"]), ("failed", "cancelled"))
        self.assertLess(time.monotonic() - begun, 5)


class Limits(Files):
    def test_a_sparse_file_costs_what_it_holds(self):
        path = self.write("alice", "sparse", size=10 << 30)
        with open(path, "r+b") as file:
            file.seek(5 << 30)
            file.write(b"in the middle")
        self.write("alice", "hole", size=10 << 30)
        outcome = self.fetch(profile(limits={"bytes": 1 << 20}))
        self.assertEqual(outcome.status, "complete")
        self.assertLess(len(outcome.files["things-1.tar"]), 100 << 10)
        members = outcome.tar()
        self.assertEqual((members["sparse"].size, members["hole"].size), (10 << 30, 10 << 30))
        with tarfile.open(fileobj=io.BytesIO(outcome.files["things-1.tar"])) as opened:
            file = opened.extractfile("sparse")
            file.seek(5 << 30)
            self.assertEqual(file.read(13), b"in the middle")
        self.assertEqual(outcome.records[0]["sparse_files"], 2)
        self.assertLess(outcome.records[0]["bytes"], 100 << 10)

    def test_a_file_full_of_holes_is_whole(self):
        path = self.write("alice", "holes", size=4096 * 4096)
        with open(path, "r+b") as file:
            for at in range(0, 4096, 2):
                file.seek(at * 4096)
                file.write(b"%d" % at)
        outcome = self.fetch()
        with open(path, "rb") as file:
            self.assertEqual(outcome.content("holes"), file.read())

    def test_bytes(self):
        self.write("alice", "small", text="1234")
        self.write("alice", "large", text="x" * 3000)
        outcome = self.fetch(profile(limits={"bytes": 2999}))
        self.assertEqual((outcome.status, outcome.code, outcome.end["retryable"]), ("partial", "too_large", False))
        self.assertEqual((set(outcome.tar()), outcome.withheld), ({"small"}, {"over_limit": 1}))

    def test_entries_by_a_setting(self):
        for at in range(6):
            self.write("alice", str(at))
        made = profile(limits={"entries": {"setting": "most"}})
        outcome = self.fetch(made)
        self.assertEqual((outcome.status, outcome.code, len(outcome.tar())), ("partial", "too_many_entries", 5))
        self.assertEqual(self.fetch(made, most=6).status, "complete")

    def test_depth(self):
        self.write("alice", "1", "2", "3", text="deep")
        outcome = self.fetch(profile(limits={"depth": 1}))
        self.assertEqual((outcome.status, outcome.code, set(outcome.tar())), ("partial", "too_deep", {"1", "1/2"}))
        self.assertEqual(self.fetch(profile(limits={"depth": 2})).status, "complete")

    def test_the_deepest_that_is_possible(self):
        here = os.getcwd()
        os.chdir(self.path("base", "alice"))
        for _ in range(201):
            os.mkdir("d" * 200)
            os.chdir("d" * 200)
        os.chdir(here)
        outcome = self.fetch(profile(limits={"depth": 200}))
        self.assertEqual((outcome.code, len(outcome.tar())), ("too_deep", 201))
        self.assertEqual(max(map(len, outcome.tar())), 201 * 201 - 1)


class Mailboxes(Files):
    MAILDIR = {"needs": {"email": "text"}, "kind": "maildir",
               "path": [{"id": "email", "part": "domain", "as": "lower"}, {"id": "email", "part": "local"}, "Maildir"]}

    def maildir(self, *names):
        for each in ("cur", "new", "tmp"):
            os.makedirs(self.path("base", *names, each))

    def test_a_maildir(self):
        root = ("example.test", "alice", "Maildir")
        self.maildir(*root)
        self.maildir(*root, ".Sent")
        self.write(*root, "cur", "1.host:2,FRS", text="Subject: read\n")
        self.write(*root, "new", "2.host", text="Subject: new\n")
        self.write(*root, "tmp", "3.host", text="half a mess")
        self.write(*root, ".Sent", "cur", "4.host:2,S", text="Subject: sent\n")
        self.write(*root, ".Sent", "tmp", "5.host", text="half")
        self.write(*root, "other", "tmp", "kept", text="no Maildir's tmp")
        self.maildir("example.test", "malice", "Maildir")
        self.write("example.test", "malice", "Maildir", "cur", "1", text=CANARY)
        outcome = self.fetch(profile(**self.MAILDIR), ("email", "alice@EXAMPLE.test"))
        self.assertEqual(outcome.status, "complete")
        self.assertEqual({name for name, member in outcome.tar().items() if member.isfile()},
                         {"cur/1.host:2,FRS", "new/2.host", ".Sent/cur/4.host:2,S", "other/tmp/kept"})

    def test_a_folder_that_is_no_maildir(self):
        self.write("example.test", "alice", "Maildir", "a", text="a")
        outcome = self.fetch(profile(**self.MAILDIR), ("email", "alice@example.test"))
        self.assertEqual((outcome.status, outcome.code), ("failed", "source_answer"))

    def mbox(self, **more):
        return profile(kind="mbox", path=["mail", {"id": "login"}], **more)

    def test_an_mbox(self):
        text = "From alice Thu Jan  1 00:00:00 1970\n\nmail\n" * 10000
        self.write("mail", "alice", text=text)
        self.write("mail", "malice", text=CANARY)
        outcome = self.fetch(self.mbox())
        self.assertEqual((outcome.status, outcome.files), ("complete", {"things-1.mbox": text.encode()}))
        self.assertEqual(outcome.records[0]["root"], "mail/alice")
        self.assertEqual(self.fetch(self.mbox(), ("login", "carol")).status, "absent")
        self.assertEqual(self.fetch(self.mbox(content="mixed")).withheld, {"mixed_content": 1})
        self.assertEqual(self.fetch(self.mbox(limits={"bytes": 10})).code, "too_large")

    def test_an_mbox_that_is_something_else(self):
        self.write("mail", "malice", text=CANARY)
        os.symlink("malice", self.path("base", "mail", "alice"))
        os.link(self.path("base", "mail", "malice"), self.path("base", "mail", "carol"))
        os.mkfifo(self.path("base", "mail", "dave"))
        self.assertEqual(self.fetch(self.mbox()).code, "ownership")
        self.assertEqual(self.fetch(self.mbox(), ("login", "carol")).withheld, {"linked_elsewhere": 1})
        self.assertEqual(self.fetch(self.mbox(), ("login", "dave")).code, "source_answer")


def line(address="192.0.2.7", user="-", request="GET / HTTP/1.1", status="200", size="17", referer="-", agent="test/1.0",
         second=0):
    return (f'{address} - {user} [23/Nov/2026:08:00:{second:02} +0000] "{request}" {status} {size} "{referer}" "{agent}"\n')


class AccessLogs(Files):
    BY_ADDRESS = {"needs": {"ip_address": "text"}, "kind": "access_log", "path": ["access.log"], "content": None,
                  "format": "combined", "match": {"field": "address", "id": "ip_address"}}
    BY_USER = {**BY_ADDRESS, "needs": {"login": "text"}, "match": {"field": "user", "id": "login"}}

    def setUp(self):
        super().setUp()
        self.others = "".join(line(address, request=request, referer=referer, agent=f"{CANARY} 192.0.2.7", user=user)
                              for address in ("192.0.2.70", "192.0.2.77", "1192.0.2.7", "192.0.2.7.example.test", "2001:db8::8")
                              for request in ("GET /?ip=192.0.2.7 HTTP/1.1", "GET /alice HTTP/1.1")
                              for referer in ("http://192.0.2.7/", "-") for user in ("malice", "192.0.2.7", "alice2", "-"))

    def by_address(self, *values, **more):
        return self.fetch(profile(**{**self.BY_ADDRESS, **more}), *(("ip_address", value) for value in values))

    def test_by_address(self):
        own = line(second=1, request=r"GET /a\"b HTTP/1.1", referer="https://host.example/") + line("2001:DB8:0::7", second=2)
        self.write("access.log", text=self.others + own + self.others)
        outcome = self.by_address("192.0.2.7", "2001:db8::7")
        self.assertEqual(outcome.status, "complete")
        self.assertEqual(outcome.records, [
            {"time": "23/Nov/2026:08:00:01 +0000", "address": "192.0.2.7", "user": None, "request": r"GET /a\"b HTTP/1.1",
             "status": 200, "bytes": 17, "referer": "https://host.example/", "user_agent": "test/1.0"},
            {"time": "23/Nov/2026:08:00:02 +0000", "address": "2001:DB8:0::7", "user": None, "request": "GET / HTTP/1.1",
             "status": 200, "bytes": 17, "referer": None, "user_agent": "test/1.0"}])
        self.assertEqual(self.by_address("198.51.100.1").status, "absent")
        for value in ("alice", "192.0.2", "192.0.2.7 ", "0/0", "192.0.2.7/24", "*"):
            self.assertEqual(self.by_address(value).code, "bad_identity", value)

    def test_by_user(self):
        forged = line("198.51.100.9", user="alice", status="401", agent=CANARY) + line("198.51.100.9", user="x alice", agent=CANARY)
        self.write("access.log", text=self.others + forged + line(user="alice", second=1))
        outcome = self.fetch(profile(**self.BY_USER))
        self.assertEqual((outcome.status, [each["user"] for each in outcome.records]), ("complete", ["alice"]))
        for value in ("-", "a b", 'a"'):
            self.assertEqual(self.fetch(profile(**self.BY_USER), ("login", value)).code, "bad_identity", value)

    def test_the_logs_before_it_are_read_the_oldest_first(self):
        self.write("access.log", text=line(second=9))
        self.write("access.log.1", text=line(second=8))
        for name, second in (("access.log.2.gz", 7), ("access.log.10.gz", 6), ("access.log-20261101.gz", 4),
                             ("access.log-20261102", 5)):
            text = (line(second=second) + self.others).encode()
            self.write(name, text=gzip.compress(text) if name.endswith(".gz") else text)
        for name in ("access.log.gz", "access.log.old", "other_access.log", "access.log.1.bak", "access.log~", "access.logs"):
            self.write(name, text=line(agent=CANARY))
        os.symlink(self.path("base", "access.log"), self.path("base", "access.log.3"))
        outcome = self.by_address("192.0.2.7")
        self.assertEqual([each["time"][18:20] for each in outcome.records], ["04", "05", "06", "07", "08", "09"])
        self.assertEqual((outcome.status, outcome.records and outcome.code), ("partial", "source_changed"))

    def test_packed_in_several_parts(self):
        self.write("access.log")
        self.write("access.log.1.gz", text=b"".join(gzip.compress(line(second=at).encode()) for at in range(3)))
        self.assertEqual(len(self.by_address("192.0.2.7").records), 3)

    def test_what_is_packed_wrongly_is_reported(self):
        self.write("access.log", text=line())
        self.write("access.log.1.gz", text=gzip.compress((line() * 10000).encode())[:-100])
        outcome = self.by_address("192.0.2.7")
        self.assertEqual((outcome.status, outcome.code), ("partial", "file_unreadable"))
        self.assertGreater(len(outcome.records), 1)

    def test_lines_of_no_format_are_reported(self):
        self.write("access.log", text=line() + "192.0.2.7 - - [whenever] \"GET /\"\n" + "x" * 100000 + "\n" + line())
        outcome = self.by_address("192.0.2.7")
        self.assertEqual((outcome.status, outcome.code, len(outcome.records)), ("partial", "source_answer", 2))
        self.assertIn(": 2", outcome.end["text"])

    def test_a_line_that_is_too_long_is_nobodys(self):
        # its beginning and its end are in the blocks that are read first and last, and would make a line together
        block = 65536
        length = block - len(self.others) + block + 1000
        self.write("access.log", text=self.others + line(agent="a" * (length - len(line(agent="")))) + line())
        outcome = self.by_address("192.0.2.7")
        self.assertEqual((outcome.code, len(outcome.records)), ("source_answer", 1))

    def test_a_line_that_is_being_written_is_passed_over(self):
        self.write("access.log", text=line() + line()[:60])
        outcome = self.by_address("192.0.2.7")
        self.assertEqual((outcome.status, len(outcome.records)), ("complete", 1))

    def test_other_formats(self):
        for format_name, text in (("common", " ".join(line().split(" ")[:-2]) + "\n"),
                                  ("vhost_combined", "host.example:443 " + line())):
            self.write("access.log", text=text)
            record, = self.by_address("192.0.2.7", format=format_name).records
            self.assertEqual(record.get("host"), "host.example:443" if format_name == "vhost_combined" else None)
            self.assertEqual("referer" in record, format_name != "common")

    def test_a_log_of_ones_own(self):
        own = {"needs": {"login": "text", "ip_address": "text"}, "path": ["logs", [{"id": "login"}, ".log"]]}
        self.write("logs", "alice.log", text=line() + line("192.0.2.8") + line("198.51.100.1", agent=CANARY))
        self.write("logs", "malice.log", text=line(agent=CANARY))
        made = profile(**{**self.BY_ADDRESS, **own})
        outcome = self.fetch(made, ("login", "alice"), ("login", "carol"), ("ip_address", "192.0.2.7"),
                             ("ip_address", "192.0.2.8"))
        self.assertEqual((outcome.status, len(outcome.records)), ("complete", 2))
        self.assertEqual(self.fetch(made, ("login", "carol"), ("ip_address", "192.0.2.7")).status, "absent")

    def test_without_the_log_nobody_is_absent(self):
        self.assertEqual(self.by_address("192.0.2.7").code, "source_unreachable")

    def test_limits(self):
        self.write("access.log", text=line() * 10)
        outcome = self.by_address("192.0.2.7", limits={"entries": 3})
        self.assertEqual((outcome.code, len(outcome.records)), ("too_many_entries", 3))
        outcome = self.by_address("192.0.2.7", limits={"bytes": len(line()) * 4})
        self.assertEqual((outcome.code, len(outcome.records)), ("too_large", 4))

    def test_a_log_that_is_rotated_while_it_is_read(self):
        self.write("access.log.1", text=self.others)
        self.write("access.log", text=line() * 100000)
        connector = self.engine(profile(**self.BY_ADDRESS))
        self.ask(connector, ("ip_address", "192.0.2.7"))
        self.assertEqual(connector.hear()[0]["type"], "record")
        os.rename(self.path("base", "access.log"), self.path("base", "access.log.1"))
        self.write("access.log")
        outcome = self.hear(connector)
        self.assertEqual((outcome.code, outcome.end["retryable"], outcome.end["count"]), ("source_changed", True, 100000))


class Profiles(Files):
    def refused(self, where, **collection):
        done = harness.run(ENGINE, "--profile", harness.save(self.path("profile.json"), profile(**collection)))
        self.assertEqual((done.returncode, done.stdout), (2, ""), where)
        self.assertIn(f"/collections/0{where}", done.stderr)

    def test_what_is_wrong_is_refused_with_its_place(self):
        log = AccessLogs.BY_ADDRESS
        for where, collection in (
                ("/kind", {"kind": "disk"}), ("/kind", {"kind": None}), ("/base", {"base": "/home"}),
                ("/base", {"base": {"setting": "uid"}}), ("/base", {"base": {"setting": "absent"}}),
                ("/path", {"path": None}), ("/path", {"path": []}), ("/path", {"path": ["everybody"], "owner": {"user": {"id": "login"}}}),
                ("/path/0", {"path": [".."]}), ("/path/0", {"path": ["a/b", {"id": "login"}]}), ("/path/0", {"path": [[]]}),
                ("/path/0", {"path": [""]}), ("/path/0/id", {"path": [{"id": "other"}]}),
                ("/path/0/part", {"path": [{"id": "login", "part": "first"}]}),
                ("/path/0/as", {"path": [{"id": "login", "as": "upper"}]}),
                ("/path/0/template", {"path": [{"id": "login", "template": "x"}]}),
                ("/path", {"path": [{"id": "login"}] * 9}),
                ("/content", {"content": None}), ("/content", {"content": "all"}),
                ("/owner", {"owner": "login"}), ("/owner/gid", {"owner": {"gid": {"id": "login"}}}),
                ("/owner/uid", {"owner": {"uid": 0}}), ("/owner/user", {"owner": {"user": {"id": "other"}}}),
                ("/hard_links", {"hard_links": "all"}), ("/hard_links", {"hard_links": "any", "kind": "mbox"}),
                ("/limits", {"limits": 5}), ("/limits/size", {"limits": {"size": 5}}), ("/limits/bytes", {"limits": {"bytes": "5"}}),
                ("/needs/other", {"needs": {"login": "text", "other": "text"}}),
                ("/format", {"format": "combined"}), ("/match", {"match": {"field": "address", "id": "login"}}),
                ("/content", {**log, "content": "own"}), ("/format", {**log, "format": "free"}), ("/match", {**log, "match": None}),
                ("/match/field", {**log, "match": {"field": "request", "id": "ip_address"}}),
                ("/match/id", {**log, "match": {"field": "address", "id": "login"}}),
                ("/match/id", {**log, "path": [{"id": "ip_address"}]}), ("/colour", {"colour": "red"})):
            with self.subTest(where, collection=collection):
                self.refused(where, **collection)

    def test_hello_says_that_users_are_looked_up(self):
        for owner, reads in (({"user": {"id": "login"}}, ["/etc/passwd", "/etc/nsswitch.conf"]), ({"uid": {"setting": "uid"}}, None)):
            connector = peer.Connector([ENGINE, "--profile", harness.save(self.path("profile.json"), profile(owner=owner))])
            self.addCleanup(self.stop, connector)
            self.assertEqual(connector.hear()[0].get("reads"), reads)

    def test_settings_are_checked(self):
        for settings in ({"base": "relative"}, {"base": self.path("base"), "most": 0}, {}):
            connector = peer.Connector([ENGINE, "--profile", harness.save(
                self.path("profile.json"), profile(limits={"entries": {"setting": "most"}}))])
            self.addCleanup(self.stop, connector)
            connector.hear()
            connector.say(type="configure", settings=settings, secrets={})
            self.assertEqual(connector.hear()[0]["code"], "bad_settings")

    def test_shipped_ones_conform(self):
        os.makedirs(self.path("base", "example.test", "alice", "Maildir"))
        Mailboxes.maildir(self, "example.test", "alice", "Maildir", ".Sent")
        for each in ("cur", "new"):
            os.makedirs(self.path("base", "example.test", "alice", "Maildir", each))
        self.write("access.log", text=line())
        own = {"uid": os.stat(self.path("base")).st_uid or 4242}
        for at, _, names in os.walk(self.path("base")):
            os.chown(at, own["uid"], -1)
        settings = {"mailboxes": {"mail_dir": self.path("base"), "mail_uid": own["uid"]}, "access-log": {"log_dir": self.path("base")},
                    "cpanel-home": {"home_dir": self.path("base")}}
        identities = [{"kind": "email", "value": "alice@example.test"}, {"kind": "ip_address", "value": "192.0.2.7"},
                      {"kind": "web_user", "value": "alice"}, {"kind": "cpanel_user", "value": "carol"}]
        for name, given in settings.items():
            with self.subTest(name):
                done = harness.run(
                    os.path.join(harness.ROOT, "tests", "conformance", "run"), ENGINE, "--profile",
                    os.path.join(harness.ROOT, "connectors", "hosting-panel", name + ".json"), "--", "--settings",
                    harness.save(self.path("settings"), {"settings": given, "secrets": {}}), "--identities",
                    harness.save(self.path("identities"), identities))
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class Exports(exports.Exports):
    """The whole way: `dsard once`, its bundle opened."""

    def source(self, name, **settings):
        return {"name": name, "title": name.title(), "connector": "files", "profile": f"hosting-panel/{name}",
                "settings": settings}

    def answer(self, sources, person="alice"):
        return self.ask(person, self.configure(None, {**dict.fromkeys(harness.SOURCES), **sources}))

    def mailbox(self, person):
        path = self.path("mail", "example.test", person, "Maildir")
        for each in ("cur", "new", "tmp"):
            os.makedirs(os.path.join(path, each))
        with open(os.path.join(path, "cur", "1:2,S"), "w", encoding="utf-8") as file:
            file.write(f"Subject: canary-mail-of-{person}\n")
        return path

    def test_a_mailbox_comes_and_the_look_alikes_does_not(self):
        root = self.mailbox("alice")
        self.mailbox("malice")
        os.symlink(self.path("mail", "example.test", "malice"), os.path.join(root, "malice"))
        os.mkfifo(os.path.join(root, "fifo"))
        uid = os.getuid() or 4242
        os.chown(root, uid, -1)
        source = self.source("mailboxes", mail_dir=self.path("mail"), mail_uid=uid)
        answer = self.answer({"mailboxes": source})
        self.assertEqual((answer.status, answer.own["coverage"]), (0, "complete"), answer.errors)
        listed, = json.loads(answer.entries["mailboxes/files.json"])
        self.assertEqual((listed["name"], listed["screened"], listed["media_type"]),
                         ("mailbox-1.tar", False, "application/x-tar"))
        with tarfile.open(fileobj=io.BytesIO(answer.entries["mailboxes/files/0001.tar"])) as opened:
            self.assertEqual(opened.extractfile("cur/1:2,S").read(), b"Subject: canary-mail-of-alice\n")
        self.assertNotIn(b"canary-mail-of-malice", b"".join(answer.entries.values()))
        record, = json.loads(answer.entries["mailboxes/mailbox.json"])
        self.assertEqual((record["root"], record["files"], record["symlinks"]), ("example.test/alice/Maildir", 1, 1))
        self.assertEqual([(each["reason"], each["count"]) for each in answer.manifest["withheld"]], [("special_file", 1)])
        report = answer.entries["report.html"].decode()
        self.assertIn("mailbox-1.tar", report)
        self.assertIn("Pipes, sockets and devices", report)

    def test_who_has_no_mailbox(self):
        self.mailbox("malice")
        answer = self.answer({"mailboxes": self.source("mailboxes", mail_dir=self.path("mail"), mail_uid=os.getuid() or 1)})
        self.assertEqual((answer.status, answer.statuses), (0, {"mailboxes": "not_found"}), answer.errors)

    def test_a_large_mailbox_takes_little_memory(self):
        root = self.mailbox("alice")
        os.chown(root, 4242 if os.getuid() == 0 else -1, -1)
        uid = os.stat(root).st_uid
        block = os.urandom(1 << 20)
        for at in range(MAILBOX_MIB):
            with open(os.path.join(root, "cur", f"{at}.host:2,S"), "wb") as file:
                file.write(b"%d\n" % at + block)
        source = self.source("mailboxes", mail_dir=self.path("mail"), mail_uid=uid)
        request = harness.save(self.path("request.json"), harness.request_for("alice", self.keys))
        config = self.configure(None, {**dict.fromkeys(harness.SOURCES), "mailboxes": source})
        dsard = self.start(harness.DSARD, "once", "-c", config, "--request", request, "--out", self.path("out"))
        most = exports.memory_kib(dsard)
        self.assertEqual(dsard.popen.wait(), 0, dsard.log())
        print(f"mailbox of {MAILBOX_MIB} MiB: RSS of dsar-files {most['dsar-files'] >> 10} MiB, "
              f"of dsard {most['dsard'] >> 10} MiB", flush=True)
        bundle = next(each.removeprefix("bundle: ") for each in dsard.log().splitlines() if each.startswith("bundle: "))
        self.assertGreater(os.path.getsize(bundle), MAILBOX_MIB << 20)
        self.assertGreater(most["dsar-files"], 1 << 10)
        if "asan" not in harness.BUILD:
            self.assertLess(max(most.values()), RSS_MAX_KIB)


if __name__ == "__main__":
    signal.alarm(1100)
    unittest.main()
