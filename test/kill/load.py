# SPDX-License-Identifier: Apache-2.0
"""The load: threads that register, pay, repeat and refund all the time, and the list of what was
answered 2xx."""
import itertools
import random
import threading
import time

import scenario as story
import webhooks
from api import Api, ApiError, expect_answer
from expect import Program
from verdict import Entry

PROGRAMS = (*story.PROGRAMS, Program('held', 'usdc', commission_bps=2000))
HOLD_S = 1  # of the program "held"
SENDERS = 3
AFFILIATES = 12
REFUNDED_AFFILIATES = 6  # the others' payments are never refunded: their amounts are exact
CHILDREN_AT_START = 8
ANSWER_PAUSE_S = 0.01
ANSWER_DEADLINE_S = 300
PAUSE_S_MAX = 0.25
DISPUTE_S_MAX = 3  # from a chargeback to its end
PAUSED_S_MAX = 0.5  # payouts held by the operator

# What a sender does next, and how often of 100.
DEEDS = (('register', 8), ('pay', 52), ('repeat', 18), ('refund', 14), ('refund_first', 4),
         ('stranger', 3), ('pause', 1), ('dispute', 5))


class QuickApi(Api):
    """A provider that delivers again at once; services come back within milliseconds here."""
    pause_s = ANSWER_PAUSE_S
    deadline_s = ANSWER_DEADLINE_S


class Load:
    """Runs from start() until stop(); then every delivery has been answered."""

    def __init__(self, api, seed):
        self.api, self.seed = api, seed
        self.lock = threading.Lock()
        self.numbers = itertools.count()
        self.entries, self.users, self.problems = [], [], []
        self.answers = 0
        self.slow = 1  # pauses are so many times longer
        self.affiliates = [story.wallet(seed, 'affiliate', i) for i in range(AFFILIATES)]
        self.ending = threading.Event()
        self.threads = []

    def start(self):
        self.ending.clear()
        choosers = (random.Random(f'{self.seed} {i}') for i in range(SENDERS))
        self.threads = [threading.Thread(target=self.send, args=(chooser,))
                        for chooser in choosers]
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.ending.set()
        for thread in self.threads:
            thread.join()
        self.seed += ' on'  # another start does other things

    def send(self, chooser):
        names, weights = zip(*DEEDS)
        while not self.ending.is_set():
            deed = chooser.choices(names, weights)[0]
            if len(self.users) < CHILDREN_AT_START:
                deed = 'register'
            try:
                getattr(self, deed)(chooser)
            except ApiError as error:
                self.problems.append(str(error))
                return
            self.answers += 1
            self.ending.wait(chooser.uniform(0, PAUSE_S_MAX) * self.slow)

    def check(self):
        """Raises what went wrong in a sender."""
        if self.problems:
            raise ApiError('; '.join(self.problems))

    def number(self):
        with self.lock:
            return next(self.numbers)

    # ---- deeds

    def add_user(self, chooser, referrer):
        number = self.number()
        user = story.User(story.wallet(self.seed, 'child', number), referrer,
                          chooser.choice(PROGRAMS), chooser.random() < 0.5)
        expect_answer(f'user {user.wallet}', self.api.register(user), {200, 201, 202})
        with self.lock:
            self.users.append(user)
        return user

    def register(self, chooser):
        self.add_user(chooser, chooser.choice(self.affiliates))

    def stranger(self, chooser):
        """A payment of a customer whom nobody referred."""
        self.take(self.new_payment(chooser, self.add_user(chooser, None)))

    def new_payment(self, chooser, user, forms=story.FORMS):
        return story.payment(chooser, self.number(), chooser.choice(forms), user)

    def take(self, payment, **marks):
        answer = self.api.pay(payment, f'evt-{payment.payment_id}', self.key_of(payment))
        expect_answer(f'payment {payment.payment_id}', answer, {200, 201, 202})
        with self.lock:
            self.entries.append(Entry(payment, **marks))
        return answer

    def key_of(self, payment):
        """Every other payment goes with an Idempotency-Key, where its form has one."""
        return f'key-{payment.payment_id}' if payment.amount % 2 else ''

    def pay(self, chooser):
        self.take(self.new_payment(chooser, chooser.choice(self.users)))

    def repeat(self, chooser):
        """An event again, or the same payment under another event: never taken twice."""
        if not self.entries:
            return
        payment = chooser.choice(self.entries).payment
        event_id = f'evt-{payment.payment_id}' + chooser.choice(('', f'-{self.number()}'))
        answer = expect_answer(f'{payment.payment_id} again', self.api.pay(payment, event_id),
                               {200})
        if payment.form != 'direct' and answer.body.get('duplicate') is not True:
            raise ApiError(f'{payment.payment_id} was acknowledged and is new again: {answer.body}')

    def pause(self, chooser):
        """An operator holds all payouts for a moment."""
        for path in ('/v1/admin/pause', '/v1/admin/resume'):
            expect_answer(path, self.api.post(path, {}), {200})
            self.ending.wait(chooser.uniform(0, PAUSED_S_MAX))

    def is_refundable(self, referrer):
        return referrer in self.affiliates[:REFUNDED_AFFILIATES]

    def refund(self, chooser):
        with self.lock:
            recent = self.entries[-chooser.choice((2, 20, 200)):]
            found = [entry for entry in recent if entry.payment.form in webhooks.REFUNDS
                     and self.is_refundable(entry.payment.referrer) and not entry.disputed]
            if not found:
                return
            entry = chooser.choice(found)
            entry.refunded = True  # from now on it may be taken
        self.deliver_refund(entry.payment)

    def dispute(self, chooser):
        """A chargeback, and the news that it was won; either may come first."""
        with self.lock:
            found = [entry for entry in self.entries[-chooser.choice((2, 20, 200)):]
                     if entry.payment.form == 'standard' and not entry.refunded
                     and self.is_refundable(entry.payment.referrer) and not entry.disputed]
            if not found:
                return
            entry = chooser.choice(found)
            entry.disputed = True
        news = ['payment.disputed', 'payment.dispute_won']
        if chooser.random() < 0.2:
            news.reverse()
        for kind in news:
            body = {'type': kind, 'data': {'payment_id': entry.payment.payment_id}}
            event_id = f'evt-{kind[len("payment."):]}-{entry.payment.payment_id}'
            delivery = webhooks.Delivery('standard', event_id, webhooks.encoded(body))
            expect_answer(f'{kind} of {entry.payment.payment_id}', self.api.deliver(delivery),
                          {200, 202})
            self.ending.wait(chooser.uniform(0, DISPUTE_S_MAX))

    def refund_first(self, chooser):
        users = [user for user in self.users if self.is_refundable(user.referrer)]
        if not users:
            return
        payment = self.new_payment(chooser, chooser.choice(users), tuple(webhooks.REFUNDS))
        self.deliver_refund(payment)
        answer = self.take(payment, refunded=True, refund_first=True)
        if answer.body['payment']['state'] != 'refunded':
            raise ApiError(f'a payment whose refund came first is {answer.body}')

    def deliver_refund(self, payment):
        delivery = webhooks.refund_delivery(payment, f'evt-refund-{payment.payment_id}')
        expect_answer(f'refund of {payment.payment_id}', self.api.deliver(delivery), {200, 202})


def wait_until(what, is_so, timeout_s, pause_s=0.05):
    """TimeoutError with what() where it is not so in time."""
    deadline = time.monotonic() + timeout_s
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError(what())
        time.sleep(pause_s)
