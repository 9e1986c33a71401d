#!/usr/bin/env python3
"""The profile hosting-panel/powerdns against a real PowerDNS."""
import unittest

import product
from powerdns import PowerDNS

ZONES = {"alice": ["alice-shop.example.test.", "canary-alice-blog.example.test."],
         "malice": ["malice-shop.example.test.", "canary-malice-blog.example.test."],
         "": ["nobodys.example.test."], "alice2": ["canary-malice-two.example.test."]}


def rrset(name, kind, content, comments=()):
    return {"name": name, "type": kind, "ttl": 300, "records": [{"content": content, "disabled": False}],
            "comments": [{"content": text, "account": "canary-staff-person", "modified_at": 1700000000}
                         for text in comments]}


class Dns(product.Product):
    knows = {"panel_account": "alice alice-shop.example.test"}
    strangers = []  # it knows people by their user name
    credential = "api_key_file"
    says = r"PowerDNS 4\.\d+\.\d+[^ ]*"

    @classmethod
    def start(cls):
        return PowerDNS()

    @classmethod
    def fill(cls):
        for account, names in ZONES.items():
            mark = "alice" if account == "alice" else "malice"
            for at, name in enumerate(names):
                cls.product.call("POST", "/zones", {
                    "name": name, "kind": "Native", "account": account, "nameservers": ["ns1.example.test."],
                    "rrsets": [rrset(name, "TXT", f'"canary-{mark}-text-{at}"', [f"canary-{mark}-comment-{at}"])]})

    def source(self):
        return {"connector": "rest", "profile": "hosting-panel/powerdns",
                "settings": {"base_url": self.product.url, "api_key_file": self.secret("key", self.product.key)}}

    def held(self):
        zones = [each["id"] for each in self.product.call("GET", "/zones") if each["account"] == "alice"]
        return {"zones": len(zones),
                "records": sum(len(self.product.call("GET", "/zones/" + each)["rrsets"]) for each in zones)}

    def test_the_person_gets_all_of_theirs_and_nothing_else(self):
        marks = ["canary-alice-blog", *(f"canary-alice-{what}-{at}" for what in ("text", "comment") for at in (0, 1))]
        self.check_whole(self.ask(), self.held(), marks)

    def test_the_api_answers_with_everybody_whatever_it_is_asked(self):
        self.assertEqual(len(self.product.call("GET", "/zones?account=alice")), sum(map(len, ZONES.values())))

    def test_a_user_name_counts_with_its_domain_alone(self):
        for account in ("alice malice-shop.example.test", "alice nobodys.example.test", "alice nosuch.example.test",
                        "malice alice-shop.example.test"):
            with self.subTest(account):
                self.knows = {"panel_account": account}
                self.check_nobody(self.ask())


if __name__ == "__main__":
    unittest.main()
