#!/usr/bin/env python3
"""dsar-rest: how its calls are made: authorised, paced, again where that is safe, and to whom alone."""
import argparse
import json
import os
import socket
import socketserver
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness
import rest
from rest_stub import SECRET, Authority, Session, Stub, fetch, items, owned, profile

CLIENT = [{"name": "client", "kind": "text", "required": True, "help": "client"},
          {"name": "key", "kind": "secret", "required": True, "help": "its secret"}]


def with_auth(auth, settings=CLIENT, **request):
    return profile(defaults={"request": {"method": "GET", "auth": auth, **request}}, settings=settings, things=owned("/list"),
                   more=owned("/more"))


class Authorisation(unittest.TestCase):
    def test_credentials_go_where_the_profile_says(self):
        key = {"secret": "key"}
        cases = ({"headers": {"X-Api-Key": key}}, {"query": {"key": key}}, {"method": "POST", "form": {"key": key}},
                 {"auth": {"kind": "basic", "user": {"setting": "client"}, "password": key}})
        for request in cases:
            value = profile(defaults={"request": {"method": "GET", **request}}, settings=CLIENT if "auth" in request else CLIENT[1:],
                            things=owned("/list"))
            settings = {"client": "c"} if "auth" in request else {}
            with Stub({"/list": lambda _: {"items": items(1)}}) as stub:
                outcome = fetch(value, stub.url, "things", {"key": SECRET}, **settings)
                call, = stub.calls
            self.assertEqual(outcome.ids, [1])
            found = [call.headers.get("X-Api-Key"), call.query.get("key"), call.form.get("key"), call.basic()]
            self.assertEqual([each for each in found if each], [("c", SECRET) if "auth" in request else SECRET])


    def test_what_a_profile_accepts_goes_before_json(self):
        for headers, accepted in (({}, ["application/json"]), ({"accept": "application/vnd.x+json"}, ["application/vnd.x+json"])):
            with Stub({"/list": lambda _: {"items": items(1)}}) as stub:
                fetch(profile(things=owned("/list", request={"headers": headers})), stub.url, "things")
            self.assertEqual(stub.calls[0].headers.get_all("Accept"), accepted)


class Tokens(unittest.TestCase):
    """OAuth 2.0 client credentials."""

    AUTH = {"kind": "oauth2", "token_path": "/oauth/token", "client_id": {"setting": "client"}, "client_secret": {"secret": "key"},
            "form": {"scope": "read"}}

    def setUp(self):
        self.valid, self.given, self.life = set(), 0, 3600
        self.token_answer = None

    def token(self, call):
        self.given += 1
        if self.token_answer:
            return self.token_answer
        self.assertEqual((call.method, call.form["grant_type"], call.form["scope"]), ("POST", "client_credentials", "read"))
        found = call.basic() or (call.form.get("client_id"), call.form.get("client_secret"))
        if found != ("c", SECRET):
            return 401, {}, b'{"error":"invalid_client"}'
        self.valid.add(f"token-{self.given}")
        return {"access_token": f"token-{self.given}", "token_type": "Bearer", "expires_in": self.life}

    def list(self, call):
        kind, _, token = call.headers.get("Authorization", "").partition(" ")
        if kind != "Bearer" or token not in self.valid:
            return 401, {}, b"{}"
        return {"items": items(1)}

    def stub(self):
        return Stub({"/oauth/token": self.token, "/list": self.list, "/more": self.list})

    def test_one_token_serves_many_calls(self):
        for place in ({}, {"in": "form"}, {"in": "basic"}):
            self.given = 0
            with self.stub() as stub, Session(with_auth({**self.AUTH, **place}), stub.url, {"key": SECRET}, client="c") as session:
                self.assertEqual([session.fetch(name).ids for name in ("things", "more", "things")], [[1]] * 3)
            self.assertEqual(self.given, 1, place)
            token_call = stub.calls[0]
            self.assertEqual(token_call.basic() is not None, place.get("in") == "basic")
            self.assertEqual("client_secret" in token_call.form, place.get("in") != "basic")

    def test_it_is_renewed_before_its_time_is_over(self):
        self.life = 2
        with self.stub() as stub, Session(with_auth(self.AUTH), stub.url, {"key": SECRET}, client="c") as session:
            session.fetch("things")
            # a short one is used for half of its time
            time.sleep(1.1)
            self.assertEqual(session.fetch("things").ids, [1])
        self.assertEqual(stub.paths(), ["/oauth/token", "/list", "/oauth/token", "/list"])

    def test_it_is_renewed_once_where_it_is_refused(self):
        with self.stub() as stub, Session(with_auth(self.AUTH), stub.url, {"key": SECRET}, client="c") as session:
            session.fetch("things")
            self.valid.clear()
            self.assertEqual(session.fetch("things").ids, [1])
            self.assertEqual((self.given, stub.paths()), (2, ["/oauth/token", "/list", "/list", "/oauth/token", "/list"]))
            stub.answers["/list"] = lambda _: (401, {}, b"{}")
            stub.calls.clear()
            self.assertEqual(session.fetch("things").code, "source_refused")
            self.assertEqual(stub.paths(), ["/list", "/oauth/token", "/list"])

    def test_what_is_not_a_token_is_a_fault(self):
        for answer, code in (((401, {}, b"{}"), "source_refused"), ((400, {}, b'{"error":"invalid_client"}'), "source_refused"),
                             ((500, {}, b""), "source_error"), (({"token": "x"}, {}), "source_answer"),
                             (({"access_token": "a b"}, {}), "source_answer"), (({"access_token": "a\r\nX: y"}, {}), "source_answer"),
                             (({"access_token": "a", "token_type": "mac"}, {}), "source_answer"),
                             ((302, {"Location": "/elsewhere"}, b""), "source_answer"), ((200, {}, b"x" * 100000), "source_answer")):
            self.token_answer = answer
            with self.stub() as stub:
                outcome = fetch(with_auth(self.AUTH), stub.url, "things", {"key": SECRET}, client="c", retries=0)
                self.assertNotIn("/list", stub.paths())
            self.assertEqual((outcome.code, outcome.status), (code, "failed"), answer)

    def test_tokens_may_come_from_another_place_that_is_configured(self):
        settings = [*CLIENT, {"name": "token_url", "kind": "url", "required": True, "help": "where tokens come from"}]
        auth = {key: value for key, value in self.AUTH.items() if key != "token_path"}
        value = with_auth({**auth, "token_url": {"setting": "token_url"}}, settings)
        with Stub({"/t/": self.token}) as other, self.stub() as stub:
            outcome = fetch(value, stub.url + "/", "things", {"key": SECRET}, client="c", token_url=other.url + "/t/")
            self.assertEqual((outcome.ids, other.paths(), stub.paths()), ([1], ["/t/"], ["/list"]))
        outcome = fetch(value, "http://127.0.0.1:9", "things", {"key": SECRET}, client="c", token_url="http://192.0.2.1/")
        self.assertEqual(outcome.code, "bad_settings")

    def test_a_fault_of_the_place_of_tokens_names_it(self):
        settings = [*CLIENT, {"name": "token_url", "kind": "url", "required": True, "help": "where tokens come from"}]
        auth = {key: value for key, value in self.AUTH.items() if key != "token_path"}
        value = with_auth({**auth, "token_url": {"setting": "token_url"}}, settings)
        for answer, code in (((500, {}, b""), "source_error"), ((503, {}, b""), "source_busy"), ((400, {}, b"{}"), "source_refused"),
                             ((302, {"Location": "/x"}, b""), "source_answer"), (({"token": "x"}, {}), "source_answer")):
            self.token_answer = answer
            with Stub({"/t/": self.token}) as other, self.stub() as stub:
                outcome = fetch(value, stub.url, "things", {"key": SECRET}, client="c", retries=0,
                                token_url=other.url.replace("127.0.0.1", "localhost") + "/t/")
            self.assertEqual(outcome.code, code)
            self.assertRegex(outcome.end["text"], "^localhost/t/: ")

    def test_each_secret_goes_to_its_own_place_alone(self):
        """Three collections that get their tokens at two other places and at the system, in any order."""
        seen = {name: set() for name in ("first", "second", "own")}

        def give(name):
            def answer(call):
                seen[name].add((call.path, call.form["client_secret"]))
                return {"access_token": name, "token_type": "Bearer"}
            return answer

        def listed(name):
            return lambda call: {"items": items(1)} if call.headers["Authorization"] == "Bearer " + name else (401, {}, b"{}")
        places = {"first": {"token_url": {"setting": "first_url"}}, "second": {"token_url": {"setting": "second_url"}}, "own": {"token_path": "/own"}}
        settings = [CLIENT[0], *({"name": name + "_key", "kind": "secret", "required": True, "help": "its secret"} for name in places),
                    *({"name": name + "_url", "kind": "url", "required": True, "help": "its place"} for name in ("first", "second"))]
        value = profile(settings=settings, **{name: owned("/list/" + name, request={"auth": {
            "kind": "oauth2", **place, "client_id": {"setting": "client"}, "client_secret": {"secret": name + "_key"}}})
            for name, place in places.items()})
        with Stub({"*": give("first")}) as first, Stub({"*": give("second")}) as second, \
                Stub({"/own": give("own"), **{"/list/" + name: listed(name) for name in places}}) as stub, \
                Session(value, stub.url, {name + "_key": "secret of " + name for name in places}, client="c",
                        first_url=first.url + "/1", second_url=second.url + "/2") as session:
            for name in ("first", "own", "second", "first", "second", "own", "own"):
                self.assertEqual(session.fetch(name).ids, [1], name)
        self.assertEqual(seen, {name: {(path, "secret of " + name)} for name, path in (("first", "/1"), ("second", "/2"), ("own", "/own"))})


class Memory(unittest.TestCase):
    """Answers as long as they may be by default. Under a sanitizer what they take is only printed."""

    def peak(self, answer):
        """The outcome, and the most memory that the engine took."""
        with Stub({"/list": lambda _: (200, {}, answer)}) as stub, Session(profile(things=owned("/list")), stub.url) as session:
            outcome = session.fetch("things")
            with open(f"/proc/{session.connector.process.pid}/status", encoding="ascii") as file:
                kib = int(next(line for line in file if line.startswith("VmHWM")).split()[1])
        print(f"an answer of {len(answer) >> 10} KiB: {kib >> 10} MiB")
        if not harness.is_sanitized(os.path.join(rest.BUILD, "libexec", "dsard", "dsar-rest")):
            self.assertLess(kib, 64 << 10)
        return outcome

    def test_records(self):
        rows = [{**each, "name": "Alice Example", "amount": 12.50, "note": "words that somebody wrote, and more of them"}
                for each in items(*range(30000))]
        answer = json.dumps({"items": rows}).encode()
        self.assertTrue(3 << 20 < len(answer) < 4 << 20)
        self.assertEqual(len(self.peak(answer).ids), 30000)

    def test_what_takes_most_is_refused(self):
        answer = b'{"items":[{"id":1,"person":901,"x":[' + b"1," * ((4 << 19) - 100) + b"1]}]}"
        outcome = self.peak(answer)
        self.assertEqual((outcome.code, outcome.ids), ("source_answer", []))
        self.assertIn("bytes of memory", outcome.end["text"])


class Pace(unittest.TestCase):
    def test_calls_come_no_faster_than_allowed(self):
        pages = {str(at): items(at) for at in range(4)}
        collection = owned("/list", page={"kind": "offset", "in": "query", "start": "s"})
        for settings, rate, gap in (({"requests_per_second": "10"}, None, 0.1), ({}, 8, 0.125), ({"requests_per_second": "12.5"}, 1, 0.08)):
            with Stub({"/list": lambda call: {"items": pages.get(call.query["s"], [])}}) as stub:
                with Session(profile(rate=rate, things=collection), stub.url, **settings) as session:
                    began = time.monotonic()
                    self.assertEqual(session.fetch("things").ids, [0, 1, 2, 3])
                    took = time.monotonic() - began
            self.assertEqual(len(stub.calls), 5)
            self.assertGreaterEqual(took, 4 * gap)

    def test_a_rate_that_is_none_is_refused(self):
        for text in ("", "0", "-1", "x", "1e3", "5/s", "0.0001", "1001", "1.2.3", "inf"):
            with Session(profile(things=owned("/list")), "http://127.0.0.1:9", requests_per_second=text) as session:
                self.assertEqual(session.ready.get("code"), "bad_settings", text)

    def test_a_cancel_ends_the_wait(self):
        value = profile(things=owned("/list", page={"kind": "offset", "in": "query", "start": "s"}))
        with Stub({"/list": lambda call: {"items": items(int(call.query["s"]))}}) as stub:
            with Session(value, stub.url, requests_per_second="0.01") as session:
                session.connector.send({"type": "fetch", "request": "r", "deadline_ms": 60000, "collections": ["things"],
                                        "identities": [{"kind": "person_id", "value": "901"}]})
                while not stub.calls:
                    time.sleep(0.01)
                began = time.monotonic()
                session.connector.send({"type": "cancel"})
                while (message := session.connector.receive()[0])["type"] != "done":
                    pass
        self.assertLess(time.monotonic() - began, 3)
        self.assertEqual(message["code"], "cancelled")


class Again(unittest.TestCase):
    """What is asked again, and what is not."""

    def ask(self, failures, method="GET", idempotent=None, **settings):
        """The outcome after so many failures, and the calls."""
        left = list(failures)

        def answer(_):
            return left.pop(0) if left else {"items": items(1)}
        request = {"method": method, **({"idempotent": idempotent} if idempotent is not None else {})}
        with Stub({"/list": answer}) as stub:
            outcome = fetch(profile(things=owned("/list", request=request)), stub.url, "things", **settings)
            return outcome, stub.calls

    def test_passing_faults_of_calls_that_read(self):
        for status in (500, 502, 503, 504, 429, 408):
            outcome, calls = self.ask([(status, {}, b"")] * 2)
            self.assertEqual((outcome.ids, outcome.status, len(calls)), ([1], "complete", 3), status)
            self.assertGreater(calls[2].at - calls[1].at, 0.3)
        outcome, calls = self.ask([(500, {}, b"")] * 9)
        self.assertEqual((outcome.code, len(calls)), ("source_error", 3))
        outcome, calls = self.ask([(500, {}, b"")] * 9, retries=0)
        self.assertEqual((outcome.code, len(calls)), ("source_error", 1))
        outcome, calls = self.ask([(500, {}, b"")] * 4, retries=4)
        self.assertEqual((outcome.ids, len(calls)), ([1], 5))

    def test_what_would_fail_again_is_not_asked_again(self):
        for status, code in ((401, "source_refused"), (403, "source_refused"), (400, "source_answer"), (404, "source_answer")):
            outcome, calls = self.ask([(status, {}, b"")] * 9)
            self.assertEqual((outcome.code, len(calls)), (code, 1), status)
        outcome, calls = self.ask([(200, {}, b"no JSON")] * 9)
        self.assertEqual((outcome.code, len(calls)), ("source_answer", 1))

    def test_a_post_only_where_the_profile_says_that_it_reads(self):
        for idempotent, n in ((None, 1), (False, 1), (True, 3)):
            outcome, calls = self.ask([(503, {}, b"")] * 9, "POST", idempotent)
            self.assertEqual((outcome.code, len(calls)), ("source_busy", n), idempotent)

    def test_a_connection_that_breaks(self):
        class Breaking(socketserver.BaseRequestHandler):
            def handle(self):
                seen.append(self.request.recv(65536))
                body = b'{"items":[]}'
                if len(seen) > 1:
                    self.request.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        seen = []
        with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Breaking) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            outcome = fetch(profile(things=owned("/list")), f"http://127.0.0.1:{server.server_address[1]}", "things")
            server.shutdown()
        self.assertEqual((outcome.status, len(seen)), ("complete", 2))

    def test_a_short_wait_is_kept_and_a_long_one_passed_on(self):
        outcome, calls = self.ask([(429, {"Retry-After": "1"}, b"")])
        self.assertEqual(outcome.status, "complete")
        self.assertGreater(calls[1].at - calls[0].at, 0.95)
        for text, passed_on in (("6", 6000), ("60", 60000), ("9999999", 3600000)):
            outcome, calls = self.ask([(503, {"Retry-After": text}, b"")] * 9)
            self.assertEqual((outcome.code, len(calls), outcome.done["retry_after_ms"]), ("source_busy", 1, passed_on))
        outcome, calls = self.ask([(429, {"Retry-After": "3"}, b"")] * 9, deadline_ms=1500)
        self.assertEqual((outcome.code, len(calls)), ("source_busy", 1))

    def test_an_answer_may_say_that_the_system_is_busy(self):
        value = profile(things=owned("/list", ok=[{"ptr": "/ok", "eq": True}], busy=[{"ptr": "/error", "eq": "rate_limited"}]))
        for status in (200, 400):
            with Stub({"/list": lambda _, status=status: (status, {"Retry-After": "9"}, b'{"ok":false,"error":"rate_limited"}')}) as stub:
                outcome = fetch(value, stub.url, "things")
            self.assertEqual((outcome.code, outcome.end["retryable"], outcome.done["retry_after_ms"]), ("source_busy", True, 9000))


class Refusals(unittest.TestCase):
    def test_answers_of_any_refusing_status_are_tested(self):
        value = profile(things=owned("/list", not_found=[{"ptr": "/message", "eq": "Subscriber not found"}, {"status": 410}],
                                     refused=[{"ptr": "/message", "eq": "invalid key"}]))
        for status, body, expected in ((400, b'{"message":"Subscriber not found"}', ("absent", None)), (410, b"<html>", ("absent", None)),
                                       (422, b'{"message":"invalid key"}', ("failed", "source_refused")),
                                       (400, b'{"message":"bad request"}', ("failed", "source_answer")), (404, b"", ("failed", "source_answer"))):
            with Stub({"/list": lambda _, status=status, body=body: (status, {}, body)}) as stub:
                outcome = fetch(value, stub.url, "things")
            self.assertEqual((outcome.status, outcome.code), expected, (status, body))


class Redirects(unittest.TestCase):
    def ask(self, location, status=302, value=None):
        answers = {"/list": lambda _: (status, {"Location": location}, b""), "/moved": lambda _: {"items": items(1)}}
        value = value or profile(defaults={"request": {"method": "GET", "headers": {"X-Key": {"secret": "key"}}}}, settings=CLIENT[1:],
                                 things=owned("/list"))
        with Stub(answers) as stub:
            return fetch(value, stub.url, "things", {"key": SECRET}), stub.calls

    def test_one_to_the_same_place_is_followed(self):
        for status in (301, 302, 303, 307, 308):
            outcome, calls = self.ask("/moved?a=b", status)
            self.assertEqual((outcome.ids, [call.target for call in calls][1:]), ([1], ["/moved?a=b"]))
        outcome, calls = self.ask("/list")
        self.assertEqual((outcome.code, len(calls)), ("source_answer", 4))

    def test_one_to_another_host_never_is(self):
        with Stub({"*": lambda _: {"items": items(66)}}) as other:
            for location in (other.url + "/moved", other.url.replace("http:", ""), f"http://localhost:{other.port}/moved",
                             "https://127.0.0.1/moved", "file:///etc/passwd", "gopher://127.0.0.1/"):
                outcome, calls = self.ask(location)
                self.assertEqual((outcome.code, outcome.end["retryable"], len(calls), outcome.records), ("source_answer", False, 1, []), location)
            self.assertIn("another host", self.ask(other.url + "/moved")[0].end["text"])
            self.assertEqual(other.calls, [])

    def test_neither_a_post_nor_where_the_path_alone_says_whose_records_they_are(self):
        posting = profile(settings=CLIENT[1:], things=owned("/list", request={"method": "POST", "form": {"k": {"secret": "key"}}}))
        pinned = profile(settings=CLIENT[1:], things={"request": {"path": "/list", "query": {"p": {"id": "person_id"}, "k": {"secret": "key"}}},
                                                      "records": "/items", "unasserted": "a test"})
        for value in (posting, pinned):
            outcome, calls = self.ask("/moved", value=value)
            self.assertEqual((outcome.code, len(calls)), ("source_answer", 1))


class Proxy(socketserver.ThreadingTCPServer):
    """One that tunnels, and remembers where to."""
    allow_reuse_address = daemon_threads = True

    def __init__(self):
        self.asked = []
        super().__init__(("127.0.0.1", 0), _Tunnel)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __exit__(self, *error):
        self.shutdown()
        super().__exit__(*error)


class _Tunnel(socketserver.StreamRequestHandler):
    def handle(self):
        line = self.rfile.readline().decode()
        self.server.asked.append(line.strip())
        while self.rfile.readline().strip():
            pass
        host, port = line.split()[1].split(":")
        with socket.create_connection((host, int(port))) as upstream:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nLink: </from-the-proxy>; rel=next\r\n\r\n")
            threading.Thread(target=self.pump, args=(upstream, self.connection), daemon=True).start()
            self.pump(self.connection, upstream)

    @staticmethod
    def pump(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            pass


class Transport(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.authority = Authority(cls.folder)
        cls.other = Authority(cls.folder, "other")

    def server(self, **more):
        return Stub({"*": lambda _: {"items": items(1)}}, self.authority.context(**more))

    @staticmethod
    def ask(url, secrets=None, environment=None, **settings):
        return fetch(profile(things=owned("/list")), url, "things", secrets, environment=environment, retries=0, **settings)

    def test_a_private_authority_by_file(self):
        with self.server() as stub:
            self.assertEqual(self.ask(stub.url, ca_file=self.authority.file).ids, [1])
            for more in ({}, {"ca_file": self.other.file}):
                outcome = self.ask(stub.url, **more)
                self.assertEqual((outcome.code, "certificate" in outcome.end["text"]), ("source_unreachable", True))
            outcome = self.ask(stub.url.replace("127.0.0.1", "localhost"), ca_file=self.authority.file)
            self.assertEqual(outcome.code, "source_unreachable")

    def test_a_client_certificate_by_file(self):
        def shown(authority, name):
            certificate, key = authority.certificate(name)
            with open(key, encoding="ascii") as file:
                return {"secrets": {"client_key": file.read()}, "client_cert_file": certificate}
        own, foreign = shown(self.authority, "client"), shown(self.other, "foreign")
        with self.server(asks_client=True) as stub:
            self.assertEqual(self.ask(stub.url, ca_file=self.authority.file, **own).ids, [1])
            self.assertEqual(self.ask(stub.url, ca_file=self.authority.file).code, "source_unreachable")
            self.assertEqual(self.ask(stub.url, ca_file=self.authority.file, **foreign).code, "source_unreachable")
            self.assertEqual(self.ask(stub.url, ca_file=self.authority.file, **{**own, "secrets": foreign["secrets"]}).code,
                             "source_unreachable")
        for given in ({"client_cert_file": own["client_cert_file"]}, {"secrets": own["secrets"]}):
            with Session(profile(things=owned("/list")), "https://127.0.0.1:9", **given) as session:
                self.assertEqual(session.ready["code"], "bad_settings")

    def test_a_proxy_only_where_one_is_configured(self):
        with self.server() as stub, Proxy() as proxy:
            environment = {name: proxy.url for name in ("https_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy", "http_proxy")}
            self.assertEqual(self.ask(stub.url, environment=environment, ca_file=self.authority.file).ids, [1])
            self.assertEqual(proxy.asked, [])
            environment = {"no_proxy": "*", "NO_PROXY": "127.0.0.1"}
            self.assertEqual(self.ask(stub.url, environment=environment, ca_file=self.authority.file, proxy=proxy.url).ids, [1])
            self.assertEqual(proxy.asked, [f"CONNECT 127.0.0.1:{stub.port} HTTP/1.1"])
            # the proxy cannot read along: the certificate is the system's
            self.assertEqual(self.ask(stub.url, proxy=proxy.url).code, "source_unreachable")
        for proxy in ("socks5://127.0.0.1:1", "http://u:p@127.0.0.1:1", "", "http://"):
            with Session(profile(things=owned("/list")), "https://127.0.0.1:9", proxy=proxy) as session:
                self.assertEqual(session.ready.get("code"), "bad_settings", proxy)

    def test_numbers_out_of_range_are_refused(self):
        for given in ({"retries": -1}, {"retries": 11}, {"file_max_bytes": 0}, {"answer_max_bytes": 1}):
            with Session(profile(things=owned("/list")), "https://127.0.0.1:9", **given) as session:
                self.assertEqual(session.ready.get("code"), "bad_settings", given)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--build", default=rest.BUILD)
    arguments, others = parser.parse_known_args()
    rest.BUILD = arguments.build
    unittest.main(argv=[sys.argv[0], *others], verbosity=1)
