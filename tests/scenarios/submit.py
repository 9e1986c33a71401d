#!/usr/bin/env python3
"""`dsarctl keygen`, `submit` and `cancel`, and requests whose identities are sealed, answered by `dsard once`.

Without Kafka: a mock cluster of librdkafka in the commands' own processes stands for the brokers. Programs are those of
$DSAR_BUILD.
"""
import hashlib
import json
import os
import stat
import subprocess
import unittest

import exports
import harness
from portal import AUDIENCE, SOURCE

NO_ID = "2c0e8f0a-6a58-4b0c-9d7e-0a1b2c3d4e5f"
NO_DIGEST = "00" * 32


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


class Portal(exports.Exports):
    """Commands that speak for a portal."""

    def command(self, command, *options, **changes):
        """(status, output, errors). `changes` are those of the options that every such command needs."""
        with open(self.path("properties"), "w", encoding="ascii") as file:
            file.write("test.mock.num.brokers=1\n")
        common = harness.merged({"brokers": "unused:9092", "properties": self.path("properties"), "key": self.keys.portal,
                                 "source": SOURCE, "audience": AUDIENCE}, changes)
        words = [word for name, value in common.items() for word in ("--" + name, value)]
        done = harness.run(harness.DSARCTL, command, *words, *options)
        return done.returncode, done.stdout, done.stderr

    def submit(self, request, *options):
        """Submits a request, which must succeed; its data as they were saved."""
        saved = self.path(f"{len(os.listdir(self.folder))}.saved")
        status, output, errors = self.command("submit", "--request", harness.save(self.path("request.json"), request),
                                              "--save", saved, *options)
        self.assertEqual((status, errors), (0, ""))
        with open(saved, "rb") as file:
            content = file.read()
        self.assertEqual(output.strip(), json.loads(content)["subject_request_id"])
        return saved

    def answer(self, path, **changes):
        """`dsard once` of the data in a file; `changes` are those of the configuration's requests."""
        once = harness.Once(self.configure({"requests": changes}), path, self.path("out"))
        return exports.Answer(once, harness.load(path), self.keys)

    def check_refused(self, answer, code):
        self.assertEqual((answer.status, answer.bundle), (5, None), answer.errors)
        self.assertEqual(answer.event["data"]["reason"]["code"], code)
        self.assertEqual(self.calls(), {})


class Keygen(Portal):
    def test_a_private_key_is_its_owners_alone(self):
        for kind in ("portal", "exporter", "recipient", "worker"):
            private, public = self.path(kind + ".jwk"), self.path(kind + ".public")
            harness.dsarctl("keygen", "--kind", kind, "--out", private, "--public", public)
            self.assertEqual((mode(private), mode(public)), (0o600, 0o644))
            secret = harness.load(private)["d"]
            with open(public, encoding="utf-8") as file:
                self.assertNotIn(secret, file.read())

    def test_a_worker_has_a_key_to_seal_to(self):
        private, public = harness.load(self.keys.worker), harness.load(self.keys.worker_public)
        self.assertEqual((public["use"], public["alg"]), ("enc", "ECDH-ES+A256KW"))
        self.assertEqual({**public, "d": private["d"]}, private)

    def test_a_key_is_not_overwritten(self):
        path = harness.save(self.path("key"), {"kept": True})
        done = harness.run(harness.DSARCTL, "keygen", "--kind", "worker", "--out", path)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("File exists", done.stderr)
        self.assertEqual(harness.load(path), {"kept": True})


class Submit(Portal):
    def test_what_is_left_out_is_filled_in(self):
        request = harness.request_for("alice", self.keys)
        given = {name: each for name, each in request.items() if name in ("regulation", "subject_request_type",
                                                                          "subject_identities")}
        saved = self.submit(given, "--recipient", self.keys.recipient_public)
        self.assertEqual(mode(saved), 0o600)
        sent = harness.load(saved)
        self.assertEqual({**sent, **given}, sent)
        self.assertEqual(sent["extensions"], {"dsard": {"recipient": {"jwk": harness.load(self.keys.recipient_public)}}})
        self.assertEqual(self.answer(saved).status, 0)

    def test_what_was_saved_can_be_sent_again_as_it_was(self):
        first = self.submit(harness.request_for("alice", self.keys), "--seal-to", self.keys.worker_public)
        status, output, errors = self.command("submit", "--request", first, "--save", self.path("again"))
        self.assertEqual((status, output, errors), (0, harness.load(first)["subject_request_id"] + "\n", ""))
        with open(first, "rb") as one, open(self.path("again"), "rb") as other:
            self.assertEqual(one.read(), other.read())

    def test_nothing_is_sent_that_cannot_be_saved(self):
        path = harness.save(self.path("kept"), {"kept": True})
        request = harness.save(self.path("request.json"), harness.request_for("alice", self.keys))
        for save in (path, self.path("no", "folder")):
            status, output, errors = self.command("submit", "--request", request, "--save", save)
            self.assertEqual((status, output), (1, ""))
            self.assertIn(save, errors)
        self.assertEqual(harness.load(path), {"kept": True})

    def test_the_brokers_must_take_it(self):
        large = {**harness.request_for("alice", self.keys), "property_id": "x" * 1000}
        with open(self.path("narrow"), "w", encoding="ascii") as file:
            file.write("test.mock.num.brokers=1\nmessage.max.bytes=1000\n")
        status, _, errors = self.command("submit", "--request", harness.save(self.path("request.json"), large),
                                         properties=self.path("narrow"))
        self.assertEqual(status, 1)
        self.assertRegex(errors, "^dsarctl submit: topic dsar.requests: .*too large")


class Sealing(Portal):
    def test_whose_data_are_asked_for_is_told_to_the_workers_alone(self):
        request = harness.request_for("alice", self.keys)
        saved = self.submit(request, "--seal-to", self.keys.worker_public)
        with open(saved, encoding="utf-8") as file:
            text = file.read()
        self.assertNotIn("alice", text)
        self.assertNotIn("subject_identities", text)
        for path in (self.keys.portal, self.keys.worker):
            self.assertNotIn(harness.load(path)["d"], text)
        answer = self.answer(saved)
        self.assertEqual(answer.status, 0, answer.errors)
        self.assertEqual(harness.counted(answer.entries), harness.held("alice"))
        self.assertIn({"kind": "email", "value": harness.people.PEOPLE["alice"]["email"], "from": "request"},
                      answer.manifest["searched"]["identities"])
        self.assertNotIn(harness.people.PEOPLE["alice"]["email"], str(answer.event) + answer.errors)

    def test_the_private_file_names_the_key_as_well(self):
        saved = self.submit(harness.request_for("alice", self.keys), "--seal-to", self.keys.worker)
        with open(saved, encoding="utf-8") as file:
            self.assertNotIn(harness.load(self.keys.worker)["d"], file.read())
        self.assertEqual(self.answer(saved).status, 0)

    def test_a_new_key_beside_the_former_one(self):
        new, old, both = self.keys.make("worker", "worker_2027"), self.keys.worker, self.path("identity-keys.json")
        subprocess.run(["sh", "-c", """umask 077
            { printf '{"keys":['; cat "$1"; printf ','; cat "$2"; printf ']}'; } >"$3" """, "sh", new, old, both],
                       check=True, timeout=harness.PATIENCE_S)
        for key in (new, old):
            saved = self.submit(harness.request_for("dave", self.keys), "--seal-to", key)
            self.assertEqual(self.answer(saved, identity_keys_file=both).status, 0)

    def test_a_key_that_the_workers_do_not_have_is_said(self):
        saved = self.submit(harness.request_for("alice", self.keys), "--seal-to", self.keys.recipient_public)
        self.check_refused(self.answer(saved), "unknown_identity_key")
        saved = self.submit(harness.request_for("alice", self.keys), "--seal-to", self.keys.worker_public)
        self.check_refused(self.answer(saved, identity_keys_file=None), "unknown_identity_key")

    def test_sealed_identities_serve_no_other_request(self):
        one = harness.load(self.submit(harness.request_for("alice", self.keys), "--seal-to", self.keys.worker_public))
        other = harness.request_for("malice", self.keys)
        del other["subject_identities"]
        other["extensions"]["dsard"]["sealed_identities"] = one["extensions"]["dsard"]["sealed_identities"]
        self.check_refused(self.answer(harness.save(self.path("other.json"), other)), "bad_sealed_identities")

    def test_identities_in_clear_and_sealed_are_refused(self):
        saved = self.submit(harness.request_for("alice", self.keys), "--seal-to", self.keys.worker_public)
        both = {**harness.request_for("alice", self.keys), **harness.load(saved)}
        self.check_refused(self.answer(harness.save(self.path("both.json"), both)), "doubled_identities")

    def test_what_cannot_be_sealed_is_not_sent(self):
        request = harness.request_for("alice", self.keys)
        sealed = harness.load(self.submit(request, "--seal-to", self.keys.worker_public))
        nobody = {name: each for name, each in request.items() if name != "subject_identities"}
        for body, key in ((sealed, self.keys.worker_public), ({**request, **sealed}, self.keys.worker_public),
                          (nobody, self.keys.worker_public), (request, self.keys.portal_public),
                          (request, self.keys.portal), (request, self.path("nothing"))):
            path = harness.save(self.path("request.json"), body)
            status, output, errors = self.command("submit", "--request", path, "--seal-to", key)
            self.assertEqual((status, output), (1, ""))
            self.assertRegex(errors, "^dsarctl submit: .+\n$")
            self.assertNotIn("alice", errors)


class Cancel(Portal):
    def test_the_request_is_named_by_what_was_sent(self):
        saved = self.submit(harness.request_for("alice", self.keys))
        request = harness.load(saved)["subject_request_id"]
        with open(saved, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        for options in (("--request", saved), ("--id", request, "--sha256", digest)):
            self.assertEqual(self.command("cancel", *options), (0, request + "\n", ""))

    def test_what_names_no_request_is_not_sent(self):
        nothing = harness.save(self.path("nothing.json"), {"subject_request_id": NO_ID.upper()})
        for options in (("--request", nothing), ("--request", self.keys.portal), ("--request", os.devnull),
                        ("--request", self.path("none")), ("--request", self.folder),
                        ("--id", NO_ID.upper(), "--sha256", NO_DIGEST), ("--id", "", "--sha256", NO_DIGEST),
                        ("--id", NO_ID, "--sha256", NO_DIGEST[1:]), ("--id", NO_ID, "--sha256", "AB" * 32),
                        ("--id", "\xff", "--sha256", NO_DIGEST), ("--id", NO_ID, "--sha256", NO_DIGEST + "00")):
            with self.subTest(options):
                status, output, errors = self.command("cancel", *options)
                self.assertEqual((status, output), (1, ""))
                self.assertRegex(errors, "^dsarctl cancel: .+\n$")

    def test_it_is_said_in_one_way(self):
        for options in ((), ("--id", NO_ID), ("--sha256", NO_DIGEST), ("--request", "f", "--id", NO_ID),
                        ("--request", "f", "--sha256", NO_DIGEST), ("--request", "f", "surplus")):
            status, output, errors = self.command("cancel", *options)
            self.assertEqual((status, output), (2, ""))
            self.assertIn("usage: dsarctl cancel", errors)
        for missing in ("brokers", "key", "source", "audience"):
            status, _, _ = self.command("cancel", "--id", NO_ID, "--sha256", NO_DIGEST, **{missing: None})
            self.assertEqual(status, 2, missing)

    def test_a_key_that_cannot_sign_sends_nothing(self):
        for key in (self.keys.recipient, self.keys.portal_public, self.path("nothing")):
            status, _, errors = self.command("cancel", "--id", NO_ID, "--sha256", NO_DIGEST, key=key)
            self.assertEqual(status, 1)
            self.assertRegex(errors, "^dsarctl cancel: .+\n$")


if __name__ == "__main__":
    unittest.main()
