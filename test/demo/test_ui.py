# SPDX-License-Identifier: Apache-2.0
"""What is drawn on a terminal and what is printed elsewhere."""
import io
import os
import unittest
from unittest import mock

import demo_path  # noqa: F401
import ui

COUNTS = {'accepted': 4, 'sent': 3, 'mined': 2, 'final': 1}


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Drawing(unittest.TestCase):
    def drawn(self, stream, environment):
        with mock.patch.dict(os.environ, environment, clear=True):
            ui.Progress(stream, now=lambda: 5.0).show(COUNTS, 4)
        return stream.getvalue()

    def test_a_terminal_gets_a_bar_in_colour(self):
        text = self.drawn(Terminal(), {'TERM': 'xterm'})
        self.assertTrue(text.startswith('\r\033['))
        self.assertIn('[#######.......................] payouts 1/4 final', text)

    def test_no_color_and_dumb_terminals_are_respected(self):
        for environment in ({'NO_COLOR': '1'}, {'TERM': 'dumb'}):
            with self.subTest(environment):
                self.assertNotIn('\033', self.drawn(Terminal(), environment))

    def test_elsewhere_plain_lines_come_when_something_changed(self):
        stream, clock = io.StringIO(), mock.Mock(return_value=0.0)
        progress = ui.Progress(stream, now=clock)
        for moment, counts in ((0, COUNTS), (1, {**COUNTS, 'final': 2}), (3, COUNTS),
                               (6, {**COUNTS, 'final': 4})):
            clock.return_value = moment
            progress.show(counts, 4)
        self.assertEqual(stream.getvalue(),
                         'payouts 1/4 final, 2 mined, 3 sent, 4 accepted, 3 s\n'
                         'payouts 4/4 final, 2 mined, 3 sent, 4 accepted, 6 s\n')

    def test_what_is_awaited_is_said_once_all_is_mined(self):
        progress = ui.Progress(io.StringIO(), now=lambda: 5.0, awaited='waiting for 3')
        for mined, final, says in ((3, 0, False), (4, 0, True), (4, 3, True), (4, 4, False)):
            with self.subTest(mined=mined, final=final):
                text = progress.text({**COUNTS, 'mined': mined, 'final': final}, 4)
                self.assertEqual(text.endswith(', waiting for 3'), says)

    def test_bars_are_full_only_at_the_end(self):
        self.assertEqual([ui.bar(done, 3, 4) for done in range(4)],
                         ['....', '#...', '##..', '####'])
        self.assertEqual(ui.bar(0, 0, 4), '####')


class Tables(unittest.TestCase):
    def test_numbers_stand_to_the_right(self):
        self.assertEqual(list(ui.table(('name', 'USDC'), [('a', '1.5'), ('bc', '12.25')])),
                         ['name   USDC', 'a       1.5', 'bc    12.25'])

    def test_decimals_are_exact_and_aligned(self):
        for amounts, wants in (([], []), ([0], ['0.00']),
                               ([1_500_000, 7], ['1.500000', '0.000007']),
                               ([12_340_000, 1_200_000], ['12.34', '1.20'])):
            with self.subTest(amounts):
                self.assertEqual(ui.aligned(amounts, 6), wants)

    def test_long_texts_lose_their_middle(self):
        self.assertEqual(ui.short('0x123456789abcdef', 9), '0x12…cdef')
        self.assertEqual(ui.short('0x1234', 9), '0x1234')


if __name__ == '__main__':
    unittest.main()
