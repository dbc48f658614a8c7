# SPDX-License-Identifier: Apache-2.0
"""How the story is cut into chapters, killed and followed."""
import random
import time
import unittest

import demo_path  # noqa: F401
import demo
import scenario


class RestartableStack:
    """Counts instead of killing; ready at once."""

    def __init__(self):
        self.kills = self.starts = 0

    def kill_sluice(self):
        self.kills += 1

    def start_sluice(self):
        self.starts += 1

    def is_ready(self):
        return True


class Cutting(unittest.TestCase):
    def test_portions_keep_all_items_in_order(self):
        for count in (1, 2, 3, 7, 10, 11):
            with self.subTest(count):
                parts = demo.portions(list(range(10)), count)
                self.assertEqual(len(parts), count)
                self.assertEqual([item for part in parts for item in part], list(range(10)))

    def test_duplicates_hold_a_crowd_and_a_renamed_event(self):
        pairs = list(demo.duplicates(scenario.build(1).payments))
        events = [event for _, event in pairs]
        self.assertEqual(max(map(events.count, events)), demo.CONCURRENT_DUPLICATES)
        self.assertEqual(sum(event.startswith('evt-again-') for event in events), 1)
        self.assertNotIn('direct', {payment.form for payment, _ in pairs})


class Killing(unittest.TestCase):
    def setUp(self):
        self.stack = RestartableStack()
        self.killer = demo.Killer(self.stack, 2, random.Random(1))

    def tick_until_killed(self, counts, kills):
        deadline = time.monotonic() + 2 * demo.KILL_MOMENT_S_MAX
        while self.stack.kills < kills and time.monotonic() < deadline:
            self.killer.tick(counts)
            time.sleep(0.01)
        self.killer.tick(counts)

    def test_every_chapter_waits_for_the_kill_before_it(self):
        self.assertEqual([gate.is_set() for gate in self.killer.gates], [True, False, False])
        self.tick_until_killed({'sent': 0}, 1)
        self.assertEqual([gate.is_set() for gate in self.killer.gates], [True, True, False])

    def test_the_second_kill_waits_for_a_transaction(self):
        self.tick_until_killed({'sent': 5}, 1)
        self.killer.tick({'sent': 5})
        self.assertIsNone(self.killer.due)
        self.killer.tick({'sent': 6})
        self.assertIsNotNone(self.killer.due)
        self.tick_until_killed({'sent': 6}, 2)
        self.assertTrue(self.killer.is_done)
        self.assertEqual((self.stack.kills, self.stack.starts), (2, 2))

    def test_without_kills_all_is_open_at_once(self):
        killer = demo.Killer(self.stack, 0, random.Random(1))
        killer.tick({'sent': 0})
        self.assertTrue(killer.is_done and killer.gates[0].is_set())
        self.assertEqual(self.stack.kills, 0)


if __name__ == '__main__':
    unittest.main()
