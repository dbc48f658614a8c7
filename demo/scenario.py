# SPDX-License-Identifier: Apache-2.0
"""Who refers whom and who pays what: the same story for the same seed."""
import dataclasses
import random

import expect
from expect import Program
from keccak import keccak256

PROGRAMS = (
    Program('standard', 'usdc', commission_bps=1000),
    Program('gold', 'hybrid', commission_bps=750, sge_rate='2.5'),
)
AFFILIATES = 12
CHILDREN = 32
STRANGERS = 4  # users whom nobody referred
PAYMENTS = 72  # of referred users
PAYMENTS_OF_STRANGERS = 4
AMOUNT_CENTS_MAX = 50_000
FORMS = ('standard', 'stripe', 'coinbase-commerce', 'direct')


@dataclasses.dataclass(frozen=True)
class User:
    wallet: str
    referrer: str | None
    program: Program
    mint: bool


@dataclasses.dataclass(frozen=True)
class Payment:
    payment_id: str
    form: str
    child: str
    referrer: str | None
    program: Program
    amount: int  # USDC base units


@dataclasses.dataclass(frozen=True)
class Scenario:
    affiliates: tuple
    users: tuple
    payments: tuple  # all that are to be paid out
    refunded: Payment  # its refund arrives first
    regretted: Payment  # one of the payments: refunded once its payout is signed
    next_one: Payment  # of the same customer after that: its payout is the smaller
    forged: Payment  # only ever sent with a bad signature


def wallet(seed, role, number):
    """An address nobody holds a key of; the same for the same seed."""
    return '0x' + keccak256(f'sluice demo {seed} {role} {number}'.encode())[12:].hex()


def amount_of(chooser, form):
    """Cents where the provider knows no smaller unit, else all six decimals."""
    cents = chooser.randrange(100, AMOUNT_CENTS_MAX)
    return cents * 10_000 + (chooser.randrange(10_000) if form in ('standard', 'direct') else 0)


def payment(chooser, number, form, user):
    return Payment(f'pay-{form}-{number:03d}', form, user.wallet, user.referrer, user.program,
                   amount_of(chooser, form))


def after(chooser, regretted):
    """Larger than the regretted one, so that something is left to pay."""
    amount = regretted.amount + amount_of(chooser, regretted.form)
    return dataclasses.replace(regretted, payment_id=f'pay-{regretted.form}-902', amount=amount)


def build(seed):
    chooser = random.Random(seed)
    affiliates = tuple(wallet(seed, 'affiliate', i) for i in range(AFFILIATES))
    children = [User(wallet(seed, 'child', i), affiliates[i % AFFILIATES], PROGRAMS[i % 2], True)
                for i in range(CHILDREN)]
    strangers = [User(wallet(seed, 'stranger', i), None, PROGRAMS[0], i % 2 == 0)
                 for i in range(STRANGERS)]
    payers = [children[i % CHILDREN] for i in range(PAYMENTS)]
    payers += [strangers[i % STRANGERS] for i in range(PAYMENTS_OF_STRANGERS)]
    payments = [payment(chooser, i, FORMS[i % len(FORMS)], user) for i, user in enumerate(payers)]
    chooser.shuffle(payments)
    refunded = payment(chooser, 900, 'stripe', children[0])
    forged = payment(chooser, 901, 'standard', children[1])
    # Of the hybrid program: both tokens are owed back.
    regretted = next(item for item in payments
                     if item.form == 'stripe' and item.referrer and item.program.kind == 'hybrid')
    return Scenario(affiliates, (*children, *strangers), tuple(payments), refunded, regretted,
                    after(chooser, regretted), forged)


def payouts(scenario, chain_id, contract):
    """What the payments must lead to on chain: what was paid for the regretted one and is owed
    back is kept from the next."""
    owed_back = expect.commission(scenario.regretted.program, scenario.regretted.amount)
    for item in (*scenario.payments, scenario.next_one):
        usdc, sge = expect.commission(item.program, item.amount)
        if item is scenario.next_one:
            usdc, sge = usdc - owed_back[0], sge - owed_back[1]
        if item.referrer and (usdc or sge):
            identity = expect.payout_id(chain_id, contract, item.program.name, item.payment_id)
            yield expect.Payout(item.payment_id, identity, item.child, item.referrer, usdc, sge)
