# SPDX-License-Identifier: Apache-2.0
"""Requests to Sluice's API as a merchant's server and a payment provider make them."""
import dataclasses
import http.client
import json
import threading
import time

import webhooks

REQUEST_TIMEOUT_S = 10
DELIVERY_PAUSE_S = 0.1
DELIVERY_DEADLINE_S = 60
# Answers after which a provider delivers again: the request may not have been taken.
RETRIED = {408, 425, 429, 500, 502, 503, 504}
RETRIED_CODES = {'idempotency_key_running'}  # the first try of a request goes on without us


class ApiError(Exception):
    pass


@dataclasses.dataclass(frozen=True)
class Answer:
    status: int
    body: dict

    @property
    def code(self):
        return self.body.get('code', '')


class Api:
    pause_s = DELIVERY_PAUSE_S
    deadline_s = DELIVERY_DEADLINE_S

    def __init__(self, port, key, secrets):
        self.port, self.key, self.secrets = port, key, secrets
        self.given_up = threading.Event()  # set: nobody waits for answers any more

    def once(self, method, path, body=b'', headers=None):
        """One request; OSError or HTTPException where there is no answer."""
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=REQUEST_TIMEOUT_S)
        try:
            connection.request(method, path, body or None, headers or {})
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        try:
            parsed = json.loads(text) if text else {}
        except ValueError:
            parsed = {'text': text.decode(errors='replace')}
        return Answer(response.status, parsed)

    def until_answered(self, make_request):
        """Repeats until there is an answer that stands, as every provider does."""
        deadline = time.monotonic() + self.deadline_s
        while True:
            try:
                answer = make_request()
                if answer.status not in RETRIED and answer.code not in RETRIED_CODES:
                    return answer
                problem = f'{answer.status} {answer.body}'
            except (OSError, http.client.HTTPException) as error:
                problem = repr(error)
            if self.given_up.is_set() or time.monotonic() > deadline:
                raise ApiError(f'no answer within {self.deadline_s} s; the last: {problem}')
            time.sleep(self.pause_s)

    def own_headers(self, idempotency_key=''):
        once = {'Idempotency-Key': idempotency_key} if idempotency_key else {}
        return {'Authorization': f'Bearer {self.key}', 'Content-Type': 'application/json', **once}

    def get(self, path):
        return self.once('GET', path, headers=self.own_headers())

    def post(self, path, body, idempotency_key=''):
        encoded, headers = webhooks.encoded(body), self.own_headers(idempotency_key)
        return self.until_answered(lambda: self.once('POST', path, encoded, headers))

    def deliver(self, delivery, secrets=None, age_s=0):
        """Sends a provider's event until it is answered, signed anew each time."""
        def send():
            headers = delivery.headers(secrets or self.secrets, int(time.time()) - age_s)
            return self.once('POST', delivery.path, delivery.body, headers)
        return self.until_answered(send)

    def register(self, user):
        body = {'wallet': user.wallet, 'program': user.program.name, 'mint': user.mint}
        referral = {'referrer': user.referrer} if user.referrer else {}
        return self.post('/v1/users', {**body, **referral})

    def pay(self, payment, event_id, idempotency_key=''):
        """Delivers a payment in the form it takes; only the direct form knows idempotency keys."""
        if payment.form == 'direct':
            return self.post('/v1/payments', {
                'id': payment.payment_id, 'wallet': payment.child,
                'amount': webhooks.decimal(payment.amount, 6), 'program': payment.program.name},
                idempotency_key)
        return self.deliver(webhooks.payment_delivery(payment, event_id))


def expect_answer(what, answer, statuses, code=''):
    if answer.status not in statuses or (code and answer.code != code):
        wants = '/'.join(map(str, sorted(statuses))) + (f' {code}' if code else '')
        raise ApiError(f'{what}: expected {wants}, got {answer.status} {answer.body}')
    return answer
