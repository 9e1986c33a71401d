#!/usr/bin/env python3
"""Plans: a seed means the same run each time, and every kind of fault is met and can be made."""
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "kafka")]
import inflict  # noqa: E402
import plan  # noqa: E402

TARGETS = {kind.name: kind.targets for kind in plan.KINDS}


class Plans(unittest.TestCase):
    def test_a_seed_is_a_run(self):
        for make in (lambda seed: plan.faults(seed, 300), lambda seed: list(plan.requests(seed, 300, 4))):
            self.assertEqual(make("one"), make("one"))
            self.assertNotEqual(make("one"), make("two"))

    def test_a_shorter_run_is_the_beginning_of_a_longer_one(self):
        self.assertEqual(plan.faults("one", 3600)[:5], plan.faults("one", 90)[:5])

    def test_all_kinds_are_met_and_can_be_made(self):
        self.assertEqual(set(inflict.BY_NAME), set(TARGETS))
        self.assertEqual({each.kind for each in plan.faults("one", 400)}, set(TARGETS))

    def test_faults_end_in_time_and_meet_on_different_targets(self):
        for seed in range(50):
            faults = plan.faults(seed, 600)
            self.assertEqual(faults, sorted(faults, key=lambda each: each.begin_s))
            self.assertLessEqual(max(each.end_s for each in faults), 600)
            for at, each in enumerate(faults):
                together = [other for other in faults[:at] if other.end_s > each.begin_s]
                self.assertLessEqual(len(together), 1)
                self.assertFalse([other for other in together if TARGETS[other.kind] == TARGETS[each.kind]])

    def test_requests_are_as_many_as_asked_for(self):
        asked = list(plan.requests("one", 1000, 4))
        self.assertAlmostEqual(len(asked), 4000, delta=300)
        self.assertEqual({each.person for each in asked}, {*plan.PEOPLE, None})
        self.assertEqual(len({each.request for each in asked}), len(asked))


if __name__ == "__main__":
    unittest.main()
