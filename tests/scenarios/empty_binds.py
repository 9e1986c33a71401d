#!/usr/bin/env python3
"""No shipped profile makes a call with an empty value, or one of blanks alone, whatever it knows of the person: a system that answers everything,
with everybody's data, is never asked."""
import contextlib
import glob
import itertools
import json
import os
import unittest

import rest
from stub import Product, Stub

PROFILES = sorted(path for path in glob.glob(os.path.join(rest.ROOT, "connectors", "*", "*.json"))
                  if json.load(open(path, encoding="utf-8"))["engine"] == "rest")


class Everybody(Product):
    """Whatever it is asked."""

    def action(self, path, params):
        return path

    def refuse(self):
        raise AssertionError("nobody is refused")

    def allowed(self, headers, params):
        return True

    def answer(self, method, path, params, everybody):
        return [{"id": 1, "email": "malice@example.test", "list_id": "1", "name": "x"}]


class EmptyBinds(unittest.TestCase):
    @contextlib.contextmanager
    def connector(self, path, stub):
        with rest.Connector(path) as connector:
            values = {"url": stub.url, "text": "x", "secret": "x"}
            needed = [each for each in connector.hello["settings"] if each["required"]]
            answer = connector.configure({each["name"]: values[each["kind"]] for each in needed if each["kind"] != "secret"},
                                         {each["name"]: "x" for each in needed if each["kind"] == "secret"})
            self.assertEqual(answer["type"], "ready", answer)
            yield connector

    def test_each_profile_asks_nothing(self):
        self.assertGreaterEqual(len(PROFILES), 9)
        for path, nothing in itertools.product(PROFILES, ("", " ", "\u00a0\u200b")):
            with self.subTest(os.path.basename(path), nothing=ascii(nothing)), contextlib.closing(Stub(Everybody())) as stub:
                with self.connector(path, stub) as connector:
                    hello = connector.hello
                    kinds = {kind for each in hello["collections"] for kind in each["needs"]}
                    found, _ = connector.resolve([(kind, nothing) for kind in hello.get("resolve", {}).get("needs", [])])
                    names = [each["name"] for each in hello["collections"]]
                    records, ends, _ = connector.fetch(names, [(kind, nothing) for kind in kinds])
                self.assertEqual((found, records), ([], {}))
                self.assertEqual({end["status"] for end in ends.values()}, {"failed"})
                self.assertEqual({end["code"] for end in ends.values()}, {"empty_bind"})
                with stub.lock:
                    self.assertEqual(stub.calls, [])


if __name__ == "__main__":
    unittest.main()
