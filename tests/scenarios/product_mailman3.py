#!/usr/bin/env python3
"""The profile marketing/mailman3 against a real Mailman Core."""
import unittest

import product
from mailman import Mailman
from product import ALICE, MALICE, NAME

LISTS = ("news", "offers", "talk")
# another address of Alice's account
OTHER = "canary-alice-other@elsewhere.example.test"
# one that she named and nobody verified: its owner is on a list
CLAIMED = "canary-owner@example.test"


class Lists(product.Product):
    says = r"Mailman 3 3\.3\.\d+"

    @classmethod
    def start(cls):
        return Mailman()

    @classmethod
    def fill(cls):
        call = cls.product.call
        call("POST", "/domains", mail_host="lists.example.test")
        for name in LISTS:
            call("POST", "/lists", fqdn_listname=f"{name}@lists.example.test")
        for address, mark in ((ALICE, "canary-alice-1"), (MALICE, "canary-malice-1")):
            for name in LISTS[:2]:
                cls.subscribe(name, address, mark)
            cls.subscribe("talk", address, mark, pre_confirmed="false", pre_verified="false")
            call("PATCH", f"/users/{address}", cleartext_password="canary-secret-" + mark, display_name=f"{NAME} {mark}")
            cls.product.post("talk@lists.example.test", f"From: {address}\nTo: talk@lists.example.test\nMessage-ID: "
                             f"<{mark}@example.test>\nSubject: {mark}-subject\n\n{mark}-body, ask {MALICE}\n")
            call("POST", "/lists/talk.lists.example.test/bans", email=address)
            call("POST", "/bans", email=address)
        call("POST", f"/users/{ALICE}/addresses", email=OTHER)
        call("POST", f"/addresses/{OTHER}/verify", x="1")
        cls.subscribe("talk", OTHER, "")
        call("POST", f"/users/{ALICE}/addresses", email=CLAIMED)
        cls.product.post("news@lists.example.test", f"From: {CLAIMED}\nTo: news@lists.example.test\nMessage-ID: "
                         "<canary-owner@example.test>\nSubject: canary-owner-subject\n\nHello.\n")
        # whoever writes without being on a list is known by their address alone
        cls.product.post("news@lists.example.test", "From: bob@example.test\nTo: news@lists.example.test\nMessage-ID: "
                         "<canary-bob@example.test>\nSubject: canary-bob-subject\n\nHello.\n")

    @classmethod
    def subscribe(cls, name, address, mark, **changes):
        cls.product.call("POST", "/members", **{
            "list_id": f"{name}.lists.example.test", "subscriber": address, "display_name": f"{NAME} {mark}",
            "pre_verified": "true", "pre_confirmed": "true", "pre_approved": "true", **changes})

    def source(self):
        return {"connector": "rest", "profile": "marketing/mailman3", "settings": {
            "base_url": self.product.url, "user": self.product.user,
            "password_file": self.secret("password", self.product.password)}}

    def held(self, address, others=()):
        """What Mailman has, asked for everything of everybody and counted here."""
        call, own = self.product.call, {address, *others}

        def of(path, member, values):
            return sum(each[member] in values for each in call("GET", path).get("entries", []))

        def of_lists(path, member):
            return sum(of(f"/lists/{name}.lists.example.test/{path}", member, {address}) for name in LISTS)

        memberships = sum(of(f"/lists/{name}.lists.example.test/roster/{role}", "email", own)
                          for name in LISTS for role in ("member", "nonmember"))
        return {"address": of("/addresses", "email", {address}), "account": 1, "addresses": of("/addresses", "email", own),
                "memberships": memberships, "held_messages": of_lists("held", "sender"),
                "subscription_requests": of_lists("requests", "email"), "bans": of("/bans", "email", {address}),
                "list_bans": of_lists("bans", "email")}

    def test_the_person_gets_all_of_theirs_and_nothing_else(self):
        answer, held = self.ask(), self.held(ALICE, [OTHER])
        self.assertTrue(all(held.values()), held)
        self.check_whole(answer, held, [f"canary-alice-1{what}" for what in ("", "-subject", "-body")] + ["canary-alice-other"])

    def test_who_is_not_on_a_list_is_known_by_their_address(self):
        answer = self.ask("bob@example.test")
        self.assertEqual(product.harness.counted(answer.entries)["product"],
                         {"address": 1, "written_to": 1, "held_messages": 1})
        self.assertNotRegex(answer.whole_text, "(?i)alice")

    def test_an_unverified_address_is_not_the_users(self):
        claimed = self.product.call("GET", f"/addresses/{CLAIMED}")
        self.assertEqual(claimed["user"], self.product.call("GET", f"/addresses/{ALICE}")["user"])
        self.assertNotIn("verified_on", claimed)
        self.assertTrue(self.product.call("GET", f"/addresses/{CLAIMED}/memberships")["entries"])
        self.assertNotIn("canary-owner", self.ask().whole_text)
        answer = self.ask(CLAIMED)
        self.assertEqual(product.harness.counted(answer.entries)["product"], {"unverified_address": 1, "written_to": 1})
        self.assertNotRegex(answer.whole_text, "(?i)alice")

    def test_an_address_that_is_a_pattern_finds_nobody(self):
        self.assertGreater(len(self.product.call("GET", "/members/find?subscriber=*@example.test")["entries"]), 3)
        self.check_nobody(self.ask("*@example.test"))


if __name__ == "__main__":
    unittest.main()
