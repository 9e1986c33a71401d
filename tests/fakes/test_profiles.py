"""The shipped profiles, and the JSON Schema of all profiles, which agrees with the engines."""
import copy
import glob
import json
import os
import re
import subprocess
import tempfile
import unittest

try:
    import jsonschema
except ImportError:
    jsonschema = None

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("DSAR_BUILD", os.path.join(ROOT, "build", "debug"))
CONNECTORS = os.path.join(ROOT, "connectors")

# One of everything that the rest engine knows.
STEP = {"request": {"path": ["a", {"record": "/id"}]}, "records": "", "assert": [{"ptr": "/of", "eq_record": "/id"}]}
OWN = {"request": {"path": "/a", "query": {"p": {"id": "person_id"}}}, "records": "/items", "assert": [{"ptr": "/p", "eq_id": "person_id"}]}
WHOLE = {
    "profile": 1, "name": "test/whole", "title": "Whole", "engine": "rest", "version": "1", "requests_per_second": 2.5,
    "settings": [{"name": "key", "kind": "secret", "required": True, "help": "key"},
                 {"name": "withheld", "kind": "text", "required": False, "help": "ids", "default": "7"},
                 {"name": "token_url", "kind": "url", "required": False, "help": "where tokens come from"}],
    "defaults": {"request": {"method": "GET", "headers": {"X-Key": ["key ", {"secret": "key"}]}}, "busy": [{"ptr": "/e", "eq": "busy"}],
                 "ok": [{"ptr": "/ok", "eq": True}], "refused": [{"any": [{"ptr": "/e", "in": ["no", 7, None]}, {"ptr": "/f", "filled": True}]}]},
    "resolve": [{"needs": {"email": "text"}, "request": {"path": "/find", "query": {"e": {"id": "email", "as": "lower", "part": 0}}},
                 "not_found": [{"status": 404}, {"any": [{"status": 410}]}], "records": "", "records_kind": "single",
                 "match": [{"ptr": "/email", "eq_id": "email", "ignore_case": True, "part": 1}],
                 "yields": {"person_id": {"ptr": "/id", "type": "uint>0"}, "pair": {"join": ["/a", "/b"], "type": "text", "as": "lower"}},
                 "evidence": "exact match"}],
    "collections": [
        {"name": "all", "title": "All", "category": "test", "needs": {"person_id": "uint>0"}, "fields": {"/x": "own", "/y/*": "withhold:x"},
         **copy.deepcopy(OWN), "empty": ["", None], "total": {"header": "X-Total"}, "cap": 1000, "key": "/id", "unread": "/u/*",
         "page": {"kind": "page", "in": "query", "number": "p", "first": 0, "size": "n", "by": 10, "pages": "/pages", "max_pages": 9,
                  "end": [{"status": 404}]},
         "parent": {**copy.deepcopy(OWN), "page": {"kind": "cursor", "in": "query", "cursor": "c", "last": "/id", "more": "/more"},
                    "match": [{"ptr": "/p", "eq_id": "person_id"}],
                    "parent": {**copy.deepcopy(OWN), "page": {"kind": "next", "next": "/next"}}},
         "export": {"start": {"request": {"method": "POST", "path": ["s", {"id": "person_id"}], "idempotent": True}},
                    "poll": {"request": {"path": {"url": {"started": "/url"}}}, "done": [{"ptr": "/d", "eq": True}],
                             "failed": [{"ptr": "/d", "eq": "no"}], "every_s": 2, "max_s": 60}},
         "each": [{**copy.deepcopy(STEP), "omit": ["ok"]},
                  {**copy.deepcopy(STEP), "into": "more", "records_kind": "array", "page": {"kind": "link", "in": "query", "size": "n"}}],
         "files": [{"in": "/f/*", "name": "0/name", "media_type": "0/type", "data": "/data"},
                   {"in": "/g/*", "where": {"element": "1/id", "ne": 0}, "name": "0#", "base64": "/data", "request": {"path": ["g", {"element": "1/id"}, {"record": "/id", "up": 1}]},
                    "not_found": [{"ptr": "/e", "eq": "gone"}]},
                   {"in": "", "name": "0/id", "request": {"path": {"url": {"element": "0/url"}}}}],
         "withhold": [{"in": "/c", "key": "/id", "listed_in": "withheld", "reason": "configured"}, {"numbered": "c", "reason": "duplicate"}]},
        {"name": "other", "title": "Other", "category": "test", "needs": {"person_id": "uint>0"}, **copy.deepcopy(OWN),
         "page": {"kind": "offset", "in": "form", "start": "s"}, "match": [{"ptr": "/p", "eq_id": "person_id"}], "assert": [{"ptr": "/p", "in_ids": "person_id", "of": "answer"}, {"ptr": "/x", "eq": 1, "optional": True}],
         "request": {"method": "POST", "path": "/b", "form": {"p": {"id": "person_id"}, "key": {"secret": "key", "optional": True}},
                     "auth": {"kind": "oauth2", "token_url": {"setting": "token_url"}, "client_id": "dsard", "client_secret": {"secret": "key"},
                              "in": "basic", "form": {"scope": "read"}}}},
        {"name": "third", "title": "Third", "category": "test", "needs": {"person_id": "uint>0"}, "unasserted": "a test", "records": "/r",
         "request": {"path": ["c", [{"id": "person_id", "as": "regex"}, ".json"]], "auth": {"kind": "basic", "user": "u", "password": {"secret": "key"}}}, "each": {**{key: value for key, value in STEP.items() if key != "assert"}, "unasserted": "a test"}},
    ],
}

# Objects whose keys are the profile's own.
FREE = ("query", "form", "headers", "needs", "fields", "yields")


def shipped():
    for path in sorted(glob.glob(os.path.join(CONNECTORS, "*", "*.json"))):
        with open(path, encoding="utf-8") as file:
            yield os.path.relpath(path, CONNECTORS), json.load(file)


def engine_takes(value):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(value, file)
        file.flush()
        run = subprocess.run([os.path.join(BUILD, "libexec", "dsard", f"dsar-{value.get('engine', 'rest')}"), "--profile", file.name],
                             stdin=subprocess.DEVNULL, capture_output=True, timeout=30, env={})
    return run.returncode == 0, run.stderr.decode()


def objects(value, path=()):
    """The ways to all objects of a profile whose keys are fixed."""
    if isinstance(value, dict):
        if not path or path[-1] not in FREE:
            yield path
        for key, member in value.items():
            if key != "fields":
                yield from objects(member, (*path, key))
    elif isinstance(value, list):
        for at, member in enumerate(value):
            yield from objects(member, (*path, at))


def at(value, path):
    for key in path:
        value = value[key]
    return value


@unittest.skipUnless(jsonschema or os.environ.get("CI") == "true", "python3-jsonschema is not installed")
class Schema(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with open(os.path.join(CONNECTORS, "profile.schema.json"), encoding="utf-8") as file:
            cls.schema = json.load(file)
        jsonschema.Draft202012Validator.check_schema(cls.schema)
        cls.validator = jsonschema.Draft202012Validator(cls.schema)

    def why_not(self, value):
        return [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in self.validator.iter_errors(value)]

    def test_every_shipped_profile_is_valid(self):
        profiles = list(shipped())
        self.assertGreaterEqual(len(profiles), 4)
        for name, value in profiles:
            self.assertEqual(self.why_not(value), [], name)

    def test_one_of_everything_is_valid_and_loads(self):
        whole = copy.deepcopy(WHOLE)
        self.assertEqual(self.why_not(whole), [])
        self.assertEqual(engine_takes(whole), (True, ""))

    def test_comments_may_stand_anywhere(self):
        whole = copy.deepcopy(WHOLE)
        for path in list(objects(whole)):
            at(whole, path)["$comment"] = "why"
        self.assertEqual(self.why_not(whole), [])
        self.assertTrue(engine_takes(whole)[0])

    def test_unknown_keys_are_refused_by_both(self):
        whole = copy.deepcopy(WHOLE)
        paths = list(objects(whole))
        self.assertGreater(len(paths), 60)
        for path in paths:
            changed = copy.deepcopy(whole)
            at(changed, path)["surprise"] = 1
            self.assertTrue(self.why_not(changed), path)
            self.assertFalse(engine_takes(changed)[0], path)

    def test_what_must_be_there_is_missed_by_both(self):
        for path in (("name",), ("collections",), ("engine",), ("resolve", 0, "match"), ("resolve", 0, "evidence"), ("collections", 0, "records"),
                     ("collections", 0, "assert"), ("collections", 0, "needs"), ("collections", 0, "page", "number"), ("collections", 0, "page", "kind"),
                     ("collections", 0, "parent", "page", "last"), ("collections", 0, "parent", "parent", "page", "next"),
                     ("collections", 0, "export", "start"), ("collections", 0, "export", "poll", "done"), ("collections", 0, "each", 0, "assert"),
                     ("collections", 0, "files", 0, "name"), ("collections", 0, "files", 1, "in"), ("collections", 0, "withhold", 0, "reason"),
                     ("collections", 1, "request", "auth", "client_id"), ("collections", 1, "request", "auth", "token_url"),
                     ("collections", 1, "page", "in"), ("collections", 2, "request", "auth", "password"), ("collections", 2, "request", "auth", "kind"),
                     ("settings", 0, "help"), ("resolve", 0, "yields", "person_id", "type"), ("resolve", 0, "yields", "pair", "join")):
            changed = copy.deepcopy(WHOLE)
            del at(changed, path[:-1])[path[-1]]
            self.assertTrue(self.why_not(changed), path)
            self.assertFalse(engine_takes(changed)[0], path)


class Readme(unittest.TestCase):
    def test_every_key_is_documented(self):
        """By the engines' own lists of what they know."""
        keys = set()
        for path in glob.glob(os.path.join(CONNECTORS, "rest", "*.c")):
            with open(path, encoding="utf-8") as file:
                for found in re.findall(r"static const char \*const \w+\[\] = \{([^;]*NULL)\};", file.read()):
                    keys.update(re.findall(r'"([a-z_0-9]+)"', found))
        self.assertGreater(len(keys), 60)
        with open(os.path.join(CONNECTORS, "rest", "README.md"), encoding="utf-8") as file:
            text = file.read()
        documented = set(re.findall(r"[`\".]([a-z_0-9]+)[`\"]", text))
        self.assertEqual(sorted(keys - documented), [])


if __name__ == "__main__":
    unittest.main()
