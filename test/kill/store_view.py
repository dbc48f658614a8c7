# SPDX-License-Identifier: Apache-2.0
"""What the store says, read from its file and from nothing of Sluice's; and what it must agree on
with itself."""
import collections
import contextlib
import dataclasses
import pathlib
import sqlite3

QUEUED, CONFIRMED, CANCELLED = 1, 7, 9  # job states, docs/states.md
SLOT_FINAL, SLOT_FOREIGN = 3, 4
OUTBOX_WAITING = 1


@dataclasses.dataclass(frozen=True)
class Job:
    payment_key: str
    state: int
    referrer: str
    usdc: int
    sge: int


@dataclasses.dataclass
class View:
    jobs: dict  # payout id: Job
    payments: collections.Counter  # payment key: rows
    owed_back: dict  # wallet: (USDC, SGE) that refunds have not cleared
    nonces: dict  # lane address: (next nonce, nonces of final slots, foreign slots)
    faults: list  # where the store contradicts itself


@contextlib.contextmanager
def opened(path):
    connection = sqlite3.connect(f'file:{pathlib.Path(path)}?mode=ro', uri=True, timeout=10)
    connection.execute('BEGIN')  # one snapshot
    try:
        yield connection
    finally:
        connection.close()


def is_locked(path):
    """Whether somebody is in the midst of a write, and stays there."""
    connection = sqlite3.connect(path, timeout=1, isolation_level=None)
    try:
        connection.execute('BEGIN IMMEDIATE')
        connection.execute('ROLLBACK')
        return False
    except sqlite3.OperationalError:
        return True
    finally:
        connection.close()


def address(raw):
    return '0x' + raw.hex() if raw else None


def open_work(path):
    """Numbers of unfinished jobs by state, unfinished slots and undelivered webhooks."""
    with opened(path) as db:
        rows = db.execute('SELECT state, COUNT(*) FROM jobs WHERE state NOT IN (?, ?) GROUP BY 1',
                          (CONFIRMED, CANCELLED))
        work = {f'jobs in state {state}': count for state, count in rows}
        slots, = db.execute('SELECT COUNT(*) FROM slots WHERE state IN (1, 2)').fetchone()
        webhooks, = db.execute('SELECT COUNT(*) FROM outbox WHERE state = ?',
                               (OUTBOX_WAITING,)).fetchone()
    work.update({'open slots': slots, 'undelivered webhooks': webhooks})
    return {name: count for name, count in work.items() if count}


def holders(path):
    """Who holds the lanes."""
    with opened(path) as db:
        return [row[0] for row in db.execute('SELECT holder FROM lanes')]


def read_jobs(db):
    rows = db.execute('SELECT payout_id, payment_key, jobs.state, referrer, usdc, sge FROM jobs'
                      ' JOIN payments ON payments.id = payment_id WHERE kind IN (3, 4)')
    return {'0x' + row[0].hex(): Job(row[1], row[2], address(row[3]), row[4], int(row[5]))
            for row in rows}


def read_owed_back(db):
    owed = collections.defaultdict(lambda: (0, 0))
    rows = db.execute('SELECT wallet, usdc, sge FROM receivables WHERE cleared_ms = 0')
    for wallet, usdc, sge in rows:
        before = owed[address(wallet)]
        owed[address(wallet)] = (before[0] + usdc, before[1] + int(sge))
    return dict(owed)


def read_nonces(db):
    nonces = {}
    for lane_id, wallet, next_nonce in db.execute('SELECT id, address, next_nonce FROM lanes'):
        slots = db.execute('SELECT nonce, state FROM slots WHERE lane_id = ? ORDER BY nonce',
                           (lane_id,)).fetchall()
        nonces[address(wallet)] = (next_nonce, [nonce for nonce, _ in slots],
                                   sum(state == SLOT_FOREIGN for _, state in slots))
    return nonces


def faults_of_engine(db):
    for row in db.execute('PRAGMA integrity_check'):
        if row[0] != 'ok':
            yield f'the store is damaged: {row[0]}'
    for row in db.execute('PRAGMA foreign_key_check'):
        yield f'a row of {row[0]} points nowhere'


def faults_of_counts(db):
    counted = dict(((kind, state), jobs) for kind, state, jobs in db.execute(
        'SELECT kind, state, COUNT(*) FROM jobs GROUP BY 1, 2'))
    kept = dict(((kind, state), jobs) for kind, state, jobs in db.execute(
        'SELECT kind, state, jobs FROM job_counts WHERE jobs > 0'))
    if counted != kept:
        yield f'the counts of jobs are {kept}, there are {counted}'


def faults_of_affiliates(db):
    """What is kept per affiliate is the sum over its jobs and receivables."""
    sums = {row[0]: row[1:] for row in db.execute(
        'SELECT referrer, COUNT(*), SUM(usdc) FROM jobs WHERE state = ? AND kind IN (3, 4)'
        ' GROUP BY 1', (CONFIRMED,))}
    owed = read_owed_back(db)
    rows = db.execute('SELECT wallet, payouts_confirmed, usdc_paid, payouts_pending, usdc_pending,'
                      ' payouts_parked, usdc_receivable FROM affiliates')
    for wallet, confirmed, paid, *rest in rows:
        receivable = owed.get(address(wallet), (0, 0))[0]
        wants = (*sums.get(wallet, (0, 0)), 0, 0, 0, receivable)
        if (confirmed, paid, *rest) != wants:
            yield f'the totals of {address(wallet)} are {(confirmed, paid, *rest)}, not {wants}'


def faults_of_history(db):
    """Each job's history is one chain that ends at its state."""
    at = {}
    rows = db.execute('SELECT job_id, from_state, to_state FROM history ORDER BY job_id, id')
    for job_id, before, after in rows:
        if job_id in at and at[job_id] != before:
            yield f'the history of job {job_id} jumps from {at[job_id]} to {before}'
        at[job_id] = after
    for job_id, state in db.execute('SELECT id, state FROM jobs'):
        if at.get(job_id, state) != state:
            yield f'the history of job {job_id} ends at {at[job_id]}, the job is {state}'


def faults_of_outbox(db):
    rows = db.execute("SELECT job_id, COUNT(*) FROM outbox WHERE type = 'payout.confirmed'"
                      ' GROUP BY 1 HAVING COUNT(*) > 1')
    for job_id, count in rows:
        yield f'payout.confirmed of job {job_id} was written {count} times'


def read(path):
    with opened(path) as db:
        payments = collections.Counter(row[0] for row in
                                       db.execute('SELECT payment_key FROM payments'))
        faults = [fault for check in (faults_of_engine, faults_of_counts, faults_of_affiliates,
                                      faults_of_history, faults_of_outbox) for fault in check(db)]
        return View(read_jobs(db), payments, read_owed_back(db), read_nonces(db), faults)
