# SPDX-License-Identifier: Apache-2.0
"""The console as an operator uses it: the real binary, a real store, a real node.

The environment names the binary (SLUICE), and may name the node (ANVIL).
"""
import base64
import json
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / 'demo'))
from chain import Chain  # noqa: E402
from stack import die_with_parent, free_port, wait_for  # noqa: E402

SLUICE = os.environ['SLUICE']
ANVIL = os.environ.get('ANVIL') or subprocess.run(
    [str(ROOT / 'tools/node-setup'), '--print-anvil'], check=True, capture_output=True,
    text=True).stdout.strip()
COMMAND_TIMEOUT_S = 120
START_TIMEOUT_S = 60
MAPPING_BYTES_MAX = 1 << 32  # the shadow memory of sanitizers is larger and holds no data
# anvil's well-known first accounts; worth nothing anywhere else.
DEPLOYER_KEY = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'
DEPLOYER = '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266'
SECOND = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'
SECOND_KEY = '0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d'
FINE, FAILED, USAGE, SOFTWARE, AGAIN, DENIED, CONFIG = 0, 1, 64, 70, 75, 77, 78
# A dead relayer's lease runs so long; taking over must not wait for it.
LEASE_S = 30
# Files may not grow past so many bytes: the same to SQLite as a full disk.
FULL_DISK = (4096, resource.RLIM_INFINITY)


def survive_full_disk():
    die_with_parent()
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def run(*arguments, directory=None, **environment):
    """A finished command; only what is passed in is in its environment."""
    base = {name: os.environ[name] for name in ('PATH', 'ASAN_OPTIONS', 'UBSAN_OPTIONS')
            if name in os.environ}
    return subprocess.run([SLUICE, *arguments], cwd=directory, env={**base, **environment},
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                          timeout=COMMAND_TIMEOUT_S, preexec_fn=die_with_parent)


def webhook_secret(key):
    return 'whsec_' + base64.b64encode(key).decode()


def want_core():
    die_with_parent()
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (most, most))


def children_of(pid):
    tasks = pathlib.Path(f'/proc/{pid}/task').glob('*/children')
    return [int(child) for task in tasks for child in task.read_text(encoding='utf-8').split()]


def is_sanitized(pid):
    return 'libasan' in pathlib.Path(f'/proc/{pid}/maps').read_text(encoding='utf-8')


def memory_holds(pid, needle):
    """Whether the bytes stand anywhere in the writable memory of a process."""
    maps = pathlib.Path(f'/proc/{pid}/maps').read_text(encoding='utf-8')
    with open(f'/proc/{pid}/mem', 'rb', buffering=0) as memory:
        for start, end in re.findall(r'^(\w+)-(\w+) rw', maps, re.MULTILINE):
            at, end = int(start, 16), int(end, 16)
            while at < end and end - at < MAPPING_BYTES_MAX:
                try:
                    memory.seek(at)
                    chunk = memory.read(min(end - at, 1 << 24))
                except OSError:
                    break
                if not chunk or needle in chunk:
                    return bool(chunk)
                at += len(chunk) if at + len(chunk) == end else len(chunk) - len(needle)
    return False


def answer(listen, path, token=None, body=None):
    """Status, headers and body as one text; an empty one where nobody listens."""
    request = urllib.request.Request(f'http://{listen}{path}', data=body)
    if token:
        request.add_header('Authorization', 'Bearer ' + token)
    try:
        with urllib.request.urlopen(request, timeout=COMMAND_TIMEOUT_S) as reply:
            return f'{reply.status} {reply.headers} {reply.read().decode()}'
    except urllib.error.HTTPError as error:
        return f'{error.code} {error.headers} {error.read().decode()}'
    except OSError:
        return ''


def command_names():
    overview = run('--help').stdout
    return [match.group(1).split() for match in
            re.finditer(r'^  sluice ((?:[a-z]+ )*?[a-z]+) {2,}', overview, re.MULTILINE)]


class CommandLine(unittest.TestCase):
    def test_every_command_explains_itself(self):
        names = command_names()
        self.assertGreater(len(names), 15)
        for name in names:
            with self.subTest(command=name):
                done = run(*name, '--help')
                self.assertEqual(done.returncode, FINE, done.stderr)
                self.assertIn('--json', done.stdout)

    def test_a_wrong_command_line_is_a_usage_error_in_one_line(self):
        for line in (['nonsense'], ['keys', 'nonsense'], ['status', '--nonsense'],
                     ['keys', 'create'], ['status', 'word'], ['deploy', '--key'],
                     ['jobs', 'show', '-1'], ['jobs', 'show', 'x'],
                     ['programs', 'create', 'UPPER', '--commission-bps', '1'],
                     ['programs', 'create', 'p'],
                     ['programs', 'create', 'p', '--commission-bps', '0'],
                     ['programs', 'create', 'p', '--commission-bps', '10001'],
                     ['programs', 'create', 'p', '--commission-bps', '1e3'],
                     ['programs', 'create', 'p', '--commission-bps', '10', '--sge-rate', '1'],
                     ['programs', 'create', 'p', '--commission-bps', '10', '--kind', 'hybrid'],
                     ['keys', 'create', 'k', '--scopes', 'root'], ['pause', 'everything'],
                     ['docs', 'nonsense'], ['rpc', 'classify'], ['rpc', 'classify', 'a', 'b'],
                     ['rpc', 'classify', '--code', 'x', 'm'],
                     ['rpc', 'classify', '--code', '-', 'm'],
                     ['rpc', 'classify', '--code', '', 'm'],
                     ['rpc', 'classify', '--code', '9223372036854775808', 'm'],
                     ['rpc', 'classify', '--data', '0x123', 'm'],
                     ['rpc', 'classify', '--data', 'zz', 'm'],
                     ['rpc', 'classify', '-m']):
            with self.subTest(line=line):
                done = run(*line)
                self.assertEqual(done.returncode, USAGE, done.stdout + done.stderr)
                self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)

    def test_a_missing_or_wrong_setting_stops_the_start_with_one_line_naming_it(self):
        address = '0x' + '11' * 20
        whole = {'CHAIN_ID': '1', 'ETH_RPC_HTTPS': 'http://127.0.0.1:1',
                 'AFFILIATE_PAYOUT_ADDRESS': address, 'AFFILIATE_REGISTRY_ADDRESS': address,
                 'RELAYER_PRIVATE_KEY': DEPLOYER_KEY}
        broken = [(name, None) for name in whole] + [
            ('CHAIN_ID', 'one'), ('ETH_RPC_HTTPS', 'ftp://x'), ('POLL_INTERVAL_MS', '0'),
            ('AFFILIATE_PAYOUT_ADDRESS', '0x12'), ('FINALITY', 'soon'),
            ('AFFILIATE_PAYOUT_ADDRESS', DEPLOYER.replace('f39F', 'F39f')),
            ('RELAYER_PRIVATE_KEY', 'env:NOT_THERE'), ('MAX_FEE_PER_GAS_GWEI', '-1')]
        for name, value in broken:
            with self.subTest(name=name, value=value):
                settings = {k: v for k, v in whole.items() if k != name}
                if value is not None:
                    settings[name] = value
                done = run('relay', **settings)
                self.assertEqual(done.returncode, CONFIG, done.stderr)
                lines = done.stderr.strip().splitlines()
                self.assertEqual(len(lines), 1, done.stderr)
                self.assertIn(name, lines[0])
                self.assertNotIn(DEPLOYER_KEY[2:], done.stderr)


class RpcClassify(unittest.TestCase):
    def classify(self, *arguments):
        done = run('rpc', 'classify', *arguments)
        self.assertEqual(done.returncode, FINE, done.stderr)
        self.assertEqual(done.stderr, '')
        return done.stdout.splitlines()

    def test_every_text_of_the_vector_file_has_its_class(self):
        rows = (ROOT / 'test/vectors/rpc_errors.tsv').read_text(encoding='utf-8').splitlines()[1:]
        self.assertGreater(len(rows), 80)
        for row in rows:
            client, expected, message, _source = row.split('\t')
            for code in ([], ['--code', '-32000']):
                with self.subTest(client=client, message=message, code=code):
                    lines = self.classify(*code, '--', message)
                    self.assertEqual(lines[0], expected)
                    self.assertGreater(len(lines), 1)

    def test_code_message_and_data_are_looked_at_together(self):
        for arguments, expected in (
                (['--code', '-38010', ''], 'nonce_too_low'),
                (['--code=-38010', ''], 'nonce_too_low'),
                ([''], 'unknown'), (['never heard of it'], 'unknown'),
                (['--', '-nonce too low-'], 'nonce_too_low'),
                (['--', '--nonce too low'], 'nonce_too_low'),
                (['--code', '3', '--data', '0x08c379a0', ''], 'revert'),
                (['--code', '3', '--data', '08c379a0', ''], 'revert'),
                (['--data', '0x', 'already known'], 'already_known'),
                (['--data', '', 'already known'], 'already_known')):
            with self.subTest(arguments=arguments):
                self.assertEqual(self.classify(*arguments)[0], expected)

    def test_json_names_class_and_help(self):
        answer = json.loads('\n'.join(self.classify('--json', 'already known')))
        self.assertEqual(answer['class'], 'already_known')
        self.assertEqual(answer['help'], self.classify('already known')[1])


class Directory(unittest.TestCase):
    """A test with a directory and a settings environment of its own."""

    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        self.directory = pathlib.Path(self.temporary.name)
        self.settings = {}

    def sluice(self, *arguments, code=FINE):
        done = run(*arguments, directory=self.directory, **self.settings)
        if code is not None:
            self.assertEqual(done.returncode, code, f'{arguments}: {done.stdout}{done.stderr}')
        if '--json' in arguments and code == FINE:
            return json.loads(done.stdout)
        return done.stdout + done.stderr


class Store(Directory):
    def test_the_store_must_be_migrated_first_and_only_once(self):
        self.assertIn('sluice migrate', self.sluice('status', code=FAILED))
        self.assertGreater(self.sluice('migrate', '--json')['applied'], 0)
        self.assertEqual(self.sluice('migrate', '--json')['applied'], 0)
        self.assertEqual(self.sluice('status', '--json')['holds'], [])

    def test_programs_are_made_listed_and_changed(self):
        self.sluice('migrate')
        made = self.sluice('programs', 'create', 'partners', '--commission-bps', '1250', '--json')
        self.assertEqual((made['kind'], made['commission_bps']), ('usdc', 1250))
        self.sluice('programs', 'create', 'partners', '--commission-bps', '1', code=FAILED)
        self.sluice('programs', 'create', 'mixed', '--kind', 'hybrid', '--commission-bps', '1000',
                    '--sge-rate', '2.5', '--payout-max', '100', '--hold-seconds', '60')
        self.sluice('programs', 'update', 'partners', '--commission-bps', '900', '--deactivate')
        self.sluice('programs', 'update', 'nobody', '--commission-bps', '900', code=FAILED)
        self.sluice('programs', 'update', 'partners', '--sge-rate', '1', code=USAGE)
        rows = {row['name']: row for row in self.sluice('programs', 'list', '--json')}
        self.assertEqual(rows['partners']['commission_bps'], 900)
        self.assertFalse(rows['partners']['active'])
        self.assertEqual((rows['mixed']['sge_rate'], rows['mixed']['payout_max'],
                          rows['mixed']['hold_seconds']), ('2.5', '100', 60))

    def test_an_api_key_is_shown_once_and_can_be_revoked(self):
        self.sluice('migrate')
        key = self.sluice('keys', 'create', 'shop', '--scopes', 'read,write', '--json')['key']
        self.assertRegex(key, r'^sk_[0-9a-f]{64}$')
        self.assertNotIn(key, self.sluice('keys', 'list'))
        stored = b''.join(path.read_bytes() for path in self.directory.iterdir())
        self.assertNotIn(key.encode(), stored)
        self.sluice('keys', 'revoke', 'shop')
        self.sluice('keys', 'revoke', 'shop', code=FAILED)
        self.assertGreater(self.sluice('keys', 'list', '--json')[0]['revoked_ms'], 0)

    def test_pausing_is_one_hold_per_kind_and_repeating_changes_nothing(self):
        self.sluice('migrate')
        self.assertEqual(self.sluice('pause', '--why', 'audit', '--json')['kinds_changed'], 4)
        self.assertEqual(self.sluice('pause', '--json')['kinds_changed'], 0)
        holds = self.sluice('status', '--json')['holds']
        self.assertEqual({(hold['reason'], hold['why']) for hold in holds}, {('paused', 'audit')})
        self.assertEqual(self.sluice('resume', 'payout_usdc', '--json')['kinds_changed'], 1)
        self.assertEqual(self.sluice('resume', '--json')['kinds_changed'], 3)

    def test_an_unknown_job_is_said_to_be_unknown(self):
        self.sluice('migrate')
        self.assertEqual(self.sluice('jobs', 'list', '--json'), [])
        for verb in ('show', 'retry', 'cancel'):
            self.assertIn('no job 7', self.sluice('jobs', verb, '7', code=FAILED))


class Wallet(Directory):
    def setUp(self):
        super().setUp()
        self.settings['KEYSTORE_PASSPHRASE'] = 'correct horse battery'

    def test_a_wallet_is_made_shown_and_never_overwritten(self):
        made = self.sluice('keys', 'wallet', 'create', 'lane', '--json')['address']
        self.assertEqual((self.directory / 'lane').stat().st_mode & 0o777, 0o600)
        self.sluice('keys', 'wallet', 'create', 'lane', code=FAILED)
        self.assertEqual(self.sluice('keys', 'wallet', 'show', 'lane', '--json')['address'], made)

    def test_an_imported_key_keeps_its_address(self):
        self.settings['THE_KEY'] = DEPLOYER_KEY
        made = self.sluice('keys', 'wallet', 'import', 'lane', '--key', 'env:THE_KEY', '--json')
        self.assertEqual(made['address'], DEPLOYER)

    def test_a_wrong_or_missing_passphrase_is_refused(self):
        self.sluice('keys', 'wallet', 'create', 'lane')
        self.settings['KEYSTORE_PASSPHRASE'] = 'incorrect horse'
        self.sluice('keys', 'wallet', 'show', 'lane', code=DENIED)
        self.settings['KEYSTORE_PASSPHRASE'] = 'short'
        self.assertIn('KEYSTORE_PASSPHRASE', self.sluice('keys', 'wallet', 'show', 'lane',
                                                         code=CONFIG))


class OnChain(Directory):
    def setUp(self):
        super().setUp()
        port = free_port()
        self.url = f'http://127.0.0.1:{port}'
        node = subprocess.Popen([ANVIL, '--port', str(port), '--silent'],
                                preexec_fn=die_with_parent, stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL)
        self.addCleanup(node.wait)
        self.addCleanup(node.kill)
        self.chain = Chain(self.url)
        wait_for('the node', self.answers, START_TIMEOUT_S)
        self.settings = {'ETH_RPC_HTTPS': self.url, 'CHAIN_ID': '31337',
                         'DEPLOYER_KEY': DEPLOYER_KEY}
        deployed = self.sluice('deploy', '--test-usdc', '--fund', '5000', '--relayer', SECOND,
                               '--key', 'env:DEPLOYER_KEY', '--write', 'settings', '--json')
        self.contracts = deployed
        self.settings['SLUICE_SETTINGS'] = 'settings'

    def answers(self):
        try:
            return self.chain.request('eth_chainId')
        except OSError:
            return None

    def usdc_of(self, account):
        return self.chain.read_many([(self.contracts['USDC_ADDRESS'], 'balanceOf(address)',
                                      [account])])[0]

    def test_a_deployment_is_funded_and_doctor_finds_it_well(self):
        self.assertEqual(self.usdc_of(self.contracts['AFFILIATE_PAYOUT_ADDRESS']), 5000 * 10 ** 6)
        self.settings.update(RELAYER_PRIVATE_KEY='keystore:lane', KEYSTORE_PASSPHRASE='long enough')
        self.sluice('migrate')
        self.settings['LANE_KEY'] = SECOND_KEY
        self.sluice('keys', 'wallet', 'import', 'lane', '--key', 'env:LANE_KEY')
        findings = self.sluice('doctor', '--json')
        self.assertNotIn('FAIL', [row['verdict'] for row in findings], findings)
        self.settings['KEYSTORE_PASSPHRASE'] = 'another one'
        self.assertIn('passphrase', self.sluice('doctor', code=FAILED))
        self.settings['CHAIN_ID'] = '1'
        self.assertIn('serves chain 31337', self.sluice('doctor', code=FAILED))

    def test_settings_are_never_overwritten_and_nothing_is_sent_then(self):
        before = self.chain.request('eth_getTransactionCount', DEPLOYER, 'latest')
        self.sluice('deploy', '--test-usdc', '--relayer', SECOND, '--key', 'env:DEPLOYER_KEY',
                    '--write', 'settings', code=USAGE)
        self.assertEqual(self.chain.request('eth_getTransactionCount', DEPLOYER, 'latest'), before)

    def test_money_can_be_withdrawn_only_while_paused_and_only_when_asked_for(self):
        withdraw = ['withdraw', '--key', 'env:DEPLOYER_KEY', '--to', SECOND]
        self.assertIn('not paused', self.sluice(*withdraw, '--yes', code=FAILED))
        self.sluice('pause', '--contract', '--key', 'env:DEPLOYER_KEY')
        self.assertIn('--yes', self.sluice(*withdraw, code=USAGE))
        self.assertIn('less than that', self.sluice(*withdraw, '--yes', '--amount', '5001',
                                                    code=FAILED))
        self.assertEqual(self.usdc_of(SECOND), 0)
        self.sluice(*withdraw, '--yes', '--amount', '12.5')
        self.assertEqual(self.usdc_of(SECOND), 12_500_000)
        self.sluice(*withdraw, '--yes')
        self.assertEqual(self.usdc_of(SECOND), 5000 * 10 ** 6)
        self.sluice('resume', '--contract', '--key', 'env:DEPLOYER_KEY')

    def start_service(self, *arguments, prepare=die_with_parent):
        """A running service and the lines of its log, as they come."""
        service = subprocess.Popen([SLUICE, *arguments, '--json'], cwd=self.directory,
                                   env={'PATH': os.environ['PATH'], **self.settings},
                                   stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                   preexec_fn=prepare)
        self.addCleanup(service.stderr.close)
        self.addCleanup(service.wait)
        self.addCleanup(service.kill)
        return service

    def wait_for_line(self, service, message):
        for line in service.stderr:
            if message in line:
                return
        self.fail(f'the service ended without "{message}"')

    def test_one_relayer_works_on_a_store_and_the_next_takes_over_at_once(self):
        self.settings.update(THE_KEY=DEPLOYER_KEY, RELAYER_PRIVATE_KEY='env:THE_KEY')
        self.sluice('migrate')
        first = self.start_service('relay')
        self.wait_for_line(first, 'lane taken')
        self.assertIn('another relayer', self.sluice('relay', code=AGAIN))
        first.kill()
        first.wait()
        start = time.monotonic()
        second = self.start_service('relay')
        self.wait_for_line(second, 'lane taken')
        self.assertLess(time.monotonic() - start, LEASE_S)
        second.terminate()
        self.assertEqual(second.wait(COMMAND_TIMEOUT_S), FINE)

    # fault 65: two relayers with one key, the second by another name of the store
    def test_a_link_to_the_store_does_not_let_a_second_relayer_in(self):
        self.settings.update(THE_KEY=DEPLOYER_KEY, RELAYER_PRIVATE_KEY='env:THE_KEY')
        self.sluice('migrate')
        first = self.start_service('relay')
        self.wait_for_line(first, 'lane taken')
        elsewhere = pathlib.Path(self.directory) / 'elsewhere'
        elsewhere.mkdir()
        os.symlink('../sluice.db', elsewhere / 'link.db')
        self.settings['RELAYER_DB_PATH'] = 'elsewhere/link.db'
        self.assertIn('another relayer', self.sluice('relay', code=AGAIN))

    # fault 70: by way of the whole service: logs, pages, error bodies, memory and a forced core
    def test_no_secret_leaves_the_service_not_even_when_it_dies(self):
        secrets = {
            'STRIPE_WEBHOOK_SECRET': 'stripe-secret-of-this-test',
            'COINBASE_COMMERCE_WEBHOOK_SECRET': 'coinbase-secret-of-this-test',
            'STANDARD_WEBHOOK_SECRET': webhook_secret(b'standard-secret-of-test!'),
            'OUTBOUND_WEBHOOK_SECRET': webhook_secret(b'outbound-secret-of-test!'),
            'THE_KEY': SECOND_KEY,
        }
        listen = f'127.0.0.1:{free_port()}'
        dead = 'http://user:rpc-password@127.0.0.1:1/rpc-key'
        self.settings.update(secrets, RELAYER_PRIVATE_KEY='env:THE_KEY', API_LISTEN=listen,
                             ETH_RPC_HTTPS=f'{self.url},{dead}')
        self.sluice('migrate')
        token = self.sluice('keys', 'create', 'shop', '--json')['key']
        said = []
        with open(self.directory / 'log', 'w+', encoding='utf-8') as log:
            service = subprocess.Popen(
                [SLUICE, 'up', '--json'], cwd=self.directory, stderr=log, stdin=subprocess.DEVNULL,
                env={'PATH': os.environ['PATH'], **self.settings}, preexec_fn=want_core)
            self.addCleanup(service.kill)
            wait_for('the service', lambda: answer(listen, '/readyz').startswith('200'),
                     START_TIMEOUT_S)
            said += [answer(listen, path, token) for path in
                     ('/metrics', '/readyz', '/v1/jobs', '/v1/users/0x12', '/nothing')]
            said += [answer(listen, '/v1/webhooks/' + form, token, body=b'{')
                     for form in ('standard', 'stripe', 'coinbase-commerce')]
            said += [self.sluice('status', '--json'), self.sluice('doctor', code=None)]
            signers = children_of(service.pid)
            for pid in (service.pid, *signers):
                limits = pathlib.Path(f'/proc/{pid}/limits').read_text(encoding='utf-8')
                self.assertRegex(limits, r'Max core file size +0 +0 ')
            self.assertEqual(len(signers), 1)
            self.assertFalse(memory_holds(service.pid, bytes.fromhex(SECOND_KEY[2:])))
            if not is_sanitized(service.pid):  # sanitizers copy the environment at the start
                self.assertFalse(memory_holds(service.pid, SECOND_KEY[2:].encode()))
            service.send_signal(signal.SIGABRT)
            _, status = os.waitpid(service.pid, 0)
            service.returncode = -signal.SIGABRT
            self.assertTrue(os.WIFSIGNALED(status) and not os.WCOREDUMP(status))
            log.seek(0)
            said.append(log.read())
        self.assertEqual(list(self.directory.glob('*core*')), [])
        self.assertIn('rpc endpoint', said[-1])  # the dead one was logged, by its host alone
        for secret in (*secrets.values(), SECOND_KEY[2:], token, 'rpc-password', 'rpc-key'):
            for text in said:
                self.assertNotIn(secret, str(text))

    def register(self, key, wallet):
        """The status of the answer."""
        request = urllib.request.Request(
            f"http://{self.settings['API_LISTEN']}/v1/users", method='POST',
            data=json.dumps({'wallet': wallet}).encode(),
            headers={'Authorization': f'Bearer {key}', 'Content-Type': 'application/json'})
        try:
            with urllib.request.urlopen(request, timeout=COMMAND_TIMEOUT_S) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    # fault 63: the process itself ends, and the next one goes on
    def test_a_service_whose_disk_is_full_answers_503_and_ends(self):
        self.settings['API_LISTEN'] = f'127.0.0.1:{free_port()}'
        self.sluice('migrate')
        key = self.sluice('keys', 'create', 'shop', '--scopes', 'write', '--json')['key']
        first = self.start_service('api', prepare=survive_full_disk)
        self.wait_for_line(first, 'the API listens')
        resource.prlimit(first.pid, resource.RLIMIT_FSIZE, FULL_DISK)
        self.assertEqual(self.register(key, SECOND), 503)
        self.assertEqual(first.wait(COMMAND_TIMEOUT_S), SOFTWARE)
        second = self.start_service('api')
        self.wait_for_line(second, 'the API listens')
        self.assertEqual(self.register(key, SECOND), 201)
        second.terminate()
        self.assertEqual(second.wait(COMMAND_TIMEOUT_S), FINE)

    def test_a_store_is_not_used_with_another_payout_contract(self):
        self.settings.update(THE_KEY=DEPLOYER_KEY, RELAYER_PRIVATE_KEY='env:THE_KEY')
        self.sluice('migrate')
        first = self.start_service('relay')
        self.wait_for_line(first, 'lane taken')
        first.terminate()
        self.assertEqual(first.wait(COMMAND_TIMEOUT_S), FINE)
        self.settings['AFFILIATE_PAYOUT_ADDRESS'] = self.contracts['AFFILIATE_REGISTRY_ADDRESS']
        self.assertIn('AFFILIATE_PAYOUT_ADDRESS', self.sluice('relay', code=CONFIG))
        self.sluice('migrate', '--move')
        self.settings['AFFILIATE_PAYOUT_ADDRESS'] = self.contracts['AFFILIATE_PAYOUT_ADDRESS']
        self.assertIn('--move', self.sluice('relay', code=CONFIG))

    def test_a_stranger_can_neither_pause_nor_withdraw(self):
        self.settings['DEPLOYER_KEY'] = '0x' + '11' * 32
        self.chain.request('anvil_setBalance', '0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A',
                           hex(10 ** 18))
        self.assertIn('AccessControlUnauthorizedAccount',
                      self.sluice('pause', '--contract', '--key', 'env:DEPLOYER_KEY', code=FAILED))


if __name__ == '__main__':
    unittest.main()
