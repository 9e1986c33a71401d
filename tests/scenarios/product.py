"""What scenarios against real products share: the product, what it holds of Alice and of Malice, and Alice's bundle.

Malice has Alice's name and an address that ends like hers. Everything of Alice's is marked canary-alice-…, everything of
hers canary-malice-…, and what must leave in nobody's bundle canary-secret-… or canary-staff-…
"""
import os
import re
import sys
import tempfile
import unittest

import exports
import harness

sys.path.insert(0, os.path.join(harness.ROOT, "tests", "servers"))
from server import Missing  # noqa: E402

ALICE, MALICE, NAME = "alice@example.test", "malice@example.test", "Alice Müller-Ångström"
MARK = re.compile(r"canary-alice-[a-z0-9-]*[a-z0-9]")


class Product(harness.Scenario):
    """A subclass has start(), which makes the product's context manager, fill(), which puts Alice and Malice in, and
    source(), the product as dsard's configuration has it."""

    # who else is asked first, by name: {kind: value} that they say of whoever asks
    knows = {}
    # whom the product does not know
    strangers = ["dave@example.test", "lice@example.test"]
    # the setting that names the file of what it lets one in with
    credential = "password_file"
    # what it says of itself when it is tried, a pattern
    says = None
    # which source may say which kinds of identities to which, besides
    allow = []

    @classmethod
    def setUpClass(cls):
        cls.keys = harness.Keys(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="dsard-product-")))
        try:
            cls.product = cls.enterClassContext(cls.start())
        except Missing as missing:
            raise unittest.SkipTest(str(missing)) from None
        cls.fill()

    def secret(self, name, value):
        return harness.host.keep_secret(self.folder, name, value)

    def sources(self):
        sources = {"product": {"name": "product", **self.source()}}
        if self.knows:
            sources["other"] = exports.parrot(self.folder, "other", {
                "hello": {"check": True, "resolve": {"needs": ["email"], "yields": list(self.knows)},
                          "collections": [{"name": "nothing", "title": "Nothing", "category": "nothing",
                                           "needs": ["email"], "fields": {}}]},
                "check": [{"type": "done", "status": "ok"}],
                "resolve": [*({"type": "identity", "kind": kind, "value": value, "evidence": "e"}
                              for kind, value in self.knows.items()), {"type": "done", "status": "ok"}],
                "fetch": [{"type": "end", "collection": "nothing", "status": "complete", "count": 0},
                          {"type": "done", "status": "ok"}]})
        return sources

    def configure(self, **changes):
        """Writes a configuration; `changes` go over the product as it has it."""
        sources = self.sources()
        sources["product"] = harness.merged(sources["product"], changes)
        allow = [*self.allow, *({"from": "other", "kind": kind, "to": ["product"]} for kind in self.knows)]
        return harness.write_config(self.path("dsard.yaml"), None, self.keys, {"identities": {"allow": allow}}, sources)

    def ask(self, address=ALICE, **changes):
        """Answers a request."""
        config = self.configure(**changes)
        request = harness.request_for(address, self.keys)
        path = harness.save(self.path("request.json"), request)
        out = tempfile.mkdtemp(dir=self.folder)
        return exports.Answer(harness.Once(config, path, out), request, self.keys)

    def check_connection(self, status, words, **changes):
        """Tries the connection, which says so of the product."""
        done = harness.run(harness.DSARD, "check", "--connect", "-c", self.configure(**changes))
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        self.assertRegex(done.stdout, re.compile(rf"^  product +{words}", re.MULTILINE))
        self.assertNotRegex(done.stdout + done.stderr, r"canary-|(?!nobody@dsard)[\w.+-]+@example\.test")

    @staticmethod
    def gaps(answer):
        """What did not come and why, by source and collection, for a failure's text."""
        return {(source["name"], each["name"]): each["reason"] for source in answer.manifest["sources"]
                for each in [source, *source["collections"]] if each.get("reason")}

    def check_whole(self, answer, held, marks):
        """The bundle has as many records as the product holds of Alice, all her marks, and nothing of anybody else."""
        self.assertEqual((answer.status, answer.own["coverage"], answer.statuses["product"]), (0, "complete", "complete"),
                         self.gaps(answer))
        self.assertEqual(harness.counted(answer.entries).get("product"), {name: n for name, n in held.items() if n})
        self.assertEqual(set(marks) - set(MARK.findall(answer.data_text)), set())
        self.assertNotRegex(answer.whole_text, r"(?i)malice|canary-secret|canary-staff")

    def test_nobody_is_not_found(self):
        for address in self.strangers:
            with self.subTest(address):
                self.check_nobody(self.ask(address))

    def test_wrong_credentials_are_a_failure(self):
        self.check_refused(self.ask(settings={self.credential: self.secret("wrong", "wrong")}))

    def test_the_connection_says_what_it_is(self):
        self.check_connection(0, f"ok +{self.says}$")

    def test_the_connection_sees_wrong_credentials(self):
        self.check_connection(1, "FAILED +source_refused: ", settings={self.credential: self.secret("wrong", "wrong")})

    def check_nobody(self, answer):
        """Nobody is known by that address, and nobody's data are there."""
        self.assertEqual(answer.status, 0, self.gaps(answer))
        self.assertEqual((answer.statuses["product"], harness.counted(answer.entries)), ("not_found", {}))
        self.assertNotIn("canary-", answer.whole_text)

    def check_refused(self, answer):
        """Wrong credentials are a failure and never 'no data'."""
        self.assertEqual((answer.gap("product") or {}).get("code"), "source_refused", answer.errors)
