# SPDX-License-Identifier: Apache-2.0
"""The chain's weather: a thread that makes the blocks, and trouble between them."""
import collections
import http.client
import random
import threading

from chain import Chain, ChainError

CONFIRMATIONS = 4
REORG_DEPTH_MAX = CONFIRMATIONS - 1  # deeper would undo what is final
BLOCK_PAUSE_S_MAX = 0.12
STALL_S_MAX = 2.5
SPIKE_GWEI = (30, 80, 150)  # the ceiling is 100
GWEI = 10 ** 9
THIEF_GWEI = 1000
TRANSFER_GAS = 21_000
TROUBLE = (OSError, http.client.HTTPException, ChainError, ValueError, KeyError)

# What happens between two blocks, and how often of 1000.
EVENTS = (('nothing', 895), ('reorg', 35), ('rollback', 10), ('drop_all', 25), ('drop_one', 24),
          ('spike', 5), ('stall', 5), ('thief', 1))


class Weather:
    """Blocks come from start() on; trouble only while `stormy`."""

    def __init__(self, rpc_url, seed, lanes):
        self.chain, self.lanes = Chain(rpc_url), lanes
        self.chooser = random.Random(f'{seed} weather')
        self.counts = collections.Counter()
        self.stormy = False
        self.events = EVENTS
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def start(self):
        self.thread.start()

    def stop(self):
        self.ending.set()
        if self.thread.is_alive():
            self.thread.join()

    def run(self):
        while not self.ending.wait(self.chooser.uniform(0, BLOCK_PAUSE_S_MAX)):
            try:
                if self.stormy:
                    event = self.chooser.choices(*zip(*self.events))[0]
                    getattr(self, event)()
                    self.counts[event] += 1
                self.mine()
            except TROUBLE as error:  # the verdict tells whether it mattered
                self.counts[f'trouble: {error}'[:80]] += 1

    def mine(self, blocks=1):
        self.chain.request('anvil_mine', hex(blocks))

    def nothing(self):
        pass

    def reorg(self):
        """Blocks are replaced by empty ones, and their transactions are forgotten."""
        self.chain.request('anvil_reorg', self.chooser.randint(1, REORG_DEPTH_MAX), [])

    def rollback(self):
        """The head goes back; other blocks take its place."""
        depth = self.chooser.randint(1, REORG_DEPTH_MAX)
        self.chain.request('anvil_rollback', depth)
        self.mine(depth)

    def drop_all(self):
        self.chain.request('anvil_dropAllTransactions')

    def drop_one(self):
        pool = self.chain.request('txpool_content')['pending']
        hashes = sorted(item['hash'] for by_nonce in pool.values() for item in by_nonce.values())
        if hashes:
            self.chain.request('anvil_dropTransaction', self.chooser.choice(hashes))

    def thief(self):
        """Blocks are replaced, and a nonce that becomes free is used by somebody else. The node
        holds the lanes' keys, which are its own well-known accounts."""
        before = {lane: self.nonce(lane) for lane in self.lanes}
        self.reorg()
        self.drop_all()
        for lane in self.lanes:
            if self.nonce(lane) < before[lane]:
                self.chain.request('eth_sendTransaction', {
                    'from': lane, 'to': lane, 'value': '0x0', 'gas': hex(TRANSFER_GAS),
                    'nonce': hex(self.nonce(lane)), 'maxFeePerGas': hex(THIEF_GWEI * GWEI),
                    'maxPriorityFeePerGas': hex(THIEF_GWEI * GWEI)})
                self.counts['stolen nonces'] += 1

    def nonce(self, lane):
        return int(self.chain.request('eth_getTransactionCount', lane, 'latest'), 16)

    def spike(self):
        fee = self.chooser.choice(SPIKE_GWEI) * GWEI
        self.chain.request('anvil_setNextBlockBaseFeePerGas', hex(fee))

    def stall(self):
        """No block for a while: transactions get stuck, fees are raised."""
        self.ending.wait(self.chooser.uniform(0, STALL_S_MAX))
