# SPDX-License-Identifier: Apache-2.0
"""The processes: anvil, the console's one-off commands, and `sluice up`. None outlives us."""
import ctypes
import fcntl
import json
import os
import pathlib
import secrets
import shutil
import signal
import socket
import subprocess
import time

import webhooks
from api import Api
from chain import Chain
from receiver import Receiver

ROOT = pathlib.Path(__file__).resolve().parents[1]
CHAIN_ID = 31337
CONFIRMATIONS = 3
FUND_USDC = 1_000_000
LANE_WEI = 1000 * 10 ** 18
# anvil's well-known first account; worth nothing anywhere else.
DEPLOYER_KEY = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'

COMMAND_TIMEOUT_S = 60
START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 15
LOG_LINES_SHOWN = 40
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)


class StackError(Exception):
    pass


class StackBusy(StackError):
    """Another stack runs in the same directory, which stays as it is."""


def die_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def free_port():
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        return listener.getsockname()[1]


def wait_for(what, is_there, timeout_s):
    """Asks until is_there() gives something true, and returns that."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        found = is_there()
        if found:
            return found
        time.sleep(0.05)
    raise StackError(f'{what} took more than {timeout_s} s')


def tail(path):
    """The last lines of a log, for the person who has to find out."""
    lines = path.read_text(errors='replace').splitlines() if path.exists() else []
    return '\n'.join(f'    {line}' for line in lines[-LOG_LINES_SHOWN:])


def take_directory(home):
    """Empties the directory and locks it until the returned descriptor is closed, or we end."""
    home.mkdir(mode=0o700, exist_ok=True)
    lock = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise StackBusy(f'another one runs in {home.name}; stop it first') from None
    for entry in home.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    return lock


class Stack:
    """Everything that runs, with its files in `home`, a directory of its own.

    Start from the main thread: children die with the starting thread.
    """

    ANVIL_OPTIONS = ('--block-time', '1')

    def __init__(self, home, binary=ROOT / 'build/sluice'):
        self.home = home
        self.binary = str(binary)
        self.lock = take_directory(home)
        self.log = home / 'sluice.log'
        self.settings_path = home / 'settings'
        self.processes = []
        self.sluice = None
        self.kills = 0
        self.secrets = webhooks.new_secrets(secrets.token_bytes)
        self.outbound_secret = webhooks.new_secrets(secrets.token_bytes).standard
        self.receiver = Receiver(self.outbound_secret, home / 'webhooks.jsonl')
        self.port = free_port()
        self.contracts = {}

    # ---- processes

    def spawn(self, command, log, **environment):
        """A process group of its own, so that all of it can be ended."""
        with open(log, 'ab') as output:
            process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment},
                                       stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                       start_new_session=True, preexec_fn=die_with_parent)
        self.processes.append(process)
        return process

    def command(self, *arguments, **environment):
        """A console command, run to its end; the JSON it prints, if any."""
        done = subprocess.run([self.binary, *arguments], cwd=ROOT, check=False,
                              env={**os.environ, 'SLUICE_SETTINGS': str(self.settings_path),
                                   **environment},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=COMMAND_TIMEOUT_S, preexec_fn=die_with_parent)
        if done.returncode != 0:
            raise StackError(f'sluice {" ".join(arguments)} failed ({done.returncode}): '
                             f'{(done.stderr or done.stdout).strip()}')
        return json.loads(done.stdout) if '--json' in arguments else None

    # ---- the chain

    def start_chain(self):
        found = subprocess.run([str(ROOT / 'tools/node-setup'), '--print-anvil'], check=True,
                               capture_output=True, text=True)
        port = free_port()
        self.rpc_url = f'http://127.0.0.1:{port}'
        self.chain = Chain(self.rpc_url)
        self.anvil = self.spawn([found.stdout.strip(), '--host', '127.0.0.1', '--port', str(port),
                                 '--chain-id', str(CHAIN_ID), '--gas-limit', '300000000',
                                 '--order', 'fifo', '--accounts', '10', '--silent',
                                 *self.ANVIL_OPTIONS],
                                self.home / 'anvil.log')
        wait_for('the start of anvil', self.chain_answers, START_TIMEOUT_S)

    def chain_answers(self):
        if self.anvil.poll() is not None:
            raise StackError(f'anvil ended at once:\n{tail(self.home / "anvil.log")}')
        try:
            return self.chain.request('eth_chainId')
        except OSError:
            return None

    # ---- set-up by console commands

    def create_wallet(self):
        passphrase = self.home / 'passphrase'
        passphrase.write_text(secrets.token_hex(16) + '\n')
        passphrase.chmod(0o600)
        keystore = self.home / 'lane.keystore'
        lane = self.command('keys', 'wallet', 'create', str(keystore), '--json',
                            KEYSTORE_PASSPHRASE_FILE=str(passphrase),
                            SLUICE_SETTINGS='')['address']
        self.chain.request('anvil_setBalance', lane, hex(LANE_WEI))
        return lane

    def deploy(self, *lanes):
        relayers = [word for lane in lanes for word in ('--relayer', lane)]
        self.command('deploy', '--test-usdc', '--fund', str(FUND_USDC), *relayers, '--key',
                     'env:DEPLOYER_KEY', '--write', str(self.settings_path), '--json',
                     DEPLOYER_KEY=DEPLOYER_KEY, ETH_RPC_HTTPS=self.rpc_url, CHAIN_ID=str(CHAIN_ID),
                     SLUICE_SETTINGS='')
        lines = self.settings_path.read_text().splitlines()
        settings = dict(line.split('=', 1) for line in lines if '=' in line and line[0] != '#')
        self.contracts = {name: value.lower() for name, value in settings.items()
                          if name.endswith('_ADDRESS')}

    def settings(self):
        """What `sluice deploy` could not know."""
        return {
            'API_LISTEN': f'127.0.0.1:{self.port}',
            'COINBASE_COMMERCE_WEBHOOK_SECRET': self.secrets.coinbase,
            'CONFIRMATIONS': CONFIRMATIONS,
            'KEYSTORE_PASSPHRASE_FILE': self.home / 'passphrase',
            'OUTBOUND_WEBHOOK_SECRET': self.outbound_secret,
            'OUTBOUND_WEBHOOK_URL': self.receiver.url,
            'POLL_INTERVAL_MS': 200,
            'RELAYER_DB_PATH': self.home / 'sluice.db',
            'RELAYER_PRIVATE_KEY': f'keystore:{self.home / "lane.keystore"}',
            'RETRY_DELAY_MS': 200,
            'STANDARD_WEBHOOK_SECRET': self.secrets.standard,
            'STRIPE_WEBHOOK_SECRET': self.secrets.stripe,
        }

    def complete_settings(self):
        self.settings_path.chmod(0o600)
        with open(self.settings_path, 'a', encoding='utf-8') as out:
            out.writelines(f'{name}={value}\n' for name, value in self.settings().items())

    def create_program(self, program):
        rate = ['--sge-rate', program.sge_rate] if program.kind == 'hybrid' else []
        self.command('programs', 'create', program.name, '--kind', program.kind,
                     '--commission-bps', str(program.commission_bps), *rate)

    # ---- the services

    def start_sluice(self):
        self.sluice = self.spawn([self.binary, 'up'], self.log,
                                 SLUICE_SETTINGS=str(self.settings_path))

    def is_ready(self):
        if self.sluice.poll() is not None:
            raise StackError(f'sluice up ended with status {self.sluice.returncode}')
        try:
            return Api(self.port, '', self.secrets).once('GET', '/readyz').status == 200
        except OSError:
            return False

    def wait_ready(self):
        wait_for('the start of sluice up', self.is_ready, START_TIMEOUT_S)

    def kill_sluice(self):
        """SIGKILL to the one process, as the machine would do it; the signer must notice itself."""
        self.sluice.kill()
        self.sluice.wait()
        self.processes.remove(self.sluice)
        self.kills += 1

    def stop_sluice(self):
        """The orderly way. The exit status; None where it had to be killed."""
        if not self.sluice:
            return 0
        self.sluice.send_signal(signal.SIGTERM)
        try:
            return self.sluice.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            return None

    def close(self):
        for process in reversed(self.processes):
            if process.poll() is not None:
                continue  # its number may be another's by now
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
        self.receiver.close()
        os.close(self.lock)


def bring_up(home, programs, say):
    """The whole stack, ready; and an API for its key. The caller closes the stack."""
    stack = Stack(home)
    try:
        stack.start_chain()
        say(f'anvil runs at {stack.rpc_url}')
        lane = stack.create_wallet()
        stack.deploy(lane)
        say(f'contracts are deployed, {FUND_USDC} test USDC are in the payout contract')
        stack.complete_settings()
        stack.command('migrate')
        for program in programs:
            stack.create_program(program)
        key = stack.command('keys', 'create', 'demo', '--scopes', 'read,write,admin', '--json')
        stack.start_sluice()
        stack.wait_ready()
        say(f'sluice up serves at http://127.0.0.1:{stack.port}')
        return stack, Api(stack.port, key['key'], stack.secrets)
    except BaseException:
        stack.close()
        raise
