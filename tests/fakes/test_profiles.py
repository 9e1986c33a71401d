"""The shipped profiles, and the JSON Schema of all profiles, which agrees with the engines."""
import copy
import glob
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from whole_profiles import PROFILES  # noqa: E402

try:
    import jsonschema
except ImportError:
    jsonschema = None

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("DSAR_BUILD", os.path.join(ROOT, "build", "debug"))
CONNECTORS = os.path.join(ROOT, "connectors")

# Objects whose keys are the profile's own.
FREE = ("query", "form", "headers", "needs", "fields", "yields")

# What no profile of the engine can do without, beside what stands there otherwise.
NEEDED = {
    "rest": ("name", "collections", "engine", "resolve/0/match", "resolve/0/evidence", "collections/0/records", "collections/0/assert", "collections/0/needs",
             "collections/0/page/number", "collections/0/page/kind", "collections/0/parent/page/last", "collections/0/parent/parent/page/next",
             "collections/0/export/start", "collections/0/export/poll/done", "collections/0/each/0/assert", "collections/0/files/0/name",
             "collections/0/files/1/in", "collections/0/withhold/0/reason", "collections/1/request/auth/client_id",
             "collections/1/request/auth/token_url", "collections/1/page/in", "collections/2/request/auth/password",
             "collections/2/request/auth/kind", "settings/0/help", "resolve/0/yields/person_id/type", "resolve/0/yields/pair/join", "check/version", "check/version/ptr"),
    "sql": ("name", "collections", "engine", "settings/0/kind", "settings/0/required", "check/sql", "resolve/0/sql", "resolve/0/assert", "resolve/0/yields",
            "resolve/0/evidence", "resolve/0/needs", "resolve/0/page/after", "resolve/0/page/n", "resolve/0/assert/0/column",
            "resolve/0/assert/0/equals_identity", "resolve/0/yields/person_id/column", "resolve/0/yields/person_id/type", "collections/0/sql",
            "collections/0/assert", "collections/0/needs", "collections/0/category"),
    "files": ("name", "collections", "engine", "collections/0/kind", "collections/0/base", "collections/0/base/setting", "collections/0/path",
              "collections/0/path/1/1/id", "collections/0/needs", "collections/0/owner/user", "collections/0/content", "collections/2/content",
              "collections/3/format", "collections/3/match", "collections/3/match/field", "collections/3/match/id"),
}

# What may not stand there.
WRONG = {
    "rest": (("engine", "soap"), ("resolve", []), ("check", []), ("check/version", "version"), ("check/version", {}), ("check/version", {"ptr": "a"}),
             ("check/version", {"header": ""}), ("check/version", {"ptr": "/a", "header": "b"}), ("check/version/behind", 7),
              ("check/least", "new"), ("check/ok", [])),
    "sql": (("engine", "soap"), ("resolve", []), ("collections", []), ("drivers", []), ("drivers/0", "oracle"), ("check", []), ("check/sql", "DELETE FROM config"), ("check/what", ""), ("check/what", 7),
            ("check/least", "new"), ("resolve/0/sql", "DELETE FROM users WHERE email = :email AND id > :after LIMIT :n"), ("resolve/0/page", []),
            ("resolve/0/page/n", 0), ("resolve/0/page/n", 10001), ("resolve/0/page/n", "1"), ("resolve/0/page/after", ""), ("resolve/0/assert", []),
            ("resolve/0/assert", 9 * PROFILES["sql"]["resolve"][0]["assert"]), ("resolve/0/assert/0/ignore_case", "yes"), ("resolve/0/assert/0", "email"),
            ("resolve/0/yields/person_id", "id"), ("resolve/0/yields/person_id/type", "int"), ("collections/0/omit", "b"), ("collections/0/omit/0", 1),
            ("collections/0/unread", "yes"), ("collections/0/name", "files"), ("collections/0/fields//a", "mine"),
            ("settings/0/kind", "file"), ("settings/0/default", 1), ("settings/1/default", 1), ("settings/2/default", 1), ("settings/3/default", 1),
            ("settings/4/default", 1), ("settings/4/ports", 1), ("settings/4/ports", [0]), ("settings/4/ports", [65536]), ("settings/4/ports", ["1"]),
            ("settings/5/default", 0), ("settings/5/default", 65536), ("settings/5/default", "1"), ("settings/5/ports", [1]), ("settings/6/default", "1"),
            ("settings/7/default", 0), ("settings/8/default", "x"), ("settings/8/ports", [1])),
    "files": (("resolve", PROFILES["sql"]["resolve"]), ("check", PROFILES["sql"]["check"]), ("drivers", ["sqlite"]), ("collections/0/kind", "zip"),
              ("collections/0/base", "/home"), ("collections/0/path", []), ("collections/0/path", 9 * [{"id": "user"}]), ("collections/0/path", ["home"]),
              ("collections/0/path/0", ""), ("collections/0/path/0", "a/b"), ("collections/0/path/0", "."), ("collections/0/path/0", ".."),
              ("collections/0/path/0", [".."]), ("collections/0/path/0", []), ("collections/0/path/0", 1), ("collections/1/path/0/part", "user"),
              ("collections/1/path/0/as", "upper"), ("collections/0/owner", "root"), ("collections/0/owner/uid", {"id": "user"}),
              ("collections/0/owner/user", "root"), ("collections/0/content", "theirs"), ("collections/0/hard_links", "none"), ("collections/0/limits", 1),
              ("collections/0/limits/bytes", "1"), ("collections/0/format", "common"), ("collections/0/match", {"field": "user", "id": "user"}),
              ("collections/2/hard_links", "own"), ("collections/3/hard_links", "own"), ("collections/3/content", "own"),
              ("collections/3/owner", {"uid": {"setting": "owner"}}), ("collections/3/format", "json"), ("collections/3/match/field", "host")),
}

# What the schema cannot say: the engine alone refuses it.
BEYOND = {
    "rest": (("resolve/0/request/query/e", {"id": "person_id"}), ("collections/2/request/path", "/c"), ("settings/1/name", "key"),
             ("check/request", {"path": ["a", {"id": "person_id"}]})),
    "sql": (("check/sql", "SELECT version FROM config WHERE id = :person_id"), ("check/sql", "SELECT 1; SELECT 2"), ("settings/1/name", "key"),
            ("collections/0/sql", "SELECT a, b FROM {prefix}all WHERE a > :after LIMIT :n"), ("collections/0/assert/0/equals_identity", "email")),
    "files": (("collections/0/path/1/1/id", "email"), ("collections/0/owner/user/id", "email"), ("collections/0/base/setting", "most"),
              ("collections/1/owner/uid/setting", "base"), ("collections/0/limits/entries/setting", "base"), ("collections/3/match/id", "email"),
              ("collections/2/needs/more", "text")),
}


def shipped():
    for path in sorted(glob.glob(os.path.join(CONNECTORS, "*", "*.json"))):
        with open(path, encoding="utf-8") as file:
            yield os.path.relpath(path, CONNECTORS), json.load(file)


def engine_takes(engine, value):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(value, file)
        file.flush()
        run = subprocess.run([os.path.join(BUILD, "libexec", "dsard", f"dsar-{engine}"), "--profile", file.name],
                             stdin=subprocess.DEVNULL, capture_output=True, timeout=30, env={})
    return run.returncode == 0, run.stderr.decode()


def engine_words(folder):
    """All that the engine's own lists hold: keys, and words that stand for themselves."""
    words = set()
    for path in glob.glob(os.path.join(CONNECTORS, folder, "*.c")):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        named = dict(re.findall(r'#define (\w+) +"([a-z_0-9]+)"', text))
        for name, found in re.findall(r"static const char \*const (\w+)\[\] = \{([^;]*)NULL\};", text):
            if not name.endswith("_settings"):
                words.update(re.findall(r'"([a-z_0-9]+)"', found), (named[word] for word in re.findall(r"\b[A-Z_]+\b", found)))
    return words


def words_in(value):
    if isinstance(value, dict):
        return set(value) | set().union(*map(words_in, value.values()))
    if isinstance(value, list):
        return set().union(*map(words_in, value))
    return {value} if isinstance(value, str) else set()


def objects(value, path=()):
    """The ways to all objects of a profile."""
    if isinstance(value, dict):
        yield path
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        yield from objects(member, (*path, key))


def at(value, path):
    for key in path:
        value = value[key]
    return value


def way(text):
    """A way as objects() gives it; what is behind // is a key that begins with a slash."""
    text, _, pointer = text.partition("//")
    return (*(int(key) if key.isdigit() else key for key in text.split("/")), *([f"/{pointer}"] if pointer else []))


def changed_at(engine, place, value):
    """The engine's whole profile with another value at one place."""
    *path, key = way(place)
    changed = copy.deepcopy(PROFILES[engine])
    at(changed, path)[key] = value
    return changed


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

    def expect_taken(self, engine, value):
        self.assertEqual(self.why_not(value), [], engine)
        self.assertEqual(engine_takes(engine, value), (True, ""), engine)

    def expect_refused(self, engine, value, *what):
        self.assertTrue(self.why_not(value), (engine, *what))
        self.assertFalse(engine_takes(engine, value)[0], (engine, *what))

    def test_every_shipped_profile_is_valid(self):
        profiles = list(shipped())
        self.assertEqual({value["engine"] for _, value in profiles}, set(PROFILES))
        for name, value in profiles:
            self.assertEqual(self.why_not(value), [], name)

    def test_one_of_everything_is_valid_and_loads(self):
        for engine, whole in PROFILES.items():
            self.expect_taken(engine, whole)

    def test_comments_may_stand_anywhere(self):
        for engine, whole in PROFILES.items():
            changed = copy.deepcopy(whole)
            for path in list(objects(changed)):
                at(changed, path)["$comment"] = "why"
            self.expect_taken(engine, changed)

    def test_unknown_keys_are_refused_by_both(self):
        for engine, whole in PROFILES.items():
            paths = [path for path in objects(whole) if not path or path[-1] not in FREE]
            self.assertGreater(len(paths), 15, engine)
            for path in paths:
                changed = copy.deepcopy(whole)
                at(changed, path)["surprise"] = 1
                self.expect_refused(engine, changed, path)

    def test_what_must_be_there_is_missed_by_both(self):
        for engine, ways in NEEDED.items():
            for path in map(way, ways):
                changed = copy.deepcopy(PROFILES[engine])
                del at(changed, path[:-1])[path[-1]]
                self.expect_refused(engine, changed, path)

    def test_what_may_not_stand_there_is_refused_by_both(self):
        for engine, changes in WRONG.items():
            for place, value in changes:
                self.expect_refused(engine, changed_at(engine, place, value), place, value)

    def test_what_the_schema_cannot_say_is_refused_by_the_engine(self):
        for engine, changes in BEYOND.items():
            for place, value in changes:
                changed = changed_at(engine, place, value)
                self.assertEqual(self.why_not(changed), [], (engine, place))
                self.assertFalse(engine_takes(engine, changed)[0], (engine, place, value))


class Shipped(unittest.TestCase):
    def test_every_profile_can_be_tried(self):
        """Without anybody's data. The engine files tries its folders without being told."""
        asking = {name: value for name, value in shipped() if value["engine"] != "files"}
        self.assertGreater(len(asking), 10)
        self.assertEqual([name for name, value in asking.items() if "check" not in value], [])


class Lists(unittest.TestCase):
    """By the engines' own lists of what they know."""

    def test_the_profiles_above_have_one_of_everything(self):
        for engine, whole in PROFILES.items():
            self.assertEqual(sorted(engine_words(engine) - words_in(whole)), [], engine)
        self.assertEqual(sorted(engine_words("sdk") - set().union(*map(words_in, PROFILES.values()))), [])

    def test_every_key_is_documented(self):
        for engine in PROFILES:
            words = engine_words(engine)
            self.assertGreater(len(words), 10, engine)
            with open(os.path.join(CONNECTORS, engine, "README.md"), encoding="utf-8") as file:
                text = re.sub(r"^```.*?^```|^    .*?$", "", file.read(), flags=re.DOTALL | re.MULTILINE)
            self.assertEqual(sorted(words - set(re.findall(r"[`\".]([a-z_0-9]+)[`\"]", text))), [], engine)


if __name__ == "__main__":
    unittest.main()
