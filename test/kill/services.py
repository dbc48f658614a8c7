# SPDX-License-Identifier: Apache-2.0
"""The stack under test: anvil that mines on demand, a store, `sluice` and `sluice-kill`, and the
processes that live and die on them."""
import dataclasses
import os
import random
import select
import signal
import subprocess

import stack as stacks
from load import HOLD_S, PROGRAMS
from weather import CONFIRMATIONS

# anvil's well-known accounts 1 to 3; worth nothing anywhere else.
LANE_KEYS = (
    ('0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d',
     '0x70997970c51812dc3a010c7d01b50e0d17dc79c8'),
    ('0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a',
     '0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc'),
    ('0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6',
     '0x90f79bf6eb2c4f870365e785982e1f101e93b906'),
)
SETUP_KILLS_MAX = 3
# Points on the way of the first migration, and how often each is passed.
SETUP_POINTS = (('disk_write-before', 40), ('disk_write-torn', 40), ('disk_flush-after', 4))


class ServiceFailed(Exception):
    """A service did something no kill explains."""


def read_labels(binary):
    done = subprocess.run([binary], env={**os.environ, 'KILL_AT': 'list'}, check=True, text=True,
                          capture_output=True)
    return done.stdout.split()


def ends_within(process, seconds):
    """Waits on the process itself, without polling."""
    if process.poll() is not None:
        return True
    descriptor = os.pidfd_open(process.pid)
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        poll.poll(max(seconds, 0) * 1000)
    finally:
        os.close(descriptor)
    return process.poll() is not None


def child_of(process):
    """The signer's process, if there is one (yet)."""
    try:
        with open(f'/proc/{process.pid}/task/{process.pid}/children', encoding='ascii') as file:
            numbers = file.read().split()
    except OSError:
        return None
    return int(numbers[0]) if numbers else None


@dataclasses.dataclass(frozen=True)
class Shape:
    """How the services of one round are set."""
    lanes: int
    window: int
    batch: int
    stuck_after_ms: int

    @classmethod
    def drawn(cls, seed):
        chooser = random.Random(f'{seed} shape')
        return cls(chooser.choice((1, 1, 2, 3)), chooser.choice((1, 4, 16)),
                   chooser.choice((1, 5, 200)), chooser.choice((300, 1000, 30000)))


class Services(stacks.Stack):
    ANVIL_OPTIONS = ('--no-mining',)

    def __init__(self, home, binary, kill_binary, shape):
        super().__init__(home, binary)
        self.kill_binary, self.shape = str(kill_binary), shape
        self.lanes = [wallet for _, wallet in LANE_KEYS[:shape.lanes]]
        self.store = home / 'sluice.db'

    # ---- set-up

    def bring_up(self):
        self.start_chain()
        self.chain.request('evm_setAutomine', True)  # the deployment waits for its receipts
        for wallet in self.lanes:
            self.chain.request('anvil_setBalance', wallet, hex(stacks.LANE_WEI))
        self.write_keys()
        self.deploy(*self.lanes)
        self.chain.request('anvil_mine', hex(CONFIRMATIONS))  # no storm takes the contracts away
        self.chain.request('evm_setAutomine', False)
        self.complete_settings()
        self.make_keystore()

    def write_keys(self):
        for number, (key, _) in enumerate(LANE_KEYS[:self.shape.lanes]):
            path = self.home / f'lane-{number}.key'
            path.write_text(key + '\n')
            path.chmod(0o600)

    def make_keystore(self):
        """The first lane's key once more, encrypted: what most installations use."""
        passphrase = self.home / 'passphrase'
        passphrase.write_text('of no value\n')
        passphrase.chmod(0o600)
        keystore = self.home / 'lane-0.keystore'
        unlocking = {'KEYSTORE_PASSPHRASE_FILE': str(passphrase)}
        self.command('keys', 'wallet', 'import', str(keystore), '--key',
                     f'file:{self.home / "lane-0.key"}', **unlocking)
        others = [f'file:{self.home / f"lane-{i}.key"}' for i in range(1, self.shape.lanes)]
        self.keystore = {'RELAYER_PRIVATE_KEY': ','.join([f'keystore:{keystore}', *others]),
                         **unlocking}

    def settings(self):
        files = (f'file:{self.home / f"lane-{i}.key"}' for i in range(self.shape.lanes))
        settings = {**super().settings(), 'BATCH_SIZE_MAX': self.shape.batch,
                    'CONFIRMATIONS': CONFIRMATIONS, 'LANE_WINDOW': self.shape.window,
                    'POLL_INTERVAL_MS': 50, 'RELAYER_PRIVATE_KEY': ','.join(files),
                    'RETRY_DELAY_MS': 50, 'RETRY_DELAY_MS_MAX': 500,
                    'STUCK_AFTER_MS': self.shape.stuck_after_ms}
        del settings['KEYSTORE_PASSPHRASE_FILE']
        return settings

    def make_store(self, chooser):
        """The store and what stands in it before the first request. The first tries to make it are
        killed at some write. Returns how many were."""
        kills = 0
        for _ in range(chooser.randint(1, SETUP_KILLS_MAX)):
            label, passes = chooser.choice(SETUP_POINTS)
            process = self.start('migrate', f'{label}:{chooser.randint(1, passes)}')
            if process.wait(stacks.COMMAND_TIMEOUT_S) == -signal.SIGKILL:
                kills += 1
            self.forget(process)
        self.command('migrate')
        for program in PROGRAMS:
            rate = ['--sge-rate', program.sge_rate] if program.kind == 'hybrid' else []
            hold = ['--hold-seconds', str(HOLD_S)] if program.name == 'held' else []
            self.command('programs', 'create', program.name, '--kind', program.kind,
                         '--commission-bps', str(program.commission_bps), *rate, *hold)
        return kills

    def make_key(self):
        return self.command('keys', 'create', 'kill', '--scopes', 'read,write,admin',
                            '--json')['key']

    # ---- processes

    def start(self, what, kill_at='', with_keystore=False, **environment):
        """`sluice WHAT`; with kill_at or an environment of its own, `sluice-kill WHAT`."""
        if kill_at:
            environment['KILL_AT'] = kill_at
        binary = self.kill_binary if environment else self.binary
        if with_keystore:
            environment.update(self.keystore)
        return self.spawn([binary, what], self.log, SLUICE_SETTINGS=str(self.settings_path),
                          **environment)

    def forget(self, process):
        self.processes.remove(process)

    def kill(self, process):
        """True where it was alive."""
        was_alive = process.poll() is None
        process.kill()
        process.wait()
        self.forget(process)
        return was_alive
