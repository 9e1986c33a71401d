"""A stub server: one product's API on a loopback port, with faults on demand and a log of what it was asked.

  POST /__fault   {"mode": "error500", "calls": ["GetTickets"], "times": 2}   spoils calls; {"mode": "ok"} heals
  GET  /__log     [{"action": "GetTickets", "params": {...}}]: the calls since the last DELETE, without credentials
  DELETE /__log   forgets them

`calls` limits the fault to these actions, `times` to so many calls, `delay_ms` sets the pace of "slow", `bytes` its step
and the size of "too_large", and `retry_after_s` for how long "busy503" wants to be left alone.
"""
import json
import re
import socket
import struct
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

MODES = ("ok", "refuse401", "error500", "busy503", "garbage", "html", "cut", "endless", "slow", "hang", "everybody",
         "drop_connection", "too_large", "short_total")
CREDENTIALS = ("identifier", "secret", "username", "password", "accesskey")
BODY_MAX = 1 << 20


class Answer(Exception):
    """Ends a call with a status of its own."""

    def __init__(self, status, value):
        super().__init__(status)
        self.status, self.value = status, value


class Product:
    """What a stub answers. A subclass knows one product's calls."""

    # what every answer has
    headers = {}

    def action(self, path, params):
        """The name of the call, for faults and the log."""
        raise NotImplementedError

    def refuse(self):
        """(status, value): how the product refuses wrong credentials."""
        raise NotImplementedError

    def allowed(self, headers, params):
        raise NotImplementedError

    def answer(self, method, path, params, everybody):
        """The value to send; `everybody`: as though no filter were there. Raises Answer for other statuses."""
        raise NotImplementedError


def dumps(value):
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return re.sub(r'"@num:(-?[0-9.eE+-]+)"', r"\1", text).encode()


def first_record(value):
    """The first object that stands in a list, or in an object keyed by number; or the value itself."""
    queue = [value]
    while queue:
        at = queue.pop(0)
        if isinstance(at, dict):
            if at and all(str(key).isdigit() for key in at):
                return next(iter(at.values()))
            queue.extend(at.values())
        elif isinstance(at, list):
            if at and isinstance(at[0], dict):
                return at[0]
            queue.extend(at)
    return value


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """A client that was killed is nothing to speak of."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Stub:
    def __init__(self, product, port=0):
        self.product = product
        self.lock = threading.Lock()
        self.fault, self.calls = {"mode": "ok"}, []
        self.closing = threading.Event()
        self.server = _Server(("127.0.0.1", port), type("Handler", (_Handler,), {"stub": self}))
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self):
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()

    def spoil(self, fault):
        if fault.get("mode") not in MODES:
            raise ValueError(f"mode: expected one of {', '.join(MODES)}")
        with self.lock:
            self.fault = dict(fault)

    def take_fault(self, action):
        with self.lock:
            fault = self.fault
            if fault.get("calls") is not None and action not in fault["calls"]:
                return {"mode": "ok"}
            if fault.get("times") is not None:
                if fault["times"] <= 0:
                    return {"mode": "ok"}
                fault["times"] -= 1
            return dict(fault)


class _Handler(BaseHTTPRequestHandler):
    stub = None
    protocol_version = "HTTP/1.1"
    timeout = 60

    def log_message(self, *_):
        pass

    def setup(self):
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def do_GET(self):
        self._serve()

    do_POST = do_DELETE = do_PUT = do_PATCH = do_GET

    def _serve(self):
        try:
            body = self._body()
            path = urlsplit(self.path)
            if path.path.startswith("/__"):
                self._control(path.path, body)
            else:
                self._product(path, body)
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def _body(self):
        length = int(self.headers.get("Content-Length") or 0)
        if length > BODY_MAX:
            raise ConnectionError("the request's body is too long")
        return self.rfile.read(length)

    def _control(self, path, body):
        stub = self.stub
        if path == "/__fault" and self.command == "POST":
            try:
                stub.spoil(json.loads(body))
                self._send(200, b"{}")
            except ValueError as error:
                self._send(400, dumps({"error": str(error)}))
        elif path == "/__log" and self.command == "GET":
            with stub.lock:
                self._send(200, dumps(stub.calls))
        elif path == "/__log" and self.command == "DELETE":
            with stub.lock:
                stub.calls.clear()
            self._send(200, b"{}")
        else:
            self._send(404, b"{}")

    def _product(self, path, body):
        product = self.stub.product
        params = dict(parse_qsl(path.query, keep_blank_values=True))
        if self.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
            params.update(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        action = product.action(path.path, params)
        with self.stub.lock:
            self.stub.calls.append({"action": action, "method": self.command,
                                    "params": {k: v for k, v in params.items() if k not in CREDENTIALS}})
        fault = self.stub.take_fault(action)
        if self._spoilt_before(fault):
            return
        status, value = 200, None
        if fault["mode"] == "refuse401" or not product.allowed(self.headers, params):
            status, value = product.refuse()
            status = 401 if fault["mode"] == "refuse401" else status
        else:
            try:
                value = product.answer(self.command, path.path, params, fault["mode"] == "everybody")
            except Answer as answer:
                status, value = answer.status, answer.value
        self._send_spoilt(fault, status, value)

    def _spoilt_before(self, fault):
        """Faults that need no answer of the product."""
        mode = fault["mode"]
        if mode == "error500":
            self._send(500, b"<html><h1>Internal Server Error</h1></html>", "text/html")
        elif mode == "busy503":
            self._send(503, b'{"error":"busy"}', extra={"Retry-After": str(fault.get("retry_after_s", 1))})
        elif mode == "garbage":
            self._send(200, bytes((i * 131 + 7) % 256 for i in range(4096)))
        elif mode == "html":
            self._send(200, b"<!DOCTYPE html><html><body>Please log in</body></html>", "text/html")
        elif mode == "hang":
            # until the fault is healed; then the call is to be made again
            while self.stub.fault.get("mode") == "hang" and not self.stub.closing.wait(0.05):
                pass
            self.close_connection = True
        elif mode == "drop_connection":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
        else:
            return False
        return True

    def _send_spoilt(self, fault, status, value):
        mode = fault["mode"]
        if mode == "short_total" and isinstance(value, dict):
            for key in ("totalresults", "total"):
                if key in value:
                    value[key] = type(value[key])(int(value[key]) + 3)
        if mode == "too_large":
            first_record(value)["padding"] = "a" * fault.get("bytes", 64 << 20)
        data = dumps(value)
        if mode == "cut":
            self._head(status, len(data))
            self.wfile.write(data[:len(data) // 2])
            self.close_connection = True
        elif mode == "slow":
            self._head(status, len(data))
            step = fault.get("bytes", 64)
            for at in range(0, len(data), step):
                self.wfile.write(data[at:at + step])
                if self.stub.closing.wait(fault.get("delay_ms", 200) / 1000):
                    return
        elif mode == "endless":
            self._endless(status, data)
        else:
            self._send(status, data)

    def _endless(self, status, data):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        start = data.rfind(b"[{")
        self.wfile.write(data[:start + 1] if start >= 0 else b'{"records":[')
        while not self.stub.closing.is_set():
            self.wfile.write(b'{"id":1,"userid":4711,"text":"endless"},' * 200)

    def _head(self, status, length, content_type="application/json", extra=None):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(length))
        for name, text in {**self.stub.product.headers, **(extra or {})}.items():
            self.send_header(name, text)
        self.end_headers()

    def _send(self, status, data, content_type="application/json", extra=None):
        self._head(status, len(data), content_type, extra)
        self.wfile.write(data)
