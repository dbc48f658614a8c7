#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The main job once, end to end: signed payment webhooks in, final payouts on a local chain out.

Ends with "demo: N payouts confirmed, 0 parked, balances match" and status 0, or says what differs.
With --kills it kills `sluice up` with SIGKILL at random moments and starts it again; nothing else
changes, least of all the result.
usage: demo.py [--kills N] [--seed S]
"""
import argparse
import collections
import concurrent.futures
import datetime
import http.client
import random
import signal
import subprocess
import sys
import threading
import time

import expect
import scenario as story
import stack as stacks
import ui
import webhooks
from api import ApiError, expect_answer
from chain import ChainError

SENDERS = 8
CONCURRENT_DUPLICATES = 20
REPEATED_PAYMENTS = 6
FINAL_DEADLINE_S = 60
SEND_SPREAD_S = 1.0  # with kills: each payment of a portion goes out within this time
KILL_MOMENT_S_MAX = 2.0
KILL_COST_S = 45  # what one kill may add to the deadline: a lease has to run out
OUTBOUND_DEADLINE_S = 20
TICK_S = 0.2
HOME = stacks.ROOT / '.demo'
ROWS_SHOWN_MAX = 10  # of payouts, on a terminal
PAGE = 200
PAYOUT_KINDS = ('payout_usdc', 'payout_hybrid')
END_STATES = ('confirmed', 'parked', 'cancelled')
SIGNED_STATES = ('assigned', 'sent', 'mined', 'confirmed')
OPEN_STATES = ('queued', 'held', 'assigned', 'sent', 'mined', 'unresolved')
STAGES = {'queued': 0, 'held': 0, 'assigned': 0, 'sent': 1, 'mined': 2, 'confirmed': 3}
NO_ANSWER = (OSError, http.client.HTTPException)


class DemoError(Exception):
    pass


class Killer:
    """Kills the services at random moments and starts them again, from the main thread.

    The story is told in chapters, one before each kill and the rest after the last. Every other
    kill waits until the relayer has sent something of its chapter, so that half of them hit the API
    taking requests and half hit transactions in flight.
    """

    def __init__(self, stack, kills, chooser):
        self.stack, self.kills, self.chooser = stack, kills, chooser
        self.gates = [threading.Event() for _ in range(kills + 1)]  # open: the chapter may begin
        self.done = 0
        self.ready = True
        self.begin(sent=0)

    def begin(self, sent):
        """The next chapter begins; its kill is due by time, or once more than `sent` are sent."""
        self.sent = sent
        self.due = self.a_moment_from_now() if self.done % 2 == 0 else None
        self.gates[self.done].set()

    def a_moment_from_now(self):
        return time.monotonic() + self.chooser.uniform(0, KILL_MOMENT_S_MAX)

    def tick(self, counts):
        if not self.ready:
            self.ready = self.stack.is_ready()
            if self.ready:
                self.begin(counts['sent'])
        elif self.done < self.kills and self.due is None:
            self.due = self.a_moment_from_now() if counts['sent'] > self.sent else None
        elif self.done < self.kills and time.monotonic() >= self.due:
            self.stack.kill_sluice()
            self.done += 1
            self.stack.start_sluice()
            self.ready = False

    @property
    def is_done(self):
        return self.done == self.kills and self.ready


class Tracker:
    """Where every payout stands, as the API tells it."""

    def __init__(self, api, payouts):
        self.api = api
        self.total = len(payouts)
        self.open = {payout.payout_id for payout in payouts}
        self.jobs = {}  # payout id: the job as last seen
        self.problem = ''

    def poll(self):
        try:
            jobs = [job for kind in PAYOUT_KINDS for job in list_jobs(self.api, f'kind={kind}')]
        except NO_ANSWER as error:
            self.problem = repr(error)
            return
        self.jobs = {job['payout_id']: job for job in jobs}
        self.open -= {job['payout_id'] for job in jobs if job['state'] in END_STATES}

    def states(self):
        return collections.Counter(job['state'] for job in self.jobs.values())

    def counts(self):
        """How many payouts got at least so far."""
        stages = [STAGES.get(job['state'], 0) for job in self.jobs.values()]
        return {'accepted': len(stages), 'sent': sum(stage >= 1 for stage in stages),
                'mined': sum(stage >= 2 for stage in stages),
                'final': sum(stage >= 3 for stage in stages)}


def list_jobs(api, query):
    """All jobs that the query fits, newest first, page by page."""
    jobs, before = [], ''
    while True:
        page = expect_answer('the list of jobs',
                             api.get(f'/v1/jobs?limit={PAGE}&{query}{before}'), {200}).body
        jobs += page['jobs']
        if not page['next_before']:
            return jobs
        before = f'&before={page["next_before"]}'


def register_users(api, users):
    with concurrent.futures.ThreadPoolExecutor(SENDERS) as pool:
        for user, answer in zip(users, pool.map(api.register, users)):
            expect_answer(f'user {user.wallet}', answer, {200, 201, 202})


def check_refusals(api, scenario):
    """What must be turned away: each with its status, and nothing stored."""
    user = scenario.users[0]
    itself = {'wallet': user.referrer, 'referrer': user.referrer, 'program': user.program.name}
    expect_answer('a self-referral', api.post('/v1/users', itself), {422},
                  'self_referral')
    delivery = webhooks.payment_delivery(scenario.forged, 'evt-forged')
    wrong = webhooks.new_secrets(lambda size: bytes(size))
    expect_answer('a bad signature', api.deliver(delivery, secrets=wrong), {401},
                  'signature_mismatch')
    expect_answer('a stale signature', api.deliver(delivery, age_s=302), {401},
                  'signature_stale')
    expect_answer('no API key', api.until_answered(lambda: api.once('GET', '/v1/jobs')), {401},
                  'key_missing')


def deliver_refund_first(api, payment):
    """The refund overtakes its payment; the payment then earns nothing."""
    refund = webhooks.refund_delivery(payment, f'evt-refund-{payment.payment_id}')
    expect_answer('the early refund', api.deliver(refund), {200, 202})
    taken = expect_answer('its payment', api.pay(payment, f'evt-{payment.payment_id}'), {200})
    if taken.body['payment']['state'] != 'refunded':
        raise DemoError(f'a payment whose refund came first is {taken.body}')


def deliver_regret(api, scenario):
    """A refund after its payout is signed: the next payout of that affiliate is smaller by it."""
    payment = scenario.regretted
    path = f'/v1/payments/{payment.payment_id}'
    job_id = expect_answer('the payment', api.get(path), {200}).body['job_id']
    stacks.wait_for(f'the payout of {payment.payment_id} to be signed', lambda: expect_answer(
        'its job', api.get(f'/v1/jobs/{job_id}'), {200}).body['state'] in SIGNED_STATES,
                    FINAL_DEADLINE_S)
    refund = webhooks.refund_delivery(payment, f'evt-refund-{payment.payment_id}')
    answer = expect_answer('the late refund', api.deliver(refund), {200})
    if answer.body['refund'] not in ('receivable', 'duplicate'):
        raise DemoError(f'a refund after signing is answered {answer.body}')
    deliver_payment(api, scenario.next_one)


def deliver_payment(api, payment):
    answer = api.pay(payment, f'evt-{payment.payment_id}')
    return expect_answer(f'payment {payment.payment_id}', answer, {200, 201, 202})


def duplicates(payments):
    """Some events twice, one of them many times at once, one payment under another event id."""
    signed = [payment for payment in payments if payment.form != 'direct']
    yield from ((payment, f'evt-{payment.payment_id}') for payment in signed[:REPEATED_PAYMENTS])
    crowd = signed[REPEATED_PAYMENTS]
    yield from [(crowd, f'evt-{crowd.payment_id}')] * CONCURRENT_DUPLICATES
    renamed = signed[REPEATED_PAYMENTS + 1]
    yield renamed, f'evt-again-{renamed.payment_id}'


def portions(items, count):
    """The items in so many parts of nearly the same size."""
    return [items[len(items) * i // count:len(items) * (i + 1) // count] for i in range(count)]


def introduce(api, scenario, say):
    """The first chapter: users, what must be refused, and a refund that overtakes its payment."""
    register_users(api, scenario.users)
    say(f'{len(scenario.users)} users are registered, {len(scenario.affiliates)} affiliates')
    check_refusals(api, scenario)
    say('refused: a self-referral, a bad signature, a stale one, a missing key')
    deliver_refund_first(api, scenario.refunded)


def deliver_portion(api, payments, spread_s):
    """Many at once, each at a random moment within spread_s."""
    def after_a_while(payment):
        time.sleep(random.uniform(0, spread_s))
        deliver_payment(api, payment)

    with concurrent.futures.ThreadPoolExecutor(SENDERS) as pool:
        list(pool.map(after_a_while, payments))


def deliver_duplicates(api, repeated):
    def again(pair):
        answer = expect_answer(f'duplicate of {pair[0].payment_id}', api.pay(*pair), {200})
        if not answer.body['duplicate']:
            raise DemoError(f'{pair[0].payment_id} was taken twice: {answer.body}')

    with concurrent.futures.ThreadPoolExecutor(CONCURRENT_DUPLICATES) as pool:
        list(pool.map(again, repeated))


def tell(api, scenario, killer, say):
    """The whole story, chapter by chapter. Raises where something is not answered as it must."""
    repeated = list(duplicates(scenario.payments))
    spread_s = SEND_SPREAD_S if killer.kills else 0
    chapters = [lambda: introduce(api, scenario, say)]
    chapters += [lambda part=part: deliver_portion(api, part, spread_s)
                 for part in portions(scenario.payments, max(killer.kills, 1))]
    for number, chapter in enumerate(chapters):
        while not killer.gates[min(number, killer.kills)].wait(TICK_S):
            if api.given_up.is_set():
                return
        chapter()
    deliver_duplicates(api, repeated)
    say(f'{len(scenario.payments)} payments and {len(repeated)} duplicates were acknowledged')
    deliver_regret(api, scenario)
    say(f'{scenario.regretted.payment_id} was refunded after its payout was signed')


def follow(tracker, killer, telling, notes, deadline_s):
    """Until all is told, every kill is done and every payout is final."""
    progress = ui.Progress(awaited=f'waiting for {stacks.CONFIRMATIONS} confirmations')
    deadline = time.monotonic() + deadline_s
    while True:
        is_over = telling.done() and killer.is_done and not tracker.open
        while notes:
            progress.note(notes.pop(0))
        if is_over:
            break
        if telling.done() and telling.exception():
            raise telling.exception()
        if time.monotonic() > deadline:
            raise DemoError(f'{len(tracker.open)} payouts not final after {deadline_s} s: '
                            f'{dict(tracker.states())}, such as {sorted(tracker.open)[:3]} '
                            f'{tracker.problem}')
        tracker.poll()
        killer.tick(tracker.counts())
        progress.show(tracker.counts(), tracker.total)
        time.sleep(TICK_S)
    progress.finish(tracker.counts(), tracker.total)


def tell_and_follow(api, scenario, tracker, killer):
    """Tells the story in the background while this thread kills and watches."""
    notes = []  # what the background has to say; printed by this thread
    deadline_s = FINAL_DEADLINE_S + killer.kills * KILL_COST_S
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        telling = pool.submit(tell, api, scenario, killer, notes.append)
        try:
            follow(tracker, killer, telling, notes, deadline_s)
        except BaseException:
            api.given_up.set()
            raise


def settle_rest(api):
    """Referrals and identities are jobs too: waits until nothing is open but what is parked."""
    def is_settled():
        try:
            return not any(list_jobs(api, f'state={state}') for state in OPEN_STATES)
        except NO_ANSWER:
            return False
    stacks.wait_for('the last referrals and identities', is_settled, FINAL_DEADLINE_S)


def milliseconds_between(earlier, later):
    """Of two RFC 3339 times."""
    start, end = map(datetime.datetime.fromisoformat, (earlier, later))
    return (end - start) // datetime.timedelta(milliseconds=1)


def show_why(scenario, payouts):
    """Which payments led to no payout, and why."""
    payments = (*scenario.payments, scenario.next_one)
    strangers = [payment.payment_id for payment in payments if not payment.referrer]
    ui.say(f'\n{len(payments)} payments, {len(payouts)} payouts: {len(strangers)} came from '
           f'customers whom nobody referred:\n  {", ".join(sorted(strangers))}')
    ui.say(f'One more, {scenario.refunded.payment_id}, earned nothing: its refund came first.')
    usdc, _ = expect.commission(scenario.regretted.program, scenario.regretted.amount)
    ui.say(f'{scenario.regretted.payment_id} was refunded after its payout: '
           f'{ui.aligned([usdc], 6)[0].strip()} USDC and its SGE were netted from that of '
           f'{scenario.next_one.payment_id}.')


def affiliate_rows(stack, scenario, payouts):
    """What each affiliate was to get, and whether it holds just that on chain."""
    owed = expect.balances(payouts)
    sums = [owed.get(wallet, (0, 0)) for wallet in scenario.affiliates]
    tokens = (stack.contracts['USDC_ADDRESS'], stack.contracts['SGE_TOKEN_ADDRESS'])
    words = stack.chain.read_many([(token, 'balanceOf(address)', (wallet,))
                                   for wallet in scenario.affiliates for token in tokens])
    counts = collections.Counter(payout.referrer for payout in payouts)
    usdc, sge = (ui.aligned(column, decimals) for column, decimals in zip(zip(*sums), (6, 18)))
    for i, wallet in enumerate(scenario.affiliates):
        matches = tuple(words[2 * i:2 * i + 2]) == sums[i]
        yield wallet, counts[wallet], usdc[i], sge[i], 'yes' if matches else 'NO'


def show_results(stack, scenario, payouts, tracker, api):
    show_why(scenario, payouts)
    ui.say('\nWhat each affiliate earned, and whether the chain agrees:')
    head = ('affiliate', 'payouts', 'USDC', 'SGE', 'matches')
    for line in ui.table(head, list(affiliate_rows(stack, scenario, payouts))):
        ui.say(line)
    shown = payouts[-ROWS_SHOWN_MAX:] if sys.stdout.isatty() else payouts
    ui.say(f'\nThe last {len(shown)} payouts:' if len(shown) < len(payouts)
           else '\nThe payouts:')
    head = ('payment', 'affiliate', 'USDC', 'SGE', 'transaction', 'block', 'to mined, ms')
    for line in ui.table(head, list(payout_rows(shown, tracker, api))):
        ui.say(line)


def payout_rows(payouts, tracker, api):
    usdc = ui.aligned([payout.usdc for payout in payouts], 6)
    sge = ui.aligned([payout.sge for payout in payouts], 18)
    for i, payout in enumerate(payouts):
        job = api.get(f'/v1/jobs/{tracker.jobs[payout.payout_id]["id"]}').body
        included = job['slot']['inclusion']
        mined = [event['at'] for event in job['timeline'] if event['to'] == 'mined']
        yield (payout.payment_id, ui.short(payout.referrer, 13), usdc[i], sge[i],
               ui.short(included['transaction_hash'], 13), included['block_number'],
               milliseconds_between(job['created_at'], mined[-1]) if mined else '')


def check_parked(api):
    parked = list_jobs(api, 'state=parked')
    if parked:
        raise DemoError(f'{len(parked)} jobs are parked, such as {parked[0]}')


def check_netted(api, scenario):
    """The affiliate's account says what was owed back and that nothing is any more."""
    item = scenario.regretted
    wants = [amount * 10 ** (18 - decimals) for amount, decimals
             in zip(expect.commission(item.program, item.amount), (6, 18))]
    sums = expect_answer('the affiliate', api.get(f'/v1/affiliates/{item.referrer}'), {200}).body
    netted = [expect.decimal_units(sums['netted'][token], 18) for token in ('usdc', 'sge')]
    left = (sums['receivable_usdc'], sums['receivable_sge'])
    if netted != wants or left != ('0', '0'):
        raise DemoError(f'{item.referrer} had {netted} netted of {wants}, and {left} is left')


def check_chain(stack, scenario, payouts):
    differences = list(expect.differences(stack.chain, stack.contracts, scenario.users,
                                          scenario.affiliates, payouts,
                                          stacks.FUND_USDC * expect.USDC_UNITS))
    if differences:
        raise DemoError('\n'.join(['the chain is not as the payments imply:', *differences]))


def check_outbound(stack, payouts):
    """The merchant heard of every payout, in messages that carry our signature."""
    stacks.wait_for(f'{len(payouts)} payout.confirmed webhooks',
                    lambda: stack.receiver.count('payout.confirmed') >= len(payouts),
                    OUTBOUND_DEADLINE_S)
    heard = stack.receiver.count('payout.confirmed')
    if heard != len(payouts):
        raise DemoError(f'{heard} payout.confirmed webhooks with ids of their own, '
                        f'expected {len(payouts)}')
    if stack.receiver.forged:
        raise DemoError(f'{stack.receiver.forged} outbound webhooks carried a wrong signature')


def check_stop(stack):
    status = stack.stop_sluice()
    if status != 0:
        raise DemoError('sluice up did not stop when asked' if status is None
                        else f'sluice up ended with status {status}')


def run(stack, api, options):
    scenario = story.build(options.seed)
    payouts = list(story.payouts(scenario, stacks.CHAIN_ID,
                                 stack.contracts['AFFILIATE_PAYOUT_ADDRESS']))
    tracker = Tracker(api, payouts)
    tell_and_follow(api, scenario, tracker,
                    Killer(stack, options.kills, random.Random(options.seed)))
    settle_rest(api)
    if options.kills:
        ui.say(f'sluice up was killed {stack.kills} times')
    show_results(stack, scenario, payouts, tracker, api)
    check_parked(api)
    check_netted(api, scenario)
    check_chain(stack, scenario, payouts)
    check_outbound(stack, payouts)
    check_stop(stack)
    ui.say(f'\ndemo: {len(payouts)} payouts confirmed, 0 parked, balances match')


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n', maxsplit=1)[0])
    parser.add_argument('--kills', type=int, default=0, help='SIGKILLs at random moments')
    parser.add_argument('--seed', type=int, default=1, help='of the story and of the moments')
    return parser.parse_args()


def main():
    options = parse_arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    stack = None
    try:
        stack, api = stacks.bring_up(HOME, story.PROGRAMS, ui.say)
        run(stack, api, options)
        return 0
    except KeyboardInterrupt:
        return 130
    except stacks.StackBusy as error:
        ui.say(f'demo: {error}')
        return 1
    except (DemoError, ApiError, ChainError, stacks.StackError, *NO_ANSWER,
            subprocess.SubprocessError) as error:
        ui.say(f'demo: FAILED: {error}')
        ui.say(f'the end of .demo/sluice.log:\n{stacks.tail(HOME / "sluice.log")}')
        return 1
    finally:
        if stack:
            stack.close()


if __name__ == '__main__':
    sys.exit(main())
