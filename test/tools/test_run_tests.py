# SPDX-License-Identifier: Apache-2.0
"""tools/run-tests counts what the test programs themselves report."""
import importlib.machinery
import importlib.util
import unittest

from fixture import ROOT


def load_tool(name):
    path = str(ROOT / 'tools' / name)
    loader = importlib.machinery.SourceFileLoader(name.replace('-', '_'), path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


run_tests = load_tool('run-tests')
Count = run_tests.Count


def meson_test(result, stdout='', stderr=''):
    return {'result': result, 'stdout': stdout, 'stderr': stderr}


class Counting(unittest.TestCase):
    def test_each_form_of_output_is_counted(self):
        all_passed = '[==========] Running 3 test(s).\n[  PASSED  ] 3 test(s).\n'
        some_failed = ('[  PASSED  ] 2 test(s).\n'
                       '[  FAILED  ] tests: 1 test(s), listed below:\n[  FAILED  ] a_case\n')
        rows = (
            (meson_test('OK', all_passed), Count(3, 0)),
            (meson_test('FAIL', some_failed), Count(2, 1)),
            (meson_test('FAIL', all_passed), Count(3, 1)),  # passed, then a leak was found
            (meson_test('FAIL'), Count(0, 1)),  # crashed
            (meson_test('TIMEOUT'), Count(0, 1)),
            (meson_test('OK'), Count(1, 0)),
            (meson_test('OK', stderr='....\nRan 4 tests in 0.1s\n\nOK\n'), Count(4, 0)),
            (meson_test('FAIL', stderr='Ran 4 tests in 0.1s\n\nFAILED (failures=1, errors=2)\n'),
             Count(1, 3)),
            (meson_test('SKIP'), Count(0, 0)),
        )
        for test, expected in rows:
            with self.subTest(test):
                self.assertEqual(run_tests.count_cases(test), expected)

    def test_contract_totals_are_counted_and_silence_is_a_failure(self):
        rows = (
            ('  12 passing (2s)\n', 0, Count(12, 0)),
            ('  12 passing\n  2 failing\n', 1, Count(12, 2)),
            ('  12 passing\n', 1, Count(12, 1)),
            ('', 0, Count(0, 1)),
            ('', 1, Count(0, 1)),
        )
        for output, status, expected in rows:
            with self.subTest(output):
                self.assertEqual(run_tests.count_contracts(output, status), expected)


if __name__ == '__main__':
    unittest.main()
