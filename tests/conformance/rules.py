"""What PROTOCOL.md says of each message. What does not keep to it raises Broken; data is never in the text."""
import re

from peer import Broken, a, parse

IDENTITY_MAX, TITLE_MAX, FILE_TEXT_MAX = 512, 200, 1024
MEMBERS_MAX, DEPTH_MAX, REASONS_MAX = 4096, 64, 64
NAME = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
SETTING_KINDS = {"text", "url", "path", "socket", "host", "port", "integer", "boolean", "secret"}
# what a default of that kind is; of the others a text
DEFAULTS = {"secret": lambda value: False, "integer": lambda value: type(value) is int, "port": lambda value: is_port(value),
            "boolean": lambda value: isinstance(value, bool)}
CLASS = re.compile(r"own|free_text|third_party|secret|cvv|card|withhold:" + NAME.pattern)


def has(message, **members):
    """Broken unless each member is there and of its type; "name" stands for text of that form."""
    for key, kind in members.items():
        value = message.get(key)
        fits = bool(NAME.fullmatch(value)) if kind == "name" and isinstance(value, str) else \
            kind != "name" and isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
        if not fits or (kind is int and value < 0):
            raise Broken(f"`{key}` of {a(message['type'])} is missing or not a {getattr(kind, '__name__', kind)}")


def judge_lengths(message, least, most, *keys):
    for key in keys:
        if not least <= len(message[key].encode()) <= most:
            raise Broken(f"`{key}` of {a(message['type'])} does not have {least} to {most} bytes")


def judge_shape(value):
    """Members and nesting; iterative, since a connector may nest deeper than Python likes."""
    level, depth = [value], 0
    while level := [each for each in level if isinstance(each, (dict, list))]:
        depth += 1
        if depth > DEPTH_MAX:
            raise Broken(f"a record nests deeper than {DEPTH_MAX} levels")
        if any(isinstance(each, dict) and len(each) > MEMBERS_MAX for each in level):
            raise Broken(f"an object has more than {MEMBERS_MAX} members")
        level = [below for each in level for below in (each.values() if isinstance(each, dict) else each)]


def objects(message, key):
    """The elements of a list, which must be objects."""
    for each in message[key]:
        if not isinstance(each, dict):
            raise Broken(f"`{key}` of {a(message['type'])} does not hold objects alone")
    return message[key]


def judge_names(message, *keys):
    for key in keys:
        if not all(isinstance(each, str) and NAME.fullmatch(each) for each in message[key]):
            raise Broken(f"`{key}` of {a(message['type'])} does not hold names alone")


def is_port(value):
    return type(value) is int and 1 <= value <= 65535


def judge_setting(setting):
    has({**setting, "type": "setting"}, name="name", kind=str, required=bool, help=str)
    name, kind = setting["name"], setting["kind"]
    if kind not in SETTING_KINDS:
        raise Broken(f"the setting {name} is of no known kind")
    if "default" in setting and not DEFAULTS.get(kind, lambda value: isinstance(value, str))(setting["default"]):
        raise Broken(f"the `default` of the setting {name} is not of its kind, or a secret's")
    if "ports" in setting:
        if kind != "host":
            raise Broken(f"the setting {name} has `ports` and is no host")
        if not isinstance(setting["ports"], list) or not all(map(is_port, setting["ports"])):
            raise Broken(f"the `ports` of the setting {name} are no list of ports")


def judge_hello(hello):
    if hello["type"] != "hello":
        raise Broken(f"the first message is {a(hello['type'])}, not hello")
    has(hello, protocol=int, name="name", version=str, settings=list, collections=list)
    if "reads" in hello:
        has(hello, reads=list)
        if not all(isinstance(each, str) and each.startswith("/") for each in hello["reads"]):
            raise Broken("`reads` of a hello does not hold absolute paths alone")
    if "check" in hello:
        has(hello, check=bool)
    if hello["protocol"] != 1:
        raise Broken("`protocol` is not 1")
    judge_lengths(hello, 1, TITLE_MAX, "version")
    if not hello["collections"]:
        raise Broken("`collections` is empty")
    for setting in objects(hello, "settings"):
        judge_setting(setting)
    for collection in objects(hello, "collections"):
        called = {"fields": {}, **collection, "type": "collection"}
        has(called, name="name", title=str, category=str, needs=list, fields=dict)
        judge_lengths(called, 1, TITLE_MAX, "title", "category")
        judge_names(called, "needs")
        if collection["name"] == "files":
            raise Broken("a collection is called files, the name of the index of files")
        for pointer, name in collection.get("fields", {}).items():
            if (pointer and pointer[0] != "/") or not isinstance(name, str) or not CLASS.fullmatch(name):
                raise Broken(f"{collection['name']}: {pointer}: no pointer, or no class")
    for array in (hello["settings"], hello["collections"]):
        names = [each["name"] for each in array]
        if len(set(names)) != len(names):
            raise Broken("a name stands twice")
    if "resolve" in hello:
        has(hello, resolve=dict)
        resolve = {**hello["resolve"], "type": "resolve"}
        has(resolve, needs=list, yields=list)
        judge_names(resolve, "needs", "yields")
        if not resolve["needs"]:
            raise Broken("`needs` of a resolve is empty")


def judge_reason(message):
    has(message, code="name", text=str)
    if "\n" in message["text"]:
        raise Broken("a `text` has more than one line")


def judge_done(done, ok=("ok", "not_found")):
    has(done, status=str)
    if "retry_after_ms" in done:
        has(done, retry_after_ms=int)
    if done["status"] == "failed":
        judge_reason(done)
        has(done, retryable=bool)
    elif done["status"] not in ok:
        raise Broken(f"`status` of done is none of {', '.join(ok)}, failed")


def judge_identity(identity, yields):
    has(identity, kind="name", value=str, evidence=str)
    if identity["kind"] not in yields:
        raise Broken(f"the kind {identity['kind']} is not among its `yields`")
    if not 1 <= len(identity["value"].encode()) <= IDENTITY_MAX:
        raise Broken("a value is empty or too long")
    if any(ord(each) < 0x20 or ord(each) == 0x7f for each in identity["value"]):
        raise Broken("a value has a control character")


class Fetch:
    """What came in one fetch."""

    def __init__(self, collections):
        self.asked, self.counts, self.ends = collections, dict.fromkeys(collections, 0), {}
        self.open_file, self.reasons = None, {}

    def take(self, message, payload):
        kind = message["type"]
        if kind == "warning":
            return judge_reason(message)
        if kind not in ("record", "file", "withheld", "progress", "end"):
            raise Broken(f"{a(message['type'])} within fetch")
        has(message, collection="name")
        collection = message["collection"]
        if collection not in self.counts:
            raise Broken(f"{a(message['type'])} of {collection}, which was not asked for")
        if collection in self.ends and kind != "progress":
            raise Broken(f"{a(message['type'])} of {collection} behind its end")
        if self.open_file and kind not in ("file", "progress"):
            raise Broken(f"{a(message['type'])} between the pieces of a file")
        return getattr(self, "take_" + kind)(message, payload)

    def take_record(self, message, payload):
        has(message, bytes=int)
        count = message.get("count", 1)
        lines = payload.removesuffix(b"\n").split(b"\n")
        if len(lines) != count:
            raise Broken(f"{message['collection']}: a record message has {len(lines)} lines where it counts {count}")
        for line in lines:
            try:
                record = parse(line.decode())
                if not isinstance(record, dict):
                    raise ValueError
            except (ValueError, RecursionError):
                raise Broken(f"{message['collection']}: a record is not a JSON object") from None
            judge_shape(record)
        self.counts[message["collection"]] += count

    def take_file(self, message, _):
        has(message, file=str, bytes=int, more=bool)
        judge_lengths(message, 0, FILE_TEXT_MAX, "file")
        name = (message["collection"], message["file"])
        if self.open_file and self.open_file != name:
            raise Broken("pieces of two files are mixed")
        if not self.open_file:
            has(message, name=str, media_type=str)
            judge_lengths(message, 0, FILE_TEXT_MAX, "name", "media_type")
        self.open_file = name if message["more"] else None
        self.counts[message["collection"]] += not message["more"]

    def take_withheld(self, message, _):
        has(message, count=int, reason="name")
        if message["count"] < 1:
            raise Broken("nothing is withheld, and said so")
        reasons = self.reasons.setdefault(message["collection"], set())
        reasons.add(message["reason"])
        if len(reasons) > REASONS_MAX:
            raise Broken(f"{message['collection']}: more than {REASONS_MAX} reasons why something is withheld")

    def take_progress(self, message, _):
        has(message, done=int)

    def take_end(self, message, _):
        collection = message["collection"]
        has(message, status=str, count=int)
        if message["status"] not in ("complete", "absent", "partial", "failed"):
            raise Broken(f"{collection}: no known status at its end")
        if message["status"] in ("partial", "failed"):
            judge_reason(message)
            has(message, retryable=bool)
        if message["count"] != self.counts[collection]:
            raise Broken(f"{collection}: {self.counts[collection]} came where its end counts {message['count']}")
        if message["status"] == "absent" and message["count"]:
            raise Broken(f"{collection}: absent, but something came")
        self.ends[collection] = message["status"]

    def done(self, message):
        judge_done(message)
        missing = [name for name in self.asked if name not in self.ends]
        if missing and message["status"] != "failed":
            raise Broken(f"done without an end of {', '.join(missing)}")
        if message["status"] == "not_found" and any(self.counts.values()):
            raise Broken("the person was not found, but something came")
