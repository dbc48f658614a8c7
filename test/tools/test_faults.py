# SPDX-License-Identifier: Apache-2.0
"""tools/faults joins rows, markers and results, and refuses what does not add up."""
import json
import subprocess
import sys
import unittest

from fixture import HEAD, ROOT, TreeTest

# In two parts: what stands in this file is no marker.
MARK = '// ' + 'fault '
HASH = '# ' + 'fault '
ROWS = ('number\tgroup\tfault\tmust\twhy_no_test\n'
        '1\tA\tkilled\tthe same nonce\n'
        '2\tE\tvault down\twaits\tthere is no vault\n')
C_TEST = HEAD + MARK + '1: killed after the reserve\nstatic void it_is_killed(void **state)\n{\n}\n'
PASSED = '[ RUN      ] it_is_killed\n[       OK ] it_is_killed\n'


class Faults(TreeTest):
    def setUp(self):
        super().setUp()
        self.write('test/faults.tsv', ROWS)
        self.write('test/unit/job/job_test.c', C_TEST)
        self.write('docs/index.md', 'Documents.\n')

    def log(self, *runs):
        """What the last run left: (command, result, output) for each program."""
        lines = [json.dumps({'command': command, 'result': result, 'stdout': output})
                 for command, result, output in runs]
        self.write('build-asan/meson-logs/testlog.json', '\n'.join(lines) + '\n')
        self.write('build-asan/meson-logs/commit.txt', 'abc1234\n')

    def faults(self, *arguments):
        done = subprocess.run([sys.executable, str(ROOT / 'tools' / 'faults'), *arguments,
                               str(self.root)], capture_output=True, text=True, check=False)
        self.assertEqual(done.stderr, '')
        return done.returncode, done.stdout

    def assert_written(self):
        self.assertEqual(self.faults(), (0, ''))

    def assert_refused(self, expected, *arguments):
        status, output = self.faults(*arguments)
        self.assertIn(expected, output)
        self.assertEqual(status, 1)

    def page(self):
        return (self.root / 'docs/faults.md').read_text(encoding='utf-8')

    def test_the_page_joins_rows_tests_and_the_run(self):
        self.log((['/x/job_job_test'], 'OK', PASSED))
        self.assert_written()
        self.assertIn('| 1 | killed | the same nonce | [job_test.c](../test/unit/job/job_test.c)'
                      ' `it_is_killed` | passed |', self.page())
        self.assertIn('| 2 | vault down | waits | none: there is no vault | - |', self.page())
        self.assertIn('Results: `make test` on commit `abc1234`.', self.page())
        self.assertEqual(self.faults('--check'), (0, ''))

    def test_only_a_test_that_ran_and_passed_is_written(self):
        own, other = ['/x/job_job_test'], ['/x/job_slot_test']
        failed = '[  FAILED  ] it_is_killed\n'
        rows = (
            ([(own, 'FAIL', failed)], 'it_is_killed: failed'),
            ([(own, 'FAIL', PASSED)], 'it_is_killed: failed'),  # then a leak was found
            ([(own, 'OK', '[       OK ] another\n')], 'it_is_killed: did not run'),
            ([(other, 'OK', PASSED)], 'it_is_killed: did not run'),
            ([(own, 'OK', '[  SKIPPED ] it_is_killed\n')], 'it_is_killed: failed'),
        )
        for runs, expected in rows:
            with self.subTest(expected):
                self.log(*runs)
                self.assert_refused(expected)
                self.assertFalse((self.root / 'docs/faults.md').exists())

    def test_without_a_run_nothing_is_written(self):
        self.assert_refused('there are no results')

    def test_each_kind_of_test_program_is_understood(self):
        python, script = str(self.root / 'test/tools'), str(self.root / 'test/kill/run')
        seeds = str(self.root / 'build-asan/test/sim/seeds')
        rows = (
            ('test/tools/test_x.py', f'class X:\n    {HASH}1: x\n    def test_it(self):\n',
             (['python3', 'discover', '-s', python], 'OK', 'test_it (test_x.X.test_it) ... ok\n')),
            ('test/kill/test_y.py', f'class X:\n    {HASH}1: x\n    def test_it(self):\n',
             (['python3', '-m', 'unittest', 'test_y'], 'OK', 'test_it (y.X.test_it) ... ok\n')),
            ('test/api/test_z.py', f'class X:\n    {HASH}1: x\n    def test_it(self):\n',
             (['python3', f'{self.root}/build-asan/../test/api/test_z.py'], 'OK',
              'test_it (__main__.X.test_it) ... ok\n')),
            ('test/kill/run', f'{HASH}1: x\nkill_it() {{\n', ([script], 'OK', '10 kills\n')),
            ('test/sim/world.c', C_TEST, ([seeds], 'OK', '')),
        )
        for name, text, run in rows:
            with self.subTest(name):
                self.write(name, text)
                self.log((['/x/job_job_test'], 'OK', PASSED))
                self.assert_refused('did not run')
                self.log((['/x/job_job_test'], 'OK', PASSED), run)
                self.assert_written()
                (self.root / name).unlink()

    def test_a_python_case_that_failed_or_was_skipped_is_seen(self):
        self.write('test/tools/test_x.py', f'class X:\n    {HASH}1: x\n    def test_it(self):\n')
        command = ['python3', 'discover', '-s', str(self.root / 'test/tools')]
        for verdict in ('FAIL\nFAIL: test_it (test_x.X.test_it)', "skipped 'no node'"):
            with self.subTest(verdict):
                self.log((['/x/job_job_test'], 'OK', PASSED),
                         (command, 'OK', f'test_it (test_x.X.test_it) ... {verdict}\n'))
                self.assert_refused('test_it: failed')

    def test_contract_cases_are_found_by_file_and_name(self):
        self.write('contracts/test/solidity/A.t.sol',
                   f'    {MARK}1: x\n    function testFuzzOnce(uint256 x) public {{\n')
        self.write('contracts/test/integration/a.test.ts',
                   f'  {MARK}1: x\n  it(`pays ${{once}}`, async () => {{\n')
        solidity = '  test/solidity/A.t.sol:ATest\n    {} testFuzzOnce(uint256) (runs: 256)\n'
        node = 'Running node:test tests\n    {} pays one time (81ms)\n'
        self.log((['/x/job_job_test'], 'OK', PASSED))
        rows = (
            (solidity.format('✔') + node.format('✔'), None),
            (solidity.format('1)') + node.format('✔'), 'testFuzzOnce: failed'),
            (solidity.format('✔'), 'pays ${once}: did not run'),
        )
        for output, refusal in rows:
            with self.subTest(output):
                self.write('build-asan/meson-logs/contracts.txt', output)
                if refusal:
                    self.assert_refused(refusal)
                else:
                    self.assert_written()

    def test_a_name_below_its_type_and_a_comment_of_several_lines_are_found(self):
        self.write('test/unit/job/job_test.c',
                   HEAD + MARK + '1: x\n// after it\nstatic void\nit_is_killed(void **state)\n')
        self.log((['/x/job_job_test'], 'OK', PASSED))
        self.assert_written()
        self.assertIn('`it_is_killed` | passed', self.page())

    def test_markers_that_say_nothing_are_refused(self):
        function = 'static void it_dies(void **state)\n'
        rows = (
            (f'{MARK}71: x\n{function}', 'there is no fault 71'),
            (f'{MARK}1: x\n\n{function}', 'stands above no test function'),
            (f'{MARK}1: x\nint x = 1;\n', 'stands above no test function'),
            (f'{MARK}1\n{function}', 'write it as'),
            (f'{MARK.replace("f", "F")}1: x\n{function}', 'write it as'),
        )
        for text, expected in rows:
            with self.subTest(text):
                self.write('test/unit/job/slot_test.c', text)
                self.assert_refused(expected, '--check')

    def test_a_row_without_a_test_is_listed_and_keeps_the_page_away(self):
        self.write('test/faults.tsv', ROWS + '3\tA\thalted\twaits\tno reason helps here\n')
        self.log((['/x/job_job_test'], 'OK', PASSED))
        self.assertEqual(self.faults('--missing'), (0, '3\tA\thalted\n'))
        self.assertEqual(self.faults('--check'), (0, ''))  # no page yet
        self.assert_refused('no test names: 3')

    def test_a_page_that_the_markers_have_left_behind_is_refused(self):
        self.log((['/x/job_job_test'], 'OK', PASSED))
        self.assert_written()
        self.write('test/unit/job/slot_test.c', C_TEST.replace('it_is_killed', 'it_is_killed_too'))
        self.assert_refused('is not what the markers say', '--check')
        (self.root / 'test/unit/job/slot_test.c').unlink()
        self.write('test/unit/job/job_test.c', HEAD)
        self.assert_refused('no test names fault 1', '--check')


if __name__ == '__main__':
    unittest.main()
