#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make sim-mutants: each planted bug must be found by the simulation.

usage: run.py [--seeds N] [--only NAME,...] BUILD

Builds the simulator once per mutant (one changed object and a link) and runs it until a promise is
broken. Prints a table; fails where a mutant survives its seeds or its text no longer applies.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import time

import apply

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]


def build(directory, names):
    """The mutants that could be built; all at once, for one after the other takes minutes."""
    targets = [f'test/sim/mutants/mutant_{name}' for name in names]
    done = subprocess.run(['ninja', '-C', directory, '--quiet', '-k', '0', *targets],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        print('\n'.join(done.stdout.splitlines()[-30:]))
    return done.returncode == 0


def promise_of(output):
    for line in output.splitlines():
        if ' breaks promise ' in line:
            return line.split(' breaks promise ', 1)[1]
        if 'ended in the middle' in line:
            return 'the process aborts'
    return ''


def hunt(directory, name, seeds):
    """(seed or None, promise, seconds)."""
    report = pathlib.Path(directory) / f'mutant_{name}.json'
    report.unlink(missing_ok=True)
    start = time.monotonic()
    done = subprocess.run([f'{directory}/test/sim/mutants/mutant_{name}', '--seeds', str(seeds),
                           '--quiet', '--json', str(report)], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True, check=False)
    seconds = time.monotonic() - start
    if done.returncode == 0:
        return None, 'SURVIVES', seconds
    facts = json.loads(report.read_text(encoding='utf-8')) if report.exists() else {}
    return facts.get('failed_seed', facts.get('seeds', 0)), promise_of(done.stdout), seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seeds', type=int, default=10000)
    parser.add_argument('--only', default='')
    parser.add_argument('build')
    arguments = parser.parse_args()
    names = sorted(path.stem for path in HERE.glob('*.mutant'))
    if arguments.only:
        names = arguments.only.split(',')
    if not build(arguments.build, names):
        sys.exit('sim-mutants: a mutant does not build')
    survivors = []
    print(f'{"mutant":<38} {"seed":>6} {"s":>5}  promise it breaks')
    for name in names:
        seed, promise, seconds = hunt(arguments.build, name, arguments.seeds)
        if seed is None:
            survivors.append(name)
        print(f'{name:<38} {seed if seed is not None else "-":>6} {seconds:>5.1f}  {promise}',
              flush=True)
    print(f'sim-mutants: {len(names) - len(survivors)} of {len(names)} found')
    for name in survivors:
        why = apply.why_of((HERE / f'{name}.mutant').read_text(encoding='utf-8'))
        print(f'sim-mutants: {name} survives {arguments.seeds} seeds: {why}')
    sys.exit(1 if survivors else 0)


if __name__ == '__main__':
    main()
