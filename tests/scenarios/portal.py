"""The other side of Kafka: topics of a test's own, a portal that signs and sends, and readers of what dsard answers."""
import base64
import hashlib
import json
import os
import subprocess
import threading
import time
import unittest
import uuid

import harness
import kafka
import wire

REQUEST_TYPE = "org.dsard.request.v1"
CANCEL_TYPE = "org.dsard.cancel.v1"
SOURCE = "//portal.host.example"
AUDIENCE = "example-host"
TERMINAL = {"completed", "failed", "refused", "cancelled"}
# an ECPrivateKey for prime256v1 (RFC 5915): what stands before d, and between d and x
EC_KEY = (bytes.fromhex("30770201010420"), bytes.fromhex("a00a06082a8648ce3d030107a14403420004"))


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_b64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _pem(jwk):
    d, x, y = (from_b64url(jwk[name]) for name in "dxy")
    body = base64.b64encode(EC_KEY[0] + d + EC_KEY[1] + x + y).decode()
    return f"-----BEGIN EC PRIVATE KEY-----\n{body}\n-----END EC PRIVATE KEY-----\n"


def _raw(der):
    """r and s, 32 bytes each, of an ECDSA signature in DER."""
    numbers, at = b"", 2
    for _ in range(2):
        length = der[at + 1]
        numbers += der[at + 2:at + 2 + length].lstrip(b"\0").rjust(32, b"\0")
        at += 2 + length
    return numbers


def sign(key, value, header):
    """A detached JWS (RFC 7515 appendix F) over `value`. `key` is a private JWK's file; `header` is taken as it is."""
    protected = b64url(json.dumps(header, separators=(",", ":")).encode())
    pem = key + ".pem"
    if not os.path.exists(pem):
        with open(pem, "w", encoding="ascii") as file:
            file.write(_pem(harness.load(key)))
    done = subprocess.run(["openssl", "dgst", "-sha256", "-sign", pem], input=f"{protected}.{b64url(value)}".encode(),
                          stdout=subprocess.PIPE, check=True, timeout=30)
    return f"{protected}..{b64url(_raw(done.stdout))}"


def claims(key, request, **changes):
    """The protected header that a request's signature has to have, with changes; None takes one away."""
    now = int(time.time())
    return harness.merged({"alg": "ES256", "kid": harness.load(key)["kid"], "typ": REQUEST_TYPE, "iss": SOURCE,
                           "sub": request, "aud": AUDIENCE, "iat": now, "exp": now + 86400}, changes)


def attributes(request, **changes):
    """The headers of a request in binary mode, without its signature."""
    return harness.merged({"ce_specversion": "1.0", "ce_id": str(uuid.uuid4()), "ce_source": SOURCE,
                           "ce_type": REQUEST_TYPE, "ce_subject": request, "content-type": "application/json"}, changes)


class Message:
    """What came from a topic: key, headers (texts), value (bytes)."""

    def __init__(self, line):
        read = json.loads(line.decode("utf-8", "surrogateescape"))
        pairs = read.get("headers") or []
        self.partition, self.offset, self.key = read["partition"], read["offset"], read["key"]
        self.headers = dict(zip(pairs[::2], pairs[1::2]))
        self.value = None if read["payload"] is None else read["payload"].encode("utf-8", "surrogateescape")

    @property
    def kind(self):
        """"completed" of org.dsard.completed.v1."""
        return self.headers["ce_type"].removeprefix("org.dsard.").removesuffix(".v1")

    @property
    def data(self):
        return json.loads(self.value)

    @property
    def own(self):
        return self.data["extensions"]["dsard"]

    def event(self):
        """As a structured CloudEvent, as `dsarctl watch --save` writes it."""
        names = {name[3:]: text for name, text in self.headers.items() if name.startswith("ce_")}
        return {**names, "datacontenttype": self.headers["content-type"],
                "dsarsignature": self.headers["dsar-signature"], "data": self.data}


class Reader:
    """Reads a topic from its beginning for as long as the test lasts, what is committed alone. kcat ends when no broker
    answers; then it is begun anew."""

    def __init__(self, bootstrap, topic):
        self.messages, self.lock, self.closed = {}, threading.Lock(), False
        self.command = ["kcat", "-C", "-b", bootstrap, "-t", topic, "-J", "-u", "-q", "-o", "beginning", "-X",
                        "isolation.level=read_committed", "-X", "reconnect.backoff.max.ms=500"]
        self._start()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _start(self):
        self.kcat = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                     stderr=subprocess.DEVNULL)

    def _read(self):
        while True:
            for line in self.kcat.stdout:
                message = Message(line)
                with self.lock:
                    self.messages.setdefault((message.partition, message.offset), message)
            self.kcat.wait()
            self.kcat.stdout.close()
            time.sleep(0.2)
            with self.lock:
                if self.closed:
                    return
                self._start()

    def all(self):
        with self.lock:
            return list(self.messages.values())

    def close(self):
        with self.lock:
            self.closed = True
            self.kcat.kill()
        self.thread.join()


def broker_in(folder, kind=kafka.Broker, **options):
    """A broker, or a kafka.Cluster, that is not started yet. Skips the tests where Maven Central is out of reach, unless
    CI=true."""
    try:
        kafka.fetch()
    except kafka.OutOfReach as problem:
        if os.environ.get("CI") == "true":
            raise
        raise unittest.SkipTest(str(problem)) from None
    return kind(folder, **options)


class Portal:
    """Topics of a test's own, a portal that uses them, and the configuration of dsard's side.

    `delays` are those of the retry topics, in seconds: "retry.0", "retry.1", …"""

    def __init__(self, scenario, broker, host, keys, partitions=2, delays=(1, 2), dead_partitions=1,
                 changes=None):
        self.scenario, self.broker, self.host, self.keys, self.partitions = scenario, broker, host, keys, partitions
        name = uuid.uuid4().hex[:8]
        self.group = "dsard-" + name
        tiers = [f"retry.{at}" for at in range(len(delays))]
        alike = ["requests", "control", *tiers]
        self.topics = {each: f"{name}.{each}" for each in (*alike, "events", "dead", "audit")}
        counts = {**dict.fromkeys(alike, partitions), "dead": dead_partitions}
        broker.create_topics({topic: counts.get(each, 1) for each, topic in self.topics.items()})
        self.changes = harness.merged({
            "kafka": {"brokers": broker.bootstrap, "group": self.group,
                      "topics": {each: topic for each, topic in self.topics.items() if each not in tiers},
                      "properties": {"session.timeout.ms": "3000", "heartbeat.interval.ms": "300"}},
            "retry": {"tiers": [{"topic": self.topics[tier], "delay_s": delay}
                                for tier, delay in zip(tiers, delays)]}}, changes or {})
        self.events, self.dead, self.audit = (self.reader(each) for each in ("events", "dead", "audit"))

    def reader(self, topic):
        """A Reader of "requests", "control", …, closed when the test ends."""
        reader = Reader(self.broker.bootstrap, self.topics[topic])
        self.scenario.addCleanup(reader.close)
        return reader

    def worker(self, name="one", ready=True, **options):
        """A `dsard run`; the same name is the same worker again. Returns when it has its partitions."""
        config = harness.write_config(
            self.scenario.path(name + ".yaml"), self.host.where, self.keys,
            harness.merged(self.changes, {"kafka": {"transactional_id": f"{self.group}-{name}"}}))
        process = self.scenario.start(harness.DSARD, "run", "-c", config, log=name + ".log", **options)
        before = process.log().count("partitions assigned")

        def assigned():
            if not process.running():
                raise AssertionError(f"worker {name} has ended: {process.log()}")
            return process.log().count("partitions assigned") > before

        if ready:
            harness.wait_for(assigned, lambda: f"worker {name} ready: {process.log()}")
        return process

    def send(self, value, key, headers, topic="requests", partition=-1):
        """Puts bytes on a topic; None is no value, or no key."""
        path = self.scenario.path(uuid.uuid4().hex + ".message")
        command = ["kcat", "-P", "-b", self.broker.bootstrap, "-t", self.topics[topic], "-p", str(partition)]
        for name, text in headers.items():
            command += ["-H", f"{name}={text}"]
        if value is None:
            command, data = [*command, "-Z", "-K:"], f"{key or ''}:\n".encode()
        else:
            with open(path, "wb") as file:
                file.write(value)
            command, data = [*command, *(["-k", key] if key is not None else []), path], b""
        subprocess.run(command, input=data, check=True, timeout=harness.PATIENCE_S)

    def signed(self, value, request, kind=REQUEST_TYPE, **changes):
        """The headers of an event in binary mode, with a good signature unless `changes` of its claims spoil it."""
        header = claims(self.keys.portal, request, **{"typ": kind, **changes})
        return {**attributes(request, ce_type=kind), "dsar-signature": sign(self.keys.portal, value, header)}

    def ask(self, body):
        """Signs and sends a request as its data say; returns its id."""
        value = json.dumps(body).encode()
        self.send(value, body["subject_request_id"], self.signed(value, body["subject_request_id"]))
        return body["subject_request_id"]

    def ask_for(self, person, **own):
        return self.ask(harness.request_for(person, self.keys, **own))

    def cancel(self, body, **changes):
        """Signs and sends the cancellation of a request: of its data as ask() took them, or of the bytes that were sent.
        `changes` are those of the signature's claims."""
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = json.loads(sent)["subject_request_id"]
        value = json.dumps({"api_version": "2.0", "subject_request_id": request,
                            "body_sha256": hashlib.sha256(sent).hexdigest()}).encode()
        self.send(value, request, self.signed(value, request, CANCEL_TYPE, **changes), "control")
        return request

    def dsarctl(self, command, topic, *options):
        """A command that speaks for the portal; what it prints."""
        return harness.dsarctl(command, "--brokers", self.broker.bootstrap, "--topic", self.topics[topic], "--key",
                               self.keys.portal, "--source", SOURCE, "--audience", AUDIENCE, *options).strip()

    def submit(self, body, *options):
        """What ask() does, by `dsarctl submit`. ("--seal-to", keys.worker_public) seals its identities, ("--save", PATH)
        keeps the bytes that it sends, which cancel() takes."""
        path = harness.save(self.scenario.path(uuid.uuid4().hex + ".json"), body)
        return self.dsarctl("submit", "requests", "--request", path, "--recipient", self.keys.recipient_public,
                            *options)

    def said(self, request, *kinds):
        """The events of a request, of these kinds if any are named."""
        return [each for each in self.events.all() if each.key == request and (not kinds or each.kind in kinds)]

    def heard(self, request, kind, n=1):
        """Waits for n events of a kind; returns the last."""
        def there():
            found = self.said(request, kind)
            return len(found) >= n and found[n - 1]

        return harness.wait_for(there, lambda: f"{kind} of {request}: {self._logs()}")

    def buried(self, n):
        """Waits for n dead letters."""
        return harness.wait_for(lambda: len(self.dead.all()) >= n and self.dead.all(),
                                lambda: f"{n} dead letters, but {len(self.dead.all())}: {self._logs()}")

    def terminal(self, request):
        return [each.kind for each in self.said(request) if each.kind in TERMINAL]

    def _logs(self):
        texts = []
        for name in sorted(os.listdir(self.scenario.folder)):
            if name.endswith(".log"):
                with open(self.scenario.path(name), encoding="utf-8", errors="replace") as log:
                    texts.append(f"\n--- {name}\n{log.read()[-2000:]}")
        return "".join(texts)

    def stored(self, request, suffix):
        """The paths of what the store holds of a request, without what is not finished."""
        folder = self.scenario.path("store", request)
        names = os.listdir(folder) if os.path.isdir(folder) else []
        return [os.path.join(folder, name) for name in sorted(names)
                if name.endswith(suffix) and not name.startswith(".")]

    def bundle(self, event):
        """(path, {entry: bytes}) of the bundle that a completed event names, opened with the event's key."""
        digest = event.own["bundle"]["sha256"]
        path = next(each for each in self.stored(event.key, ".zip") if sha256(each) == digest)
        saved = harness.save(self.scenario.path(event.headers["ce_id"] + ".event"), event.event())
        return path, harness.open_bundle(path, saved, self.keys.recipient)

    def committed(self, topic="requests"):
        """{partition: (offset, metadata)} of dsard's group."""
        return wire.committed(self.broker.address, self.group, self.topics[topic], self.partitions)


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
