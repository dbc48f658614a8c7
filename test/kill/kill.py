#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The kill test: real services, store and node, SIGKILL at labelled points and at random moments,
SIGSTOP past the lease, reorganisations and lost transactions all the while; each payment that was
answered 2xx is paid exactly once.

Ends with "kill: N kills, ... every payment exactly once" and status 0, or says what differs and
where the store and the logs are. Figures go to build/kill.json. A seed decides what is tried in
which order; when exactly a process dies is the machine's, so a seed does not repeat a run.
usage: kill.py [--kills N] [--seed S] [--jobs N] [--stops N] [--round R] [--build DIRECTORY]
"""
import argparse
import collections
import dataclasses
import json
import pathlib
import secrets
import shutil
import subprocess
import sys
import time

import kill_path  # noqa: F401
import stack as stacks
import ui
from round import Round
from services import read_labels

ROOT = stacks.ROOT
KILLS_PER_ROUND = 250
KILLS_PER_STOP = 250
STALE_AFTER = 25  # a label tried so often and never reached is none any more
JOBS = 4  # they wait more than they work
TICK_S = 0.2


@dataclasses.dataclass
class Plan:
    """What one round is to do."""
    number: int
    seed: str
    kills: int
    stops: int


def plans_of(options):
    rounds = max(1, -(-options.kills // KILLS_PER_ROUND))
    stops = options.stops if options.stops is not None else options.kills // KILLS_PER_STOP
    for i in range(rounds):
        share = [total * (i + 1) // rounds - total * i // rounds
                 for total in (options.kills, stops)]
        yield Plan(i, f'{options.seed}/{i}', *share)


# ---- one round, in a process of its own

def run_round(options, plan):
    """0 where the verdict is good. The figures go to a file, what is wrong to the terminal."""
    home = options.home / f'round-{plan.number}'
    home.parent.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    fight = Round(home, plan.seed, options.build / 'sluice',
                  options.build / 'test/kill/sluice-kill')
    try:
        fight.bring_up()
        fight.live(plan.kills // 2, plan.kills - plan.kills // 2, plan.stops)
        fight.judge()
        problem = ''
    except Exception as error:  # whatever it is, the round's files are kept and it is said
        problem = f'{type(error).__name__}: {error}'
    finally:
        fight.close()
    if problem:
        ui.say(f'round {plan.number + 1} FAILED: {problem}\n'
               f'  its store, logs and settings: {home}')
        return 1
    shutil.rmtree(home)
    figures = fight.figures(began)
    (options.home / f'round-{plan.number}.json').write_text(json.dumps(figures))
    return 0


# ---- all rounds

def start_round(options, plan):
    command = [sys.executable, __file__, '--kills', str(options.kills), '--seed', options.seed,
               '--round', str(plan.number), '--build', str(options.build)]
    if options.stops is not None:
        command += ['--stops', str(options.stops)]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL,
                            preexec_fn=stacks.die_with_parent)


def run_rounds(options, plans):
    """Some at a time. The figures of those that ended well."""
    waiting, running, done = list(plans), {}, []
    while waiting or running:
        while waiting and len(running) < options.jobs:
            plan = waiting.pop(0)
            running[plan.number] = (plan, start_round(options, plan))
        time.sleep(TICK_S)
        for plan, process in list(running.values()):
            if process.poll() is None:
                continue
            del running[plan.number]
            if process.returncode == 0:
                path = options.home / f'round-{plan.number}.json'
                done.append(json.loads(path.read_text()))
                path.unlink()
                say_round(plan, done[-1], len(plans))
    return done


def say_round(plan, figures, rounds):
    kills = sum(figures['kills'].values()) + figures['setup_kills']
    ui.say(f'round {plan.number + 1} of {rounds}: {kills} kills, {figures["payments"]} payments, '
           f'{figures["weather"].get("reorg", 0)} reorganisations, '
           f'{figures["stops"].get("stops", 0)} stops, {figures["seconds"]} s: ok')


# ---- the end

def summed(rounds, name):
    total = collections.Counter()
    for figures in rounds:
        total.update(figures[name])
    return dict(sorted(total.items()))


def summary(options, rounds, seconds):
    kills = summed(rounds, 'kills')
    kills['set-up'] = sum(figures['setup_kills'] for figures in rounds)
    weather = {name: count for name, count in summed(rounds, 'weather').items()
               if name != 'nothing' and not name.startswith('trouble')}
    totals = {name: sum(figures[name] for figures in rounds)
              for name in ('starts', 'payments', 'refunds', 'users', 'answers')}
    return {'commit': commit(), 'seed': options.seed, 'rounds': len(rounds),
            'kills': sum(kills.values()), 'kills_by_point': kills, 'tried': summed(rounds, 'tried'),
            'stops': summed(rounds, 'stops'), 'lives': summed(rounds, 'lives'),
            'chain': weather, **totals,
            'seconds': round(seconds), 'kills_per_second': round(sum(kills.values()) / seconds, 2)}


def commit():
    done = subprocess.run(['git', 'describe', '--always', '--dirty', '--abbrev=12'], cwd=ROOT,
                          capture_output=True, text=True, check=False)
    return done.stdout.strip() or 'unknown'


def stale_labels(labels, result):
    """Labels that the program does not pass any more: the test would prove less than it says."""
    return [label for label in labels if not result['kills_by_point'].get(label)
            and result['tried'].get(label, 0) >= STALE_AFTER]


def show(result):
    rows = [(label, result['tried'].get(label, ''), count)
            for label, count in result['kills_by_point'].items()]
    for line in ui.table(('died at', 'lives meant for it', 'kills'), rows):
        ui.say(line)
    for name in ('stops', 'lives', 'chain'):
        ui.say(f'{name}: ' + ', '.join(f'{what} {count}' for what, count in result[name].items()))


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n', maxsplit=1)[0])
    parser.add_argument('--kills', type=int, default=250)
    parser.add_argument('--seed', default=secrets.token_hex(4))
    parser.add_argument('--jobs', type=int, default=JOBS, help='rounds at a time')
    parser.add_argument('--stops', type=int, help='SIGSTOPs past the lease, over all rounds')
    parser.add_argument('--round', type=int, help='this one only, in this process')
    parser.add_argument('--build', type=pathlib.Path, default=ROOT / 'build')
    options = parser.parse_args()
    options.build = options.build.resolve()
    options.home = options.build / 'kill'
    return options


def main():
    options = parse_arguments()
    plans = list(plans_of(options))
    if options.round is not None:
        return run_round(options, plans[options.round])
    ui.say(f'kill: {options.kills} kills in {len(plans)} rounds, seed {options.seed}')
    began = time.monotonic()
    rounds = run_rounds(options, plans)
    if rounds:
        result = summary(options, rounds, time.monotonic() - began)
        (options.build / 'kill.json').write_text(json.dumps(result, indent=2) + '\n')
        show(result)
    if len(rounds) < len(plans):
        ui.say(f'kill: FAILED: {len(plans) - len(rounds)} of {len(plans)} rounds, see above')
        return 1
    stale = stale_labels(read_labels(options.build / 'test/kill/sluice-kill'), result)
    if stale:
        ui.say(f'kill: FAILED: never reached: {", ".join(stale)}')
        return 1
    ui.say(f'kill: {result["kills"]} kills, {result["stops"].get("stops", 0)} stops, '
           f'{result["payments"]} payments, every payment exactly once '
           f'({result["seconds"]} s, {result["kills_per_second"]} kills/s)')
    return 0


if __name__ == '__main__':
    sys.exit(main())
