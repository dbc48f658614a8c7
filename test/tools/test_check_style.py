# SPDX-License-Identifier: Apache-2.0
"""tools/check-style refuses each thing it bans, and nothing else."""
import unittest

from fixture import HEAD, TreeTest

SWITCH = HEAD + '''
int verb(int value)
{
    switch (value) {
    case %s:
        return 1;
    default:
        return 0;
    }
}
'''


def function(name, lines):
    """A function of so many lines, from its opening to its closing brace."""
    return f'\nint {name}(void)\n{{\n' + '    ;\n' * (lines - 2) + '}\n'


class Style(TreeTest):
    def test_clean_sources_pass(self):
        bodies = (
            '// sprintf(out), float and default: in a comment\n',
            'const char *text = "strcpy(a, b) .units float"; /* rand() */\n',
            'int x = object.strtok(1); int my_atoi(int);\n',
            function('fits', 60),
        )
        for body in bodies:
            with self.subTest(body[:40]):
                self.write('src/base/file.c', HEAD + body)
                self.assert_passes('check-style')

    def test_each_banned_thing_is_refused(self):
        rows = (
            ('int x = atoi(text);', 'atoi is banned; use a checked parser'),
            ('strcpy(a, b);', 'strcpy is banned; use snprintf'),
            ('x = strtok (a, b);', 'strtok is banned'),
            ('void *p = alloca(4);', 'alloca is banned'),
            ('x = rand();', 'rand is banned; use random_below'),
            ('double price;', 'floating point outside src/observe'),
            ('x = (float)y;', 'floating point'),
            ('x = amount.units;', 'only base/money.c touches .units'),
            ('x = amount->units;', 'only base/money.c touches .units'),
            ('x' * 101, '101 columns'),
        )
        for line, expected in rows:
            with self.subTest(line):
                self.write('src/base/file.c', HEAD + line + '\n')
                self.assert_refuses('check-style', expected)

    def test_places_with_a_licence_to_do_it_pass(self):
        self.write('src/observe/histogram.c', HEAD + 'double unit;\n')
        self.write('src/base/money.c', HEAD + 'x = amount.units;\n')
        self.assert_passes('check-style')

    def test_the_head_of_a_file_is_fixed(self):
        rows = (
            ('src/base/a.c', '// A purpose.\nint x;\n', 'the first line must be'),
            ('src/base/a.c', HEAD.split('\n')[0] + '\n#include <a.h>\n', 'the one purpose'),
            ('src/base/a.h', HEAD + 'int x;\n', '#pragma once'),
        )
        for name, text, expected in rows:
            with self.subTest(expected):
                self.write(name, text)
                status, output = self.check('check-style')
                self.assertEqual(status, 1)
                self.assertIn(expected, output)
                (self.root / name).unlink()

    def test_a_switch_over_an_enum_has_no_default(self):
        self.write('src/base/file.c', SWITCH % 'JOB_QUEUED')
        self.assert_refuses('check-style', 'no default: in a switch over an enum')
        for open_set in ("'a'", '7', 'SQLITE_BUSY', 'EINTR'):
            with self.subTest(open_set):
                self.write('src/base/file.c', SWITCH % open_set)
                self.assert_passes('check-style')

    def test_a_unit_test_mirrors_a_source(self):
        self.write('test/unit/eth/rlp_test.c', HEAD)
        self.assert_refuses('check-style', 'there is no src/eth/rlp.c or .h')
        self.write('src/eth/rlp.c', HEAD)
        self.assert_passes('check-style')


class Ratchet(TreeTest):
    def setUp(self):
        super().setUp()
        self.ratchet = self.root / 'tools/long-functions.txt'

    def allow(self, lines):
        self.write('tools/long-functions.txt', f'# head\nsrc/base/a.c long_one {lines}\n')

    def define(self, lines):
        self.write('src/base/a.c', HEAD + function('long_one', lines))

    def test_a_long_function_is_refused(self):
        self.define(61)
        self.assert_refuses('check-style', 'src/base/a.c:4: long_one has 61 lines; 60 at most')

    def test_a_listed_one_may_stay_but_not_grow(self):
        self.allow(70)
        self.define(70)
        self.assert_passes('check-style')
        self.define(71)
        self.assert_refuses('check-style', 'long_one has 71 lines; 70 at most')

    def test_a_shorter_one_must_be_lowered_and_update_does_it(self):
        self.allow(70)
        self.define(65)
        self.assert_refuses('check-style', 'shorter than 70 lines')
        self.assertEqual(self.check('check-style', '--update'), (0, ''))
        self.assertIn('src/base/a.c long_one 65\n', self.ratchet.read_text())
        self.assert_passes('check-style')

    def test_update_never_raises_or_adds(self):
        self.allow(70)
        self.define(80)
        self.assertEqual(self.check('check-style', '--update')[0], 1)
        self.assertIn('src/base/a.c long_one 70\n', self.ratchet.read_text())


if __name__ == '__main__':
    unittest.main()
