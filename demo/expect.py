# SPDX-License-Identifier: Apache-2.0
"""The oracle: what the payments imply, in whole numbers, and how the chain differs from it."""
import collections
import dataclasses

from chain import OWED_TOPIC, address_of_word
from keccak import keccak256

USDC_UNITS = 10 ** 6
SGE_UNITS = 10 ** 18
BPS_PER_WHOLE = 10_000


@dataclasses.dataclass(frozen=True)
class Program:
    name: str
    kind: str  # 'usdc' or 'hybrid'
    commission_bps: int
    sge_rate: str = '0'  # SGE per whole USDC of commission, a decimal


@dataclasses.dataclass(frozen=True)
class Payout:
    payment_id: str
    payout_id: str
    child: str
    referrer: str
    usdc: int
    sge: int


def decimal_units(text, decimals):
    """'2.5' with so many decimals as a whole number of base units, exactly."""
    whole, _, fraction = text.partition('.')
    if len(fraction) > decimals:
        raise ValueError(f'{text} has more than {decimals} decimals')
    return int(whole + fraction.ljust(decimals, '0'))


def commission(program, amount):
    """USDC and SGE that a payment of `amount` base units earns, both rounded down."""
    usdc = amount * program.commission_bps // BPS_PER_WHOLE
    rate = decimal_units(program.sge_rate, 18) if program.kind == 'hybrid' else 0
    return usdc, usdc * rate // USDC_UNITS


def payout_id(chain_id, contract, program_name, payment_id):
    """keccak256(abi.encode(chain id, contract, keccak256(program), keccak256(payment id)))."""
    words = (chain_id.to_bytes(32, 'big'), bytes.fromhex(contract[2:]).rjust(32, b'\0'),
             keccak256(program_name.encode()), keccak256(payment_id.encode()))
    return '0x' + keccak256(b''.join(words)).hex()


def balances(payouts):
    """Address: (USDC, SGE) over all payouts."""
    sums = collections.defaultdict(lambda: (0, 0))
    for payout in payouts:
        usdc, sge = sums[payout.referrer]
        sums[payout.referrer] = (usdc + payout.usdc, sge + payout.sge)
    return dict(sums)


def differences_of_events(payouts, events):
    """Each payout has exactly one event with its amounts, and no event is left over."""
    seen = collections.defaultdict(list)
    for event in events:
        seen[event.payout_id].append(event)
    for payout in payouts:
        found = seen.pop(payout.payout_id, [])
        if len(found) != 1:
            yield f'{payout.payment_id}: paid {len(found)} times, expected once'
        for event in found:
            for name in ('referrer', 'usdc', 'sge'):
                has, wants = getattr(event, name), getattr(payout, name)
                if has != wants:
                    yield f'{payout.payment_id}: the event says {name} {has}, expected {wants}'
    for unexpected in seen:
        yield f'payout id {unexpected} was paid and belongs to no payment that earns'


def differences_of_words(chain, rows):
    """Rows are (what it is, contract, signature, arguments, expected word)."""
    words = chain.read_many([row[1:4] for row in rows])
    for (what, _, _, _, wants), has in zip(rows, words):
        if has != wants:
            yield f'{what}: {has} on chain, expected {wants}'


def expected_words(contracts, users, affiliates, payouts, funds):
    """Every balance, identity and referral that the users and payouts imply."""
    owed = balances(payouts)
    usdc, sge = contracts['USDC_ADDRESS'], contracts['SGE_TOKEN_ADDRESS']
    for wallet in affiliates:
        wants = owed.get(wallet, (0, 0))
        yield f'USDC of {wallet}', usdc, 'balanceOf(address)', (wallet,), wants[0]
        yield f'SGE of {wallet}', sge, 'balanceOf(address)', (wallet,), wants[1]
    contract = contracts['AFFILIATE_PAYOUT_ADDRESS']
    left = funds - sum(payout.usdc for payout in payouts)
    yield 'USDC left in the payout contract', usdc, 'balanceOf(address)', (contract,), left
    yield 'SGE in all', sge, 'totalSupply()', (), sum(payout.sge for payout in payouts)
    for user in users:
        yield (f'identity of {user.wallet}', contracts['SGE_IDENTITY_ADDRESS'],
               'balanceOf(address)', (user.wallet,), int(user.mint))
        yield (f'referrer of {user.wallet}', contracts['AFFILIATE_REGISTRY_ADDRESS'],
               'referrerOf(address)', (user.wallet,), int(user.referrer or '0x0', 16))


def differences(chain, contracts, users, affiliates, payouts, funds):
    """Everything on chain that is not as the payments imply, one line each."""
    contract = contracts['AFFILIATE_PAYOUT_ADDRESS']
    yield from differences_of_events(payouts, chain.payouts(contract))
    for log in chain.logs(contract, OWED_TOPIC):
        yield f'payout id {log["topics"][1]} is owed, not paid, to ' \
              + address_of_word(int(log['topics'][2], 16))
    rows = list(expected_words(contracts, users, affiliates, payouts, funds))
    yield from differences_of_words(chain, rows)
