# SPDX-License-Identifier: Apache-2.0
"""A small tree in a temporary directory, and one of our checks run over it."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEAD = '// SPDX-License-Identifier: Apache-2.0\n// Stands in for a real file.\n'


class TreeTest(unittest.TestCase):
    """Each test lays out files, runs the check, and looks at what it says."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = pathlib.Path(directory.name)

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding='utf-8')

    def check(self, tool, *arguments):
        """Exit status and output of tools/TOOL over the tree."""
        done = subprocess.run([sys.executable, str(ROOT / 'tools' / tool), *arguments,
                               str(self.root)], capture_output=True, text=True, check=False)
        self.assertEqual(done.stderr, '')
        return done.returncode, done.stdout

    def assert_passes(self, tool):
        self.assertEqual(self.check(tool), (0, ''))

    def assert_refuses(self, tool, expected):
        status, output = self.check(tool)
        self.assertIn(expected, output)
        self.assertEqual(len(output.splitlines()), 1, output)
        self.assertEqual(status, 1)
