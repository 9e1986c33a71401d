#!/usr/bin/env python3
"""dsar-rest and its profiles against the example host, over the connector protocol.

  rest.py [--build DIR] [unittest arguments]
"""
import argparse
import contextlib
import copy
import email.utils
import http.server
import json
import os
import re
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from unittest import mock

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "fakes"))
import people
from host import Host

BUILD = os.environ.get("DSAR_BUILD", os.path.join(ROOT, "build", "debug"))
PROFILES = {"whmcs": "billing/whmcs", "cpanel": "hosting-panel/cpanel", "mautic": "marketing/mautic"}
SECRET = "canary-secret-token-5f5f"


def profile_path(product):
    return os.path.join(ROOT, "connectors", PROFILES[product] + ".json")


class Connector:
    """One dsar-rest process, and dsard's side of the conversation."""

    def __init__(self, profile, environment=None, wrapper=()):
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [*wrapper, os.path.join(BUILD, "libexec", "dsard", "dsar-rest"), "--profile", profile], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=self.log, env=environment or {})
        self.said = b""
        self.hello = self.receive()[0]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.status = self.process.wait(timeout=20)
        self.process.stdout.close()
        self.log.seek(0)
        self.errors = self.log.read()
        self.log.close()

    def send(self, message):
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def receive(self):
        line = self.process.stdout.readline()
        self.said += line
        message = json.loads(line)
        return message, self.process.stdout.read(message.get("bytes", 0))

    def configure(self, settings, secrets):
        self.send({"type": "configure", "settings": settings, "secrets": secrets})
        return self.receive()[0]

    def resolve(self, identities, deadline_ms=20000):
        self.send({"type": "resolve", "request": "r", "deadline_ms": deadline_ms, "identities": listed(identities)})
        found = []
        while True:
            message, _ = self.receive()
            if message["type"] == "identity":
                found.append((message["kind"], message["value"]))
            elif message["type"] == "done":
                return found, message

    def fetch(self, collections, identities, deadline_ms=20000):
        self.send({"type": "fetch", "request": "r", "deadline_ms": deadline_ms, "collections": collections,
                   "identities": listed(identities)})
        return self.gather()

    def gather(self):
        records, ends = {}, {}
        while True:
            message, data = self.receive()
            if message["type"] == "record":
                lines = data.decode().strip("\n").split("\n")
                assert len(lines) == message.get("count", 1)
                records.setdefault(message["collection"], []).extend(lines)
            elif message["type"] == "end":
                ends[message["collection"]] = message
            elif message["type"] == "done":
                return records, ends, message


def listed(identities):
    return [{"kind": kind, "value": value} for kind, value in identities]


def settings_of(host, product):
    where = host.where[product]
    if product == "whmcs":
        return {"base_url": where["url"]}, {"identifier": where["identifier"], "secret": where["secret"]}
    secret = "token" if product == "cpanel" else "password"
    return {"base_url": where["url"], "user": where["user"]}, {secret: where[secret]}


def exact(value):
    """A value of people.py as the stub writes it: its marked numbers keep their digits."""
    if isinstance(value, dict):
        return {key: exact(member) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [exact(member) for member in value]
    if isinstance(value, str) and value.startswith("@num:"):
        return Digits(value[5:])
    return Digits(str(value)) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


class Digits(str):
    """A JSON number, compared by its digits, and unlike a string of the same digits."""

    def __eq__(self, other):
        return isinstance(other, Digits) and str.__eq__(self, other)

    __hash__ = str.__hash__


def parsed(line):
    return json.loads(line, parse_int=Digits, parse_float=Digits)


ALICE_WHMCS = [("email", "alice@example.test"), ("whmcs_client_id", "4711")]
ALICE_ACCOUNT = ("panel_account", "alice alice-shop.example.test")
ALICE_PANEL = [ALICE_ACCOUNT, ("cpanel_user", "alice")]
ALICE_MAUTIC = [("email", "alice@example.test"), ("mautic_contact_id", "901")]
ALICE = {"whmcs": ALICE_WHMCS, "cpanel": ALICE_PANEL, "mautic": ALICE_MAUTIC}

# collection: the call that the stub names in its log
CALLS = {
    "whmcs": {"client": "GetClientsDetails", "contacts": "GetContacts", "products": "GetClientsProducts",
              "domains": "GetClientsDomains", "invoices": "GetInvoices", "orders": "GetOrders",
              "transactions": "GetTransactions", "tickets": "GetTickets", "emails": "GetEmails",
              "activity": "GetActivityLog"},
    "cpanel": {"account": "accountsummary", "settings": "uapi_cpanel:Variables::get_user_information",
               "domains": "uapi_cpanel:DomainInfo::domains_data"},
    "mautic": {"contact": "contact", "activity": "activity"},
}


class OnHost(unittest.TestCase):
    """Tests with an example host of their own."""
    big = 0

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.kept = [copy.copy(people.TICKETS), copy.copy(people.EMAILS)]
        cls.host = Host(cls.folder.name, cls.big)
        for stub in cls.host.stubs.values():
            # a client that hangs up is what some tests are about
            stub.server.handle_error = lambda *_: None

    @classmethod
    def tearDownClass(cls):
        cls.host.close()
        people.TICKETS[:], people.EMAILS[:] = cls.kept
        cls.folder.cleanup()

    def tearDown(self):
        for product in PROFILES:
            self.spoil(product, "ok")
            self.forget(product)

    def spoil(self, product, mode, **more):
        self.host.stubs[product].spoil({"mode": mode, **more})

    def forget(self, product):
        with self.host.stubs[product].lock:
            self.host.stubs[product].calls.clear()

    def calls(self, product):
        with self.host.stubs[product].lock:
            return copy.deepcopy(self.host.stubs[product].calls)

    @contextlib.contextmanager
    def connector(self, product, profile=None, **settings):
        given, secrets = settings_of(self.host, product)
        connector = Connector(profile or profile_path(product))
        with connector:
            answer = connector.configure({**given, **settings}, secrets)
            self.assertEqual(answer["type"], "ready", answer)
            yield connector
        self.assertEqual(connector.status, 0, connector.errors)
        for secret in secrets.values():
            self.assertNotIn(secret.encode(), connector.said + connector.errors)

    def one(self, product, collection, identities=None, **settings):
        """One collection: (its records, its end, done)."""
        with self.connector(product, **settings) as connector:
            records, ends, done = connector.fetch([collection], identities or ALICE[product])
        return records.get(collection, []), ends[collection], done

    def changed_profile(self, product, change):
        with open(profile_path(product), encoding="utf-8") as file:
            profile = json.load(file)
        change({c["name"]: c for c in profile["collections"]})
        path = os.path.join(self.folder.name, f"changed-{self.id()}.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(profile, file)
        return path


class Lookup(OnHost):
    def resolve(self, product, identities):
        with self.connector(product) as connector:
            return connector.resolve(identities)

    def test_whmcs_finds_the_client_and_in_the_next_wave_the_account(self):
        found, done = self.resolve("whmcs", [("email", "Alice@Example.test")])
        self.assertEqual((found, done["status"]), ([("whmcs_client_id", "4711")], "ok"))
        found, done = self.resolve("whmcs", ALICE_WHMCS)
        self.assertEqual(set(found), {("whmcs_client_id", "4711"), ALICE_ACCOUNT})

    def test_what_does_not_run_on_a_server_yields_nothing(self):
        product = people.PRODUCTS[0]
        for change in ({"status": "Terminated"}, {"status": "Pending"}, {"servername": ""}, {"servername": None},
                       {"username": ""}, {"domain": ""}, {"domain": "a alice-shop.example.test"}):
            before = dict(product)
            product.update(change)
            try:
                found, _ = self.resolve("whmcs", ALICE_WHMCS)
            finally:
                product.update(before)
            self.assertEqual(found, [("whmcs_client_id", "4711")], change)

    def test_a_user_name_and_a_domain_of_two_products_are_no_account(self):
        """Malice's user name on another server, and a domain that she typed, are Alice's together."""
        added = [people._product(512, people.MALICE, "alice", "malice-else.example.test", "malice"),
                 people._product(513, people.MALICE, "malice2", "alice-shop.example.test", "malice")]
        people.PRODUCTS.extend(added)
        try:
            found, _ = self.resolve("whmcs", [("email", "malice@example.test"), ("whmcs_client_id", "4712")])
        finally:
            del people.PRODUCTS[-2:]
        accounts = [each for each in found if each[0] == "panel_account"]
        self.assertEqual({value for _, value in accounts},
                         {"malice malice-shop.example.test", "alice malice-else.example.test",
                          "malice2 alice-shop.example.test"})
        for known in (accounts, accounts[::-1], *[[each] for each in accounts]):
            found, _ = self.resolve("cpanel", known)
            self.assertNotIn(("cpanel_user", "alice"), found)

    def test_a_user_name_is_lower_case(self):
        product = people.PRODUCTS[0]
        product["username"] = "Alice"
        try:
            found, _ = self.resolve("whmcs", ALICE_WHMCS)
        finally:
            product["username"] = "alice"
        self.assertIn(ALICE_ACCOUNT, found)
        found, _ = self.resolve("cpanel", [("panel_account", "ALICE Alice-Shop.example.test")])
        self.assertEqual(found, [("cpanel_user", "alice")])

    def test_look_alikes_are_not_the_person(self):
        for address, contact in (("alice@example.test", "901"), ("alice+news@example.test", "902"),
                                 ("malice@example.test", "1901")):
            found, done = self.resolve("mautic", [("email", address)])
            self.assertEqual((found, done["status"]), ([("mautic_contact_id", contact)], "ok"))
        self.spoil("mautic", "everybody")
        found, done = self.resolve("mautic", [("email", "alice@example.test")])
        self.assertEqual(found, [("mautic_contact_id", "901")])
        self.spoil("whmcs", "everybody")
        found, done = self.resolve("whmcs", [("email", "alice@example.test")])
        self.assertEqual((found, done["status"], done["code"]), ([], "failed", "ownership"))

    def test_nobody_is_not_found(self):
        for product in ("whmcs", "mautic"):
            found, done = self.resolve(product, [("email", "dave@example.test")])
            self.assertEqual((found, done["status"]), ([], "not_found"), product)
        found, done = self.resolve("cpanel", [("panel_account", "dave dave.example.test")])
        self.assertEqual((found, done["status"]), ([], "not_found"))

    def test_an_account_with_somebody_elses_domain_is_a_failure(self):
        found, done = self.resolve("cpanel", [("panel_account", "malice alice-shop.example.test")])
        self.assertEqual((found, done["status"], done["code"]), ([], "failed", "ownership"))
        for value, code in (("alice", "ownership"), ("alice ", "bad_identity"), ("alice  alice-shop.example.test", "ownership")):
            found, done = self.resolve("cpanel", [("panel_account", value)])
            self.assertEqual((found, done["status"], done["code"]), ([], "failed", code), value)

    def test_a_refusal_is_never_not_found(self):
        for product in PROFILES:
            self.spoil(product, "refuse401")
            found, done = self.resolve(product, ALICE[product][:2])
            self.assertEqual((found, done["status"], done["code"], done["retryable"]),
                             ([], "failed", "source_refused", False), product)

    def test_empty_values_are_refused_before_any_call(self):
        for product in PROFILES:
            kind = ALICE[product][0][0]
            self.forget(product)
            found, done = self.resolve(product, [(kind, "")])
            self.assertEqual((found, self.calls(product)), ([], []), product)


class Everything(OnHost):
    def test_whmcs_gives_every_record_as_it_stands(self):
        held = {
            "client": [{k: v for k, v in people.CLIENTS[0].items() if not re.fullmatch(r"customfields\d+", k)}],
            "contacts": people.CONTACTS[:1], "products": people.PRODUCTS[:2],
            "domains": people.DOMAINS[:2], "orders": people.ORDERS[:2], "transactions": people.TRANSACTIONS[:2],
            "quotes": people.QUOTES, "emails": people.EMAILS[:3], "activity": people.ACTIVITY[:2],
            "credits": [{k: v for k, v in c.items() if k != "userid"} for c in people.CREDITS[:2]],
            "paymethods": [{k: v for k, v in p.items() if k != "userid"} for p in people.PAYMETHODS[:2]],
        }
        names = [*held, "invoices", "tickets"]
        with self.connector("whmcs") as connector:
            self.assertEqual(sorted(c["name"] for c in connector.hello["collections"]), sorted(names))
            records, ends, done = connector.fetch(names, ALICE_WHMCS)
        self.assertEqual(done["status"], "ok")
        self.assertEqual({end["status"] for end in ends.values()}, {"complete"})
        for name, expected in held.items():
            self.assertEqual([parsed(line) for line in records[name]], exact(expected), name)
        text = "\n".join("\n".join(lines) for lines in records.values())
        for digits in ('"total":"1.10"', '"amount":1.10', '"amount":1000000.00', '"ordernum":12345678901234567890',
                       '"balance":1000000.00'):
            self.assertIn(digits, text)
        self.assertNotIn("canary-malice", text)

    def test_invoices_and_tickets_are_completed(self):
        with self.connector("whmcs") as connector:
            records, _, _ = connector.fetch(["invoices", "tickets"], ALICE_WHMCS)
        for line, invoice in zip(records["invoices"], people.INVOICES[:3], strict=True):
            got = parsed(line)
            self.assertEqual({key: got[key] for key in invoice}, exact(invoice))
            self.assertEqual(got["items"]["item"], exact(people.INVOICE_ITEMS[invoice["id"]]))
            self.assertNotIn("result", got)
        for line, ticket in zip(records["tickets"], people.TICKETS[:2], strict=True):
            got = parsed(line)
            self.assertEqual(got["replies"]["reply"], exact(ticket["replies"]))
            self.assertEqual(got["notes"], exact({"note": ticket["notes"]} if ticket["notes"] else ""))
            self.assertEqual(line.count('"subject":'), 1)

    def test_cpanel_gives_every_record_as_it_stands(self):
        panel = people.PANEL["alice"]
        held = {"account": [panel["account"]], "settings": [panel["user"]], "domains": [panel["domains"]],
                "mailboxes": panel["mailboxes"], "databases": panel["databases"], "ftp_accounts": panel["ftp"]}
        with self.connector("cpanel") as connector:
            records, ends, done = connector.fetch(list(held), ALICE_PANEL)
        self.assertEqual(({end["status"] for end in ends.values()}, done["status"]), ({"complete"}, "ok"))
        for name, expected in held.items():
            self.assertEqual([parsed(line) for line in records[name]], exact(expected), name)

    def test_mautic_gives_every_record_as_it_stands(self):
        lead = people.LEADS[901]
        held = {"contact": [lead["lead"]], "activity": lead["activity"], "notes": lead["notes"],
                "segments": list(lead["segments"].values()), "campaigns": list(lead["campaigns"].values()),
                "devices": lead["devices"], "companies": lead["companies"]}
        with self.connector("mautic") as connector:
            records, ends, done = connector.fetch(list(held), ALICE_MAUTIC)
        self.assertEqual(({end["status"] for end in ends.values()}, done["status"]), ({"complete"}, "ok"))
        for name, expected in held.items():
            self.assertEqual([parsed(line) for line in records[name]], exact(expected), name)

    def test_custom_fields_that_the_configuration_names_stay_behind(self):
        with self.connector("whmcs", withheld_custom_fields="99, 7") as connector:
            records, ends, _ = connector.fetch(["client"], ALICE_WHMCS)
        self.assertEqual(parsed(records["client"][0])["customfields"], exact(people.CLIENTS[0]["customfields"][:1]))
        self.assertIn({"type": "withheld", "collection": "client", "count": 1, "reason": "configured"},
                      [json.loads(line) for line in connector.said.splitlines() if b'"withheld"' in line])

    def custom_fields(self, value, more=None, collection="client"):
        """Alice's client or first product with these custom fields, of which 7 is withheld: record, end, withheld."""
        held = people.CLIENTS[0] if collection == "client" else people.PRODUCTS[0]
        before = dict(held)
        held.update({"customfields": value, **(more or {})})
        try:
            with self.connector("whmcs", withheld_custom_fields="7") as connector:
                records, ends, _ = connector.fetch([collection], ALICE_WHMCS)
        finally:
            held.clear()
            held.update(before)
        said = [json.loads(line) for line in connector.said.splitlines() if b'"withheld"' in line]
        return (records.get(collection, [""])[0], ends[collection],
                {each["reason"]: each["count"] for each in said if each["collection"] == collection})

    def test_the_numbered_copies_of_custom_fields_stay_behind(self):
        more = {f"customfields{at}": "canary-cvv" for at in (1, 2, 17, 100)}
        record, end, withheld = self.custom_fields([], {**more, "customfieldsx": "kept"})
        self.assertEqual((end["status"], withheld), ("complete", {"duplicate": 4}))
        self.assertNotIn("canary-cvv", record)
        self.assertIn("customfieldsx", record)

    def test_a_custom_field_that_is_withheld_never_leaves_in_another_shape(self):
        record, end, withheld = self.custom_fields({"id": 7, "value": "canary-cvv"})
        self.assertEqual((end["status"], withheld["configured"], parsed(record)["customfields"]), ("complete", 1, None))
        _, end, _ = self.custom_fields({"id": 3, "value": "a"})
        self.assertEqual(end["status"], "complete")
        for nothing in ([], "", None, {}):
            _, end, _ = self.custom_fields(nothing)
            self.assertEqual(end["status"], "complete", nothing)
        for unknown in ({"7": "canary-cvv"}, {"a": {"id": 7}}, [["7", "canary-cvv"]], [{"value": "canary-cvv"}], "7=x", 7):
            record, end, _ = self.custom_fields(unknown)
            self.assertEqual((record, end["status"], end["code"]), ("", "failed", "source_answer"), unknown)
        for unknown in ([{"id": 7, "value": "canary-cvv"}], {"field": []}):
            record, end, _ = self.custom_fields(unknown, collection="products")
            self.assertEqual((record, end["status"], end["code"]), ("", "failed", "source_answer"), unknown)

    def test_a_list_of_withheld_fields_that_nobody_understands_is_refused(self):
        settings, secrets = settings_of(self.host, "whmcs")
        for value, taken in (("16;17", False), ("", False), ("7,", False), ("seven", False), ("07", False), ("7 8", False),
                             (",7", False), ("7", True), (" 7 , 16", True), ("0", True)):
            with Connector(profile_path("whmcs")) as connector:
                answer = connector.configure({**settings, "withheld_custom_fields": value}, secrets)
            self.assertEqual(answer["type"], "ready" if taken else "error", value)
            if not taken:
                self.assertIn("withheld_custom_fields", answer["text"])

    def test_files_that_are_not_read_are_counted(self):
        people.EMAILS[0]["attachments"].append("terms.pdf")
        try:
            with self.connector("whmcs") as connector:
                _, ends, _ = connector.fetch(["emails"], ALICE_WHMCS)
        finally:
            people.EMAILS[0]["attachments"].clear()
        self.assertEqual(ends["emails"]["status"], "complete")
        said = [json.loads(line) for line in connector.said.splitlines() if b'"withheld"' in line]
        self.assertEqual(said, [{"type": "withheld", "collection": "emails", "count": 1, "reason": "not_fetched"}])

    def test_attachments_of_tickets_and_of_replies_come_as_files(self):
        with self.connector("whmcs") as connector:
            _, ends, _ = connector.fetch(["tickets"], ALICE_WHMCS)
        self.assertEqual((ends["tickets"]["status"], ends["tickets"]["count"]), ("complete", 2 + 2))
        named = [json.loads(line) for line in connector.said.splitlines() if b'"name"' in line and b'"file"' in line]
        self.assertEqual([each["name"] for each in named], ["log-801.txt", "../../etc/CON.txt"])
        asked = [{key: call["params"][key] for key in ("type", "relatedid", "index")}
                 for call in self.calls("whmcs") if call["action"] == "GetTicketAttachment"]
        self.assertEqual(asked, [{"type": "ticket", "relatedid": "802", "index": "0"},
                                 {"type": "reply", "relatedid": "2", "index": "0"}])

    def test_what_staff_wrote_and_who_wrote_is_classed(self):
        with Connector(profile_path("whmcs")) as connector:
            classes = {c["name"]: c["fields"] for c in connector.hello["collections"]}
        for collection in ("client", "products", "domains", "tickets"):
            self.assertEqual(classes[collection]["/notes"], "withhold:staff_note", collection)
        for pointer in ("/name", "/requestor_name", "/owner_name", "/replies/reply/*/name", "/replies/reply/*/requestor_name"):
            self.assertEqual(classes["tickets"][pointer], "third_party", pointer)

    def test_whoever_owns_the_hosting_account_is_masked_everywhere(self):
        with Connector(profile_path("cpanel")) as connector:
            classes = {c["name"]: c.get("fields", {}) for c in connector.hello["collections"]}
        for collection, pointer in (("account", "/owner"), ("settings", "/owner"), ("domains", "/main_domain/owner"),
                                    ("domains", "/addon_domains/*/owner"), ("domains", "/sub_domains/*/owner")):
            self.assertEqual(classes[collection][pointer], "third_party", pointer)

    def test_two_accounts_give_both(self):
        records, end, _ = self.one("mautic", "contact", ALICE_MAUTIC + [("mautic_contact_id", "902")])
        self.assertEqual((len(records), end["status"], end["count"]), (2, "complete", 2))

    def test_who_is_not_there_is_absent(self):
        _, end, done = self.one("mautic", "contact", [("mautic_contact_id", "77")])
        self.assertEqual((end["status"], end["count"], done["status"]), ("absent", 0, "not_found"))
        _, end, _ = self.one("whmcs", "client", [("whmcs_client_id", "77")])
        self.assertEqual(end["status"], "absent")

    def test_empty_lists_are_complete(self):
        with self.connector("whmcs") as connector:
            _, ends, _ = connector.fetch(["quotes"], [("whmcs_client_id", "4712")])
        self.assertEqual((ends["quotes"]["status"], ends["quotes"]["count"]), ("complete", 0))
        with self.connector("mautic") as connector:
            _, ends, _ = connector.fetch(["activity", "segments"], [("mautic_contact_id", "902")])
        self.assertEqual({end["status"] for end in ends.values()}, {"complete"})


class Paging(OnHost):
    big = 230

    def test_all_pages_come_in_order_and_once(self):
        records, end, _ = self.one("whmcs", "emails")
        ids = [parsed(line)["id"] for line in records]
        self.assertEqual((len(ids), len(set(ids)), end["status"]), (233, 233, "complete"))
        asked = [call["params"]["limitstart"] for call in self.calls("whmcs")]
        self.assertEqual(asked, ["0", "100", "200"])

    def test_pages_by_number_end_at_the_last(self):
        def by_ten(collections):
            collections["activity"]["page"]["by"] = 10
        records, end, _ = self.one("mautic", "activity", profile=self.changed_profile("mautic", by_ten))
        self.assertEqual((len(records), end["status"]), (31, "complete"))
        self.assertEqual([call["params"]["page"] for call in self.calls("mautic")], ["1", "2", "3", "4"])

    def test_fewer_than_announced_is_partial(self):
        self.spoil("whmcs", "short_total")
        records, end, _ = self.one("whmcs", "emails")
        self.assertEqual((len(records), end["status"], end["code"], end["retryable"]),
                         (233, "partial", "short_answer", True))

    def test_more_pages_than_allowed_is_partial(self):
        def two_pages(collections):
            collections["emails"]["page"]["max_pages"] = 2
        records, end, _ = self.one("whmcs", "emails", profile=self.changed_profile("whmcs", two_pages))
        self.assertEqual((len(records), end["status"], end["code"]), (200, "partial", "page_limit"))


class Ownership(OnHost):
    def test_somebody_elses_record_fails_the_collection(self):
        for product, collections in CALLS.items():
            self.spoil(product, "everybody")
            for collection in collections:
                with self.subTest(product=product, collection=collection):
                    records, end, _ = self.one(product, collection)
                    self.assertEqual((end["status"], end["code"], end["retryable"]), ("failed", "ownership", False))
                    self.assertNotIn("malice", str(records) + end["text"])

    def test_somebody_elses_activity_of_which_the_person_is_the_older_owner(self):
        """WHMCS 8 says clientId; what userid says beside it is not whose the entry is."""
        for added, expected in (({"clientId": 4712}, ("failed", "ownership")), ({"clientId": 4711}, ("complete", None)),
                                ({"clientId": None}, ("complete", None)), ({"clientId": ""}, ("failed", "ownership"))):
            with self.subTest(added), mock.patch.dict(people.ACTIVITY[0], added):
                _, end, _ = self.one("whmcs", "activity")
            self.assertEqual((end["status"], end.get("code")), expected, added)

    def test_somebody_elses_detail_fails_the_collection(self):
        for collection, call in (("tickets", "GetTicket"), ("invoices", "GetInvoice")):
            self.spoil("whmcs", "everybody", calls=[call])
            _, end, _ = self.one("whmcs", collection)
            self.assertEqual((end["status"], end["code"]), ("failed", "ownership"))

    def test_an_empty_bind_is_refused_before_any_call(self):
        for product, identities in ALICE.items():
            kind = identities[-1][0]
            for values, code in (([], "empty_bind"), ([""], "empty_bind"), ([" "], "empty_bind"), (["\u00a0\u200b"], "empty_bind"), (["x\n"], "bad_identity"),
                                 (["x "], "bad_identity")):
                self.forget(product)
                collection = next(iter(CALLS[product]))
                _, end, _ = self.one(product, collection, [(kind, value) for value in values] or [("other", "x")])
                self.assertEqual((end["status"], end["code"], self.calls(product)), ("failed", code, []), product)
        _, end, _ = self.one("whmcs", "invoices", [("whmcs_client_id", "0")])
        self.assertEqual((end["code"], self.calls("whmcs")), ("bad_identity", []))


class Faults(OnHost):
    def fault(self, mode, collection="orders", deadline_ms=20000, settings=None, **more):
        self.spoil("whmcs", mode, **more)
        started = time.monotonic()
        with self.connector("whmcs", **(settings or {})) as connector:
            records, ends, done = connector.fetch([collection], ALICE_WHMCS, deadline_ms)
        self.assertLess(time.monotonic() - started, 15)
        self.assertNotIn("alice@example.test", ends[collection].get("text", ""))
        self.assertNotIn("4711", ends[collection].get("text", ""))
        return records.get(collection, []), ends[collection], done

    def expect(self, mode, code, retryable, **more):
        with self.subTest(mode=mode):
            _, end, done = self.fault(mode, **more)
            self.assertEqual((end["status"], end["code"], end["retryable"]), ("failed", code, retryable), end)
            self.assertIn("127.0.0.1/includes/api.php", end["text"])
            return done

    def test_each_fault_has_its_code(self):
        self.expect("refuse401", "source_refused", False)
        self.expect("error500", "source_error", True)
        self.expect("busy503", "source_busy", True)
        self.expect("garbage", "source_answer", True)
        self.expect("html", "source_answer", True)
        self.expect("cut", "source_unreachable", True)
        self.expect("drop_connection", "source_unreachable", True)
        self.expect("too_large", "source_answer", False, bytes=5 << 20)
        self.expect("too_large", "source_answer", False, bytes=70000, settings={"answer_max_bytes": 65536})
        self.expect("endless", "source_answer", False)

    def test_a_refusal_ends_the_fetch(self):
        self.spoil("whmcs", "refuse401")
        with self.connector("whmcs") as connector:
            _, ends, done = connector.fetch(["client", "orders", "quotes"], ALICE_WHMCS)
        self.assertEqual({end["code"] for end in ends.values()}, {"source_refused"})
        self.assertEqual((done["status"], len(self.calls("whmcs"))), ("ok", 1))

    def test_wrong_credentials_are_a_refusal(self):
        with Connector(profile_path("whmcs")) as connector:
            settings, secrets = settings_of(self.host, "whmcs")
            connector.configure(settings, {**secrets, "secret": SECRET})
            _, ends, done = connector.fetch(["orders"], ALICE_WHMCS)
        self.assertEqual((ends["orders"]["code"], done["status"]), ("source_refused", "ok"))
        self.assertNotIn(SECRET.encode(), connector.said + connector.errors)

    def test_silence_ends_with_the_deadline(self):
        _, end, _ = self.fault("hang", deadline_ms=1500)
        self.assertEqual(end["status"], "failed")
        self.assertEqual(end["code"], "source_timeout")

    def test_a_cancel_stops_a_call_that_waits(self):
        self.spoil("whmcs", "hang")
        with self.connector("whmcs") as connector:
            connector.send({"type": "fetch", "request": "r", "deadline_ms": 60000, "collections": ["orders"],
                            "identities": listed(ALICE_WHMCS)})
            while not self.calls("whmcs"):
                time.sleep(0.01)
            started = time.monotonic()
            connector.send({"type": "cancel"})
            _, _, done = connector.gather()
        self.assertLess(time.monotonic() - started, 4)
        self.assertEqual((done["status"], done["code"], done["retryable"]), ("failed", "cancelled", False))

    def test_a_slow_answer_keeps_the_conversation_alive(self):
        self.spoil("whmcs", "slow", delay_ms=150)
        with self.connector("whmcs") as connector:
            records, ends, _ = connector.fetch(["orders"], ALICE_WHMCS)
        self.assertEqual((len(records["orders"]), ends["orders"]["status"]), (2, "complete"))
        self.assertIn(b'"type": "progress"', connector.said.replace(b'"type":"progress"', b'"type": "progress"'))

    def test_what_one_record_lacks_leaves_the_others(self):
        self.spoil("whmcs", "html", calls=["GetTicket"], times=1)
        records, end, _ = self.one("whmcs", "tickets")
        self.assertEqual((end["status"], end["code"], end["count"]), ("partial", "source_answer", 2 + 2))
        self.assertEqual(["replies" in parsed(line) for line in records], [False, True])

    def test_a_fault_on_a_later_call_fails_the_collection(self):
        self.spoil("whmcs", "error500", calls=["GetInvoice"])
        _, end, _ = self.one("whmcs", "invoices")
        self.assertEqual((end["status"], end["code"]), ("failed", "source_error"))


class Server(http.server.ThreadingHTTPServer):
    """A server of one function: path -> (status, headers, body)."""
    daemon_threads = True

    def __init__(self, answer, context=None):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                status, headers, body = answer(self)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                self.do_GET()

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def handle_error(self, *_):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


CONTACT = b'{"contact":{"id":901,"raw":[1.10,-0.0,1E+2,12345678901234567890],"s":"\\u00e9\\ud800x\\udc00\\ud83d\\ude00\\/"}}'


class Transport(unittest.TestCase):
    def fetch(self, url, environment=None, collection="contact", profile=None, **settings):
        with Connector(profile or profile_path("mautic"), environment) as connector:
            answer = connector.configure({"base_url": url, "user": "exporter", **settings}, {"password": SECRET})
            if answer["type"] != "ready":
                return answer
            records, ends, done = connector.fetch([collection], ALICE_MAUTIC)
            self.done = done
        self.assertNotIn(SECRET.encode(), connector.said + connector.errors)
        self.records = records.get(collection, [])
        return ends[collection]

    def test_texts_name_kinds_and_not_values(self):
        with Server(lambda _: (500, {}, b"")) as server:
            end = self.fetch(server.url + "/base/")
        self.assertIn("127.0.0.1/api/contacts/{mautic_contact_id}: answered with status 500", end["text"])

    def test_numbers_keep_their_digits_and_texts_are_utf8(self):
        with Server(lambda _: (200, {}, CONTACT)) as server:
            self.fetch(server.url)
        self.assertEqual(self.records[0], '{"id":901,"raw":[1.10,-0.0,1E+2,12345678901234567890],'
                                          '"s":"é?x\ufffd\ufffd\ufffd\U0001f600/"}')

    def test_plain_http_is_for_this_machine_alone(self):
        for url in ("http://192.0.2.1", "http://localhost.example.test", "ftp://127.0.0.1", "https://u:p@127.0.0.1",
                    "https://127.0.0.1?x=1", "http://[::2]", "nonsense://"):
            answer = self.fetch(url)
            self.assertEqual((answer["type"], answer["code"]), ("error", "bad_settings"), url)
        end = self.fetch("http://[::1]:9")
        self.assertEqual(end["code"], "source_unreachable")

    def test_proxies_of_the_environment_are_not_used(self):
        with Server(lambda _: (200, {}, CONTACT)) as server:
            end = self.fetch(server.url, {"http_proxy": "http://127.0.0.1:9", "ALL_PROXY": "http://127.0.0.1:9"})
        self.assertEqual(end["status"], "complete")

    def test_retry_after_is_read_and_capped(self):
        at = email.utils.formatdate(time.time() + 120, usegmt=True)
        for value, least, most in (("7", 7000, 7000), ("999999", 3600000, 3600000), (at, 100000, 121000)):
            with Server(lambda _, value=value: (429, {"Retry-After": value}, b"")) as server:
                with Connector(profile_path("mautic")) as connector:
                    connector.configure({"base_url": server.url, "user": "exporter"}, {"password": SECRET})
                    _, done = connector.resolve([("email", "alice@example.test")])
            self.assertEqual((done["code"], done["retryable"]), ("source_busy", True))
            self.assertTrue(least <= done["retry_after_ms"] <= most, (value, done))

    def test_a_system_that_does_not_page_is_seen(self):
        body = b'{"total":"9","notes":[{"id":1},{"id":2}]}'
        with Server(lambda _: (200, {}, body)) as server:
            end = self.fetch(server.url, collection="notes")
        self.assertEqual((end["status"], end["code"], end["count"]), ("partial", "short_answer", 2))

    def test_pages_without_keys_are_told_apart_as_well(self):
        body = b'{"total":9,"maxPages":5,"events":[{"event":"a"},{"event":"b"},{"event":"a"}]}'
        with Server(lambda _: (200, {}, body)) as server:
            end = self.fetch(server.url, collection="activity")
        self.assertEqual((end["status"], end["code"], end["count"]), ("partial", "short_answer", 3))

    def test_a_lookup_that_is_cut_short_is_a_failure(self):
        body = b'{"total":"9","contacts":{"1":{"id":1,"fields":{"all":{"email":"other@example.test"}}}}}'
        with Server(lambda _: (200, {}, body)) as server:
            with Connector(profile_path("mautic")) as connector:
                connector.configure({"base_url": server.url, "user": "exporter"}, {"password": SECRET})
                found, done = connector.resolve([("email", "alice@example.test")])
        self.assertEqual((found, done["status"], done["code"]), ([], "failed", "short_answer"))

    def test_a_refusal_in_the_answer_is_one(self):
        body = b'{"result":"error","message":"Authentication Failed"}'
        with Server(lambda _: (200, {}, body)) as server:
            with Connector(profile_path("whmcs")) as connector:
                connector.configure({"base_url": server.url}, {"identifier": "i", "secret": SECRET})
                _, ends, done = connector.fetch(["client", "orders"], ALICE_WHMCS)
        self.assertEqual({end["code"] for end in ends.values()}, {"source_refused"})
        self.assertEqual(done["status"], "ok")

    def test_a_busy_system_is_asked_no_more_and_what_came_is_kept(self):
        seen = []

        def answer(handler):
            seen.append(handler.path)
            return (200, {}, CONTACT) if len(seen) == 1 else (429, {"Retry-After": "7"}, b"")
        with Server(answer) as server:
            with Connector(profile_path("mautic")) as connector:
                connector.configure({"base_url": server.url, "user": "exporter"}, {"password": SECRET})
                _, ends, done = connector.fetch(["contact", "activity", "notes", "segments"], ALICE_MAUTIC)
        self.assertEqual(len(seen), 2)
        self.assertEqual([ends[name].get("code", ends[name]["status"]) for name in ("contact", "activity", "notes", "segments")],
                         ["complete", "source_busy", "source_busy", "source_busy"])
        self.assertEqual(done, {"type": "done", "status": "ok", "retry_after_ms": 7000})

    def test_a_total_that_vanishes_on_a_later_page_is_not_believed(self):
        pages = {"0": b'{"total":9,"notes":[{"id":1},{"id":2}]}', "2": b'{"total":0,"notes":[]}'}

        def answer(handler):
            return 200, {}, pages[re.search(r"start=(\d+)", handler.path).group(1)]
        with Server(answer) as server:
            end = self.fetch(server.url, collection="notes")
        self.assertEqual((end["status"], end["code"], end["count"]), ("partial", "short_answer", 2))

    def test_a_record_that_is_too_large_is_withheld_and_the_rest_comes(self):
        body = json.dumps({"total": 3, "notes": [{"id": 1}, {"id": 2, "text": "x" * 262144}, {"id": 3}]}).encode()
        with Server(lambda _: (200, {}, body)) as server:
            with Connector(profile_path("mautic")) as connector:
                connector.configure({"base_url": server.url, "user": "exporter"}, {"password": SECRET})
                records, ends, _ = connector.fetch(["notes"], ALICE_MAUTIC)
        self.assertEqual((ends["notes"]["status"], ends["notes"]["code"], ends["notes"]["retryable"]),
                         ("partial", "record_too_large", False))
        self.assertEqual([parsed(line)["id"] for line in records["notes"]], [Digits("1"), Digits("3")])
        self.assertIn({"type": "withheld", "collection": "notes", "count": 1, "reason": "record_too_large"},
                      [json.loads(line) for line in connector.said.splitlines() if b'"withheld"' in line])

    def test_a_record_that_its_details_make_too_large_is_withheld(self):
        lists = b'{"result":"success","totalresults":2,"tickets":{"ticket":[{"id":1,"userid":4711},{"id":2,"userid":4711}]}}'
        seen = []

        def answer(handler):
            seen.append(handler.path)
            size = 262144 if len(seen) == 2 else 1
            detail = {"result": "success", "userid": 4711, "subject": "x" * size}
            return 200, {}, lists if len(seen) == 1 else json.dumps(detail).encode()
        with Server(answer) as server:
            with Connector(profile_path("whmcs")) as connector:
                connector.configure({"base_url": server.url}, {"identifier": "i", "secret": SECRET})
                records, ends, _ = connector.fetch(["tickets"], ALICE_WHMCS)
        self.assertEqual((ends["tickets"]["status"], ends["tickets"]["code"]), ("partial", "record_too_large"))
        self.assertEqual([parsed(line)["id"] for line in records["tickets"]], [Digits("2")])

    def test_a_record_that_comes_again_is_sent_once(self):
        pages = {"0": b'{"total":3,"notes":[{"id":1},{"id":2}]}', "2": b'{"total":3,"notes":[{"id":2},{"id":3}]}'}

        def answer(handler):
            return 200, {}, pages[re.search(r"start=(\d+)", handler.path).group(1)]
        with Server(answer) as server:
            end = self.fetch(server.url, collection="notes")
        self.assertEqual((end["status"], [parsed(line)["id"] for line in self.records]), ("complete", [Digits("1"), Digits("2"), Digits("3")]))

    def test_wrong_shapes_are_faults(self):
        for body in (b'{"notes":{"a":1},"total":1}', b'{"notes":[],"total":"many"}', b'{"notes":[]}', b'{"total":1}', b"[]",
                     b"", b"null", b'{"notes":[],"total":1} x', b"[" * 100 + b"]" * 100,
                     b'{"notes":[{"id":1}],"notes":[],"total":0}'):
            with Server(lambda _, body=body: (200, {}, body)) as server:
                end = self.fetch(server.url, collection="notes")
            self.assertEqual((end["status"], end["code"]), ("failed", "source_answer"), body)

    def test_certificates_are_verified(self):
        with tempfile.TemporaryDirectory() as folder:
            key, certificate = os.path.join(folder, "key.pem"), os.path.join(folder, "cert.pem")
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                            "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=test", "-addext",
                            "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
            with Server(lambda _: (200, {}, CONTACT), context) as server:
                end = self.fetch(server.url)
                self.assertEqual(end["code"], "source_unreachable")
                self.assertIn("certificate", end["text"])
                end = self.fetch(server.url, ca_file=certificate)
                self.assertEqual(end["status"], "complete")
                end = self.fetch(server.url.replace("127.0.0.1", "localhost"), ca_file=certificate)
                self.assertEqual(end["code"], "source_unreachable")


class Trust(unittest.TestCase):
    """ca_file is trusted instead of the system's certificates, the folder of those included."""

    def code(self, url, folder, **settings):
        # a mount of its own stands in for the system's certificates
        wrapper = ["unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc/ssl/certs && exec "$@"', folder]
        if subprocess.run([*wrapper, "true"], capture_output=True).returncode:
            self.skipTest("mounts are not to be had")
        with Connector(profile_path("mautic"), {"PATH": os.environ["PATH"]}, wrapper) as connector:
            connector.configure({"base_url": url, "user": "exporter", **settings}, {"password": SECRET})
            _, ends, _ = connector.fetch(["contact"], ALICE_MAUTIC)
        return ends["contact"].get("code", ends["contact"]["status"])

    def test_the_folder_of_the_system_is_not_asked_beside_ca_file(self):
        with tempfile.TemporaryDirectory() as folder:
            made = {}
            for name in ("server", "other"):
                made[name] = [os.path.join(folder, f"{name}.{part}") for part in ("key", "pem")]
                subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                                "-keyout", made[name][0], "-out", made[name][1], "-days", "2", "-subj", f"/CN={name}",
                                "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
            other = os.path.join(folder, "other", "ca.pem")
            os.mkdir(os.path.dirname(other))
            os.rename(made["other"][1], other)
            subprocess.run(["openssl", "rehash", folder], check=True, capture_output=True)
            # the file of the system, which is there by default, trusts neither
            with open(other, "rb") as file, open(os.path.join(folder, "ca-certificates.crt"), "wb") as copy:
                copy.write(file.read())
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(made["server"][1], made["server"][0])
            with Server(lambda _: (200, {}, CONTACT), context) as server:
                self.assertEqual(self.code(server.url, folder), "complete", "the folder is asked by default")
                self.assertEqual(self.code(server.url, folder, ca_file=os.path.join(folder, "ca-certificates.crt")),
                                 "source_unreachable")


class BadProfiles(unittest.TestCase):
    def refusal(self, change):
        with open(profile_path("whmcs"), encoding="utf-8") as file:
            profile = json.load(file)
        change(profile)
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(profile, file)
            file.flush()
            run = subprocess.run([os.path.join(BUILD, "libexec", "dsard", "dsar-rest"), "--profile", file.name],
                                 stdin=subprocess.DEVNULL, capture_output=True, timeout=20, env={})
        self.assertEqual((run.returncode, run.stdout), (2, b""))
        return run.stderr.decode()

    def test_each_is_refused_with_its_place(self):
        def invoices(profile):
            return next(c for c in profile["collections"] if c["name"] == "invoices")

        def tickets(profile):
            return next(c for c in profile["collections"] if c["name"] == "tickets")

        def form(profile):
            return invoices(profile)["request"]["form"]
        cases = (
            (lambda p: form(p).update(userid={"id": "other"}), "/request/form/userid"),
            (lambda p: form(p).update(userid={"id": "whmcs_client_id", "secret": "secret"}), "/request/form/userid"),
            (lambda p: form(p).update(userid={"id": "whmcs_client_id", "optional": True}), "/request/form/userid"),
            (lambda p: form(p).update(userid={"secret": "unknown"}), "/request/form/userid"),
            (lambda p: form(p).update(userid={"record": "/id"}), "/request/form/userid"),
            (lambda p: form(p).update(userid=None), "/request/form/userid"),
            (lambda p: invoices(p).pop("assert"), "/assert"),
            (lambda p: invoices(p)["each"].pop("assert"), "/each/0/assert"),
            (lambda p: invoices(p).pop("records"), "/records"),
            (lambda p: invoices(p)["page"].update(max_pages=0), "/page"),
            (lambda p: invoices(p)["page"].update(kind="cursor"), "/page"),
            (lambda p: invoices(p)["assert"][0].update(eq_id="other"), "/assert/0"),
            (lambda p: invoices(p)["assert"][0].update(eq=1), "/assert/0"),
            (lambda p: p["defaults"]["request"].update(method="PUT"), "/request/method"),
            (lambda p: p["defaults"]["request"].update(path="/api?x=1"), "/request/path"),
            (lambda p: p["defaults"]["request"].update(path=[["a", {"secret": "accesskey", "optional": True}]]), "/request/path"),
            (lambda p: p["resolve"][0].pop("match"), "/resolve/0/match"),
            (lambda p: p["resolve"][0]["yields"].update(whmcs_client_id={"ptr": "/id", "type": "float"}), "/resolve/0/yields"),
            (lambda p: p["defaults"].update(surprise=1), "surprise"),
            (lambda p: invoices(p)["assert"][0].update(optional=True), "/assert: expected tests of which one"),
            (lambda p: invoices(p)["each"]["assert"][0].update(optional=True), "/each/0/assert: expected tests of which one"),
            (lambda p: invoices(p).update({"assert": [{"ptr": "/status", "eq": "Paid"}]}), "/assert: expected tests of which"),
            (lambda p: invoices(p).update({"assert": [{"any": [*invoices(p)["assert"], {"ptr": "/userid", "eq": 0}]}]}),
             "/assert: expected tests of which one"),
            (lambda p: invoices(p).update(unasserted="there is an assert"), "/assert: expected tests of which one"),
            (lambda p: p["resolve"][0].update(match=[{"ptr": "/email", "filled": True}]), "/resolve/0/match"),
            (lambda p: p["resolve"][0]["match"][0].update(optional=True), "/resolve/0/match"),
            (lambda p: p["resolve"][1]["assert"][0].update(optional=True), "/resolve/1/assert"),
            (lambda p: p["resolve"][1]["match"][0].update(part=8), "/resolve/1/match/0"),
            (lambda p: p["resolve"][1]["yields"].update(panel_account={"join": ["/username"], "type": "text"}),
             "/resolve/1/yields"),
            (lambda p: p["resolve"][1]["yields"]["panel_account"].update(ptr="/username"), "/resolve/1/yields"),
            (lambda p: form(p).update(userid={"id": "whmcs_client_id", "part": -1}), "/request/form/userid"),
            (lambda p: invoices(p).update(withhold=[{"numbered": "x"}]), "/withhold/0/reason"),
            (lambda p: invoices(p).update(unread="attachments"), "unread"),
            (lambda p: invoices(p).update(match=[{"ptr": "/status", "eq": "Paid"}]), "/match: expected tests of which one"),
            (lambda p: invoices(p).update(match=[{**invoices(p)["assert"][0], "optional": True}]),
             "/match: expected tests of which one"),
            (lambda p: (form(p).pop("userid"), invoices(p).update(match=[{"ptr": "/status", "eq_id": "other"}])), "/match/0"),
            (lambda p: form(p).update(userid={"id": "whmcs_client_id", "as": "upper"}), "/request/form/userid"),
            (lambda p: form(p).update(userid={"setting": "identifier", "as": "regex"}), "/request/form/userid"),
            (lambda p: tickets(p)["files"][0].update(where={"element": "2/replyid"}), "/files/0/where"),
            (lambda p: tickets(p)["files"][0].update(where={"element": "/replyid", "eq": 0}), "/files/0/where"),
            (lambda p: tickets(p)["files"][0].update(where={"element": "2/replyid", "eq": 0, "ne": 1}), "/files/0/where"),
        )
        for change, place in cases:
            with self.subTest(place=place):
                self.assertIn(place, self.refusal(change))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--build", default=BUILD)
    arguments, rest = parser.parse_known_args()
    BUILD = arguments.build
    unittest.main(argv=[sys.argv[0], *rest], verbosity=1)
