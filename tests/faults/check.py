#!/usr/bin/env python3
"""The judge of a run of faults: reads its history and its bundles, and nothing else.

  tests/faults/check.py HISTORY [--open N]

Prints what is wrong, if anything is, and what was measured. --open: so many bundles are opened at the most (400), chosen
by the run's seed; everything else is looked at for all. Exit status 1 when something is wrong.
"""
import argparse
import collections
import concurrent.futures
import hashlib
import html
import json
import os
import random
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
os.environ.setdefault("DSAR_BUILD", os.path.join(ROOT, "build", "release"))
sys.path[:0] = [HERE, os.path.join(ROOT, "tests", "scenarios")]
import figures  # noqa: E402
import harness  # noqa: E402
import portal  # noqa: E402
from harness import canaries  # noqa: E402

SHOWN_MAX = 40
# what a person is shown of the bundle beside the data itself
FRONT = ("report.html", "manifest.json", "manifest.jws")
# told to leave; a fault after which only a new process can go on; SIGKILL is ours
STATUSES_TOLD, STATUSES = {0}, {3, -9}


class Event:
    """A message of the topic of events that a reader of what is committed gets."""

    def __init__(self, line):
        self.request, self.kind, self.headers = line["key"], line["kind"], line["headers"]
        self.data = json.loads(line["value"]) if "value" in line else None

    @property
    def own(self):
        return self.data["extensions"]["dsard"]

    @property
    def digest(self):
        return self.own["bundle"]["sha256"]

    def structured(self):
        """As `dsarctl` takes it."""
        names = {name[3:]: text for name, text in self.headers.items() if name.startswith("ce_")}
        return {**names, "datacontenttype": self.headers["content-type"],
                "dsarsignature": self.headers["dsar-signature"], "data": self.data}


class History:
    """A history, by what is asked of it. Raises ValueError where it is not whole."""

    def __init__(self, path):
        self.folder = os.path.dirname(os.path.abspath(path))
        by_what = collections.defaultdict(list)
        with open(path, encoding="utf-8") as file:
            for line in map(json.loads, file):
                by_what[line["what"]].append(line)
        if len(by_what["run"]) != 1 or len(by_what["end"]) != 1:
            raise ValueError("the history has no beginning or no end")
        (self.run,), (self.end,) = by_what["run"], by_what["end"]
        self.sent = {each["request"]: each for each in by_what["sent"]}
        self.acked, self.faults, self.exits, self.seen = (
            by_what[each] for each in ("acked", "fault", "exit", "seen"))
        self.committed = {(each["topic"], each["partition"]): each["offset"] for each in by_what["committed"]}
        self.objects = by_what["object"]
        self.messages = collections.defaultdict(list)
        for each in by_what["message"]:
            self.messages[each["topic"]].append(each)
        events = [Event(each) for each in self.messages["events"] if each["committed"]]
        self.terminal, self.repeated, self.expired = (
            self._by_request(events, kinds) for kinds in (portal.TERMINAL, {"repeated"}, {"expired"}))
        self.audits = [json.loads(each["value"]) for each in self.messages["audit"] if each["committed"]]

    @staticmethod
    def _by_request(events, kinds):
        found = collections.defaultdict(list)
        for each in events:
            if each.kind in kinds:
                found[each.request].append(each)
        return found

    def received(self):
        """{request: how many messages ask for it}."""
        return collections.Counter(each["key"] for each in self.messages["requests"])

    def cancelled(self):
        """The requests for which a cancel was sent."""
        return {each["key"] for each in self.messages["control"]}

    def completed(self):
        return [event for events in self.terminal.values() for event in events if event.kind == "completed"]

    def receipts(self):
        """[(request, what the receipt says)]."""
        return [(each["request"], each["json"]) for each in self.objects if each["name"] == "receipt"]

    def bundles(self):
        """{(request, SHA-256): name}."""
        return {(each["request"], each["sha256"]): each["name"] for each in self.objects
                if each["name"].endswith(".zip")}

    def path(self, *names):
        return os.path.join(self.folder, *names)


# --- what is said; each function yields what is wrong ---

def the_run(history):
    """It came to its end, and nobody died but by our hand."""
    if not history.end["answered"]:
        yield "the patience ended before all was answered"
    for each in history.exits:
        if each["status"] not in (STATUSES_TOLD if each["told"] else set()) | STATUSES:
            yield f"worker {each['worker']} ended with status {each['status']}"


def outcomes(history):
    """A request has one terminal event, each message more of it one `repeated`, and nothing else has any."""
    received = history.received()
    for request, n in received.items():
        kinds = [each.kind for each in history.terminal[request]]
        if len(kinds) != 1:
            yield f"request {request}: {len(kinds)} terminal events: {', '.join(kinds) or 'none'}"
        if len(history.repeated[request]) != n - 1:
            yield f"request {request}: {len(history.repeated[request])} repeated, of {n} messages"
        if kinds == ["cancelled"] and request not in history.cancelled():
            yield f"request {request}: cancelled by nobody"
        if "refused" in kinds:
            yield f"request {request}: refused, and all that are sent are good"
    for kind in (history.terminal, history.repeated, history.expired):
        for request in kind:
            if kind[request] and request not in received:
                yield f"request {request}: an event, and nobody asked"
    for request in received:
        if request not in history.sent:
            yield f"request {request}: not one of this run's"


def messages(history):
    """Kafka has what it said it has, all of it was read to the end, nothing was buried, and readers saw what is there."""
    there = {(what, each["partition"], each["offset"]): each["key"]
             for what in ("requests", "control") for each in history.messages[what]}
    for each in history.acked:
        place = each["topic"], each["partition"], each["offset"]
        if there.get(place) != each["request"]:
            yield f"request {each['request']}: acknowledged at {place[0]} {place[1]}:{place[2]}, and gone"
    for what, lines in history.messages.items():
        if what in ("requests", "control") or what.startswith("retry"):
            last = {}
            for each in lines:
                last[each["partition"]] = max(each["offset"], last.get(each["partition"], -1))
            for partition, offset in last.items():
                if history.committed.get((what, partition), -1) <= offset:
                    yield f"{what} {partition}: not committed up to {offset}"
    for each in history.messages["dead"]:
        if each["committed"]:
            yield f"a dead letter: {each['key']}: {each['headers'].get('dsar-dead-code')}"
    seen = collections.Counter((each["request"], each["kind"]) for each in history.seen)
    there = collections.Counter((each.request, each.kind) for events in history.terminal.values() for each in events)
    for each in (seen - there) + (there - seen):
        yield f"request {each[0]}: {each[1]} was seen {seen[each]} times and is there {there[each]} times"


def audits(history):
    """One record for each terminal event, which says the same."""
    said = collections.Counter((each["subject_request_id"], each["outcome"]) for each in history.audits)
    done = collections.Counter((each.request, each.headers["ce_type"]) for events in history.terminal.values()
                               for each in events)
    done += collections.Counter((each.request, each.headers["ce_type"]) for events in history.expired.values()
                                for each in events)
    for request, outcome in (said - done) + (done - said):
        yield f"request {request}: {said[request, outcome]} audit records of {done[request, outcome]} {outcome}"


def store(history):
    """A terminal event is that of a receipt; what receipts and events name is there, and named once."""
    bundles, cancelled, named = history.bundles(), history.cancelled(), {}
    receipts = collections.defaultdict(set)
    for request, receipt in history.receipts():
        event = receipt["event"]
        receipts[request].add(event["id"])
        if receipt["request"] != request:
            yield f"request {request}: the receipt of another, {receipt['request']}"
        if event["type"] == "org.dsard.completed.v1" and request not in cancelled:
            sha256 = event["data"]["extensions"]["dsard"]["bundle"]["sha256"]
            if bundles.get((request, sha256)) != receipt["bundle"]:
                yield f"request {request}: its receipt names a bundle that is not there"
    for events in history.terminal.values():
        for each in events:
            if each.headers["ce_id"] not in receipts[each.request]:
                yield f"request {each.request}: {each.kind}, and no receipt of it"
    for each in history.completed():
        if named.setdefault(each.digest, each.request) != each.request:
            yield f"request {each.request}: the bundle of another, {named[each.digest]}"
        if each.request in cancelled:
            if not history.expired[each.request] or [1 for request, _ in bundles if request == each.request]:
                yield f"request {each.request}: cancelled after its end, and its bundle is not withdrawn"
        elif (each.request, each.digest) not in bundles:
            yield f"request {each.request}: completed, and its bundle is not there"


def gaps(history):
    """A completed event says what it has: partial if and only if something is missing."""
    for each in history.completed():
        missing = [source["name"] for source in each.own["sources"] if source["status"] in ("failed", "partial")]
        without = [source["name"] for source in each.own["sources"]
                   if (source["status"] in ("failed", "partial")) != ("reason" in source)]
        if (each.own["coverage"] == "partial") != bool(missing) or without:
            yield f"request {each.request}: coverage {each.own['coverage']}, but {missing} missing, {without} unexplained"


# --- what is in the bundles ---

def sources(held, counted, manifest):
    """A source is there as a whole, or the manifest says what is not."""
    for source in manifest["sources"]:
        name, status, whole = source["name"], source["status"], held.get(source["name"], {})
        gone = {each["name"] for each in source["collections"] if "reason" in each}
        expected = {} if status == "failed" else {collection: n for collection, n in whole.items()
                                                  if collection not in gone}
        if counted.get(name, {}) != expected:
            yield f"source {name} is {status} with {counted.get(name, {})}, and holds {expected}"
        if status not in ("failed", "partial") and (gone or status != ("complete" if whole else "not_found")):
            yield f"source {name} is {status}"


def content(sent, event, entries):
    """It is this request's, and holds what the sources hold of the person and nothing of others."""
    person, manifest = sent["person"], json.loads(entries["manifest.json"])
    if manifest["request"]["id"] != event.request:
        yield f"the manifest is of request {manifest['request']['id']}"
    listed = {each["name"]: each["sha256"] for each in manifest["entries"]}
    there = {name: hashlib.sha256(each).hexdigest() for name, each in entries.items()
             if name not in ("manifest.json", "manifest.jws")}
    if listed != there:
        yield "its entries are not those of the manifest"
    asked = [each["value"] for each in manifest["searched"]["identities"] if each["from"] == "request"]
    if asked != [sent["address"]]:
        yield "it answers for somebody else"
    said, written = ({each["name"]: (each["status"], "reason" in each) for each in these}
                     for these in (event.own["sources"], manifest["sources"]))
    if said != written or event.own["coverage"] != manifest["coverage"]:
        yield f"the event says {said}, the manifest {written}"
    yield from sources(harness.held(person) if person else {}, harness.counted(entries), manifest)
    report = html.unescape(entries["report.html"].decode()).encode()
    # nobody's bundle holds what Dave's must not, and he has nothing
    leaked = canaries.leaked(person or "dave", harness.decoded_text({**entries, "report": report}))
    if leaked:
        yield f"it holds what is not theirs: {', '.join(leaked)}"
    data = harness.decoded_text({name: each for name, each in entries.items() if name not in FRONT})
    missing = canaries.missing(person, data) if person and manifest["coverage"] == "complete" else []
    if missing:
        yield f"it lacks what is theirs: {', '.join(missing)}"


def opened(history, event, folder):
    """Opens the bundle of a completed event with the event's key: (its passphrase, what is wrong with it)."""
    name = history.bundles()[event.request, event.digest]
    bundle = history.path(history.run["store"], event.request, name)
    saved = harness.save(os.path.join(folder, event.headers["ce_id"]), event.structured())
    key, passphrase = history.path("recipient.jwk"), None
    try:
        harness.dsarctl("verify", bundle, "--event", saved, "--jwks", history.path("exporter.public"))
        passphrase = harness.passphrase(saved, key)
        wrong = list(content(history.sent[event.request], event, harness.open_bundle(bundle, saved, key)))
    except (AssertionError, KeyError, ValueError) as error:
        wrong = [f"it does not open: {error}"]
    return passphrase, [f"request {event.request}: its bundle: {each}" for each in wrong]


def contents(history, n_max):
    """(how many bundles were opened, what is wrong with them)."""
    there, wrong = history.bundles(), []
    events = [each for each in history.completed()
              if (each.request, each.digest) in there and each.request in history.sent]
    chosen = random.Random(history.run["seed"]).sample(events, min(n_max, len(events)))
    digests = collections.defaultdict(set)  # of the bundles that open by a passphrase
    with tempfile.TemporaryDirectory(prefix="dsard-check-") as folder, \
            concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for event, (passphrase, found) in zip(chosen, pool.map(lambda each: opened(history, each, folder), chosen)):
            digests[passphrase].add(event.digest)
            wrong += found
    wrong += [f"{len(each)} bundles open by one passphrase" for passphrase, each in digests.items()
              if passphrase and len(each) > 1]
    return len(chosen), wrong


def judge(history, n_open):
    """(how many bundles were opened, all that is wrong)."""
    wrong = [each for look in (the_run, outcomes, messages, audits, store, gaps) for each in look(history)]
    n_opened, wrong_inside = contents(history, n_open)
    return n_opened, wrong + wrong_inside


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("history")
    parser.add_argument("--open", type=int, default=400, metavar="N", help="bundles to open at the most (400)")
    arguments = parser.parse_args()
    try:
        history = History(arguments.history)
    except (OSError, ValueError, KeyError) as error:
        print(f"check: {arguments.history}: {error}", file=sys.stderr)
        return 2
    n_opened, wrong = judge(history, arguments.open)
    for each in wrong[:SHOWN_MAX]:
        print(f"WRONG: {each}")
    if len(wrong) > SHOWN_MAX:
        print(f"… and {len(wrong) - SHOWN_MAX} more")
    print(figures.summary(history, n_opened))
    print(figures.table(history))
    print(f"seed {history.run['seed']}: " + (f"{len(wrong)} things are wrong" if wrong else "all is well"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
