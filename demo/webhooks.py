# SPDX-License-Identifier: Apache-2.0
"""Signed deliveries as the three providers make them; and the check of what Sluice sends out."""
import base64
import dataclasses
import hashlib
import hmac
import json


@dataclasses.dataclass(frozen=True)
class Secrets:
    standard: str  # whsec_ + base64
    stripe: str  # used as it is, prefix and all
    coinbase: str


def new_secrets(random_bytes):
    """random_bytes(size) gives that many."""
    return Secrets('whsec_' + base64.b64encode(random_bytes(24)).decode(),
                   'whsec_' + random_bytes(16).hex(), random_bytes(16).hex())


def digest(key, message):
    return hmac.new(key, message, hashlib.sha256)


def standard_signature(secret, event_id, timestamp, body):
    key = base64.b64decode(secret.removeprefix('whsec_'))
    signed = f'{event_id}.{timestamp}.'.encode() + body
    return 'v1,' + base64.b64encode(digest(key, signed).digest()).decode()


def stripe_signature(secret, timestamp, body):
    return digest(secret.encode(), f'{timestamp}.'.encode() + body).hexdigest()


def coinbase_signature(secret, body):
    return digest(secret.encode(), body).hexdigest()


def encoded(body):
    return json.dumps(body, separators=(',', ':')).encode()


def decimal(units, decimals):
    """A whole number of base units as exact decimal text."""
    return f'{units // 10 ** decimals}.{units % 10 ** decimals:0{decimals}d}'


def sign_standard(secrets, event_id, timestamp, body):
    return {'webhook-id': event_id, 'webhook-timestamp': str(timestamp),
            'webhook-signature': standard_signature(secrets.standard, event_id, timestamp, body)}


def sign_stripe(secrets, _, timestamp, body):
    signature = stripe_signature(secrets.stripe, timestamp, body)
    return {'Stripe-Signature': f't={timestamp},v1={signature}'}


def sign_coinbase(secrets, _event_id, _timestamp, body):
    return {'X-CC-Webhook-Signature': coinbase_signature(secrets.coinbase, body)}


def standard_payment(event_id, payment):
    return {'type': 'payment.confirmed',
            'data': {'payment_id': payment.payment_id, 'wallet': payment.child,
                     'amount': decimal(payment.amount, 6), 'program': payment.program.name}}


def standard_refund(event_id, payment):
    return {'type': 'payment.refunded', 'data': {'payment_id': payment.payment_id}}


def stripe_payment(event_id, payment):
    return {'id': event_id, 'object': 'event', 'type': 'payment_intent.succeeded',
            'data': {'object': {
                'id': payment.payment_id, 'object': 'payment_intent', 'currency': 'usd',
                'amount': payment.amount // 10_000, 'amount_received': payment.amount // 10_000,
                'metadata': {'sluice_wallet': payment.child,
                             'sluice_program': payment.program.name}}}}


def stripe_refund(event_id, payment):
    cents = payment.amount // 10_000
    return {'id': event_id, 'object': 'event', 'type': 'charge.refunded',
            'data': {'object': {'id': 'ch_' + payment.payment_id, 'object': 'charge',
                                'payment_intent': payment.payment_id, 'refunded': True,
                                'amount': cents, 'amount_refunded': cents, 'currency': 'usd'}}}


def coinbase_payment(event_id, payment):
    price = {'amount': decimal(payment.amount // 10_000, 2), 'currency': 'USD'}
    return {'id': 'delivery-' + event_id,
            'event': {'id': event_id, 'type': 'charge:confirmed',
                      'data': {'id': payment.payment_id, 'code': payment.payment_id,
                               'metadata': {'sluice_wallet': payment.child,
                                            'sluice_program': payment.program.name},
                               'pricing': {'local': price}}}}


# Form: path, signing, body of a payment.
FORMS = {
    'standard': ('/v1/webhooks/standard', sign_standard, standard_payment),
    'stripe': ('/v1/webhooks/stripe', sign_stripe, stripe_payment),
    'coinbase-commerce': ('/v1/webhooks/coinbase-commerce', sign_coinbase, coinbase_payment),
}
REFUNDS = {'standard': standard_refund, 'stripe': stripe_refund}


@dataclasses.dataclass(frozen=True)
class Delivery:
    """One event of a provider: the same bytes however often it is sent, signed anew each time."""
    form: str
    event_id: str
    body: bytes

    @property
    def path(self):
        return FORMS[self.form][0]

    def headers(self, secrets, timestamp):
        signing = FORMS[self.form][1]
        return {'Content-Type': 'application/json',
                **signing(secrets, self.event_id, timestamp, self.body)}


def payment_delivery(payment, event_id):
    return Delivery(payment.form, event_id, encoded(FORMS[payment.form][2](event_id, payment)))


def refund_delivery(payment, event_id):
    return Delivery(payment.form, event_id, encoded(REFUNDS[payment.form](event_id, payment)))


def is_genuine(secret, headers, body):
    """Whether a webhook from Sluice carries our signature."""
    wants = standard_signature(secret, headers.get('webhook-id', ''),
                               headers.get('webhook-timestamp', ''), body)
    given = headers.get('webhook-signature', '').split(' ')
    return any(hmac.compare_digest(wants, signature) for signature in given)
