# SPDX-License-Identifier: Apache-2.0
"""How the services live and die, again and again. Which life comes next is drawn from the seed; the
moment at which it ends is the machine's."""
import collections
import os
import signal
import time

import store_view
from services import ServiceFailed, child_of, ends_within

LIFE_S_MAX = 1.2  # a point that is not passed by then is given up
RANDOM_LIFE_S = (0.03, 0.3, 1.0)  # start-up, first steps, in full swing
SIGNER_END_S_MAX = 30  # from the signer's death to the service's own end
STOP_S_MAX = 30
POLL_S = 0.005
LEASE_S = 30  # LANE_LEASE_MS of src/relay/lane.h
LEASE_MARGIN_S = 4
STOP_POINTS = ('lane-claimed', 'lane-signed', 'lane-committed', 'lane-sent', 'sign-after',
               'http-after')
TAKE_OVERS = 70  # of 100 stops
EXIT_FINE, EXIT_SOFTWARE, EXIT_AGAIN = 0, 70, 75

# How often a point may be passed before it is the end; 3 for all others.
PASSES_MAX = {'http': 40, 'commit': 20, 'disk_write': 80, 'disk_flush': 20, 'answer': 15,
              'accept': 8, 'lane': 8, 'register': 2, 'mined': 6, 'final': 6, 'attempt_sent': 6}
ONCE = {'api_start', 'relay_start', 'signer_start', 'store_open', 'migrate', 'lease'}
ORDERLY = {'store_close'}  # only a service that was asked to end passes these
API_POINTS = {'accept', 'answer', 'api_start', 'commit', 'disk_flush', 'disk_write', 'refund',
              'register', 'store_open'}
RELAY_POINTS_NOT = {'accept', 'answer', 'api_start', 'migrate', 'refund', 'register'}
# Lives of a service, and how often of 100.
KEYSTORES = 3  # of 100 lives; opening one takes half a second
WAYS = (('at_label', 66), ('at_random', 25), ('signer_alone', 2), ('asked_to_end', 7))


def point_of(label):
    return label.rsplit('-', 1)[0]


class Lives:
    """Kills until enough have died."""

    def __init__(self, services, labels, chooser, check):
        """check() is called before each life and raises where living on is pointless."""
        self.services, self.chooser, self.check = services, chooser, check
        self.labels = [label for label in labels if point_of(label) not in ORDERLY]
        self.orderly_labels = [label for label in labels if point_of(label) in ORDERLY]
        self.kills = collections.Counter()  # by label, 'random', 'signer'
        self.tried = collections.Counter()  # by label: lives that were to end there
        self.starts = 0
        self.counts = collections.Counter()

    def total(self):
        return self.kills.total()

    # ---- one service

    def start(self, what, kill_at='', **environment):
        self.check()
        self.starts += 1
        with_keystore = what != 'api' and self.chooser.randrange(100) < KEYSTORES
        self.counts['keystores opened'] += with_keystore
        return self.services.start(what, kill_at, with_keystore, **environment)

    def ended(self, process, *fine):
        """Takes the status of a process that ended by itself."""
        self.services.forget(process)
        if process.returncode not in fine:
            raise ServiceFailed(f'a service ended with status {process.returncode}; '
                                f'fine were {", ".join(map(str, fine))}')

    def choose_label(self, what):
        fitting = [label for label in self.labels if what == 'up' or
                   (point_of(label) in API_POINTS if what == 'api'
                    else point_of(label) not in RELAY_POINTS_NOT)]
        label = self.chooser.choice(fitting)
        point = point_of(label)
        return label, 1 if point in ONCE else self.chooser.randint(1, PASSES_MAX.get(point, 3))

    def at_label(self, what):
        label, passes = self.choose_label(what)
        self.die_at(what, label, passes, LIFE_S_MAX)

    def die_at(self, what, label, passes, seconds_max):
        """A life that ends at a point, or after so many seconds."""
        self.tried[label] += 1
        process = self.start(what, f'{label}:{passes}')
        if not ends_within(process, seconds_max):
            self.kill(process)
        elif point_of(label) == 'signature':  # the signer's death; the service ends of it
            self.ended(process, EXIT_SOFTWARE)
            self.kills[label] += 1
        else:
            self.ended(process, -signal.SIGKILL)
            self.kills[label] += 1

    def kill(self, process):
        if self.services.kill(process):
            self.kills['random'] += 1

    def at_random(self, what):
        process = self.start(what)
        if ends_within(process, self.chooser.uniform(0, self.chooser.choice(RANDOM_LIFE_S))):
            self.ended(process)
        self.kill(process)

    def signer_alone(self, what):
        """The signer dies: the service ends by itself and says so by its status."""
        if what == 'api':
            self.at_random(what)
            return
        process = self.start(what)
        ends_within(process, self.chooser.uniform(0.02, 0.6))
        signer = child_of(process)
        if signer is None:
            self.kill(process)
            return
        os.kill(signer, signal.SIGKILL)
        self.kills['signer'] += 1
        if not ends_within(process, SIGNER_END_S_MAX):
            raise ServiceFailed('a service lives on without its signer')
        self.ended(process, EXIT_SOFTWARE)

    def asked_to_end(self, what):
        """SIGTERM: it ends with 0, or is killed on the way."""
        label = self.chooser.choice([*self.orderly_labels, ''])
        process = self.start(what, f'{label}:1' if label else '')
        await_that(process, takes_signals)
        ends_within(process, self.chooser.uniform(0, 0.5))
        if label:
            self.tried[label] += 1
        process.terminate()
        if not ends_within(process, STOP_S_MAX):
            raise ServiceFailed('a service did not end when asked')
        killed = process.returncode == -signal.SIGKILL and bool(label)
        self.ended(process, -signal.SIGKILL if killed else EXIT_FINE)
        if killed:
            self.kills[label] += 1

    # ---- many

    def together(self, kills):
        """`sluice up`, one life after the other."""
        names, weights = zip(*WAYS)
        enough = self.total() + kills
        while self.total() < enough:
            getattr(self, self.chooser.choices(names, weights)[0])('up')

    def apart(self, kills):
        """`sluice api` and `sluice relay`: one lives on while the other dies."""
        names, weights = zip(*WAYS)
        enough = self.total() + kills
        while self.total() < enough:
            stays, dies = self.chooser.choice((('api', 'relay'), ('relay', 'api')))
            process = self.start(stays)
            for _ in range(self.chooser.randint(1, 8)):
                getattr(self, self.chooser.choices(names, weights)[0])(dies)
            if process.poll() is not None:
                self.ended(process)
            self.kill(process)


class Stop:
    """SIGSTOP of a relayer past its lease, the API running on, then SIGCONT."""

    def __init__(self, lives):
        self.lives = lives
        self.counts = collections.Counter()

    def wait(self, process, seconds):
        if ends_within(process, seconds):
            self.lives.ended(process)

    def run(self):
        chooser = self.lives.chooser
        label = chooser.choice(STOP_POINTS)
        api = self.lives.start('api')
        first = self.lives.start('relay', f'{label}:{chooser.randint(1, 6)}', KILL_SIGNAL='STOP')
        await_that(first, is_stopped, LIFE_S_MAX)
        os.kill(first.pid, signal.SIGSTOP)  # where its point was not passed
        began = time.monotonic()
        self.refused()
        # Who is stopped in the midst of a transaction holds up every writer of the store: nobody
        # can take over then, and nothing is accepted.
        is_locked = store_view.is_locked(self.lives.services.store)
        if chooser.randrange(100) < TAKE_OVERS and not is_locked:
            self.another_machine(first)
        else:
            self.wait(api, LEASE_S + LEASE_MARGIN_S)
            os.kill(first.pid, signal.SIGCONT)
        self.counts['stops'] += 1
        self.counts['stops in a transaction'] += is_locked
        self.counts['stopped seconds'] += round(time.monotonic() - began)
        self.wait(first, chooser.uniform(0.2, 2))
        self.lives.kill(first)
        self.lives.kill(api)

    def refused(self):
        """The store of a stopped relayer takes no second one of this machine."""
        second = self.lives.start('relay')
        if not ends_within(second, STOP_S_MAX):
            raise ServiceFailed('a second relayer works on the store of a stopped one')
        self.lives.ended(second, EXIT_AGAIN)
        self.counts['second relayers refused'] += 1

    def another_machine(self, first):
        """A relayer that no lock holds back takes the lanes over when the lease has run out."""
        second = self.lives.start('relay', KILL_OTHER_MACHINE='1')
        self.wait(second, LEASE_S + LEASE_MARGIN_S)
        holders = set(store_view.holders(self.lives.services.store))
        if holders != {'another-machine'}:
            raise ServiceFailed(f'when the lease has run out, the lanes are held by {holders}')
        self.counts['lanes taken over'] += len(self.lives.services.lanes)
        os.kill(first.pid, signal.SIGCONT)  # now both believe that the lanes are theirs
        self.wait(second, self.lives.chooser.uniform(0.2, 2))
        second.terminate()
        if not ends_within(second, STOP_S_MAX):
            raise ServiceFailed('a service did not end when asked')
        self.lives.ended(second, EXIT_FINE)


def status_of(process, name):
    with open(f'/proc/{process.pid}/status', encoding='ascii', errors='replace') as file:
        for line in file:
            if line.startswith(name + ':'):
                return line.split()[1]
    return ''


def is_stopped(process):
    return status_of(process, 'State') == 'T'


def takes_signals(process):
    """Whether the service takes SIGTERM as a request by now. It ignores SIGPIPE right after that;
    what it blocks does not tell, as waiting for a signal unblocks it."""
    return bool(int(status_of(process, 'SigIgn') or '0', 16) >> (signal.SIGPIPE - 1) & 1)


def await_that(process, is_so, seconds=STOP_S_MAX):
    """Until it is so, the time is over or the process has ended."""
    deadline = time.monotonic() + seconds
    while process.poll() is None and not is_so(process) and time.monotonic() < deadline:
        time.sleep(POLL_S)
