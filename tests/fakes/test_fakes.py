#!/usr/bin/env python3
"""The fakes are what they are taken for: the products' documented shapes and quirks, faults on demand, marks that are
whose they seem. Runs in seconds."""
import base64
import http.client
import json
import os
import socket
import sqlite3
import stat
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request
from urllib.parse import urlencode

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import canaries  # noqa: E402
import people  # noqa: E402
import stub  # noqa: E402


def fetch(url, data=None, headers=None, timeout=5, method=None):
    """(status, body, headers)"""
    request = urllib.request.Request(url, data, headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), error.headers


class HostCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.process = subprocess.Popen(
            [sys.executable, os.path.join(HERE, "host.py"), "--dir", cls.folder.name, "--big", "120"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        cls.where = json.loads(cls.process.stdout.readline())

    @classmethod
    def tearDownClass(cls):
        cls.process.stdin.close()
        cls.process.wait(10)
        cls.process.stdout.close()
        cls.folder.cleanup()

    def setUp(self):
        for product in ("whmcs", "cpanel", "mautic"):
            self.spoil(product, mode="ok")
            fetch(self.where[product]["url"] + "/__log", method="DELETE")

    def spoil(self, product, **fault):
        return fetch(self.where[product]["url"] + "/__fault", json.dumps(fault).encode())[0]

    def raw(self, action, **params):
        where = self.where["whmcs"]
        form = {"identifier": where["identifier"], "secret": where["secret"], "responsetype": "json", "action": action,
                **params}
        return fetch(where["url"] + "/includes/api.php", urlencode(form).encode())

    def whmcs(self, action, **params):
        return json.loads(self.raw(action, **params)[1])

    def panel(self, call, token=None, **params):
        where = self.where["cpanel"]
        query = urlencode({"api.version": "1", **params})
        status, body, _ = fetch(f"{where['url']}/json-api/{call}?{query}",
                                headers={"Authorization": f"whm {where['user']}:{token or where['token']}"})
        return status, json.loads(body)

    def uapi(self, user, module, function):
        return self.panel("uapi_cpanel", **{"cpanel.user": user, "cpanel.module": module,
                                            "cpanel.function": function})[1]

    def mautic(self, path, password=None, **params):
        where = self.where["mautic"]
        basic = base64.b64encode(f"{where['user']}:{password or where['password']}".encode()).decode()
        status, body, _ = fetch(f"{where['url']}/api/{path}?{urlencode(params)}",
                                headers={"Authorization": "Basic " + basic})
        return status, json.loads(body)


class Host(HostCase):
    def test_secrets_are_random_and_in_files_of_their_own(self):
        for product, name in (("whmcs", "secret"), ("whmcs", "identifier"), ("cpanel", "token"),
                              ("mautic", "password")):
            path = self.where[product][name + "_file"]
            with open(path) as file:
                self.assertEqual(file.read(), self.where[product][name])
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
            self.assertEqual(len(self.where[product][name]), 32)

    def test_it_ends_with_its_standard_input_and_on_sigterm(self):
        for end in ("eof", "sigterm"):
            with tempfile.TemporaryDirectory() as folder:
                with subprocess.Popen([sys.executable, os.path.join(HERE, "host.py"), "--dir", folder],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE) as host:
                    host.stdout.readline()
                    host.stdin.close() if end == "eof" else host.terminate()
                    self.assertEqual(host.wait(10), 0)
                    self.assertEqual(host.stdout.read(), b"", "one line and no more")


class WhmcsQuirks(HostCase):
    def test_an_empty_or_missing_filter_means_everybody(self):
        for action, name, outer, inner, owner in (
                ("GetInvoices", "userid", "invoices", "invoice", "userid"),
                ("GetOrders", "userid", "orders", "order", "userid"),
                ("GetClientsProducts", "clientid", "products", "product", "clientid"),
                ("GetTransactions", "clientid", "transactions", "transaction", "userid"),
                ("GetTickets", "clientid", "tickets", "ticket", "userid"),
                ("GetContacts", "userid", "contacts", "contact", "userid"),
                ("GetActivityLog", "clientid", "activity", "entry", "userid"),
                ("GetQuotes", "userid", "quotes", "quote", "userid")):
            with self.subTest(action):
                mine = self.whmcs(action, limitnum="1000", **{name: "4711"})[outer][inner]
                self.assertEqual({r[owner] for r in mine}, {4711})
                for params in ({}, {name: ""}):
                    every = self.whmcs(action, limitnum="1000", **params)[outer][inner]
                    if action != "GetQuotes":
                        self.assertIn(4712, {r[owner] for r in every})
                    self.assertGreaterEqual(len(every), len(mine))

    def test_paging_gives_25_unless_told_and_the_total_as_text(self):
        first = self.whmcs("GetTickets", clientid="4711")
        self.assertEqual((first["totalresults"], first["numreturned"], first["startnumber"]), ("122", 25, 0))
        seen = []
        for start in range(0, 200, 100):
            page = self.whmcs("GetTickets", clientid="4711", limitstart=str(start), limitnum="100")
            seen += [t["id"] for t in page["tickets"]["ticket"]]
        self.assertEqual(len(set(seen)), 122)
        self.assertEqual(self.whmcs("GetTransactions", clientid="4711", limitnum="1")["numreturned"], 2,
                         "transactions have no pages")

    def test_an_empty_list_is_an_empty_text(self):
        self.assertEqual(self.whmcs("GetInvoices", userid="4799")["invoices"], "")
        self.assertEqual(self.whmcs("GetInvoices", userid="4711", limitstart="50")["invoices"], "")

    def test_errors_come_with_status_200(self):
        for action, params, message in (
                ("GetClientsDetails", {}, "Either clientid Or email Is Required"),
                ("GetClientsDetails", {"email": "dave@example.test"}, "Client Not Found"),
                ("GetEmails", {"clientid": ""}, "Client ID Not Found"),
                ("GetInvoice", {"invoiceid": "9"}, "Invoice ID Not Found"), ("Nonsense", {}, "Command Not Found")):
            status, body, _ = self.raw(action, **params)
            self.assertEqual((status, json.loads(body)), (200, {"result": "error", "message": message}))

    def test_wrong_credentials_are_refused_with_403(self):
        status, body, _ = self.raw("GetInvoices", secret="wrong")
        self.assertEqual((status, json.loads(body)["result"]), (403, "error"))

    def test_a_client_is_found_by_the_whole_address_but_searched_by_a_part(self):
        self.assertEqual(self.whmcs("GetClientsDetails", email="ALICE@example.test")["client"]["id"], 4711)
        self.assertEqual(self.whmcs("GetClients", search="alice@example.test")["totalresults"], "2")

    def test_numbers_keep_their_digits_and_are_text_in_places(self):
        body = self.raw("GetInvoice", invoiceid="1001")[1]
        self.assertIn(b'"total":1.10,', body)
        self.assertIn(b'"ordernum":12345678901234567890', self.raw("GetOrders", userid="4711")[1])
        self.assertIn(b'"amount":1000000.00', self.raw("GetCredits", clientid="4711")[1])
        self.assertEqual(self.whmcs("GetTicket", ticketid="801")["userid"], "4711")
        self.assertEqual(self.whmcs("GetTickets", clientid="4711")["tickets"]["ticket"][0]["userid"], 4711)
        self.assertIn(b'"datepaid":"0000-00-00 00:00:00"', body)

    def test_attachments_come_in_base64(self):
        answer = self.whmcs("GetTicketAttachment", type="reply", relatedid="2", index="0")
        self.assertEqual(answer["filename"], "../../etc/CON.txt")
        self.assertEqual(base64.b64decode(answer["data"]), b"canary-alice-attachment-90a2\n")


class PanelQuirks(HostCase):
    def test_a_search_is_a_regular_expression_unless_exact(self):
        for params, users in (({"search": "alice", "searchtype": "user"}, {"alice", "malice"}),
                              ({"search": "^alice$", "searchtype": "user"}, {"alice"}),
                              ({"search": "a.ice", "searchtype": "user"}, {"alice", "malice"}),
                              ({"search": "alice", "searchtype": "user", "searchmethod": "exact"}, {"alice"}),
                              ({}, {"alice", "malice"})):
            answer = self.panel("listaccts", **params)[1]
            self.assertEqual({a["user"] for a in answer["data"]["acct"]}, users, params)

    def test_a_failed_call_answers_200_with_result_0(self):
        for answer in (self.panel("accountsummary", user="dave"), self.panel("accountsummary"),
                       self.panel("nonsense")):
            self.assertEqual((answer[0], answer[1]["metadata"]["result"]), (200, 0))
        self.assertEqual(self.uapi("ALICE", "Email", "list_pops_with_disk")["metadata"]["result"], 0)
        wrong = self.uapi("alice", "Email", "nonsense")
        self.assertEqual((wrong["metadata"]["result"], wrong["data"]["uapi"]["status"]), (1, 0))

    def test_the_functions_answer(self):
        self.assertEqual(len(self.uapi("alice", "Email", "list_pops_with_disk")["data"]["uapi"]["data"]), 2)
        domains = self.uapi("alice", "DomainInfo", "domains_data")["data"]["uapi"]["data"]
        self.assertEqual(domains["main_domain"]["domain"], "alice-shop.example.test")
        user = self.uapi("alice", "Variables", "get_user_information")["data"]["uapi"]["data"]
        self.assertEqual(user["user"], "alice")
        summary = self.panel("accountsummary", user="alice")[1]["data"]["acct"]
        self.assertEqual(summary[0]["email"], "alice@example.test")

    def test_a_wrong_token_is_refused_with_403(self):
        self.assertEqual(self.panel("listaccts", token="wrong")[0], 403)


class MauticQuirks(HostCase):
    def where_is(self, expr, val):
        return self.mautic("contacts", **{"where[0][col]": "email", "where[0][expr]": expr, "where[0][val]": val})[1]

    def test_eq_is_exact_and_like_is_not(self):
        found = self.where_is("eq", "alice@example.test")
        self.assertEqual((found["total"], list(found["contacts"])), ("1", ["901"]))
        self.assertEqual(self.where_is("like", "%alice@example.test")["total"], "2")

    def test_search_by_email_gives_everybody(self):
        self.assertEqual(self.mautic("contacts", search="email:alice@example.test")[1]["total"], "3")
        self.assertEqual(self.mautic("contacts", search="alice@")[1]["total"], "2")
        self.assertEqual(self.where_is("eq", "")["total"], "3")

    def test_an_empty_object_is_a_list(self):
        self.assertEqual(self.where_is("eq", "dave@example.test"), {"total": "0", "contacts": []})
        self.assertEqual(self.mautic("contacts/1901/segments")[1], {"total": 0, "segments": []})

    def test_activity_has_pages(self):
        first, second = (self.mautic("contacts/901/activity", page=str(n))[1] for n in (1, 2))
        self.assertEqual((len(first["events"]), len(second["events"]), first["maxPages"], first["total"]),
                         (25, 6, 2, 31))

    def test_refusals(self):
        self.assertEqual(self.mautic("contacts/901", password="wrong")[0], 401)
        self.assertEqual(self.mautic("contacts/4/notes")[0], 404)


class Faults(HostCase):
    def test_each_mode_spoils_the_answer(self):
        self.spoil("whmcs", mode="refuse401")
        self.assertEqual(self.raw("GetQuotes")[0], 401)
        self.spoil("whmcs", mode="error500")
        self.assertEqual(self.raw("GetQuotes")[0], 500)
        self.spoil("whmcs", mode="busy503")
        status, _, headers = self.raw("GetQuotes")
        self.assertEqual((status, headers["Retry-After"]), (503, "1"))
        for mode in ("garbage", "html"):
            self.spoil("whmcs", mode=mode)
            self.assertRaises(ValueError, self.whmcs, "GetQuotes")
        self.spoil("whmcs", mode="cut")
        self.assertRaises(http.client.IncompleteRead, self.whmcs, "GetQuotes")
        self.spoil("whmcs", mode="drop_connection")
        self.assertRaises(OSError, self.whmcs, "GetQuotes")
        self.spoil("whmcs", mode="everybody")
        owners = {r["userid"] for r in self.whmcs("GetInvoices", userid="4711")["invoices"]["invoice"]}
        self.assertEqual(owners, {4711, 4712})
        self.spoil("whmcs", mode="short_total")
        answer = self.whmcs("GetInvoices", userid="4711")
        self.assertEqual((answer["totalresults"], len(answer["invoices"]["invoice"])), ("6", 3))
        self.spoil("whmcs", mode="too_large", bytes=1 << 20)
        answer = self.whmcs("GetInvoices", userid="4711")
        self.assertEqual(len(answer["invoices"]["invoice"][0]["padding"]), 1 << 20)

    def test_endless_hang_and_slow(self):
        where = self.where["mautic"]
        basic = base64.b64encode(f"{where['user']}:{where['password']}".encode()).decode()
        request = urllib.request.Request(where["url"] + "/api/contacts", headers={"Authorization": "Basic " + basic})
        self.spoil("mautic", mode="endless")
        with urllib.request.urlopen(request, timeout=5) as answer:
            self.assertEqual(len(answer.read(20 << 20)), 20 << 20)
        self.spoil("mautic", mode="hang")
        self.assertRaises((socket.timeout, TimeoutError), urllib.request.urlopen, request, timeout=0.3)
        self.spoil("mautic", mode="slow", delay_ms=1)
        start = time.monotonic()
        self.assertEqual(self.mautic("contacts/901/activity")[0], 200)
        self.assertGreater(time.monotonic() - start, 0.1)

    def test_calls_and_times_limit_a_fault(self):
        self.spoil("whmcs", mode="error500", calls=["GetOrders"], times=2)
        self.assertEqual([self.raw(call)[0] for call in ("GetQuotes", "GetOrders", "GetOrders", "GetOrders")],
                         [200, 500, 500, 200])
        self.spoil("cpanel", mode="error500", calls=["uapi_cpanel:Email::list_pops_with_disk"])
        self.assertEqual(self.panel("accountsummary", user="alice")[0], 200)
        self.assertRaises(ValueError, self.uapi, "alice", "Email", "list_pops_with_disk")

    def test_an_unknown_mode_is_refused(self):
        self.assertEqual(self.spoil("whmcs", mode="nonsense"), 400)
        self.assertIn("everybody", stub.MODES)

    def test_the_log_tells_the_calls_without_credentials(self):
        self.whmcs("GetInvoices", userid="4711")
        self.panel("accountsummary", user="alice")
        calls = json.loads(fetch(self.where["whmcs"]["url"] + "/__log")[1])
        self.assertEqual(calls, [{"action": "GetInvoices", "method": "POST",
                                  "params": {"responsetype": "json", "action": "GetInvoices", "userid": "4711"}}])
        for product, name in (("whmcs", "secret"), ("cpanel", "token")):
            self.assertNotIn(self.where[product][name].encode(), fetch(self.where[product]["url"] + "/__log")[1])


class Forum(HostCase):
    def test_it_holds_what_the_counts_say(self):
        forum = sqlite3.connect(f"file:{self.where['phpbb']['path']}?mode=ro", uri=True)
        self.addCleanup(forum.close)

        def one(query, *values):
            return forum.execute(query, values).fetchone()[0]

        self.assertEqual(one("SELECT user_id FROM phpbb_users WHERE LOWER(user_email)=?", "alice@example.test"), 57)
        self.assertEqual(one("SELECT COUNT(*) FROM phpbb_users WHERE user_email LIKE ?", "%alice@example.test"), 2)
        held = canaries.counts("alice")["forum.phpbb"]
        self.assertEqual(one("SELECT COUNT(*) FROM phpbb_posts WHERE poster_id=57"), held["posts"])
        self.assertEqual(one("SELECT COUNT(*) FROM phpbb_privmsgs_to WHERE user_id=57"), held["private_messages"])
        others = one("SELECT COUNT(*) FROM phpbb_privmsgs m WHERE NOT EXISTS (SELECT 1 FROM phpbb_privmsgs_to t"
                     " WHERE t.msg_id=m.msg_id AND t.user_id=57)")
        self.assertEqual(others, 3)
        self.assertIn("&lt;script&gt;", one("SELECT post_text FROM phpbb_posts WHERE post_id=101"))

    def test_every_table_is_there(self):
        forum = sqlite3.connect(self.where["phpbb"]["path"])
        self.addCleanup(forum.close)
        tables = {name for name, in forum.execute("SELECT name FROM sqlite_master WHERE type='table'")}
        self.assertEqual(tables, {"phpbb_" + name for name in people.PHPBB} | {"phpbb_banlist"})


class Canaries(unittest.TestCase):
    def test_a_mark_is_its_owners_and_nobody_elses(self):
        alice, malice = canaries.canaries("alice"), canaries.canaries("malice")
        self.assertIn("canary-alice-invoice-1001", alice["own"])
        self.assertIn("canary-alice-invoice-1001", malice["foreign"])
        self.assertIn("canary-pm-bob-to-malice-27b1", alice["foreign"])
        self.assertIn("canary-pm-bob-to-alice-27a1", set(alice["own"]) & set(canaries.canaries("bob")["own"]))
        for person in people.PEOPLE:
            each = canaries.canaries(person)
            self.assertFalse(set(each["own"] + each["files"]) & set(each["foreign"]))
            self.assertFalse([mark for mark in each["own"] if "secret" in mark or "cvv" in mark])
        self.assertEqual(canaries.canaries("dave")["own"], [])

    def test_an_address_is_not_found_inside_another(self):
        self.assertFalse(canaries.found("alice@example.test", "to malice@example.test."))
        self.assertTrue(canaries.found("alice@example.test", "to <Alice@Example.test>"))

    def test_marks_are_distinct(self):
        marks = [each for person in people.PEOPLE for each in canaries.canaries(person)["own"]]
        for mark in {each for each in marks if each.startswith("canary-")}:
            longer = [each for each in marks if each != mark and mark in each]
            self.assertFalse(longer, mark)

    def test_leaks_and_gaps_are_told(self):
        text = "\n".join(canaries.canaries("alice")["own"])
        self.assertEqual((canaries.missing("alice", text), canaries.leaked("alice", text)), ([], []))
        self.assertEqual(canaries.leaked("alice", text + " 4242-4242-4242-4242 Malice@example.test"),
                         ["malice@example.test", "4242-4242-4242-4242"])
        self.assertEqual(canaries.missing("alice", text.replace("1000000.00", "1000000.0")), ["1000000.00"])


if __name__ == "__main__":
    unittest.main()
