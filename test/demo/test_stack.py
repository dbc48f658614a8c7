# SPDX-License-Identifier: Apache-2.0
"""Two stacks never share a directory, and what the merchant heard is kept."""
import json
import os
import pathlib
import tempfile
import unittest

import demo_path  # noqa: F401
import receiver
import stack
import webhooks


class Directories(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.home = pathlib.Path(temporary.name) / 'home'

    def test_a_directory_in_use_is_refused_and_left_alone(self):
        lock = stack.take_directory(self.home)
        (self.home / 'precious').write_text('kept')
        with self.assertRaises(stack.StackBusy):
            stack.take_directory(self.home)
        self.assertEqual((self.home / 'precious').read_text(), 'kept')
        os.close(lock)

    def test_a_directory_left_behind_is_emptied_and_taken(self):
        (self.home / 'old').mkdir(parents=True)
        (self.home / 'old' / 'file').write_text('old')
        os.close(stack.take_directory(self.home))
        self.assertEqual(list(self.home.iterdir()), [])

    def test_only_genuine_webhooks_are_kept(self):
        self.home.mkdir()
        secret = webhooks.new_secrets(bytes).standard
        merchant = receiver.Receiver(secret, self.home / 'kept')
        self.addCleanup(merchant.close)
        body = webhooks.encoded({'type': 'payout.sent'})
        signed = webhooks.sign_standard(webhooks.new_secrets(bytes), 'msg_1', 1, body)
        self.assertTrue(merchant.take(signed, body))
        self.assertFalse(merchant.take({**signed, 'webhook-id': 'msg_2'}, body))
        lines = (self.home / 'kept').read_text().splitlines()
        self.assertEqual([json.loads(line) for line in lines], [{'type': 'payout.sent'}])


if __name__ == '__main__':
    unittest.main()
