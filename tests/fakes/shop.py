#!/usr/bin/env python3
"""A small shop with an HTTP API, to write a first profile for: connectors/README.md goes through it.

  shop.py PORT TOKEN     serves on 127.0.0.1 until it is ended

As in many products, the search by address finds parts of addresses, and without a customer the orders are everybody's.
"""
import copy
import hmac
import signal
import sys

from stub import Answer, Product, Stub

CUSTOMERS = [{"id": 41, "email": "alice@example.test", "name": "Alice Example", "password_hash": "canary-secret-hash-1"},
             {"id": 42, "email": "malice@example.test", "name": "Alice Example", "password_hash": "canary-secret-hash-2"}]
ORDERS = [{"id": 9000 + at, "customer_id": 41 + at % 2, "total": f"@num:{at}.10", "paid_with": "4242 4242 4242 4242",
           "note": f"canary-{'malice' if at % 2 else 'alice'}-order-{at}, ask bob@example.test"} for at in range(50)]


class Shop(Product):
    def __init__(self, token):
        self.authorization = f"Bearer {token}"

    def action(self, path, params):
        return path

    def allowed(self, headers, params):
        return hmac.compare_digest((headers.get("Authorization") or "").encode(), self.authorization.encode())

    def refuse(self):
        return 401, {"error": "wrong token"}

    def answer(self, method, path, params, everybody):
        if path == "/api/customers":
            text = "" if everybody else params.get("search", "")
            return {"customers": [copy.deepcopy(each) for each in CUSTOMERS if text in each["email"]]}
        if path == "/api/orders":
            wanted = "" if everybody else params.get("customer", "")
            found = [each for each in ORDERS if wanted in ("", str(each["customer_id"]))]
            start, size = int(params.get("skip", 0)), min(int(params.get("take", 10)), 10)
            return {"orders": copy.deepcopy(found[start:start + size]), "total": len(found)}
        raise Answer(404, {"error": "no such call"})


def main():
    Stub(Shop(sys.argv[2]), int(sys.argv[1]))
    signal.pause()


if __name__ == "__main__":
    main()
