"""dsard's side of a conversation, each answer judged by rules.py."""
import time

from peer import Broken, Connector, Silent, a
from rules import Fetch, judge_done, judge_hello, judge_identity, judge_reason

START_S, CANCEL_S, WAVES_MAX = 10, 5, 8
REQUEST = "00000000-0000-4000-8000-000000000000"


class Talk:
    """One process, from hello on. A context: what is left of it is killed at the end."""

    def __init__(self, judged):
        self.judged = judged
        self.connector = Connector(judged.argv, judged.heard)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connector.end()

    def expect(self, timeout_s, before):
        heard = self.connector.hear(timeout_s)
        if not heard:
            raise Broken(f"it left before {before}")
        return heard

    def start_left_s(self):
        return max(0.1, self.connector.begun + START_S - time.monotonic())

    def hello(self):
        message, _ = self.expect(self.start_left_s(), "hello")
        judge_hello(message)
        return message

    def configure(self, settings=None):
        """The answer."""
        given = self.judged.given
        self.connector.say(type="configure", keep_alive_ms=self.judged.keep_alive_s * 1000,
                           settings=given.get("settings", {}) if settings is None else settings,
                           secrets=given.get("secrets", {}) if settings is None else {})
        answer, _ = self.expect(self.start_left_s(), "ready")
        if answer["type"] == "error":
            judge_reason(answer)
        elif answer["type"] != "ready":
            raise Broken(f"{a(answer['type'])} where ready is expected")
        return answer

    def ready(self):
        self.hello()
        answer = self.configure()
        if answer["type"] == "error":
            raise Broken(f"no ready after configure: {answer['text']}")
        return self

    def ask(self, take, then=None, deadline_s=None, within_s=None, **question):
        """A question, whose answers up to done go to `take`; `then` is called once it is asked. The done, which must come
        within the deadline, or what is said instead."""
        deadline_s = self.judged.deadline_s if deadline_s is None else deadline_s
        self.connector.say(**question, request=REQUEST, deadline_ms=int(deadline_s * 1000))
        if then:
            then()
        until = time.monotonic() + (within_s or deadline_s)
        while True:
            left_s = max(0, until - time.monotonic())
            try:
                message, payload = self.expect(min(self.judged.keep_alive_s, left_s), "done")
            except Silent:
                if left_s < self.judged.keep_alive_s:
                    raise Broken("it is not done in time") from None
                raise
            if message["type"] == "done":
                return message
            if message["type"] == "warning":
                judge_reason(message)
            else:
                take(message, payload)

    def check(self):
        def take(message, _):
            if message["type"] != "progress":
                raise Broken(f"{a(message['type'])} within check")

        done = self.ask(take, type="check")
        judge_done(done, ("ok",))
        return done

    def resolve(self, identities, **how):
        """The identities found, and the done."""
        found, yields = [], self.judged.hello["resolve"]["yields"]

        def take(message, _):
            if message["type"] == "identity":
                judge_identity(message, yields)
                found.append({"kind": message["kind"], "value": message["value"]})
            elif message["type"] != "progress":
                raise Broken(f"{a(message['type'])} within resolve")

        done = self.ask(take, type="resolve", identities=identities, **how)
        judge_done(done)
        if found and done["status"] == "not_found":
            raise Broken("the person was not found, but identities came")
        return found, done

    def fetch(self, collections=None, identities=None, **how):
        """What came, and the done."""
        collections = self.judged.wanted if collections is None else collections
        state = Fetch(collections)
        done = self.ask(state.take, type="fetch", collections=collections,
                        identities=self.judged.known if identities is None else identities, **how)
        state.done(done)
        return state, done

    def cancel(self):
        self.connector.say(type="cancel")


def in_waves(talk, identities):
    """Asks until nothing new comes: everything known, and the status of the last done."""
    known = list(identities)
    for _ in range(WAVES_MAX):
        found, done = talk.resolve(known)
        if done["status"] == "failed":
            raise Broken(f"done failed, with settings that should work: {done['code']}")
        new = [item for index, item in enumerate(found) if item not in known and item not in found[:index]]
        if not new:
            return known, done["status"]
        known += new
    raise Broken(f"still new identities after {WAVES_MAX} waves")
