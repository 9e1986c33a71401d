#!/usr/bin/env python3
"""`dsarctl verify` and `open`: a bundle that was touched anywhere is told from the one that left the exporter.

Programs are those of $DSAR_BUILD.
"""
import os
import unittest
import zipfile

import exports
import harness

STEP = 97


class Verify(exports.Exports):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = cls.enterClassContext(exports.tempfile.TemporaryDirectory())
        config = harness.write_config(os.path.join(folder, "dsard.yaml"), cls.where, cls.keys)
        cls.answers = []
        for person in ("dave", "bob"):
            request = harness.request_for(person, cls.keys)
            path = harness.save(os.path.join(folder, person + ".json"), request)
            cls.answers.append(exports.Answer(harness.Once(config, path, folder), request, cls.keys))
        cls.answer = cls.answers[0]
        with open(cls.answer.bundle, "rb") as file:
            cls.content = file.read()
        cls.event = ("--event", cls.answer.outcome)
        cls.key = ("--key", cls.keys.recipient)
        cls.jwks = ("--jwks", cls.keys.exporter_public)

    def verify(self, *options, bundle=None):
        """(status, output, errors)"""
        done = harness.run(harness.DSARCTL, "verify", bundle or self.answer.bundle, *options)
        self.assertNotRegex(done.stderr, "(?s)\n.+", "more than one line of errors")
        return done.returncode, done.stdout, done.stderr

    def passphrase_file(self):
        path = self.path("passphrase")
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.answer.passphrase + "\n")
        return ("--passphrase-file", path)

    def changed(self, content):
        path = self.path("changed.zip")
        with open(path, "wb") as file:
            file.write(content)
        return path

    def flipped(self, at):
        content = bytearray(self.content)
        content[at] ^= 1
        return self.changed(content)

    def regions(self):
        """{name: offset} of a byte in each part of the container."""
        regions = {}
        with zipfile.ZipFile(self.answer.bundle) as archive:
            for entry in archive.infolist():
                name = entry.filename
                at = entry.header_offset
                names = int.from_bytes(self.content[at + 26:at + 28], "little")
                data = at + 30 + names + int.from_bytes(self.content[at + 28:at + 30], "little")
                end = data + entry.compress_size
                regions |= {f"header of {name}": at, f"name of {name}": at + 30, f"extra field of {name}": data - 1,
                            f"salt of {name}": data, f"verifier of {name}": data + 16, f"data of {name}": data + 20,
                            f"code of {name}": end - 1}
            regions["central directory"] = archive.start_dir
        end = self.content.rindex(b"PK\x05\x06")
        return {**regions, "end of the directory": end - 1, "end record": end, "its offset": end + 16,
                "last byte": len(self.content) - 1}

    def test_all_that_can_be_checked_is_checked_and_said(self):
        status, output, _ = self.verify(*self.event, *self.key)
        self.assertEqual(status, 0)
        self.assertIn("whole bundle: its SHA-256 is the event's", output)
        self.assertIn("contents: the SHA-256 of each of", output)
        self.assertIn("signatures were not checked", output)
        status, output, _ = self.verify(*self.event)
        self.assertEqual(status, 0)
        self.assertIn("contents were not opened", output)
        status, output, _ = self.verify(*self.passphrase_file(), *self.jwks)
        self.assertEqual(status, 0)
        self.assertIn("only the contents were checked", output)
        self.assertIn("manifest: its signature holds", output)
        self.assertNotIn("SHA-256 is the event", output)

    def test_the_outcome_is_the_exporters_word(self):
        status, output, errors = self.verify(*self.event, *self.key, *self.jwks)
        self.assertEqual(status, 0, errors)
        for held in ("event: its signature holds", "manifest: its signature holds"):
            self.assertIn(held, output)
        event = harness.load(self.answer.outcome)
        event["data"]["extensions"]["dsard"]["coverage"] = "partial"
        path = harness.save(self.path("forged.json"), event)
        status, output, errors = self.verify("--event", path, *self.key, *self.jwks)
        self.assertEqual((status, output), (1, ""))
        self.assertRegex(errors, "^dsarctl verify: event: .*signature")

    def test_a_flipped_bit_anywhere_is_found_with_the_event(self):
        offsets = {**{str(at): at for at in range(0, len(self.content), STEP)}, **self.regions()}
        for name, at in offsets.items():
            status, output, errors = self.verify(*self.event, bundle=self.flipped(at))
            if (status, output) != (1, "") or "not the bundle that the event names" not in errors:
                self.fail(f"byte {at} ({name}): status {status}: {output}{errors}")

    def test_a_flipped_bit_in_what_is_sealed_is_found_without_the_event(self):
        passphrase = self.passphrase_file()
        for name, at in self.regions().items():
            status, _, errors = self.verify(*passphrase, *self.jwks, bundle=self.flipped(at))
            self.assertIn(status, (0, 1), name)
            if name.split()[0] in ("salt", "verifier", "data", "code", "name"):
                self.assertEqual(status, 1, f"{name}: {errors}")

    def test_no_flipped_bit_lets_other_contents_out(self):
        whole = harness.open_bundle(self.answer.bundle, self.answer.outcome, self.keys.recipient)
        for name, at in self.regions().items():
            out = self.path(f"out-{at}")
            done = harness.run(harness.DSARCTL, "open", self.flipped(at), *self.event, *self.key, "--out", out)
            if done.returncode == 0:
                self.assertEqual(harness._read_tree(out), whole, name)
            else:
                self.assertEqual(done.returncode, 1, name)

    def test_a_cut_or_longer_file_is_found(self):
        for content in (b"", self.content[:1], self.content[:len(self.content) // 2], self.content[:-1],
                        self.content[1:], self.content + b"\0", b"\0" + self.content, self.content * 2):
            path = self.changed(content)
            self.assertEqual(self.verify(*self.event, bundle=path)[:2], (1, ""))
            status, output, _ = self.verify(*self.event, *self.key, *self.jwks, bundle=path)
            self.assertEqual(status, 1, output)

    def test_another_key_opens_nothing(self):
        other = harness.Keys(self.folder)
        for bad, options in (("recipient", ("--key", other.recipient)), ("exporter's", ("--key", self.keys.exporter)),
                             ("public", ("--key", self.keys.recipient_public))):
            with self.subTest(bad):
                status, output, errors = self.verify(*self.event, *options)
                self.assertEqual((status, output), (1, ""))
                self.assertRegex(errors, "^dsarctl verify: .+")
                done = harness.run(harness.DSARCTL, "open", self.answer.bundle, *self.event, *options,
                                   "--out", self.path("opened"))
                self.assertEqual(done.returncode, 1)
                self.assertFalse(os.path.exists(self.path("opened")))

    def test_a_wrong_passphrase_opens_nothing(self):
        path = self.path("wrong")
        for text in ("", "wrong\n", self.answer.passphrase.lower() + "\n", self.answer.passphrase[:-1] + "\n"):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            status, output, errors = self.verify("--passphrase-file", path)
            self.assertEqual((status, output), (1, ""), errors)

    def test_another_exporters_keys_do_not_fit(self):
        other = harness.Keys(self.folder)
        for path in (other.exporter_public, self.keys.portal_public):
            status, _, errors = self.verify(*self.passphrase_file(), "--jwks", path)
            self.assertEqual(status, 1)
            self.assertIn("signature", errors)

    def test_the_event_of_another_request_does_not_fit(self):
        status, output, _ = self.verify("--event", self.answers[1].outcome, *self.key)
        self.assertEqual((status, output), (1, ""))
        # even where somebody wrote this bundle's digest into it
        event = harness.load(self.answers[1].outcome)
        event["data"]["extensions"]["dsard"]["bundle"] = self.answer.own["bundle"]
        path = harness.save(self.path("forged.json"), event)
        status, _, errors = self.verify("--event", path, *self.key)
        self.assertEqual(status, 1, "the key in it belongs to another bundle")
        event["data"]["extensions"]["dsard"]["key"] = self.answer.own["key"]
        harness.save(path, event)
        status, _, errors = self.verify("--event", path, *self.key)
        self.assertEqual(status, 1, errors)

    def test_what_is_no_event_or_no_bundle_is_refused(self):
        for event in (self.keys.recipient_public, os.devnull, self.path("nothing")):
            self.assertEqual(self.verify("--event", event)[:2], (1, ""))
        self.assertEqual(self.verify(*self.event, bundle=self.path("nothing"))[:2], (1, ""))
        self.assertEqual(self.verify(*self.event, bundle=self.folder)[:2], (1, ""))


if __name__ == "__main__":
    unittest.main()
