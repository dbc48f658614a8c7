# SPDX-License-Identifier: Apache-2.0
"""The verdict: how the chain and the store differ from what was answered 2xx. No I/O."""
import collections
import dataclasses

import expect
import store_view


@dataclasses.dataclass
class Entry:
    """A payment that was answered 2xx."""
    payment: object  # scenario.Payment
    refunded: bool = False  # a refund of it was sent
    refund_first: bool = False  # and answered before the payment was sent
    disputed: bool = False  # a chargeback of it was sent, and the news that it was won

    def earns(self):
        """USDC and SGE, before any refund."""
        return expect.commission(self.payment.program, self.payment.amount)


@dataclasses.dataclass
class Case:
    """Everything the verdict rests on."""
    entries: list
    events: list  # chain.PaidEvent
    view: store_view.View
    chain_id: int
    contract: str

    def payout_id(self, entry):
        return expect.payout_id(self.chain_id, self.contract, entry.payment.program.name,
                                entry.payment.payment_id)


def add(sums, wallet, amounts, sign=1):
    usdc, sge = sums[wallet]
    sums[wallet] = (usdc + sign * amounts[0], sge + sign * amounts[1])


def differences_of_entry(entry, events, job, netted):
    """One payment: what the store made of it, and its events."""
    name, amounts = entry.payment.payment_id, entry.earns()
    if entry.payment.referrer is None or not any(amounts) or entry.refund_first:
        if events or job:
            yield f'{name}: earns nothing, and has {len(events)} events'
        return
    if job is None:
        yield f'{name}: was acknowledged and has no payout in the store'
        return
    if job.state == store_view.CANCELLED and not entry.refunded:
        yield f'{name}: was cancelled, and nobody refunded it'
    wants = int(is_paid(job))
    if job.state not in (store_view.CONFIRMED, store_view.CANCELLED):
        yield f'{name}: is in state {job.state} when all has settled'
    if len(events) != wants:
        yield f'{name}: paid {len(events)} times, expected {wants}'
    for event in events:
        yield from differences_of_event(entry, event, amounts, netted)
        if (event.usdc, event.sge) != (job.usdc, job.sge):
            yield f'{name}: paid {(event.usdc, event.sge)}, the store says {(job.usdc, job.sge)}'


def differences_of_event(entry, event, amounts, netted):
    name = entry.payment.payment_id
    if event.referrer != entry.payment.referrer:
        yield f'{name}: paid to {event.referrer}, expected {entry.payment.referrer}'
    paid = (event.usdc, event.sge)
    is_right = paid == amounts if not netted else all(map(int.__le__, paid, amounts))
    if not is_right:
        yield f'{name}: paid {paid}, expected {"at most " if netted else ""}{amounts}'


def differences_of_restitution(payout_id, events, job, disputed):
    """A payout with an id of its own: only for a chargeback that was won, and once."""
    if job is None or job.payment_key not in disputed:
        if events or job:
            yield f'payout id {payout_id} was paid and belongs to no payment'
        return
    wants = [(job.referrer, job.usdc, job.sge)] if is_paid(job) else []
    has = [(event.referrer, event.usdc, event.sge) for event in events]
    if has != wants:
        yield f'{payout_id}, given back for {job.payment_key}: {has}, expected {wants}'


def is_paid(job):
    """One that is confirmed and pays nothing went against what its affiliate owed back."""
    return job.state == store_view.CONFIRMED and any((job.usdc, job.sge))


def differences_of_affiliates(case, by_id):
    """On chain, each affiliate has what unrefunded payments earn, and what it still owes back."""
    wants, has = (collections.defaultdict(lambda: (0, 0)) for _ in range(2))
    for entry in case.entries:
        if entry.payment.referrer and not entry.refunded:
            add(wants, entry.payment.referrer, entry.earns())
    for wallet, amounts in case.view.owed_back.items():
        add(wants, wallet, amounts)
    for events in by_id.values():
        for event in events:
            add(has, event.referrer, (event.usdc, event.sge))
    for wallet in sorted(set(wants) | set(has)):
        if wants[wallet] != has[wallet]:
            yield f'affiliate {wallet}: has {has[wallet]} in all, expected {wants[wallet]}'


def differences_of_nonces(view, counts):
    """Every nonce of a lane belongs to one slot, and the chain has used just those."""
    for wallet, (next_nonce, nonces, _) in view.nonces.items():
        if nonces != list(range(next_nonce - len(nonces), next_nonce)):
            yield f'lane {wallet}: the nonces of its slots have a gap: {nonces}'
        if counts.get(wallet) != next_nonce:
            yield f'lane {wallet}: the chain is at nonce {counts.get(wallet)}, not {next_nonce}'


def differences(case):
    """Everything that is not as it must be, one line each."""
    by_id = collections.defaultdict(list)
    for event in case.events:
        by_id[event.payout_id].append(event)
    keys = collections.Counter(entry.payment.payment_id for entry in case.entries)
    netted = {entry.payment.referrer for entry in case.entries if entry.refunded or entry.disputed}
    known = set()
    for entry in case.entries:
        payout_id = case.payout_id(entry)
        known.add(payout_id)
        yield from differences_of_entry(entry, by_id[payout_id], case.view.jobs.get(payout_id),
                                        entry.payment.referrer in netted)
    for key in sorted(set(keys) | set(case.view.payments)):
        if keys[key] != case.view.payments[key]:
            yield f'payment {key}: acknowledged {keys[key]} times, stored {case.view.payments[key]}'
    disputed = {entry.payment.payment_id for entry in case.entries if entry.disputed}
    for payout_id in sorted((set(by_id) | set(case.view.jobs)) - known):
        yield from differences_of_restitution(payout_id, by_id[payout_id],
                                              case.view.jobs.get(payout_id), disputed)
    yield from differences_of_affiliates(case, by_id)
    yield from case.view.faults
