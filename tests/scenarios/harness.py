"""What scenarios share: folders, keys, the example host, dsard's configuration, its programs, bundles, waiting.

DSAR_BUILD names the build folder whose programs are run (default build/debug).
"""
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(ROOT, "tests", "fakes"), os.path.join(ROOT, "tests", "kafka")]
import canaries  # noqa: E402
import host  # noqa: E402
import people  # noqa: E402

BUILD = os.path.abspath(os.environ.get("DSAR_BUILD") or os.path.join(ROOT, "build", "debug"))
DSARD = os.path.join(BUILD, "bin", "dsard")
DSARCTL = os.path.join(BUILD, "bin", "dsarctl")
# programs with sanitizers are slower, and a machine of two cores may be busy
PATIENCE_S = 60

# this interpreter may lie anywhere
PYTHON_SANDBOX = {"read": [sys.base_prefix]}
# a source of the configuration, and the name that its connector gives itself in canaries.counts()
SOURCES = {"billing": "billing.whmcs", "panel": "hosting-panel.cpanel", "forum": "forum.phpbb",
           "marketing": "marketing.mautic"}
PRODUCTS = {"billing": "whmcs", "panel": "cpanel", "marketing": "mautic"}


def wait_for(question, what, timeout_s=PATIENCE_S):
    """Asks again and again until the answer is true, and returns it. `what` says what did not come."""
    deadline = time.monotonic() + timeout_s
    while not (answer := question()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s} s: {what() if callable(what) else what}")
        time.sleep(0.01)
    return answer


class Scenario(unittest.TestCase):
    """A test with a folder of its own in self.folder, removed at the end, and processes that do not outlive it."""

    maxDiff = 4000

    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory(prefix="dsard-scenario-"))

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def start(self, *arguments, log="process.log", **options):
        """A Process that is ended, by force if need be, when the test ends."""
        process = Process(arguments, self.path(log), **options)
        self.addCleanup(process.close)
        return process


class Process:
    """A program that runs beside the test, in a process group of its own; what it says goes to the file `log`."""

    def __init__(self, arguments, log, **options):
        self.log_path = log
        with open(log, "ab") as file:
            self.popen = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                                          start_new_session=True, **options)

    @property
    def pid(self):
        return self.popen.pid

    def running(self):
        return self.popen.poll() is None

    def signal(self, number):
        if self.running():
            self.popen.send_signal(number)

    def kill(self):
        self.signal(signal.SIGKILL)
        self.popen.wait()

    def end(self, timeout_s=PATIENCE_S):
        """SIGTERM; the exit status."""
        self.signal(signal.SIGTERM)
        return self.popen.wait(timeout_s)

    def close(self):
        self.signal(signal.SIGCONT)
        self.kill()

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def children(self):
        """The processes that it has started, whichever thread did."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError), open(f"/proc/{pid}/stat", "rb") as file:
                if int(file.read().rpartition(b")")[2].split()[1]) == self.pid:
                    found.append(int(pid))
        return found


def run(*arguments, timeout_s=PATIENCE_S, data=None, **options):
    """Runs a program to its end; text in `stdout` and `stderr`, whatever its status."""
    return subprocess.run(arguments, input=data, timeout=timeout_s, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, **({} if data is not None else {"stdin": subprocess.DEVNULL}), **options)


def dsarctl(*arguments, **options):
    """Runs dsarctl, which must succeed; its output."""
    done = run(DSARCTL, *arguments, **options)
    if done.returncode != 0:
        raise AssertionError(f"dsarctl {arguments[0]}: status {done.returncode}: {done.stderr}")
    return done.stdout


class Keys:
    """Keys made by `dsarctl keygen`: NAME.jwk is private, NAME.public for the others. Attributes are paths."""

    def __init__(self, folder):
        self.folder = folder
        for kind in ("portal", "exporter", "recipient", "worker"):
            self.make(kind, kind)

    def make(self, kind, name):
        private, public = (os.path.join(self.folder, f"{name}.{end}") for end in ("jwk", "public"))
        dsarctl("keygen", "--kind", kind, "--out", private, "--public", public)
        setattr(self, name, private)
        setattr(self, name + "_public", public)
        return private


def is_sanitized(program):
    """Whether it was built with a sanitizer, which takes memory of its own."""
    with open(program, "rb") as file:
        return re.search(rb"__[at]san_init", file.read()) is not None


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def save(path, value):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(value, file, indent=1)
    return path


def merged(base, changes):
    """`base` with `changes` put over it, mapping by mapping; None takes a key away."""
    result = dict(base)
    for key, value in changes.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = value
    return result


def sources_of(where):
    """The four sources of the example host for dsard's configuration, by name."""
    def source(name, connector, profile, settings):
        return {"name": name, "title": name.title(), "connector": connector, "profile": profile, "settings": settings}

    return {
        "billing": source("billing", "rest", "billing/whmcs", {
            "base_url": where["whmcs"]["url"], "identifier_file": where["whmcs"]["identifier_file"],
            "secret_file": where["whmcs"]["secret_file"],
            "withheld_custom_fields": where["whmcs"]["withheld_custom_fields"]}),
        "panel": source("panel", "rest", "hosting-panel/cpanel", {
            "base_url": where["cpanel"]["url"], "user": where["cpanel"]["user"],
            "token_file": where["cpanel"]["token_file"]}),
        "forum": source("forum", "sql", "forum/phpbb", {"path": where["phpbb"]["path"]}),
        "marketing": source("marketing", "rest", "marketing/mautic", {
            "base_url": where["mautic"]["url"], "user": where["mautic"]["user"],
            "password_file": where["mautic"]["password_file"]}),
    }


def write_config(path, where, keys, changes=None, sources=None):
    """Writes dsard's configuration beside a store and a spool, which it makes. `where` is the example host's, or None
    without its sources. `changes` are merged into the configuration, and `sources`, {name: changes or None}, into its sources. JSON is YAML, so that is what it writes."""
    folder = os.path.dirname(path)
    listed = merged(sources_of(where) if where else {}, sources or {})
    config = merged({
        "controller": {"id": "example-host", "name": "Example Host", "contact": "privacy@host.example"},
        "requests": {"trusted_keys_file": keys.portal_public, "identity_keys_file": keys.worker},
        "exporter": {"source": "//dsard.host.example", "key_file": keys.exporter},
        "store": {"path": os.path.join(folder, "store"), "results_url": "https://privacy.host.example/dsar/"},
        "work": {"spool_dir": os.path.join(folder, "spool")},
        "retry": {"first_ms": 50, "max_ms": 200},
        "identities": {"allow": [
            {"from": "billing", "kind": "panel_account", "to": ["panel"]}] if {"billing", "panel"} <= set(listed) else []},
        "sources": list(listed.values()),
    }, changes or {})
    for name in (config["store"]["path"], config["work"]["spool_dir"]):
        os.makedirs(name, mode=0o700, exist_ok=True)
    return save(path, config)


def request_for(person, keys, **own):
    """An access request. `own` goes into extensions.dsard. The person is one of people.PEOPLE, or an e-mail address."""
    address = people.PEOPLE[person]["email"] if person in people.PEOPLE else person
    return {
        "api_version": "2.0", "regulation": "gdpr", "subject_request_id": str(uuid.uuid4()),
        "subject_request_type": "access", "submitted_time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "subject_identities": [{"identity_type": "email", "identity_value": address, "identity_format": "raw"}],
        "extensions": {"dsard": merged({"locale": "en", "role": "client",
                                        "recipient": {"jwk": load(keys.recipient_public)}}, own)},
    }


class Once:
    """One `dsard once`: status, output, errors, and where it left bundle and outcome (None without)."""

    def __init__(self, config, request, out, **options):
        done = run(DSARD, "once", "-c", config, "--request", request, "--out", out, **options)
        self.status, self.output, self.errors = done.returncode, done.stdout, done.stderr
        self.bundle, self.outcome = self._said("bundle"), self._said("outcome")

    def _said(self, what):
        found = re.search(f"^{what}: (.+)$", self.output, re.MULTILINE)
        return found.group(1) if found else None


def passphrase(event, key):
    return dsarctl("passphrase", "--event", event, "--key", key).strip()


def _read_tree(folder):
    entries = {}
    for at, _, names in os.walk(folder):
        for name in names:
            full = os.path.join(at, name)
            with open(full, "rb") as file:
                entries[os.path.relpath(full, folder)] = file.read()
    return entries


def open_bundle(bundle, event, key):
    """{entry: bytes}, by `dsarctl open` with the event and the recipient's key."""
    with tempfile.TemporaryDirectory(prefix="dsard-opened-") as folder:
        dsarctl("open", bundle, "--event", event, "--key", key, "--out", os.path.join(folder, "out"))
        return _read_tree(os.path.join(folder, "out"))


def open_with_7zz(bundle, secret):
    """{entry: bytes}, by 7-Zip with the passphrase."""
    with tempfile.TemporaryDirectory(prefix="dsard-opened-") as folder:
        done = run("7zz", "x", "-y", "-bd", "-p" + secret, "-o" + folder, bundle)
        if done.returncode != 0:
            raise AssertionError(f"7zz: status {done.returncode}: {done.stdout}{done.stderr}")
        return _read_tree(folder)


def records(entries):
    """{source: {collection: [records]}} of a bundle's entries."""
    found = {}
    for name, content in entries.items():
        source, slash, collection = name.partition("/")
        if slash and "/" not in collection and collection.endswith(".json") and collection != "files.json":
            found.setdefault(source, {})[collection[:-len(".json")]] = json.loads(content)
    return found


def counted(entries):
    """{source: {collection: n}}, empty collections left out, as held() says them."""
    return {source: {collection: len(each) for collection, each in collections.items() if each}
            for source, collections in records(entries).items()}


def held(person):
    """What the sources hold of a person in the form of counted()."""
    counts = canaries.counts(person)
    of_sources = {name: {collection: n for collection, n in counts.get(upstream, {}).items() if n}
                  for name, upstream in SOURCES.items()}
    return {name: collections for name, collections in of_sources.items() if collections}


def decoded_text(entries):
    """All text of a bundle, JSON decoded, for searching canaries."""
    texts = []
    for name, content in entries.items():
        text = content.decode("utf-8", "replace")
        with contextlib.suppress(ValueError):
            text += "\n" + "\n".join(canaries._texts(json.loads(text)))
        texts.append(text)
    return "\n".join(texts)
