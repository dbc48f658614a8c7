# SPDX-License-Identifier: Apache-2.0
"""tools/proofs prints what was recorded, of a commit that is what it says."""
import json
import subprocess
import sys
import unittest

from fixture import ROOT, TreeTest

FOUND = 'by\tbug\tcommit\nmake sim\ta payment was lost\tabc1234\n'


class Proofs(TreeTest):
    def setUp(self):
        super().setUp()
        self.write('test/proofs/found.tsv', FOUND)
        self.write('docs/index.md', 'Documents.\n')

    def proofs(self, *arguments):
        done = subprocess.run([sys.executable, str(ROOT / 'tools' / 'proofs'), *arguments,
                               str(self.root)], capture_output=True, text=True, check=False)
        return done.returncode, done.stderr

    def page(self):
        return (self.root / 'docs/proofs.md').read_text(encoding='utf-8')

    def fault_points(self, **changes):
        facts = {'points': 12166, 'loops': 150, 'programs': {'a': 1}, 'failed': [], 'seconds': 9}
        return json.dumps({**facts, **changes})

    def commit(self):
        self.write('.gitignore', 'build/\n')
        for command in (['init', '-q'], ['add', '-A'],
                        ['-c', 'user.name=t', '-c', 'user.email=t@example.org',
                         '-c', 'commit.gpgsign=false', 'commit', '-qm', 'all']):
            subprocess.run(['git', *command], cwd=self.root, check=True)

    def test_what_was_never_recorded_is_said_to_be_so(self):
        self.assertEqual(self.proofs(), (0, ''))
        row = '| `make kill KILLS=10000` | 10,000 kills | not recorded yet | |'
        self.assertIn(row, self.page())
        self.assertIn('| make sim | a payment was lost | abc1234 |', self.page())

    def test_a_record_keeps_its_commit_and_its_figures(self):
        self.commit()
        self.write('build/fault-points.json', self.fault_points())
        self.assertEqual(self.proofs('--record', 'fault-points'), (0, ''))
        self.assertIn('clean at `', self.page())
        self.assertIn('points that failed in turn: 12,166', self.page())
        self.assertEqual(self.proofs('--check'), (0, ''))

    def test_a_run_that_failed_is_not_called_clean(self):
        self.commit()
        self.write('build/fault-points.json', self.fault_points(failed=['a']))
        self.assertEqual(self.proofs('--record', 'fault-points'), (0, ''))
        self.assertIn('| NOT CLEAN at', self.page())

    def test_a_changed_tree_is_not_recorded(self):
        self.commit()
        self.write('src/new.c', 'not committed')
        self.write('build/fault-points.json', self.fault_points())
        status, said = self.proofs('--record', 'fault-points')
        self.assertEqual(status, 1)
        self.assertIn('commit first', said)

    def test_a_page_that_was_changed_by_hand_is_refused(self):
        self.proofs()
        self.write('docs/proofs.md', self.page() + 'A million more.\n')
        status, said = self.proofs('--check')
        self.assertEqual(status, 1)
        self.assertIn('run tools/proofs', said)


if __name__ == '__main__':
    unittest.main()
