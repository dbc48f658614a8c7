# SPDX-License-Identifier: Apache-2.0
"""tools/check-tree refuses broken layout, broken scripts, machine paths and secrets."""
import subprocess
import unittest

from fixture import TreeTest

LICENCE = '# SPDX-License-Identifier: Apache-2.0\n'


class Tree(TreeTest):
    def setUp(self):
        super().setUp()
        subprocess.run(['git', 'init', '-q', str(self.root)], check=True)

    def test_clean_files_pass(self):
        self.write('tools/run', '#!/usr/bin/env bash\n' + LICENCE + 'echo hello\n')
        self.write('a.py', LICENCE + 'x = 1\n')
        self.write('Makefile', LICENCE + 'all:\n\ttrue\n')
        self.write('notes.md', 'Roots live in src/root/trees and ~/work/here.\n')
        self.assert_passes('check-tree')

    def test_each_fault_is_refused(self):
        machine_path = '/' + 'work/main'
        secret = 'AKIA' + 'A' * 16
        private_key = 'private key: 0x' + '1' * 64
        rows = (
            ('a.txt', 'x \n', 'blank or carriage return'),
            ('a.txt', 'x\r\n', 'blank or carriage return'),
            ('a.txt', 'a\tb\n', 'tab'),
            ('a.txt', 'x', 'no newline at the end'),
            ('a.txt', f'see {machine_path}\n', 'path of one machine'),
            ('a.txt', secret + '\n', 'looks like a secret'),
            ('a.txt', private_key + '\n', 'looks like a secret'),
            ('a.py', 'x = 1\n', 'the first comment must be'),
            ('meson.build', 'x = 1\n', 'the first comment must be'),
            ('a.py', LICENCE + 'x = = 1\n', 'python: invalid syntax'),
            ('a.py', LICENCE + 'x = "' + 'y' * 100 + '"\n', '106 columns'),
        )
        for name, text, expected in rows:
            with self.subTest(expected):
                self.write(name, text)
                self.assert_refuses('check-tree', expected)
                (self.root / name).unlink()

    def test_a_script_that_does_not_parse_is_refused(self):
        self.write('run', '#!/usr/bin/env bash\n' + LICENCE + 'if true; then\n')
        status, output = self.check('check-tree')
        self.assertEqual(status, 1)
        self.assertIn('syntax error', output)

    def test_a_known_test_key_passes(self):
        self.write('a.txt', 'private key: 0x' + '1' * 64 + '\n')
        self.write('tools/known-test-keys.txt', '# known\n' + '1' * 64 + '\n')
        self.assert_passes('check-tree')


class Documents(TreeTest):
    def setUp(self):
        super().setUp()
        subprocess.run(['git', 'init', '-q', str(self.root)], check=True)
        self.write('Makefile', 'demo: build ## shows it\n')
        self.write('docs/api.md', '# The API\n\n## Bad input\n')

    def test_links_that_lead_somewhere_pass(self):
        self.write('README.md', '[a](docs/api.md) [b](docs/api.md#bad-input) [c](https://x.org/y)\n'
                                '\n    make demo\n')
        self.assert_passes('check-docs')

    def test_each_wrong_reference_is_refused(self):
        rows = (
            ('[a](docs/none.md)', 'link leads nowhere: docs/none.md'),
            ('[a](docs/api.md#none)', 'no such heading: docs/api.md#none'),
            ('run `make dmeo` now', 'there is no make target dmeo'),
        )
        for text, expected in rows:
            with self.subTest(text):
                self.write('README.md', text + '\n')
                self.assert_refuses('check-docs', expected)


if __name__ == '__main__':
    unittest.main()
