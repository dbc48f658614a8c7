# SPDX-License-Identifier: Apache-2.0
"""Signatures against published answers, and the bodies the providers send."""
import json
import unittest

import demo_path  # noqa: F401
import webhooks
from expect import Program
from scenario import Payment

STANDARD_SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
EVENT = b'{"id":"evt_1","object":"event"}'
SECRETS = webhooks.Secrets(STANDARD_SECRET, 'whsec_test_secret', 'cc_secret')
CHILD = '0x' + '11' * 20


def payment(form):
    return Payment('pay-1', form, CHILD, None, Program('gold', 'usdc', 1000), 12_500_000)


class Signatures(unittest.TestCase):
    def test_standard_webhooks(self):
        signature = webhooks.standard_signature(
            STANDARD_SECRET, 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1614265330, b'{"test": 2432232314}')
        self.assertEqual(signature, 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')

    def test_stripe_uses_the_secret_as_it_is(self):
        self.assertEqual(webhooks.stripe_signature('whsec_test_secret', 1495999758, EVENT),
                         '24f925435737f9f3908128f6b7109880c2c8e23c03dd98579f576a16226c554a')

    def test_coinbase_commerce_signs_the_body_alone(self):
        self.assertEqual(webhooks.coinbase_signature('cc_secret', EVENT),
                         '5d952eb46f1e985c91ef0431aa5df0ee9ea31b035c1904167736b696d6f9e113')

    def test_each_form_sends_its_own_headers(self):
        rows = (('standard', {'webhook-id', 'webhook-timestamp', 'webhook-signature'}),
                ('stripe', {'Stripe-Signature'}),
                ('coinbase-commerce', {'X-CC-Webhook-Signature'}))
        for form, names in rows:
            with self.subTest(form):
                delivery = webhooks.payment_delivery(payment(form), 'evt-1')
                self.assertEqual(delivery.path, f'/v1/webhooks/{form}')
                self.assertEqual(set(delivery.headers(SECRETS, 1)) - {'Content-Type'}, names)

    def test_a_webhook_of_ours_is_genuine_and_a_changed_one_is_not(self):
        body = b'{"type":"payout.confirmed"}'
        headers = webhooks.sign_standard(SECRETS, 'msg_1', 1614265330, body)
        rotated = {**headers, 'webhook-signature': 'v1,b2xk ' + headers['webhook-signature']}
        self.assertTrue(webhooks.is_genuine(STANDARD_SECRET, headers, body))
        self.assertTrue(webhooks.is_genuine(STANDARD_SECRET, rotated, body))
        self.assertFalse(webhooks.is_genuine(STANDARD_SECRET, headers, body + b' '))
        self.assertFalse(webhooks.is_genuine(STANDARD_SECRET, {**headers, 'webhook-id': 'x'}, body))
        self.assertFalse(webhooks.is_genuine(STANDARD_SECRET, {}, body))


class Bodies(unittest.TestCase):
    def body(self, form):
        return json.loads(webhooks.payment_delivery(payment(form), 'evt-1').body)

    def test_amounts_are_in_each_providers_own_unit(self):
        self.assertEqual(self.body('standard')['data']['amount'], '12.500000')
        self.assertEqual(self.body('stripe')['data']['object']['amount_received'], 1250)
        self.assertEqual(self.body('coinbase-commerce')['event']['data']['pricing']['local'],
                         {'amount': '12.50', 'currency': 'USD'})

    def test_a_refund_names_its_payment(self):
        for form, where in (('standard', ('data', 'payment_id')),
                            ('stripe', ('data', 'object', 'payment_intent'))):
            with self.subTest(form):
                found = json.loads(webhooks.refund_delivery(payment(form), 'evt-2').body)
                for key in where:
                    found = found[key]
                self.assertEqual(found, 'pay-1')

    def test_decimals_are_exact(self):
        rows = ((0, 6, '0.000000'), (1, 6, '0.000001'), (12_500_000, 6, '12.500000'),
                (10 ** 40 + 1, 18, '1' + '0' * 22 + '.' + '0' * 17 + '1'))
        for units, decimals, text in rows:
            with self.subTest(text):
                self.assertEqual(webhooks.decimal(units, decimals), text)


if __name__ == '__main__':
    unittest.main()
