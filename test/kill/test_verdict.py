# SPDX-License-Identifier: Apache-2.0
"""The verdict sees every way in which a payment can be lost, paid twice or paid wrongly."""
import collections
import dataclasses
import pathlib
import sqlite3
import tempfile
import unittest

import kill_path  # noqa: F401
import expect
import kill
import scenario
import store_view
import verdict
from chain import PaidEvent
from expect import Program

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONTRACT, LANE = '0x' + 'aa' * 20, '0x' + '55' * 20
CHILD, REFERRER, OTHER = '0x' + '11' * 20, '0x' + '22' * 20, '0x' + '33' * 20
PROGRAM = Program('standard', 'usdc', commission_bps=1000)
PAYMENT = scenario.Payment('p1', 'standard', CHILD, REFERRER, PROGRAM, 50_000_000)
PAYOUT_ID = expect.payout_id(1, CONTRACT, 'standard', 'p1')
EVENT = PaidEvent(PAYOUT_ID, REFERRER, 5_000_000, 0)
BACK = dataclasses.replace(EVENT, payout_id='0xff')
JOB = store_view.Job('p1', store_view.CONFIRMED, REFERRER, 5_000_000, 0)
CANCELLED = dataclasses.replace(JOB, state=store_view.CANCELLED)
QUEUED = dataclasses.replace(JOB, state=store_view.QUEUED)


def found(events=(EVENT,), job=JOB, stored=1, owed=(0, 0), faults=(), entries=None, others=None,
          **marks):
    """What the verdict says of one payment."""
    view = store_view.View({**({PAYOUT_ID: job} if job else {}), **(others or {})},
                           collections.Counter(p1=stored),
                           {REFERRER: owed} if owed != (0, 0) else {}, {}, list(faults))
    entries = [verdict.Entry(PAYMENT, **marks)] if entries is None else entries
    return list(verdict.differences(verdict.Case(entries, list(events), view, 1, CONTRACT)))


class Payments(unittest.TestCase):
    def test_what_is_as_it_must_be_is_silent(self):
        rows = (
            {},
            {'events': (), 'job': CANCELLED, 'refunded': True},
            {'refunded': True, 'owed': (5_000_000, 0)},
            {'events': (), 'job': None, 'refunded': True, 'refund_first': True},
            {'events': (EVENT, BACK), 'others': {'0xff': JOB}, 'disputed': True,
             'owed': (5_000_000, 0)},
        )
        for row in rows:
            with self.subTest(row):
                self.assertEqual(found(**row), [])

    def test_every_fault_is_named(self):
        wrong = dataclasses.replace
        rows = (
            ('paid twice', {'events': (EVENT, EVENT)}, 'p1: paid 2 times, expected 1'),
            ('lost on chain', {'events': ()}, 'p1: paid 0 times, expected 1'),
            ('lost in the store', {'events': (), 'job': None, 'stored': 0}, 'has no payout'),
            ('stored twice', {'stored': 2}, 'acknowledged 1 times, stored 2'),
            ('stored, not acknowledged', {'entries': []}, 'acknowledged 0 times, stored 1'),
            ('paid to another', {'events': (wrong(EVENT, referrer=OTHER),)}, f'paid to {OTHER}'),
            ('too little', {'events': (wrong(EVENT, usdc=1),)}, 'paid (1, 0), expected (5000000'),
            ('given back for nothing', {'others': {'0xff': JOB}}, '0xff was paid'),
            ('given back and not paid', {'others': {'0xff': JOB}, 'disputed': True},
             'given back for p1: [], expected'),
            ('not what the store says', {'job': wrong(JOB, usdc=1)}, 'the store says (1, 0)'),
            ('netted to nothing, and paid', {'job': wrong(JOB, usdc=0)},
             'paid 1 times, expected 0'),
            ('SGE unasked', {'events': (wrong(EVENT, sge=1),)}, 'paid (5000000, 1), expected'),
            ('of no payment', {'events': (EVENT, wrong(EVENT, payout_id='0xff'))}, '0xff was paid'),
            ('never finished', {'events': (), 'job': QUEUED}, 'is in state 1'),
            ('cancelled for nothing', {'events': (), 'job': CANCELLED}, 'nobody refunded it'),
            ('cancelled and paid', {'job': CANCELLED, 'refunded': True},
             'paid 1 times, expected 0'),
            ('owed and not taken down', {'refunded': True}, 'has (5000000, 0) in all, expected (0'),
            ('refund first, and paid', {'refunded': True, 'refund_first': True},
             'earns nothing, and has 1 events'),
            ('the store contradicts itself', {'faults': ['the store is damaged']}, 'damaged'),
        )
        for name, row, wants in rows:
            with self.subTest(name):
                self.assertIn(wants, '\n'.join(found(**row)))


class Nonces(unittest.TestCase):
    def test_gaps_and_foreign_nonces_are_named(self):
        rows = (
            ((3, [0, 1, 2], 0), 3, ''),
            ((3, [0, 2], 0), 3, 'have a gap'),
            ((3, [0, 1, 2], 0), 4, 'the chain is at nonce 4, not 3'),
        )
        for lane, on_chain, wants in rows:
            view = store_view.View({}, {}, {}, {LANE: lane}, [])
            text = '\n'.join(verdict.differences_of_nonces(view, {LANE: on_chain}))
            with self.subTest(wants):
                self.assertEqual(bool(text), bool(wants))
                self.assertIn(wants, text)


class Stores(unittest.TestCase):
    """A store with one paid payout, then changed behind Sluice's back."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = pathlib.Path(directory.name) / 'store.db'
        schema = ''.join(path.read_text() for path in sorted(ROOT.glob('migrations/*.sql')))
        for word, sql in (('@ID@', 'INTEGER PRIMARY KEY'), ('@BYTES@', 'BLOB'),
                          ('@CLUSTERED@', 'WITHOUT ROWID')):
            schema = schema.replace(word, sql)
        self.run_sql(schema)
        self.run_sql("""
            INSERT INTO payments VALUES (1, 'p1', 1, 1, 1, 1, 50000000, 1, 0, 0);
            INSERT INTO jobs (id, kind, state, outcome, program_id, payment_id, payout_id, child,
                              referrer, usdc, sge, slot_id, due_ms, tries, first_sent_ms,
                              referrer_previous_id, created_ms, updated_ms, reason)
            VALUES (1, 3, 7, 1, 1, 1, x'01', x'11', x'22', 5000000, '0', 1, 0, 1, 0, 0, 0, 0, '');
            INSERT INTO job_counts VALUES (3, 7, 1);
            INSERT INTO affiliates (id, wallet, children, last_job_id, payouts_pending,
                                    payouts_confirmed, payouts_parked, usdc_paid, usdc_owed,
                                    usdc_pending, usdc_receivable, sge_paid, sge_owed, sge_pending)
            VALUES (1, x'22', 1, 1, 0, 1, 0, 5000000, 0, 0, 0, '0', '0', '0');
            INSERT INTO history VALUES (1, 1, 0, 1, '', '', NULL, 0), (2, 1, 1, 7, '', '', NULL, 0);
            INSERT INTO outbox VALUES (1, 'payout.confirmed', 1, 2, 0, 1, 0, '');""")

    def run_sql(self, text):
        connection = sqlite3.connect(self.path)
        connection.executescript(text)
        connection.close()

    def test_a_store_in_order_has_no_faults(self):
        self.assertEqual(store_view.read(self.path).faults, [])
        self.assertEqual(store_view.open_work(self.path), {})

    def test_every_contradiction_is_named(self):
        rows = (
            ('UPDATE job_counts SET jobs = 2', 'the counts of jobs are'),
            ('UPDATE affiliates SET usdc_paid = 1', 'the totals of 0x22 are'),
            ('UPDATE affiliates SET usdc_receivable = 1', 'the totals of 0x22 are'),
            ('UPDATE history SET from_state = 4 WHERE id = 2', 'jumps from 1 to 4'),
            ('DELETE FROM history WHERE id = 2', 'ends at 1, the job is 7'),
            ("INSERT INTO outbox VALUES (2, 'payout.confirmed', 1, 2, 0, 1, 0, '')",
             'was written 2 times'),
            ('INSERT INTO slot_jobs VALUES (9, 0, 1)', 'points nowhere'),
        )
        for sql, wants in rows:
            with self.subTest(sql):
                self.setUp()
                self.run_sql(sql)
                self.assertIn(wants, '\n'.join(store_view.read(self.path).faults))

    def test_unfinished_work_is_seen(self):
        self.run_sql("""UPDATE jobs SET state = 4;
                        UPDATE outbox SET state = 1;
                        INSERT INTO lanes VALUES (1, x'55', 1, 1, 'h', 0);
                        INSERT INTO slots VALUES (1, 1, 0, 1, 1, NULL, NULL, 0, 0, 0, '0', 0)""")
        self.assertEqual(store_view.open_work(self.path),
                         {'jobs in state 4': 1, 'open slots': 1, 'undelivered webhooks': 1})


class Labels(unittest.TestCase):
    def test_a_label_that_is_tried_and_never_reached_is_named(self):
        result = {'kills_by_point': {'a': 1}, 'tried': {'a': 99, 'b': kill.STALE_AFTER, 'c': 1}}
        self.assertEqual(kill.stale_labels(['a', 'b', 'c', 'd'], result), ['b'])

    def test_the_kills_asked_for_are_shared_among_the_rounds(self):
        for kills in (1, 249, 250, 251, 10_000):
            options = kill.argparse.Namespace(kills=kills, stops=7, seed='s')
            plans = list(kill.plans_of(options))
            self.assertEqual(sum(plan.kills for plan in plans), kills)
            self.assertEqual(sum(plan.stops for plan in plans), 7)


if __name__ == '__main__':
    unittest.main()
