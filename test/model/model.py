#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Proves the promises of payout.pml in every configuration below, and that the model can fail.

Four tables: promises over all states; liveness; situations the model must be able to reach; bugs
planted in the model, each of which must be found. The results go to build/model.json as well.
usage: model.py [--quick] [--jobs N] [NAME ...]
"""
import argparse
import concurrent.futures
import dataclasses
import json
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / 'test/model/payout.pml'
BUILD = ROOT / 'build/model'
MEMORY_BYTES_MAX = 6 << 30
CHECK_S_MAX = 1800
DEPTH_STEPS_MAX = 100000
HASH_BITS = 24

SAFETY, LIVENESS, REACHED, BUG = 'promises', 'both paid', 'reached', 'bug'
HEADINGS = {
    SAFETY: 'Promises 1, 3, 4 and 5 hold in every state of:',
    LIVENESS: 'Both jobs are confirmed at last, under weak fairness, in:',
    REACHED: 'The model can get where:',
    BUG: 'The model finds that:',
}


@dataclasses.dataclass
class Check:
    name: str
    says: str
    kind: str
    defines: str
    broken: str = ''  # what must be broken: the promise's number, "reached", or "liveness"
    quick: bool = True


def safety(name, says, defines, quick=True):
    return Check(name, says, SAFETY, defines, quick=quick)


def live(name, says, defines, quick=True):
    return Check(name, says, LIVENESS, defines + ' LIVENESS', quick=quick)


def reached(number, says, defines):
    return Check(f'reached-{number}', says, REACHED, f'{defines} REACH={number}', 'reached')


def bug(name, says, broken, defines):
    return Check(name, says, BUG, f'{defines} BUG_{name.upper().replace("-", "_")}', broken)


# Faults not named in a line are off in it. Everywhere: two jobs, alone or in one batch; two
# relayers; two nodes, one of which lags at will; reorganisations of depth 1 and 2.
CHECKS = [
    safety('reorgs', 'one reorganisation, a fee bump', 'BUMPS=1 REORGS=1'),
    safety('reorgs-2', 'two reorganisations, a fee bump', 'BUMPS=1 REORGS=2', quick=False),
    safety('hashes', 'three hashes for a nonce', 'BUMPS=2 ATTEMPTS=3'),
    safety('hashes-reorg', 'three hashes for a nonce, one reorganisation',
           'BUMPS=2 ATTEMPTS=3 REORGS=1', quick=False),
    safety('filler', 'a nonce given up by a self-transfer after a bump, one reorganisation',
           'BUMPS=1 ATTEMPTS=2 FILLS=1 REORGS=1'),
    safety('reverts', 'a payment or part of a batch reverts, one reorganisation',
           'REVERTS=1 REORGS=1'),
    safety('reverts-2', 'a payment or part of a batch reverts, two reorganisations',
           'REVERTS=1 REORGS=2', quick=False),
    safety('foreign', 'somebody else uses a nonce, one reorganisation', 'FOREIGN=1 REORGS=1'),
    safety('foreign-bump', 'somebody else uses a nonce, a fee bump', 'FOREIGN=1 BUMPS=1'),
    safety('leases', 'a lease runs out under its holder, a crash, a fee bump',
           'TAKEOVERS=1 CRASHES=1 BUMPS=1'),
    safety('leases-2', 'two leases run out, two crashes, a fee bump',
           'TAKEOVERS=2 CRASHES=2 BUMPS=1', quick=False),
    safety('leases-reorg', 'a lease runs out, a crash, one reorganisation, a fee bump',
           'TAKEOVERS=1 CRASHES=1 REORGS=1 BUMPS=1', quick=False),
    safety('leases-foreign', 'a lease runs out, a crash, somebody else uses a nonce',
           'TAKEOVERS=1 CRASHES=1 FOREIGN=1', quick=False),
    safety('leases-reverts', 'a lease runs out, a crash, one reorganisation, a payment reverts',
           'TAKEOVERS=1 CRASHES=1 REORGS=1 REVERTS=1', quick=False),
    safety('both-lag', 'both nodes lag, one reorganisation', 'LAG_BOTH REORGS=1'),
    safety('both-lag-reverts', 'both nodes lag, one reorganisation, a payment reverts',
           'LAG_BOTH REORGS=1 REVERTS=1', quick=False),
    safety('one-endpoint', 'FINALITY_ENDPOINTS=1, one reorganisation, a payment reverts',
           'ONE_ENDPOINT REORGS=1 REVERTS=1'),
    safety('liar', 'one node says it is two blocks ahead, somebody else uses a nonce, one '
           'reorganisation', 'LIAR_AHEAD FOREIGN=1 REORGS=1'),

    live('live-reorgs', 'one reorganisation, mempools emptied, a fee bump',
         'REORGS=1 EVICTIONS=1 BUMPS=1'),
    live('live-reverts', 'one reorganisation, a payment reverts', 'REORGS=1 REVERTS=1'),
    live('live-foreign', 'somebody else uses a nonce', 'FOREIGN=1'),
    live('live-leases', 'a lease runs out, a crash, mempools emptied',
         'TAKEOVERS=1 CRASHES=1 EVICTIONS=1'),
    live('live-leases-bump', 'a lease runs out, a crash, a fee bump',
         'TAKEOVERS=1 CRASHES=1 BUMPS=1', quick=False),

    reached(1, 'a slot with jobs is proven foreign', 'FOREIGN=1'),
    reached(2, 'a mined slot loses its block', 'REORGS=1'),
    reached(3, 'an unresolved slot has its nonce back', 'FOREIGN=1 REORGS=1'),
    reached(4, 'a final transaction has paid nothing', 'REVERTS=1'),
    reached(5, 'a final batch has paid one of its jobs', 'REVERTS=1'),
    reached(6, 'a slot ends by its filler', 'FILLS=1'),
    reached(7, 'a relayer sends that has lost its lease unawares', 'TAKEOVERS=1'),
    reached(8, 'an unresolved slot turns out to be mined', 'REORGS=1'),
    reached(9, 'a mined slot is found in another block', 'REORGS=1'),

    bug('no-epoch', 'a write does not check the epoch', '3', 'TAKEOVERS=1 BUMPS=1'),
    bug('send-first', 'a bump is sent before it is committed', '4', 'BUMPS=1'),
    bug('claim-apart', 'slot and jobs are written in two transactions', '1', 'CRASHES=1'),
    bug('bump-new-nonce', 'a bump takes another nonce', '1', ''),
    bug('forget-hashes', 'receipts are asked for the newest hash only', '3', 'BUMPS=1'),
    bug('one-null', 'a used nonce and one null receipt make a slot foreign', '3', ''),
    bug('renonce', '"nonce too low" without a receipt is paid anew', '3', ''),
    bug('requeue-unmined', 'a job whose block is gone is queued again', '3', 'REORGS=1'),
    bug('revert-not-final', 'a failed receipt is settled before it is final', '3',
        'REVERTS=1 REORGS=1'),
    bug('proof-not-final', 'the proof is made at the head', '3', 'FOREIGN=1 REORGS=1'),
    bug('proof-by-one-head', "the proof is made where one node's head says", '3',
        'LIAR_AHEAD FOREIGN=1 REORGS=1'),
    bug('confirm-early', 'a payment is confirmed one block early', '5', 'REORGS=1 LAG_BOTH'),
    bug('no-block-hash', "finality goes by the block's number alone", '5', 'REORGS=1'),
    bug('mixed-nodes', "one node's block is final by another node's head", '5',
        'ONE_ENDPOINT REVERTS=1 REORGS=1'),
    Check('one-liar', 'one node is believed, and it says it is two blocks ahead', BUG,
          'ONE_ENDPOINT LIAR_AHEAD REVERTS=1 REORGS=1', '5'),
    Check('mixed-nodes-paid-twice', '... and that pays twice', BUG,
          'ONE_ENDPOINT REVERTS=1 REORGS=1 PROMISE_1_ALONE BUG_MIXED_NODES', '1'),
    Check('no-epoch-paid-twice', 'a write without the epoch pays twice', BUG,
          'TAKEOVERS=1 BUMPS=1 PROMISE_1_ALONE BUG_NO_EPOCH', '1'),
    bug('no-unmined', 'a block that is gone is never noticed', 'liveness',
        'REORGS=1 EVICTIONS=1 LIVENESS'),
    bug('no-proof', 'an unresolved slot is never proven foreign', 'liveness', 'FOREIGN=1 LIVENESS'),
]


@dataclasses.dataclass
class Result:
    broken: str = ''  # as in Check
    complete: bool = False
    states: int = 0
    depth: int = 0
    memory_mb: float = 0
    seconds: float = 0
    output: str = ''

    def is_as_wanted(self, check):
        if check.broken:
            return self.broken == check.broken
        return self.complete and not self.broken


def is_live(check):
    return 'LIVENESS' in check.defines.split()


def limit_memory():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))


def run(command, directory, **more):
    return subprocess.run(command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False, **more)


def broken_in(output):
    promise = re.search(r'assertion violated .*\|\| *!\((\d)\)\)', output)
    if promise:
        return promise.group(1)
    if re.search(r'assertion violated .*==\d', output):
        return 'reached'
    return 'liveness' if 'acceptance cycle (' in output else ''


def number_in(pattern, output):
    found = re.search(pattern, output)
    return float(found.group(1)) if found else 0


def is_complete(output, live_claim):
    return ('Full statespace search for:' in output and 'errors: 0' in output and
            'Search not completed' not in output and 'max search depth too small' not in output and
            (not live_claim or '(fairness enabled)' in output))


def read_output(output, live_claim):
    return Result(broken=broken_in(output), complete=is_complete(output, live_claim),
                  states=int(number_in(r'([\d.e+]+) states, stored', output)),
                  depth=int(number_in(r'depth reached (\d+)', output)),
                  memory_mb=number_in(r'([\d.]+)\s+total actual memory', output), output=output)


def verify(check):
    """spin writes the verifier, gcc compiles it, and it looks at every state."""
    directory = BUILD / check.name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    shutil.copy(MODEL, directory)
    defines = [f'-D{define}' for define in check.defines.split()]
    start = time.monotonic()
    for command in (['spin', '-a', *defines, MODEL.name],
                    ['gcc', '-O0' if check.broken else '-O1', '-w', '-o', 'pan', 'pan.c',
                     *(['-DNFAIR=3'] if is_live(check) else ['-DSAFETY'])]):
        done = run(command, directory)
        if done.returncode != 0:
            return Result(output=done.stdout, seconds=time.monotonic() - start)
    try:
        done = run(['./pan', f'-m{DEPTH_STEPS_MAX}', f'-w{HASH_BITS}',
                    *(['-a', '-f'] if is_live(check) else [])], directory,
                   preexec_fn=limit_memory, timeout=CHECK_S_MAX)
    except subprocess.TimeoutExpired:
        return Result(output=f'given up after {CHECK_S_MAX} s',
                      seconds=time.monotonic() - start)
    result = read_output(done.stdout, is_live(check))
    result.seconds = time.monotonic() - start
    return result


def verdict(check, result):
    if not check.broken:
        if result.is_as_wanted(check):
            return 'holds, full statespace'
        return f'BROKEN: {result.broken}' if result.broken else 'NOT COMPLETED'
    if result.is_as_wanted(check):
        return {REACHED: 'yes'}.get(
            check.kind, 'found: liveness' if check.broken == 'liveness'
            else f'found: promise {check.broken}')
    return f'NOT FOUND ({result.broken or "nothing broken"})'


def print_row(check, result):
    print(f'  {check.says:<72.72} {result.states:>10,} {result.depth:>6} {result.memory_mb:>6.0f} '
          f'{result.seconds:>6.1f}  {verdict(check, result)}', flush=True)


def print_failure(check, result):
    lines = [line for line in result.output.splitlines() if line.strip()]
    print(f'\n{check.name}: {verdict(check, result)}', *lines[:12], sep='\n  ', file=sys.stderr)
    if (BUILD / check.name / f'{MODEL.name}.trail').exists():
        defines = ' '.join(f'-D{define}' for define in check.defines.split())
        print(f'  replay: cd {(BUILD / check.name).relative_to(ROOT)} && '
              f'spin -t -p {defines} {MODEL.name}', file=sys.stderr)


def commit():
    done = run(['git', 'describe', '--always', '--dirty', '--abbrev=12'], ROOT)
    return done.stdout.strip() if done.returncode == 0 else 'unknown'


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def write_json(checks, results, seconds):
    rows = [{'name': check.name, 'kind': check.kind, 'says': check.says,
             'defines': check.defines.split(), 'states': result.states, 'depth': result.depth,
             'memory_mb': result.memory_mb, 'seconds': round(result.seconds, 1),
             'result': verdict(check, result), 'ok': result.is_as_wanted(check)}
            for check, result in zip(checks, results)]
    (BUILD.parent / 'model.json').write_text(
        json.dumps({'commit': commit(), 'seconds': round(seconds, 1),
                    'cpu_seconds': round(cpu_seconds(), 1), 'ok': all(row['ok'] for row in rows),
                    'checks': rows}, indent=1) + '\n', encoding='utf-8')


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--quick', action='store_true', help='without the largest state spaces')
    parser.add_argument('--jobs', type=int, default=2, help='checks at a time; 2')
    parser.add_argument('names', nargs='*', metavar='NAME', help='only these checks')
    return parser.parse_args()


def main():
    arguments = parse()
    checks = [check for check in CHECKS if (check.quick or not arguments.quick) and
              (not arguments.names or check.name in arguments.names)]
    if not checks:
        sys.exit('model.py: no such check')
    start = time.monotonic()
    kind = None
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        results = []
        for check, result in zip(checks, pool.map(verify, checks)):
            if check.kind != kind:
                kind = check.kind
                print(f'{HEADINGS[kind]:<74} {"states":>10} {"depth":>6} {"MB":>6} {"s":>6}')
            print_row(check, result)
            results.append(result)
    failed = [(c, r) for c, r in zip(checks, results) if not r.is_as_wanted(c)]
    for check, result in failed:
        print_failure(check, result)
    seconds = time.monotonic() - start
    write_json(checks, results, seconds)
    print(f'{len(checks) - len(failed)} of {len(checks)} as wanted, in {seconds:.0f} s '
          f'({cpu_seconds():.0f} s of CPU)')
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
