# SPDX-License-Identifier: Apache-2.0
"""One round: a stack of its own, load, weather and kills on it, and the verdict."""
import random
import time

import expect
import stack as stacks
import store_view
import verdict
from lives import Lives, Stop, await_that, takes_signals
from load import Load, QuickApi, wait_until
from services import ServiceFailed, Services, Shape, ends_within, read_labels
from weather import Weather

SETTLE_S_MAX = 120
STOPPED_LOAD = 20  # while a relayer is stopped for half a minute, the load is so much thinner


class Differs(Exception):
    """The verdict: something is not as it must be."""


class Round:
    """bring_up(), then any number of live(), stop() and judge(), then close()."""

    def __init__(self, home, seed, binary, kill_binary, shape=None):
        self.seed = seed
        self.chooser = random.Random(f'{seed} lives')
        self.services = Services(home, binary, kill_binary, shape or Shape.drawn(seed))
        self.lives = Lives(self.services, read_labels(kill_binary), self.chooser, self.check)
        self.stops = Stop(self.lives)
        self.weather = self.load = None
        self.setup_kills = 0

    def bring_up(self):
        self.services.bring_up()
        self.setup_kills = self.services.make_store(self.chooser)
        api = QuickApi(self.services.port, self.services.make_key(), self.services.secrets)
        self.load = Load(api, self.seed)
        self.weather = Weather(self.services.rpc_url, self.seed, self.services.lanes)
        self.weather.start()

    def check(self):
        self.load.check()

    def close(self):
        if self.load:
            self.load.api.given_up.set()
            self.load.stop()
        if self.weather:
            self.weather.stop()
        self.services.close()

    # ---- living

    def begin(self, stormy):
        self.weather.stormy = stormy
        self.load.start()

    def live(self, together=0, apart=0, stops=0, stormy=True):
        """So many kills of `sluice up`, and of `sluice api` and `sluice relay` apart."""
        self.begin(stormy)
        self.lives.together(together)
        self.lives.apart(apart)
        self.load.slow = STOPPED_LOAD
        for _ in range(stops):
            self.stops.run()
        self.load.slow = 1

    # ---- judging

    def settle(self):
        """No more kills and no more trouble: everything answered, paid and told of."""
        self.weather.stormy = False
        process = self.lives.start('up')
        self.load.stop()
        self.load.check()
        store = self.services.store

        def is_settled():
            if process.poll() is not None:
                self.lives.ended(process)
            return not store_view.open_work(store)

        try:
            wait_until(lambda: f'after {SETTLE_S_MAX} s there are still '
                               f'{store_view.open_work(store)}', is_settled, SETTLE_S_MAX)
        except TimeoutError as error:
            raise Differs(str(error)) from None
        await_that(process, takes_signals)
        process.terminate()
        if not ends_within(process, stacks.STOP_TIMEOUT_S):
            raise ServiceFailed('sluice up did not end when asked')
        self.lives.ended(process, 0)

    def judge(self):
        """Raises Differs."""
        self.settle()
        contract = self.services.contracts['AFFILIATE_PAYOUT_ADDRESS']
        case = verdict.Case(self.load.entries, self.services.chain.payouts(contract),
                            store_view.read(self.services.store), stacks.CHAIN_ID, contract)
        found = [*verdict.differences(case), *self.differences_of_chain(case),
                 *self.differences_of_webhooks(case)]
        if found:
            raise Differs('\n'.join(found))
        return case

    def differences_of_chain(self, case):
        chain = self.services.chain
        counts = chain.batch([('eth_getTransactionCount', (wallet, 'latest'))
                              for wallet in self.services.lanes])
        nonces = {wallet: int(count, 16) for wallet, count in zip(self.services.lanes, counts)}
        yield from verdict.differences_of_nonces(case.view, nonces)
        rows = expect.expected_words(self.services.contracts, self.load.users,
                                     self.load.affiliates, case.events,
                                     stacks.FUND_USDC * expect.USDC_UNITS)
        yield from expect.differences_of_words(chain, list(rows))

    def differences_of_webhooks(self, case):
        confirmed = sum(job.state == store_view.CONFIRMED for job in case.view.jobs.values())
        heard = self.services.receiver.count('payout.confirmed')
        if heard != confirmed:
            yield f'{heard} payout.confirmed webhooks with ids of their own, not {confirmed}'
        if self.services.receiver.forged:
            yield f'{self.services.receiver.forged} outbound webhooks carried a wrong signature'

    # ---- telling

    def figures(self, began):
        lives = self.lives
        return {'seed': self.seed, 'shape': vars(self.services.shape),
                'kills': dict(lives.kills), 'tried': dict(lives.tried), 'starts': lives.starts,
                'setup_kills': self.setup_kills, 'stops': dict(self.stops.counts),
                'lives': dict(lives.counts),
                'weather': dict(self.weather.counts), 'payments': len(self.load.entries),
                'refunds': sum(entry.refunded for entry in self.load.entries),
                'users': len(self.load.users), 'answers': self.load.answers,
                'seconds': round(time.monotonic() - began, 1)}
