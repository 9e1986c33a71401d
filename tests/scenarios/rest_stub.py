"""A system of a few lines for dsar-rest, and profiles of a few lines for it.

    with Stub({"/notes": lambda call: {"notes": […]}}) as stub:
        outcome = fetch(profile(notes={"records": "/notes", …}), stub.url, "notes")
"""
import base64
import json
import os
import ssl
import subprocess
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import rest
from rest import Connector

SECRET = "canary-secret-token-5f5f"
PERSON = [("email", "alice@example.test"), ("person_id", "901")]


class Call:
    """One request as it came: its path, its parameters, and at `at` when."""

    def __init__(self, handler, body):
        split = urlsplit(handler.path)
        self.method, self.path, self.query = handler.command, split.path, dict(parse_qsl(split.query, keep_blank_values=True))
        self.form = dict(parse_qsl(body.decode(), keep_blank_values=True))
        self.headers, self.at, self.target = handler.headers, time.monotonic(), handler.path

    def basic(self):
        """User and password of its basic authentication."""
        kind, _, text = self.headers.get("Authorization", "").partition(" ")
        return tuple(base64.b64decode(text).decode().split(":", 1)) if kind == "Basic" else None


class Stub(ThreadingHTTPServer):
    """Answers paths by functions: Call -> value, (value, headers), or (status, headers, bytes or an iterator of bytes)."""
    daemon_threads = True

    def __init__(self, answers, context=None):
        self.answers, self.calls, self.lock = answers, [], threading.Lock()
        super().__init__(("127.0.0.1", 0), type("Handler", (_Handler,), {"stub": self}))
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.port = self.server_address[1]
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    def handle_error(self, *_):
        pass

    def paths(self):
        return [call.path for call in self.calls]

    def queries(self, name):
        return [call.query.get(name) for call in self.calls]


class _Handler(BaseHTTPRequestHandler):
    stub = None
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        call = Call(self, self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        with self.stub.lock:
            self.stub.calls.append(call)
        answer = self.stub.answers.get(call.path, self.stub.answers.get("*"))
        said = answer(call) if answer else (404, {}, b"{}")
        if not isinstance(said, tuple):
            said = (said, {})
        status, headers, body = said if len(said) == 3 else (200, said[1], json.dumps(said[0]).encode())
        self.send_response(status)
        whole = isinstance(body, bytes)
        for name, value in {"Content-Type": "application/json", **({"Content-Length": str(len(body))} if whole else {"Connection": "close"}),
                            **headers}.items():
            for each in value if isinstance(value, list) else [value]:
                self.send_header(name, each)
        self.end_headers()
        for piece in [body] if whole else body:
            self.wfile.write(piece)
        self.close_connection = self.close_connection or not whole

    do_POST = do_GET


def profile(*, defaults=None, settings=(), rate=None, **collections):
    """A profile of collections, each with what all of them need."""
    value = {
        "profile": 1, "name": "test/stub", "title": "Stub", "engine": "rest", "version": "1.0.0",
        "settings": list(settings), "defaults": defaults or {"request": {"method": "GET"}},
        "collections": [{"name": name, "title": name, "category": "test", "needs": {"person_id": "uint>0"}, **collection}
                        for name, collection in collections.items()],
    }
    if rate is not None:
        value["requests_per_second"] = rate
    return value


def owned(path, records="/items", **more):
    """A collection whose records say whose they are."""
    return {"request": {"path": path, "query": {"person": {"id": "person_id"}}, **more.pop("request", {})},
            "records": records, "assert": [{"ptr": "/person", "eq_id": "person_id"}], **more}


def items(*numbers, person=901):
    return [{"id": number, "person": person} for number in numbers]


class Outcome:
    """What came of one collection."""

    def __init__(self, connector, records, files, end, done):
        self.connector, self.records, self.files, self.end, self.done = connector, records, files, end, done
        self.ids = [record["id"] for record in records if "id" in record]
        self.status, self.code = end["status"], end.get("code")
        self.withheld = {each["reason"]: each["count"] for each in
                         (json.loads(line) for line in connector.said.splitlines() if b'"type":"withheld"' in line)}


def gather(connector):
    """The answer to a fetch: records, files by number with name, type and content, ends, done."""
    records, files, ends = {}, {}, {}
    while True:
        message, data = connector.receive()
        if message["type"] == "record":
            records.setdefault(message["collection"], []).extend(json.loads(line) for line in data.decode().strip("\n").split("\n"))
        elif message["type"] == "file":
            file = files.setdefault(message["file"], {"name": message.get("name"), "type": message.get("media_type"), "data": b""})
            file["data"] += data
            file["whole"] = not message["more"]
        elif message["type"] == "end":
            ends[message["collection"]] = message
        elif message["type"] == "done":
            return records, files, ends, message


def refusal(value):
    """What dsar-rest says of a profile that it does not take."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(value, file)
        file.flush()
        run = subprocess.run([os.path.join(rest.BUILD, "libexec", "dsard", "dsar-rest"), "--profile", file.name],
                             stdin=subprocess.DEVNULL, capture_output=True, timeout=20, env={})
    return run.stderr.decode() if run.returncode == 2 else ""


class Session:
    """A configured dsar-rest."""

    def __init__(self, value, url, secrets=None, environment=None, **settings):
        self.file = tempfile.NamedTemporaryFile("w", suffix=".json")
        json.dump(value, self.file)
        self.file.flush()
        self.connector = Connector(self.file.name, environment)
        self.ready = self.connector.configure({"base_url": url, **settings}, secrets or {})

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.connector.__exit__(*error)
        self.file.close()
        assert SECRET.encode() not in self.connector.said + self.connector.errors

    def fetch(self, collection, identities=None, deadline_ms=20000):
        self.connector.send({"type": "fetch", "request": "r", "deadline_ms": deadline_ms, "collections": [collection],
                             "identities": [{"kind": kind, "value": value} for kind, value in identities or PERSON]})
        records, files, ends, done = gather(self.connector)
        return Outcome(self.connector, records.get(collection, []), files, ends[collection], done)


def fetch(value, url, collection, secrets=None, identities=None, deadline_ms=20000, environment=None, **settings):
    """One collection of a profile: its Outcome."""
    with Session(value, url, secrets, environment, **settings) as session:
        assert session.ready["type"] == "ready", session.ready
        return session.fetch(collection, identities, deadline_ms)


class Authority:
    """A certificate authority of a test's own."""

    def __init__(self, folder, name="ca"):
        self.folder, self.name = folder, name
        self.file = os.path.join(folder, name + ".pem")
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self._key(name),
                      "-out", self.file, "-days", "2", "-subj", f"/CN={name}")

    def _key(self, name):
        return os.path.join(self.folder, name + ".key")

    @staticmethod
    def _openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)

    def certificate(self, name, host="127.0.0.1"):
        """(certificate file, key file)"""
        made = os.path.join(self.folder, name + ".crt")
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self._key(name),
                      "-out", made, "-days", "2", "-subj", f"/CN={name}", "-CA", self.file, "-CAkey", self._key(self.name),
                      "-addext", f"subjectAltName=IP:{host}", "-addext", "basicConstraints=CA:FALSE")
        return made, self._key(name)

    def context(self, asks_client=False):
        """Of a server at 127.0.0.1."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.certificate("server"))
        if asks_client:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.file)
        return context
