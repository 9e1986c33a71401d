#!/usr/bin/env python3
"""Profiles of products that do not run here, against stub servers that answer as their documentation shows: hosting-panel/plesk,
forum/discourse, marketing/listmonk, marketing/mailchimp."""
import contextlib
import re
import unittest

import product
from product import ALICE  # who knows where the stubs are
import discourse
import listmonk
import mailchimp
import plesk
from stub import Stub

KEY = "canary-secret-key-5f5f"


class OfStub:
    """What the products have in common. A subclass has make() and held(), and names a collection and a call of it."""
    collection = call = None

    @classmethod
    def start(cls):
        return contextlib.closing(Stub(cls.make()))

    @classmethod
    def fill(cls):
        """The stub's own people."""

    def setUp(self):
        super().setUp()
        self.addCleanup(self.product.spoil, {"mode": "ok"})

    def ends(self, answer):
        """{collection: its status and the code of its reason}"""
        source, = (each for each in answer.manifest["sources"] if each["name"] == "product")
        return {each["name"]: (each["status"], (each.get("reason") or {}).get("code")) for each in source["collections"]}

    def test_the_person_gets_all_of_theirs_and_nothing_else(self):
        held, marks = self.held()
        self.check_whole(self.ask(), held, marks)

    def test_wrong_credentials_are_a_failure(self):
        self.product.spoil({"mode": "refuse401"})
        self.check_refused(self.ask())

    def test_what_is_somebody_elses_fails_and_nothing_of_it_leaves(self):
        self.product.spoil({"mode": "everybody", "calls": [self.call]})
        answer = self.ask()
        self.assertEqual(answer.status, 4, answer.errors)
        self.assertEqual(self.ends(answer)[self.collection], ("failed", "ownership"))
        self.assertNotRegex(answer.whole_text, "(?i)malice")

    def test_a_lookup_that_finds_everybody_finds_the_person(self):
        self.product.spoil({"mode": "everybody", "calls": [self.lookup]})
        held, marks = self.held()
        self.check_whole(self.ask(), held, marks)


class Plesk(OfStub, product.Product):
    collection, call, lookup = "ftp_users", "/ftpusers", "/clients"
    credential, says = "api_key_file", "Plesk " + re.escape(plesk.VERSION)
    strangers = ["dave@example.test"]  # it has a customer by a part of Alice's address

    @classmethod
    def make(cls):
        return plesk.Plesk(KEY)

    def source(self):
        return {"connector": "rest", "profile": "hosting-panel/plesk",
                "settings": {"base_url": self.product.url, "api_key_file": self.secret("key", KEY)}}

    def held(self):
        domains = sum(each["owner"] == 3 for each in plesk.DOMAINS)
        return ({"customer": 1, "domains": domains, "statistics": 1, "ftp_users": domains, "databases": domains},
                [f"canary-alice-{what}" for what in ("external", "description", "shop", "shop-ftp", "blog-database")])


class Discourse(OfStub, product.Product):
    collection, call, lookup = "likes", "/user_actions.json?1", "/admin/users.json"
    credential, says = "api_key_file", "Discourse " + re.escape(discourse.VERSION)

    @classmethod
    def make(cls):
        return discourse.Discourse("admin", KEY)

    def source(self):
        return {"connector": "rest", "profile": "forum/discourse", "settings": {
            "base_url": self.product.url, "api_user": "admin", "api_key_file": self.secret("key", KEY)}}

    def held(self):
        kinds = {"posts": (4, 5), "messages_sent": (12,), "messages_received": (13,), "likes": (1,)}
        return ({"user": 1, "addresses": 1, **{name: sum(each[0] in kind and each[1] == discourse.ALICE
                                                         for each in discourse.ACTIONS) for name, kind in kinds.items()}},
                ["canary-alice-field", "canary-alice-sso", "canary-alice-sent",
                 *(f"canary-alice-post-{at}" for at in range(100, 165))])

    def test_other_people_in_messages_are_masked(self):
        answer = self.ask()
        received, = answer_records(answer)["messages_received"]
        self.assertEqual((received["raw"], received["post_id"]), ("canary-bob-to-alice", 201))
        self.assertNotIn("bob@example.test", answer.whole_text)
        self.assertNotIn("canary-bob-post", answer.whole_text)
        self.assertNotRegex(answer.entries["product/messages_received.json"].decode(), f'"bob"|[^0-9]{discourse.BOB}[^0-9]')

    def test_whom_a_post_answers_or_names_is_not_told(self):
        answer = self.ask()
        of_posts = [each for name in ("posts", "messages_sent", "messages_received") for each in answer_records(answer)[name]]
        self.assertEqual(len(of_posts), 67)
        self.assertNotRegex(answer.whole_text, "canary-(carol|erin|staff)")


class Listmonk(OfStub, product.Product):
    collection, call, lookup = "bounces", "/api/subscribers/ID/bounces", "/api/subscribers"
    credential, says = "token_file", "listmonk " + re.escape(listmonk.VERSION)

    @classmethod
    def make(cls):
        return listmonk.Listmonk("exporter", KEY)

    def source(self):
        return {"connector": "rest", "profile": "marketing/listmonk", "settings": {
            "base_url": self.product.url, "user": "exporter", "token_file": self.secret("token", KEY)}}

    def held(self):
        alice = listmonk.SUBSCRIBERS[0]
        exported = listmonk.export(alice)
        return ({"subscriber": 1, "campaign_views": len(exported["campaign_views"]), "link_clicks": len(exported["link_clicks"]),
                 "bounces": sum(each["subscriber_id"] == alice["id"] for each in listmonk.BOUNCES)},
                [f"canary-alice-{what}" for what in ("attribute", "list", "view-2", "click", "bounce-2")])

    def test_an_address_is_no_pattern(self):
        """One with a plus sign is found, though as a pattern it would not be, and one with dots finds itself alone."""
        answer = self.ask("alice+news@example.test")
        self.assertEqual(answer.statuses["product"], "complete", answer.errors)
        self.assertIn("canary-plus-attribute", answer.whole_text)
        with self.product.lock:
            asked = [call["params"]["search"] for call in self.product.calls if "search" in call["params"]]
        self.assertIn(r"^alice\+news@example\.test$", asked)
        self.check_nobody(self.ask("a.ice@example.test"))


class Mailchimp(OfStub, product.Product):
    collection, call, lookup = "members", "member", "/3.0/lists"
    credential, says = "api_key_file", "Mailchimp"

    @classmethod
    def make(cls):
        return mailchimp.Mailchimp(KEY)

    def source(self):
        return {"connector": "rest", "profile": "marketing/mailchimp",
                "settings": {"base_url": self.product.url, "api_key_file": self.secret("key", KEY)}}

    def held(self):
        lists = mailchimp.MEMBERS[ALICE][1]
        held = {name: len(lists) * len(mailchimp.below(ALICE, lists[0], path)) for name, path in {
            "activity": "activity-feed", "notes": "notes", "goals": "goals", "events": "events", "tags": "tags"}.items()}
        return ({"members": len(lists), **held},
                [f"canary-alice-{name}-{what}" for name in lists for what in (
                    "field", "tag", "note-0", "goal", "activity-24", "event-24")])


def answer_records(answer):
    return product.harness.records(answer.entries)["product"]


if __name__ == "__main__":
    unittest.main()
