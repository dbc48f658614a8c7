# SPDX-License-Identifier: Apache-2.0
"""The oracle: its arithmetic, and that it sees every way the chain can differ."""
import dataclasses
import unittest

import demo_path  # noqa: F401
import expect
import scenario
from chain import PaidEvent, encode, paid_event, topic
from expect import Payout, Program
from keccak import keccak256

CONTRACT = '0x' + 'aa' * 20
CHILD, REFERRER = '0x' + '11' * 20, '0x' + '22' * 20
PAYOUT = Payout('pay-1', '0x' + '01' * 32, CHILD, REFERRER, 1_250_000, 5)
EVENT = PaidEvent(PAYOUT.payout_id, REFERRER, 1_250_000, 5)


class Keccak(unittest.TestCase):
    def test_published_answers(self):
        rows = (
            (b'', 'c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470'),
            (b'abc', '4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45'),
        )
        for data, digest in rows:
            self.assertEqual(keccak256(data).hex(), digest)

    def test_lengths_around_the_rate_differ_from_each_other(self):
        digests = {keccak256(b'x' * size) for size in (134, 135, 136, 137, 271, 272, 273)}
        self.assertEqual(len(digests), 7)

    def test_well_known_selectors_and_topics(self):
        self.assertEqual(encode('balanceOf(address)', CHILD)[:10], '0x70a08231')
        self.assertEqual(topic('Transfer(address,address,uint256)'),
                         '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef')


class Arithmetic(unittest.TestCase):
    def test_commissions_round_down(self):
        rows = (
            ('usdc', 1000, '0', 12_500_000, (1_250_000, 0)),
            ('usdc', 1000, '0', 9, (0, 0)),
            ('usdc', 1000, '0', 19, (1, 0)),
            ('usdc', 10_000, '0', 7, (7, 0)),
            ('usdc', 1000, '2.5', 12_500_000, (1_250_000, 0)),
            ('hybrid', 750, '2.5', 100_000_000, (7_500_000, 18_750_000_000_000_000_000)),
            ('hybrid', 750, '2.5', 1, (0, 0)),
            ('hybrid', 10_000, '0.000000000001999999', 1, (1, 1)),
            ('hybrid', 10_000, '0.000000000000999999', 1, (1, 0)),
        )
        for kind, bps, rate, amount, wants in rows:
            with self.subTest((kind, bps, rate, amount)):
                self.assertEqual(expect.commission(Program('p', kind, bps, rate), amount), wants)

    def test_decimals_are_read_exactly(self):
        self.assertEqual(expect.decimal_units('2.5', 18), 25 * 10 ** 17)
        self.assertEqual(expect.decimal_units('3', 6), 3_000_000)
        with self.assertRaises(ValueError):
            expect.decimal_units('0.0000001', 6)

    def test_the_payout_id_depends_on_each_part(self):
        first = expect.payout_id(1, CONTRACT, 'gold', 'pay-1')
        others = {expect.payout_id(2, CONTRACT, 'gold', 'pay-1'),
                  expect.payout_id(1, CHILD, 'gold', 'pay-1'),
                  expect.payout_id(1, CONTRACT, 'gild', 'pay-1'),
                  expect.payout_id(1, CONTRACT, 'gold', 'pay-2')}
        self.assertEqual(len(others | {first}), 5)
        self.assertEqual(len(first), 66)

    def test_balances_add_up_per_referrer(self):
        other = dataclasses.replace(PAYOUT, usdc=1, sge=2)
        self.assertEqual(expect.balances([PAYOUT, other]), {REFERRER: (1_250_001, 7)})


class Differences(unittest.TestCase):
    def found(self, *events):
        return list(expect.differences_of_events([PAYOUT], events))

    def test_what_is_as_expected_is_silent(self):
        self.assertEqual(self.found(EVENT), [])

    def test_every_fault_is_named(self):
        rows = (
            ((), 'pay-1: paid 0 times'),
            ((EVENT, EVENT), 'pay-1: paid 2 times'),
            ((dataclasses.replace(EVENT, usdc=1),), 'the event says usdc 1, expected 1250000'),
            ((dataclasses.replace(EVENT, sge=1),), 'the event says sge 1, expected 5'),
            ((dataclasses.replace(EVENT, referrer=CHILD),), f'says referrer {CHILD}'),
            ((EVENT, dataclasses.replace(EVENT, payout_id='0xff')), 'payout id 0xff was paid'),
        )
        for events, wants in rows:
            with self.subTest(wants):
                self.assertEqual(len(self.found(*events)), 1)
                self.assertIn(wants, self.found(*events)[0])

    def test_a_wrong_word_is_named(self):
        class FixedChain:
            def read_many(self, calls):
                return [7 for _ in calls]

        rows = [('USDC of A', CONTRACT, 'balanceOf(address)', (CHILD,), 7),
                ('USDC of B', CONTRACT, 'balanceOf(address)', (CHILD,), 8)]
        self.assertEqual(list(expect.differences_of_words(FixedChain(), rows)),
                         ['USDC of B: 7 on chain, expected 8'])

    def test_an_event_is_read_from_its_log(self):
        log = {'topics': ['0x0', PAYOUT.payout_id, '0x' + '00' * 12 + '22' * 20],
               'data': f'0x{1_250_000:064x}{5:064x}'}
        self.assertEqual(paid_event(log), EVENT)

    def test_an_event_of_one_amount_has_no_sge(self):
        log = {'topics': ['0x0', PAYOUT.payout_id, '0x' + '00' * 12 + '22' * 20],
               'data': f'0x{1_250_000:064x}'}
        self.assertEqual(paid_event(log), dataclasses.replace(EVENT, sge=0))


class Story(unittest.TestCase):
    def test_the_same_seed_tells_the_same_story(self):
        self.assertEqual(scenario.build(7), scenario.build(7))
        self.assertNotEqual(scenario.build(7), scenario.build(8))

    def test_every_form_and_program_occurs_and_strangers_earn_nobody_anything(self):
        told = scenario.build(1)
        payouts = list(scenario.payouts(told, 31337, CONTRACT))
        self.assertEqual({item.form for item in told.payments}, set(scenario.FORMS))
        self.assertEqual(len(payouts), scenario.PAYMENTS + 1)  # and the one after the regret
        self.assertEqual(len({payout.payout_id for payout in payouts}), len(payouts))
        self.assertTrue(any(payout.sge for payout in payouts))
        self.assertTrue(any(not payout.sge for payout in payouts))

    def test_what_is_owed_back_is_kept_from_the_next_payout(self):
        for seed in (1, 2, 3):
            told = scenario.build(seed)
            payouts = {payout.payment_id: payout for payout in scenario.payouts(told, 1, CONTRACT)}
            regretted, smaller = (payouts[item.payment_id]
                                  for item in (told.regretted, told.next_one))
            usdc, sge = expect.commission(told.next_one.program, told.next_one.amount)
            self.assertEqual((regretted.usdc + smaller.usdc, regretted.sge + smaller.sge),
                             (usdc, sge))
            self.assertGreater(smaller.usdc, 0)
            self.assertEqual(regretted.referrer, smaller.referrer)

    def test_what_is_refunded_or_forged_is_not_among_the_payments(self):
        told = scenario.build(1)
        keys = {item.payment_id for item in told.payments}
        self.assertFalse({told.refunded.payment_id, told.forged.payment_id} & keys)


if __name__ == '__main__':
    unittest.main()
