#!/usr/bin/env python3
"""Dead letters on a real Kafka: what becomes one, what it says, and what `dsarctl dead` does with it.

Skipped where Maven Central is out of reach, unless CI=true.
"""
import base64
import json
import subprocess
import time
import unittest
import uuid

from deliveries import PERSONAL, Delivery, Shared, setUpModule  # noqa: F401
from harness import DSARCTL, merged, request_for, run, wait_for
from portal import CANCEL_TYPE, REQUEST_TYPE, attributes, claims, sign

CANARY = "canary-4d1e@example.test"


def own(letter):
    """A letter's headers by their names behind dsar-dead-."""
    return {name.removeprefix("dsar-dead-"): text for name, text in letter.headers.items()
            if name.startswith("dsar-dead-")}


def place(letter):
    return f"{letter.partition}/{letter.offset}"


class Dead(Delivery):
    def setUp(self):
        super().setUp()
        self.site = self.portal(dead_partitions=2)
        self.requests = self.site.reader("requests")

    def arguments(self, command, *options):
        return [DSARCTL, "dead", command, "--brokers", Shared.broker.bootstrap, "--topic", self.site.topics["dead"],
                *options]

    def dead(self, command, *options, status=0):
        """Runs `dsarctl dead`: what it printed and what it complained of."""
        done = run(*self.arguments(command, *options))
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout, done.stderr

    def listed(self, *options):
        """The letters that are listed, as PARTITION/OFFSET, in the order of the topic."""
        return sorted(line.split()[0] for line in self.dead("list", *options)[0].splitlines())

    def settle(self, *arguments, **options):
        return self.dead(*arguments, **options)[0].strip()

    def bury(self, value=b"{}", key=None, headers=None, partition=0, **facts):
        """Puts a letter on the topic as a worker would, with other facts as they are given; returns its place."""
        said = merged({"code": "unsigned", "text": "there is no signature", "topic": self.site.topics["requests"],
                       "partition": "1", "offset": "7", "timestamp": "1795420800000", "timestamp-type": "CreateTime",
                       "consumer-group": "dsard", "time": "2026-11-23T08:00:00Z"}, facts)
        before = len(self.site.dead.all())
        self.site.send(value, key, {**(headers or {}), **{"dsar-dead-" + name: text for name, text in said.items()}},
                         "dead", partition)
        return place(self.site.buried(before + 1)[-1])

    def originals(self, n):
        """What stands on the topic of requests once n messages do."""
        return wait_for(lambda: len(self.requests.all()) >= n and self.requests.all(),
                        lambda: f"{n} messages, but {len(self.requests.all())}")

    def count_originals(self):
        """{key: how often it stands on the topic of requests}, read to its end by another reader."""
        done = run("kcat", "-C", "-e", "-q", "-b", Shared.broker.bootstrap, "-t", self.site.topics["requests"], "-o",
                   "beginning", "-X", "isolation.level=read_committed", "-f", "%k\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        keys = done.stdout.split()
        return {key: keys.count(key) for key in keys}


class Listing(Dead):
    def test_each_letter_is_a_line(self):
        request = str(uuid.uuid4())
        one = self.bury(b"x" * 17, request, offset="4711")
        two = self.bury(b"{}", "alice@example.test", partition=1, code="bad_event", text="another\nline \x1b[2J",
                        time="2026-11-23T09:00:00Z")
        self.site.send(b"no letter", "foreign", {}, "dead", 1)
        topic = self.site.topics["requests"]
        output, _ = self.dead("list")
        self.assertEqual(sorted(output.splitlines()), [
            f"{one} 2026-11-23T08:00:00Z unsigned {topic}/1/4711 {request} 17 there is no signature",
            f"{two} 2026-11-23T09:00:00Z bad_event {topic}/1/7 - 2 another?line ?[2J"])
        self.assertNotIn("alice", output)

        output, _ = self.dead("list", "--json", "--code", "unsigned")
        self.assertEqual(json.loads(output), {
            "letter": one, "state": "open", "time": "2026-11-23T08:00:00Z", "code": "unsigned",
            "text": "there is no signature", "topic": topic, "partition": 1, "offset": 4711, "request": request,
            "bytes": 17, "kept": True})

    def test_letters_are_found_by_what_they_say(self):
        request = str(uuid.uuid4())
        first = self.bury(key=request, code="expired")
        second = self.bury(key=request, partition=1, topic="dsar.control", time="2026-11-23T09:00:00Z")
        third = self.bury(time="2026-11-23T10:00:00Z")
        rows = {
            (): [first, third, second],
            ("--all",): [first, third, second],
            ("--letter", second): [second],
            ("--letter", second, "--letter", first): [first, second],
            ("--code", "expired"): [first],
            ("--code", "expire"): [],
            ("--from", "dsar.control"): [second],
            ("--request", request): [first, second],
            ("--since", "2026-11-23T09:00:00Z"): [third, second],
            ("--until", "2026-11-23T09:00:00Z"): [first],
            ("--since", "2026-11-23T10:00:00+01:00", "--until", "2026-11-23T10:00:00Z"): [second],
            ("--code", "unsigned", "--request", request): [second],
            ("--letter", first, "--code", "unsigned"): [],
        }
        for options, expected in rows.items():
            with self.subTest(options):
                self.assertEqual(self.listed(*options), sorted(expected))

    def test_a_letter_shows_its_headers_and_its_value_only_when_asked(self):
        letter = self.bury(b'{"email":\n"alice@example.test\x1b"}', "alice@example.test", {"ce_type": "x\x1b"})
        output, _ = self.dead("show", "--letter", letter)
        self.assertIn(f"letter: {letter}\nstate: open\nkey: 18 bytes, no request's id\n", output)
        self.assertIn("  ce_type: x?\n", output)
        self.assertIn("  dsar-dead-consumer-group: dsard\n", output)
        self.assertIn("\nvalue: 32 bytes\n", output)
        self.assertNotIn("alice", output)
        output, _ = self.dead("show", "--letter", letter, "--value")
        self.assertIn("key: alice@example.test\n", output)
        self.assertIn('\nvalue: 32 bytes:\n{"email":\n"alice@example.test?"}\n', output)

    def test_what_is_not_there_is_said(self):
        letter = self.bury()
        _, errors = self.dead("show", "--letter", letter, "--letter", "0/99", "--letter", "7/0", status=1)
        self.assertIn("letter 0/99: there is no such letter", errors)
        self.assertIn("letter 7/0: there is no such letter", errors)
        self.assertNotIn(letter + ":", errors)
        _, errors = self.dead("replay", "--letter", "0/99", status=1)
        self.assertIn("letter 0/99: there is no such letter", errors)

    def test_a_topic_that_is_not_there_is_said(self):
        for command in (("list",), ("show", "--all"), ("replay", "--all"), ("drop", "--all")):
            with self.subTest(command):
                done = run(DSARCTL, "dead", *command, "--brokers", Shared.broker.bootstrap, "--topic", "dsar.nowhere")
                self.assertEqual(done.returncode, 1)
                self.assertIn("topic dsar.nowhere: there is no such topic", done.stderr)
                self.assertEqual(done.stdout, "")

    def test_wrong_usage_does_nothing(self):
        letter = self.bury()
        for command in (("replay",), ("drop",), ("show",), ("replay", "--all", "--code", "unsigned"),
                        ("drop", "--all", "--to", "x"), ("list", "--value"), ("replay", "--all", "--json"),
                        ("replay", "--letter", "0"), ("replay", "--letter", "0/1x"), ("replay", "--letter", "/1"),
                        ("replay", "--letter", "-1/1"), ("replay", "--letter", "99999999999/1"),
                        ("drop", "--since", "yesterday"), ("drop", "--request", "alice@example.test"),
                        ("drop", "--all", "more")):
            with self.subTest(command):
                self.dead(*command, status=2)
        self.assertEqual(self.listed(), [letter])
        self.assertEqual(run(DSARCTL, "dead").returncode, 2)
        self.assertEqual(run(DSARCTL, "dead", "bury").returncode, 2)
        self.assertIn("usage", run(DSARCTL, "dead", "--help").stdout)


class Settling(Dead):
    def test_a_replayed_letter_is_what_it_was_where_it_was_and_only_once(self):
        request = str(uuid.uuid4())
        letter = self.bury(b"\x00\xff value\n", request, {"ce_type": "org.dsard.request.v1", "x": ""})
        other = self.bury(b"other", partition=1)
        self.assertEqual(self.settle("replay", "--letter", letter), "1 letter replayed, 0 were settled before")
        original, = self.originals(1)
        self.assertEqual((original.partition, original.key, original.value, original.headers),
                         (1, request, b"\x00\xff value\n", {"ce_type": "org.dsard.request.v1", "x": ""}))
        self.assertEqual(self.listed(), [other])
        self.assertEqual(self.listed("--settled"), sorted([letter, other]))
        self.assertIn(f" {request} 9 [replayed] there is", self.dead("list", "--settled")[0])
        self.assertIn("state: replayed\n", self.dead("show", "--letter", letter)[0])

        self.assertEqual(self.settle("replay", "--letter", letter), "0 letters replayed, 1 was settled before")
        self.assertEqual(self.settle("drop", "--letter", letter), "0 letters dropped, 1 was settled before")
        self.assertEqual(self.settle("replay", "--all"), "1 letter replayed, 1 was settled before")
        self.assertEqual(self.count_originals(), {request: 1})
        self.assertEqual([each.value for each in self.originals(2)], [original.value, b"other"])
        marker = next(each for each in self.site.dead.all() if own(each).get("settled-partition") == "0")
        self.assertEqual((place(marker).split("/")[0], marker.key, marker.value), ("0", None, None))
        self.assertEqual(own(marker), {"settled": "replayed", "settled-partition": "0",
                                       "settled-offset": letter.split("/")[1]})

    def test_no_value_stays_no_value(self):
        self.site.send(None, "key", {"dsar-dead-code": "tombstone", "dsar-dead-topic": self.site.topics["requests"]},
                         "dead", 0)
        self.site.buried(1)
        self.assertEqual(self.settle("replay", "--all"), "1 letter replayed, 0 were settled before")
        original, = self.originals(1)
        self.assertEqual((original.key, original.value, original.headers), ("key", None, {}))

    def test_letters_are_replayed_by_what_they_say(self):
        keys = [str(uuid.uuid4()) for _ in range(4)]
        for key, code in zip(keys, ("unknown_kid", "unsigned", "unknown_kid", "unknown_kid")):
            self.bury(key=key, code=code, partition=keys.index(key) % 2)
        self.assertEqual(self.settle("replay", "--request", keys[0]), "1 letter replayed, 0 were settled before")
        self.assertEqual(self.settle("replay", "--code", "unknown_kid"), "2 letters replayed, 1 was settled before")
        self.assertEqual(self.count_originals(), dict.fromkeys([keys[0], *keys[2:]], 1))
        self.assertEqual(self.settle("replay", "--code", "nothing"), "0 letters replayed, 0 were settled before")

    def test_letters_go_back_to_their_own_topics_or_where_they_are_sent(self):
        control, other = self.site.reader("control"), self.site.reader("audit")
        self.bury(b"one", topic=self.site.topics["control"], partition=1, offset="3")
        self.bury(b"two")
        third = self.bury(b"three", partition=1)
        self.bury(b"four", code="elsewhere", topic="dsar.gone")
        self.assertEqual(self.settle("replay", "--letter", third, "--to", self.site.topics["audit"]),
                         "1 letter replayed, 0 were settled before")
        output, errors = self.dead("replay", "--code", "elsewhere", status=1)
        self.assertEqual(output, "")
        self.assertIn("topic dsar.gone: there is no such topic", errors)
        self.assertEqual(self.settle("replay", "--code", "unsigned"), "2 letters replayed, 1 was settled before")
        wait_for(lambda: control.all() and other.all(), "the letters to be replayed")
        self.assertEqual([[each.value for each in reader.all()] for reader in (control, other)],
                         [[b"one"], [b"three"]])
        self.assertEqual([each.value for each in self.originals(1)], [b"two"])
        self.assertEqual(len(self.listed()), 1)

    def test_a_dropped_letter_goes_nowhere(self):
        letter, other = self.bury(code="bad_event"), self.bury()
        self.assertEqual(self.settle("drop", "--code", "bad_event"), "1 letter dropped, 0 were settled before")
        self.assertEqual(self.listed(), [other])
        self.assertIn("[dropped]", self.dead("list", "--settled", "--letter", letter)[0])
        self.assertEqual(self.settle("replay", "--letter", letter), "0 letters replayed, 1 was settled before")
        self.assertEqual(self.count_originals(), {})

    def test_what_was_not_kept_cannot_be_replayed_but_dropped(self):
        large = self.bury(None, bytes="900000", sha256="0" * 64)
        kept = self.bury(key="kept")
        self.assertEqual(json.loads(self.dead("list", "--json", "--letter", large)[0])["kept"], False)
        output, errors = self.dead("replay", "--all", status=1)
        self.assertEqual(output.strip(), "1 letter replayed, 0 were settled before, 1 cannot be replayed")
        self.assertIn(f"letter {large} cannot be replayed: its 900000 bytes were too many to be kept", errors)
        self.assertEqual(self.count_originals(), {"kept": 1})
        self.assertEqual(self.listed(), [large])
        self.assertNotEqual(large, kept)
        self.assertEqual(self.settle("drop", "--letter", large), "1 letter dropped, 0 were settled before")
        self.assertEqual(self.listed(), [])


class Once(Dead):
    """Every letter once, whoever else is at it and whatever dies."""

    def bury_many(self, n, n_before=0):
        """n letters at once, of partition 0; their keys."""
        keys = [str(uuid.uuid4()) for _ in range(n)]
        headers = {"code": "unknown_kid", "topic": self.site.topics["requests"], "partition": "0", "offset": "1"}
        named = [word for name, text in headers.items() for word in ("-H", f"dsar-dead-{name}={text}")]
        done = run("kcat", "-P", "-b", Shared.broker.bootstrap, "-t", self.site.topics["dead"], "-K:", *named,
                   data="".join(f"{key}:{key}\n" for key in keys))
        self.assertEqual(done.returncode, 0, done.stderr)
        wait_for(lambda: sum("code" in own(each) for each in self.site.dead.all()) == n_before + n, "the letters")
        return keys

    def killed_replay(self, at):
        """A replay that was killed as soon as something of its was to be seen, unless it ended before."""
        before = len(self.requests.all())
        replay = self.start(*self.arguments("replay", "--all"), log=f"{at}.log")
        wait_for(lambda: len(self.requests.all()) > before or not replay.running(), "the replay to begin")
        replay.kill()
        return replay

    def check_once(self, keys):
        counts = self.count_originals()
        self.assertEqual([key for key in keys if key not in counts][:5], [])
        self.assertEqual([(key, n) for key, n in counts.items() if n != 1][:5], [])

    def test_two_at_a_time_replay_each_letter_once(self):
        keys = []
        for _ in range(4):
            keys += self.bury_many(120, len(keys))
            crew = [self.start(*self.arguments("replay", "--all"), log=f"{uuid.uuid4()}.log") for _ in range(3)]
            for each in crew:
                self.assertIn(each.popen.wait(60), (0, 1), each.log())
            logs = [each.log() for each in crew]
            self.assertTrue(all("replayed, " in log or "began meanwhile" in log for log in logs), logs)
        self.assertRegex(self.settle("replay", "--all"), "settled before")
        self.check_once(keys)

    def test_replays_that_are_killed_leave_none_out_and_none_twice(self):
        keys = self.bury_many(800)
        n_killed = sum(self.killed_replay(at).popen.returncode != 0 for at in range(6))
        self.assertGreater(n_killed, 2)
        self.settle("replay", "--all")
        self.check_once(keys)
        self.assertEqual({each.partition for each in self.originals(len(keys))}, {0})
        self.assertEqual(self.listed(), [])

    def test_a_marker_in_a_transaction_that_is_not_ended_counts(self):
        """Another's open transaction hides what was committed behind it, so a replay waits for it."""
        letter = self.bury(key="once")
        partition, offset = letter.split("/")
        headers = {"settled": "replayed", "settled-partition": partition, "settled-offset": offset}
        named = [word for name, text in headers.items() for word in ("-H", f"dsar-dead-{name}={text}")]
        with subprocess.Popen(["kcat", "-P", "-b", Shared.broker.bootstrap, "-t", self.site.topics["dead"], "-p",
                               partition, "-Z", "-K:", *named, "-X", "transactional.id=" + str(uuid.uuid4())],
                              stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as other:
            self.addCleanup(other.kill)
            # kcat reads in blocks, so it is told more than once
            other.stdin.write(b":\n" * 5000)
            other.stdin.flush()
            wait_for(lambda: self.ends(partition) > int(offset) + 1, "the marker")
            replay = self.start(*self.arguments("replay", "--all"))
            wait_for(lambda: "waiting for a transaction" in replay.log() or not replay.running(), "the replay to wait")
            other.stdin.close()
            self.assertEqual(other.wait(60), 0)
        self.assertEqual(replay.popen.wait(60), 0, replay.log())
        self.assertIn("0 letters replayed, 1 was settled before", replay.log())
        self.assertEqual(self.count_originals(), {})

    def ends(self, partition):
        """The offset behind the last message of a partition of the dead letters, committed or not."""
        done = run("kcat", "-Q", "-b", Shared.broker.bootstrap, "-t", f"{self.site.topics['dead']}:{partition}:-1",
                   "-X", "isolation.level=read_uncommitted")
        return int(done.stdout.split()[-1])


class Workers(Dead):
    """Letters of a real worker."""

    def test_a_letter_says_where_when_and_to_whom(self):
        began = int(time.time())
        self.site.worker()
        self.site.send(b"nothing", "key", {"ce_type": REQUEST_TYPE, "dsar-dead-text": "a former death"})
        letter, = self.site.buried(1)
        source, = self.originals(1)
        said = own(letter)
        self.assertEqual((letter.key, letter.value), ("key", b"nothing"))
        self.assertEqual((said["topic"], said["partition"], said["offset"]),
                         (self.site.topics["requests"], str(source.partition), str(source.offset)))
        self.assertEqual((said["code"], said["timestamp-type"], said["consumer-group"]),
                         ("bad_event", "CreateTime", self.site.group))
        self.assertNotIn("former", said["text"])
        self.assertGreaterEqual(int(said["timestamp"]) // 1000, began - 1)
        buried = time.strptime(said["time"], "%Y-%m-%dT%H:%M:%SZ")
        self.assertGreaterEqual(time.mktime(buried) - time.timezone, began)

    def stuffed(self):
        """Messages full of canaries, each wrong in another place."""
        key = self.keys.portal
        request = str(uuid.uuid4())
        body = merged(request_for(CANARY, self.keys), {"subject_request_id": request, CANARY: CANARY})
        value = json.dumps(body).encode()
        headers = attributes(request, **{"ce_time": "2026-11-23T08:00:00Z", CANARY: CANARY, "ce_" + CANARY: CANARY,
                                         "dsar-dead-text": CANARY, "dsar-dead-settled": CANARY})
        signed = {**headers, "dsar-signature": sign(key, value, claims(key, request))}
        for name in [*headers, "traceparent", "dsar-signature"]:
            yield value, request, {**headers, name: CANARY}
            yield value, request, {name: CANARY}
        for claim in (*claims(key, request), CANARY):
            signature = sign(key, value, claims(key, request, **{claim: CANARY}))
            yield value, request, {**headers, "dsar-signature": signature}
        yield value, CANARY, signed
        yield value + CANARY.encode(), request, signed
        yield CANARY.encode(), CANARY, {}
        yield CANARY.encode(), CANARY, headers
        yield None, CANARY, headers
        for wrong in (CANARY, [CANARY], {CANARY: CANARY}, CANARY + "\n\x1b", f"{CANARY}" * 50):
            for member in body:
                changed = json.dumps(body | {member: wrong}).encode()
                yield changed, request, headers
            yield json.dumps(wrong).encode(), request, headers
        yield b'{"%b":1,"%b":2}' % (CANARY.encode(), CANARY.encode()), request, headers
        yield b'{"%b":' % CANARY.encode(), request, headers
        yield CANARY.encode() + b"\xff", request, headers
        event = {"specversion": "1.0", "id": "1", "source": "//x", "type": REQUEST_TYPE, "time": "2026-11-23T08:00:00Z",
                 "datacontenttype": "application/json", "data": body}
        for member in event:
            for wrong in (CANARY, {CANARY: CANARY}):
                yield (json.dumps(event | {member: wrong}).encode(), request,
                       {"content-type": "application/cloudevents+json", CANARY: CANARY})

    def stuffed_cancels(self):
        request = str(uuid.uuid4())
        body = {"api_version": "2.0", "subject_request_id": request, "body_sha256": "0" * 64, CANARY: CANARY}
        for member in list(body)[:3]:
            for wrong in (CANARY, {CANARY: CANARY}):
                value = json.dumps(body | {member: wrong}).encode()
                yield value, request, self.site.signed(value, request, CANCEL_TYPE)
        value = json.dumps(body).encode()
        yield value, CANARY, self.site.signed(value, request, CANCEL_TYPE)
        yield value, request, {**self.site.signed(value, request, CANCEL_TYPE), "ce_type": CANARY}
        yield CANARY.encode(), request, attributes(request, ce_type=CANCEL_TYPE)

    def stuffed_parked(self):
        """Good requests that say of themselves on a retry topic what nobody has signed."""
        body = request_for("bob", self.keys)
        request, value = body["subject_request_id"], json.dumps(body).encode()
        facts = base64.urlsafe_b64encode(json.dumps({"origin": CANARY, CANARY: CANARY}).encode()).decode().rstrip("=")
        for parked in (CANARY, f"{CANARY}.{CANARY}.{CANARY}", f"{facts}.{facts}.{facts}", f"{facts}..{facts}",
                       f"{facts}.{facts}.{CANARY}", CANARY * 500):
            yield value, request, {**self.site.signed(value, request), "dsar-parked": parked}
        yield value, CANARY, self.site.signed(value, request)
        yield value, request, self.site.signed(value, request)

    def test_no_letter_says_in_its_own_headers_what_the_message_holds(self):
        worker = self.site.worker()
        sources = {"requests": self.stuffed(), "control": self.stuffed_cancels(), "retry.0": self.stuffed_parked()}
        messages = [(*message, topic) for topic, source in sources.items() for message in source]
        for value, key, headers, topic in messages:
            self.site.send(value, key, headers, topic)
        letters = self.site.buried(len(messages))
        codes = {own(letter)["code"] for letter in letters}
        self.assertLess({"bad_event", "bad_request", "bad_signature", "bad_parking", "bad_cancel", "sub_mismatch",
                         "unknown_type", "tombstone"}, codes)
        for letter in letters:
            self.assertNotRegex(str(own(letter)), PERSONAL)
        self.assertNotRegex(worker.log(), PERSONAL)
        self.assertNotRegex(self.dead("list")[0], PERSONAL)
        self.assertEqual(len(self.dead("list")[0].splitlines()), len(messages))

    def test_a_letter_replayed_when_its_cause_is_mended_is_completed_once(self):
        self.site.changes = merged(self.site.changes, {"requests": {"trusted_keys_file": self.keys.stranger_public}})
        worker = self.site.worker()
        request = self.site.ask_for("bob")
        letter, = self.site.buried(1)
        self.assertEqual(own(letter)["code"], "unknown_kid")
        self.assertEqual(worker.end(), 0)
        self.site.changes = merged(self.site.changes, {"requests": {"trusted_keys_file": self.keys.portal_public}})
        self.site.worker()
        self.assertEqual(self.site.said(request), [])
        self.assertEqual(self.settle("replay", "--code", "unknown_kid"), "1 letter replayed, 0 were settled before")
        self.site.heard(request, "completed")
        self.assertEqual(self.settle("replay", "--code", "unknown_kid"), "0 letters replayed, 1 was settled before")
        first, second = self.originals(2)
        self.assertEqual((first.partition, first.key, first.value, first.headers),
                         (second.partition, second.key, second.value, second.headers))
        # a request that comes later ends later
        self.site.heard(self.site.ask_for("carol"), "completed")
        self.assertEqual(self.site.terminal(request), ["completed"])
        self.assertEqual(len(self.site.stored(request, ".zip")), 1)
        self.assertEqual(len([each for each in self.site.dead.all() if "code" in own(each)]), 1)

    def test_a_parked_request_is_replayed_where_it_was_parked_and_keeps_its_place(self):
        self.site = self.portal(dead_partitions=2, delays=(4,))
        former = self.site.changes
        self.site.changes = merged(former, {"retry": {"attempts": 1, "breaker_failures": 0}})
        worker = self.site.worker()
        self.spoil("marketing", mode="error500")
        request = self.site.ask(request_for("alice", self.keys) | {"padding": "x" * 1024})
        self.site.heard(request, "retrying")
        # while it is parked the workers are told that this is too much
        worker.kill()
        self.spoil("marketing", mode="ok")
        self.site.changes = merged(former, {"requests": {"max_bytes": 1024}})
        worker = self.site.worker()
        letter, = self.site.buried(1)
        self.assertEqual((own(letter)["code"], own(letter)["topic"]), ("too_large", self.site.topics["retry.0"]))
        self.assertEqual(worker.end(), 0)
        self.site.changes = former
        self.site.worker()
        self.assertEqual(self.settle("replay", "--code", "too_large"), "1 letter replayed, 0 were settled before")
        self.check_one_completed(self.site, request)
        reader = self.site.reader("retry.0")
        first, second = wait_for(lambda: len(reader.all()) > 1 and reader.all(), "the message and its replay")
        self.assertEqual((first.partition, first.value, first.headers),
                         (second.partition, second.value, second.headers))

    def test_a_message_too_large_for_a_letter_cannot_be_replayed(self):
        self.site.worker()
        self.site.send(b"x" * 900_000, "large", {"ce_type": REQUEST_TYPE})
        letter, = self.site.buried(1)
        _, errors = self.dead("replay", "--all", status=1)
        self.assertIn(f"letter {place(letter)} cannot be replayed: its 900000 bytes were too many", errors)
        self.assertEqual(len(self.originals(1)), 1)
        self.assertIn("\nkey: not kept\n", self.dead("show", "--all")[0])
        self.assertIn("\nvalue: 900000 bytes, not kept\n", self.dead("show", "--all", "--value")[0])

    def test_the_largest_letter_that_is_kept_is_replayed(self):
        self.site.worker()
        value = b"x" * (640 * 1024 - 100)
        self.site.send(value, "large", {"ce_type": REQUEST_TYPE})
        self.site.buried(1)
        self.assertEqual(self.settle("replay", "--all"), "1 letter replayed, 0 were settled before")
        self.assertEqual([each.value for each in self.originals(2)], [value, value])


if __name__ == "__main__":
    unittest.main()
