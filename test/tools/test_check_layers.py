# SPDX-License-Identifier: Apache-2.0
"""tools/check-layers lets arrows point one way only."""
import unittest

from fixture import TreeTest


class Layers(TreeTest):
    def include(self, layer, line):
        self.write(f'src/{layer}/file.c', line + '\n')

    def test_a_row_above_and_the_own_directory_are_allowed(self):
        for line in ('#include "base/bytes.h"', '#include "store/jobs.h"', '#include <stdio.h>'):
            with self.subTest(line):
                self.include('store', line)
                self.assert_passes('check-layers')

    def test_every_wrong_arrow_is_refused(self):
        rows = (
            ('base', '#include "eth/u256.h"', 'base (row 1) may not include eth, a row below'),
            ('store', '#include "relay/plan.h"', 'may not include relay, a row below'),
            ('api', '#include "relay/relay.h"', 'a stranger in the same row'),
            ('relay', '# include "api/api.h"', 'a stranger in the same row'),
            ('store', '#include "jobs.h"', 'write "store/jobs.h"'),
            ('store', '#include "nowhere/x.h"', 'there is no layer nowhere'),
            ('relay', '#include <sqlite3.h>', 'only db may include it'),
            ('widgets', '', 'src/widgets is in no row'),
        )
        for layer, line, expected in rows:
            with self.subTest(line):
                self.include(layer, line)
                self.assert_refuses('check-layers', expected)
                (self.root / 'src' / layer / 'file.c').unlink()

    def test_an_empty_tree_is_no_success(self):
        self.assertEqual(self.check('check-layers')[0], 1)


if __name__ == '__main__':
    unittest.main()
