#!/usr/bin/env python3
"""What a worker on a real Kafka shows of itself: /metrics, before, while and after requests are answered."""
import re
import time
import unittest
import urllib.request

from deliveries import PERSONAL, Delivery, setUpModule  # noqa: F401
from harness import wait_for


class Figures(Delivery):
    def shown(self, worker):
        """{name or name{label}: value} as a scrape finds them, and the text."""
        port = re.search(r"figures are shown on port (\d+)", worker.log()).group(1)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            self.assertTrue(answer.headers["Content-Type"].startswith("text/plain; version=0.0.4"))
            text = answer.read().decode()
        lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
        return {name: float(value) for name, _, value in lines}, text

    def figure(self, worker, name):
        return self.shown(worker)[0].get(name)

    def test_what_is_in_hand_at_risk_and_done(self):
        portal = self.portal(changes={"ops": {"address": "127.0.0.1:0"},
                                      "retry": {"breaker_failures": 1, "breaker_open_s": 3600, "attempts": 1}})
        worker = portal.worker()
        before, _ = self.shown(worker)
        self.assertEqual(before['dsard_outcomes_total{outcome="completed"}'], 0)
        self.assertNotIn("dsard_next_due_seconds", before)
        due = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 1000))
        self.spoil("marketing", mode="hang")
        self.forget("marketing")
        request = portal.ask_for("alice", due_time=due)
        wait_for(lambda: self.asked("marketing"), "the source to be asked")
        while_, text = self.shown(worker)
        self.assertEqual(while_['dsard_requests_in_hand{state="running"}'], 1)
        self.assertEqual(while_["dsard_requests_at_risk"], 1)
        self.assertTrue(900 < while_["dsard_next_due_seconds"] <= 1000)
        self.spoil("marketing", mode="error500")
        portal.heard(request, "completed")
        wait_for(lambda: self.figure(worker, 'dsard_outcomes_total{outcome="completed"}') == 1, "the count")
        after, text = self.shown(worker)
        self.assertGreaterEqual(after['dsard_transactions_total{result="committed"}'], 1)
        self.assertEqual(after["dsard_requests_at_risk"], 0)
        self.assertEqual(after['dsard_source_breaker{source="marketing"}'], 1)
        self.assertEqual(after['dsard_source_breaker{source="billing"}'], 0)
        for part in ("files", "emptying", "ports", "signals", "calls", "user"):
            self.assertEqual(after[f'dsard_sandbox{{part="{part}"}}'], f"the sandbox lacks {part}" not in worker.log())
        self.assertEqual(after['dsard_source_confined{source="billing"}'], 1)
        self.assertNotIn(request, text)
        self.assertNotRegex(text, PERSONAL)
        self.assertIn("at risk", worker.log())
        self.assertEqual(worker.end(), 0)


if __name__ == "__main__":
    unittest.main()
