# SPDX-License-Identifier: Apache-2.0
"""Some tens of kills, point by point: after each group of them every payment is paid once.

Runs on the binaries of the directory named by KILL_BUILD, else of build/.
"""
import os
import pathlib
import signal
import tempfile
import unittest

import kill_path  # noqa: F401
import stack as stacks
from lives import is_stopped, await_that
from round import Round
from services import Shape, ends_within

BUILD = pathlib.Path(os.environ.get('KILL_BUILD', stacks.ROOT / 'build'))
SHAPE = Shape(lanes=2, window=4, batch=5, stuck_after_ms=1000)
MANY_REORGS = (('nothing', 70), ('reorg', 25), ('drop_all', 5))
LIFE_S_MAX = 60  # by then every point is passed, also under sanitizers on a busy machine


class Kills(unittest.TestCase):
    """One stack for all; each test lives on it and then judges all that has happened so far."""

    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.fight = Round(pathlib.Path(directory.name) / 'home', 'test', BUILD / 'sluice',
                          BUILD / 'test/kill/sluice-kill', SHAPE)
        cls.addClassCleanup(cls.fight.close)
        cls.fight.bring_up()

    def die_at(self, *points, what='up', stormy=False):
        """A life for each (label, passes), and the verdict."""
        self.fight.begin(stormy)
        for label, passes in points:
            before = self.fight.lives.kills[label]
            self.fight.lives.die_at(what, label, passes, LIFE_S_MAX)
            self.assertEqual(self.fight.lives.kills[label], before + 1, label)
        self.assertTrue(self.fight.judge().events)

    # fault 1: killed when jobs are taken and before anything of them is written
    def test_killed_before_the_nonce_is_written_the_jobs_are_paid_once(self):
        self.die_at(('lane-claimed', 3), ('sign-before', 2), ('signature-before', 1),
                    ('assign-before', 2))

    # fault 2: killed when nonce, bytes and hash are on disk and nothing is sent
    def test_killed_between_the_commit_and_the_send_the_same_bytes_are_sent(self):
        self.die_at(('lane-committed', 2), ('lane-committed', 4), ('commit-after', 5))

    # fault 3: killed when the node has the transaction and the store does not know
    def test_killed_between_the_send_and_its_record_the_payout_is_made_once(self):
        self.die_at(('lane-sent', 1), ('lane-sent', 3), ('attempt_sent-before', 2))

    # fault 4: killed when a receipt is read, or final, or the merchant has been told
    def test_killed_around_the_receipt_payment_and_webhook_stay_one(self):
        self.die_at(('lane-judged', 4), ('mined-after', 2), ('final-before', 1),
                    ('final-after', 2), ('outbox-before', 2), ('outbox-after', 1))

    # fault 49: killed between the insert and the answer; the provider delivers again
    def test_an_api_killed_before_its_answer_takes_the_payment_once(self):
        self.die_at(('accept-after', 2), ('commit-after', 3), ('answer-before', 2),
                    ('refund-after', 1), ('disk_write-torn', 9), what='api')

    # fault 23, 24: killed while blocks are replaced and transactions are lost
    def test_killed_while_the_chain_reorganises_nothing_is_paid_twice(self):
        self.fight.weather.events = MANY_REORGS
        self.die_at(('unmined-after', 1), ('unmined-before', 1), ('lane-sent', 2), stormy=True)
        self.assertGreater(self.fight.weather.counts['reorg'], 0)

    def test_killed_at_random_moments_nothing_is_lost(self):
        self.fight.live(together=4, apart=6)
        self.fight.judge()

    # fault 67: asked to end, services end with 0 and the next ones go on
    def test_services_that_are_asked_to_end_end_well(self):
        self.fight.begin(stormy=False)
        for what in ('up', 'relay', 'api'):
            self.fight.lives.asked_to_end(what)
        self.fight.judge()

    # fault 65: the store of a stopped relayer takes no second one of its machine
    def test_a_second_relayer_is_refused_while_the_first_is_stopped(self):
        self.fight.begin(stormy=False)
        lives = self.fight.lives
        first = lives.start('relay', 'lane-claimed:5', KILL_SIGNAL='STOP')
        await_that(first, is_stopped, LIFE_S_MAX)
        self.fight.stops.refused()
        first.send_signal(signal.SIGCONT)
        self.assertFalse(ends_within(first, 0.2))
        lives.kill(first)
        self.fight.judge()


if __name__ == '__main__':
    unittest.main()
