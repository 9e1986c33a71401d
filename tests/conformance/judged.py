"""What a connector is judged by, rule by rule. A rule raises Broken with what is wrong, or Skip with why it cannot be told."""
import contextlib
import time

from peer import Broken, Heard
from talking import CANCEL_S, Talk, in_waves

QUIET_S = 0.5
NOBODY = "nobody@dsard.invalid"
LINE_MAX = 131072


class Skip(Exception):
    """The rule does not apply."""


class Judged:
    """The connector, what it is given, and what was learned of it so far."""

    def __init__(self, argv, given, identities, keep_alive_s, deadline_s):
        self.argv, self.given, self.identities = argv, given, identities
        self.keep_alive_s, self.deadline_s = keep_alive_s, deadline_s
        secrets = given.get("secrets", {}).values() if given else []
        self.heard = Heard(secrets, [each["value"] for each in identities or []])
        self.hello, self.known, self.wanted, self.counts = None, identities, [], {}

    def talk(self):
        return Talk(self)

    @contextlib.contextmanager
    def ready(self):
        """A conversation behind the handshake."""
        with self.talk() as talk:
            yield talk.ready()


def expect_status(status, wanted, when):
    if status is None:
        raise Broken(f"it does not leave {when}")
    if (status == 0) != (wanted == 0):
        raise Broken(f"status {status} {when}, where {'another than 0' if wanted else 0} is expected")


# --- without settings ---

def hello(judged):
    """says hello first, within 10 s of its start"""
    with judged.talk() as talk:
        judged.hello = talk.hello()


def hello_again(judged):
    """hello depends on the program and its arguments alone"""
    with judged.talk() as talk:
        if talk.hello() != judged.hello:
            raise Broken("a second process says another hello")


def unasked(judged):
    """says nothing unasked behind hello"""
    with judged.talk() as talk:
        talk.hello()
        if not talk.connector.is_silent(QUIET_S):
            raise Broken("it says more behind hello")


def leaves_at_once(judged):
    """leaves with 0 when its input ends behind hello"""
    with judged.talk() as talk:
        talk.hello()
        expect_status(talk.connector.leave(), 0, "when its input ends behind hello")


def refuse(judged, line, what, close=False):
    with judged.talk() as talk:
        talk.hello()
        talk.connector.write(line, what)
        if close:
            talk.connector.close_input()
        expect_status(talk.connector.wait(), 1, f"after {what}")


def garbage(judged):
    """leaves with another status than 0 on a line that is not JSON"""
    refuse(judged, b"\x00\xff{not JSON\n", "a line that is not JSON")


def unknown(judged):
    """leaves with another status than 0 on a message that it does not know"""
    refuse(judged, b'{"type":"x_unknown"}\n', "a message that it does not know")


def too_early(judged):
    """leaves with another status than 0 when it is asked before configure"""
    refuse(judged, b'{"type":"fetch","request":"r","deadline_ms":1000,"collections":["x"],"identities":[]}\n',
           "a fetch before configure")


def cut_short(judged):
    """leaves with another status than 0 when its input ends within a line"""
    refuse(judged, b'{"type":"configure","sett', "half a line", close=True)


# --- with settings ---

def configure(judged):
    """is ready within 10 s of its start"""
    if judged.given is None:
        raise Skip("no --settings")
    with judged.ready():
        pass


def bad_settings(judged):
    """answers settings that it cannot work with by error, and leaves with 0"""
    if not any(each["required"] and "default" not in each for each in judged.hello["settings"]):
        raise Skip("no setting is required")
    with judged.talk() as talk:
        talk.hello()
        if talk.configure(settings={})["type"] != "error":
            raise Broken("ready, without what it says is required")
        expect_status(talk.connector.wait(), 0, "after error")


def check(judged):
    """answers check"""
    if not judged.hello.get("check"):
        raise Skip("hello does not offer it")
    with judged.ready() as talk:
        done = talk.check()
        if done["status"] == "failed":
            raise Broken(f"done failed, with settings that should work: {done['code']}")
        system = done.get("system", "x")
        if not isinstance(system, str) or not 1 <= len(system.encode()) <= 200 or "\n" in system:
            raise Broken("`system` of a done is not one line of 1 to 200 bytes")


def needs_resolve(judged):
    if judged.identities is None:
        raise Skip("no --identities")
    if "resolve" not in judged.hello:
        raise Skip("hello does not offer it")
    if not any(each["kind"] in judged.hello["resolve"]["needs"] for each in judged.identities):
        raise Skip("no identity of a kind that it needs")


def resolve(judged):
    """finds the person, in waves"""
    needs_resolve(judged)
    with judged.ready() as talk:
        judged.known, status = in_waves(talk, judged.identities)
        judged.heard.know([each["value"] for each in judged.known])
        if status != "ok":
            raise Broken("the person is not found")


def resolve_again(judged):
    """the same question gets the same answer"""
    needs_resolve(judged)
    with judged.ready() as talk:
        if in_waves(talk, judged.identities)[0] != judged.known:
            raise Broken("a second process finds something else")


def finds_nobody(judged, email):
    with judged.ready() as talk:
        found, done = talk.resolve([{"kind": "email", "value": email}])
        return not found and done["status"] != "ok"


def needs_email(judged):
    needs_resolve(judged)
    if "email" not in judged.hello["resolve"]["needs"]:
        raise Skip("it is not asked by e-mail address")


def nobody(judged):
    """finds nobody by an address that nobody has"""
    needs_email(judged)
    with judged.ready() as talk:
        found, done = talk.resolve([{"kind": "email", "value": NOBODY}])
        if found or done["status"] != "not_found":
            raise Broken(f"{len(found)} identities, done {done['status']}")


def look_alike(judged):
    """finds nobody by a part of the address, by a wildcard, by odd characters"""
    needs_email(judged)
    address = next((each["value"] for each in judged.identities if each["kind"] == "email"), NOBODY)
    name, _, host = address.partition("@")
    for value, what in ((address[1:], "the address without its first letter"), ("x" + address, "a letter more in front"),
                        (address + "x", "a letter more behind"), ("@" + host, "the host alone"), (name[:1] + "*@" + host, "*"),
                        (name[:1] + "%@" + host, "%"), ("%", "% alone"), (".*", ".* alone"), ("' OR ''='", "a quote"),
                        ("\u00e4\u2028\U0001f600\"\\{}<>&;$(:)@" + host, "odd characters"), ("x" * 512, "512 bytes")):
        if not finds_nobody(judged, value):
            raise Broken(f"somebody is found by {what}")


def fetch(judged):
    """fetches what the identities suffice for"""
    if judged.identities is None:
        raise Skip("no --identities")
    kinds = {each["kind"] for each in judged.known}
    judged.wanted = [each["name"] for each in judged.hello["collections"] if kinds.issuperset(each["needs"])]
    if not judged.wanted:
        raise Broken("the identities suffice for no collection")
    with judged.ready() as talk:
        state, done = talk.fetch()
    expect_good(state, done)
    judged.counts = state.counts


def expect_good(state, done):
    if done["status"] == "failed":
        raise Broken(f"done failed: {done['code']}")
    failed = [name for name, status in state.ends.items() if status == "failed"]
    if failed:
        raise Broken(f"{', '.join(failed)}: ended as failed")


def same(judged, state, done):
    expect_good(state, done)
    wrong = [name for name, count in state.counts.items() if count != judged.counts[name]]
    if wrong:
        raise Broken(", ".join(f"{name}: {state.counts[name]} where there were {judged.counts[name]}" for name in wrong))


def again(judged):
    """answers many questions one after another, always the same"""
    with judged.ready() as talk:
        for _ in range(3):
            if "resolve" in judged.hello:
                talk.resolve(judged.identities)
            same(judged, *talk.fetch())
        same(judged, *talk.fetch(judged.wanted[:1]))
        same(judged, *talk.fetch(judged.wanted[::-1]))
        if not talk.connector.is_silent(QUIET_S):
            raise Broken("it says more behind done")
        expect_status(talk.connector.leave(), 0, "when its input ends")


def someone_else(judged):
    """has nothing of somebody who is not known"""
    values = {"email": NOBODY}
    wanted = [each["name"] for each in judged.hello["collections"] if each["needs"] and set(each["needs"]) <= set(values)]
    if not wanted:
        raise Skip("no collection is asked for by e-mail address alone")
    with judged.ready() as talk:
        state, _ = talk.fetch(wanted, [{"kind": "email", "value": NOBODY}])
        if any(state.counts.values()):
            raise Broken(", ".join(f"{name}: {count}" for name, count in state.counts.items() if count))


def long_lines(judged):
    """takes a line of 131,072 bytes"""
    with judged.ready() as talk:
        same(judged, *talk.fetch(pad=LINE_MAX))


def is_stopped(done):
    """What was done before the cancel came is fine, too."""
    if done["status"] == "failed" and done["code"] != "cancelled":
        raise Broken(f"a cancel is answered by the code {done['code']}")


def cancel(judged):
    """stops within 5 s of a cancel, and goes on with the next question"""
    with judged.ready() as talk:
        _, done = talk.fetch(then=talk.cancel, within_s=CANCEL_S)
        is_stopped(done)
        talk.cancel()  # one that crossed a done on its way
        same(judged, *talk.fetch())


def cancel_resolve(judged):
    """stops looking somebody up within 5 s of a cancel"""
    needs_resolve(judged)
    with judged.ready() as talk:
        is_stopped(talk.resolve(judged.identities, then=talk.cancel, within_s=CANCEL_S)[1])


def deadline(judged):
    """ends by itself when the deadline is over"""
    with judged.ready() as talk:
        talk.fetch(deadline_s=0.001, within_s=CANCEL_S)


def input_ends(judged):
    """leaves with 0 when its input ends in the middle of a fetch"""
    with judged.ready() as talk:
        talk.connector.say(type="fetch", request="r", deadline_ms=60000, collections=judged.wanted,
                           identities=judged.known)
        expect_status(talk.connector.leave(), 0, "when its input ends in the middle of a fetch")


def output_closed(judged):
    """leaves when nobody reads any more"""
    with judged.ready() as talk:
        talk.connector.say(type="fetch", request="r", deadline_ms=60000, collections=judged.wanted,
                           identities=judged.known)
        talk.connector.process.stdout.close()
        time.sleep(QUIET_S)
        talk.connector.close_input()
        until = time.monotonic() + CANCEL_S
        while talk.connector.process.poll() is None:
            if time.monotonic() > until:
                raise Broken("it goes on, though its output is closed")
            time.sleep(0.01)


def slow_reader(judged):
    """loses nothing when it is read slowly"""
    with judged.ready() as talk:
        same(judged, *talk.fetch(then=lambda: time.sleep(1)))


def two_at_once(judged):
    """two processes work side by side"""
    with judged.ready() as one, judged.ready() as other:
        same(judged, *one.fetch())
        same(judged, *other.fetch())
        same(judged, *one.fetch())


def discretion(judged):
    """no secret in anything it says, no identity in its texts and its log"""
    if judged.heard.found:
        raise Broken("; ".join(sorted(judged.heard.found)))


# what the others stand on comes first: when one of these is broken, the rest cannot be judged
FOUNDATIONS = (hello, configure, resolve, fetch)
RULES = (hello, hello_again, unasked, leaves_at_once, garbage, unknown, too_early, cut_short, configure, bad_settings, check,
         resolve, resolve_again, nobody, look_alike, fetch, again, someone_else, long_lines, cancel, cancel_resolve, deadline,
         input_ends, output_closed, slow_reader, two_at_once, discretion)
