-- SPDX-License-Identifier: Apache-2.0
-- The first schema. Valid in SQLite and Postgres but for the words in @...@ (src/db/driver.h).
--
-- Keys are integers that grow with time: random keys, not the flush, are what limits SQLite.
-- The one random key of an accepted payment is its row in outside_ids. Amounts of USDC are base
-- units in a BIGINT, amounts of SGE and wei decimal base units as TEXT (they pass 64 bits).
-- A zero address or hash is NULL. Number 0 stands for "none" in references that may be empty.

CREATE TABLE programs (
    id @ID@,
    name TEXT NOT NULL UNIQUE,
    kind BIGINT NOT NULL CHECK (kind BETWEEN 1 AND 2),
    payout_trigger BIGINT NOT NULL CHECK (payout_trigger BETWEEN 1 AND 2),
    commission_bps BIGINT NOT NULL CHECK (commission_bps BETWEEN 1 AND 10000),
    sge_rate TEXT NOT NULL,
    payout_max BIGINT NOT NULL,
    hold_seconds BIGINT NOT NULL CHECK (hold_seconds >= 0),
    active BIGINT NOT NULL CHECK (active BETWEEN 0 AND 1),
    created_ms BIGINT NOT NULL
);

CREATE TABLE users (
    id @ID@,
    wallet @BYTES@ NOT NULL UNIQUE,
    referrer @BYTES@,
    program_id BIGINT NOT NULL,
    referral_job_id BIGINT NOT NULL,
    mint_job_id BIGINT NOT NULL,
    created_ms BIGINT NOT NULL
);

-- What an affiliate has earned, kept with every change: reading it never scans the jobs.
-- last_job_id heads the chain through jobs.referrer_previous_id.
CREATE TABLE affiliates (
    id @ID@,
    wallet @BYTES@ NOT NULL UNIQUE,
    children BIGINT NOT NULL,
    last_job_id BIGINT NOT NULL,
    payouts_pending BIGINT NOT NULL,
    payouts_confirmed BIGINT NOT NULL,
    payouts_parked BIGINT NOT NULL,
    usdc_paid BIGINT NOT NULL,
    usdc_owed BIGINT NOT NULL,
    usdc_pending BIGINT NOT NULL,
    usdc_receivable BIGINT NOT NULL,
    sge_paid TEXT NOT NULL,
    sge_owed TEXT NOT NULL,
    sge_pending TEXT NOT NULL
);

-- Ids given by others, each used once for ever. digest: the first 16 bytes of SHA-256 over a kind
-- byte, a zero byte and the id; the full id stands in the row that ref names, see outside_ids.h.
CREATE TABLE outside_ids (
    digest @BYTES@ PRIMARY KEY,
    kind BIGINT NOT NULL,
    ref BIGINT NOT NULL
) @CLUSTERED@;

CREATE TABLE payments (
    id @ID@,
    payment_key TEXT NOT NULL,
    provider BIGINT NOT NULL,
    state BIGINT NOT NULL CHECK (state BETWEEN 1 AND 5),
    user_id BIGINT NOT NULL,
    program_id BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    job_id BIGINT NOT NULL,
    refund_event_id BIGINT NOT NULL,
    received_ms BIGINT NOT NULL
);

-- Refund events, handled once each.
CREATE TABLE events (
    id @ID@,
    provider BIGINT NOT NULL,
    event_id TEXT NOT NULL,
    payment_key TEXT NOT NULL,
    kind BIGINT NOT NULL,
    received_ms BIGINT NOT NULL
);

CREATE TABLE receivables (
    id @ID@,
    wallet @BYTES@ NOT NULL,
    payment_id BIGINT NOT NULL,
    job_id BIGINT NOT NULL,
    usdc BIGINT NOT NULL,
    sge TEXT NOT NULL,
    kind BIGINT NOT NULL,
    event_id BIGINT NOT NULL,
    created_ms BIGINT NOT NULL,
    cleared_ms BIGINT NOT NULL
);
CREATE INDEX receivables_open ON receivables (payment_id) WHERE cleared_ms = 0;

CREATE TABLE jobs (
    id @ID@,
    kind BIGINT NOT NULL CHECK (kind BETWEEN 1 AND 4),
    state BIGINT NOT NULL CHECK (state BETWEEN 1 AND 9),
    outcome BIGINT NOT NULL CHECK (outcome BETWEEN 0 AND 3),
    program_id BIGINT NOT NULL,
    payment_id BIGINT NOT NULL,
    payout_id @BYTES@,
    child @BYTES@ NOT NULL,
    referrer @BYTES@,
    usdc BIGINT NOT NULL,
    sge TEXT NOT NULL,
    slot_id BIGINT NOT NULL,
    due_ms BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    first_sent_ms BIGINT NOT NULL,
    referrer_previous_id BIGINT NOT NULL,
    created_ms BIGINT NOT NULL,
    updated_ms BIGINT NOT NULL,
    trace @BYTES@,
    reason TEXT NOT NULL
);
-- Partial: what is finished costs nothing. Queued and held, by when they are due:
CREATE INDEX jobs_due ON jobs (due_ms, id) WHERE state IN (1, 2);
-- All but confirmed, for listings by state:
CREATE INDEX jobs_state ON jobs (state, id) WHERE state <> 7;

CREATE TABLE job_counts (
    kind BIGINT NOT NULL,
    state BIGINT NOT NULL,
    jobs BIGINT NOT NULL CHECK (jobs >= 0),
    PRIMARY KEY (kind, state)
);

CREATE TABLE history (
    id @ID@,
    job_id BIGINT NOT NULL REFERENCES jobs (id),
    from_state BIGINT NOT NULL,
    to_state BIGINT NOT NULL,
    cause TEXT NOT NULL,
    why TEXT NOT NULL,
    trace @BYTES@,
    at_ms BIGINT NOT NULL
);
CREATE INDEX history_job ON history (job_id, id);

CREATE TABLE holds (
    kind BIGINT NOT NULL CHECK (kind BETWEEN 1 AND 4),
    reason TEXT NOT NULL,
    why TEXT NOT NULL,
    since_ms BIGINT NOT NULL,
    PRIMARY KEY (kind, reason)
);

CREATE TABLE lanes (
    id @ID@,
    address @BYTES@ NOT NULL UNIQUE,
    next_nonce BIGINT NOT NULL CHECK (next_nonce >= 0),
    epoch BIGINT NOT NULL,
    holder TEXT NOT NULL,
    lease_until_ms BIGINT NOT NULL
);

CREATE TABLE slots (
    id @ID@,
    lane_id BIGINT NOT NULL REFERENCES lanes (id),
    nonce BIGINT NOT NULL,
    kind BIGINT NOT NULL CHECK (kind BETWEEN 1 AND 2),
    state BIGINT NOT NULL CHECK (state BETWEEN 1 AND 4),
    transaction_hash @BYTES@,
    block_hash @BYTES@,
    block_number BIGINT NOT NULL,
    succeeded BIGINT NOT NULL,
    gas_used BIGINT NOT NULL,
    gas_price TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    UNIQUE (lane_id, nonce)
);
CREATE INDEX slots_unfinished ON slots (lane_id, nonce) WHERE state IN (1, 2);

-- Which jobs a slot's transactions carry: written once, kept for ever, also after a retry has
-- given the job another slot.
CREATE TABLE slot_jobs (
    slot_id BIGINT NOT NULL REFERENCES slots (id),
    position BIGINT NOT NULL,
    job_id BIGINT NOT NULL REFERENCES jobs (id),
    PRIMARY KEY (slot_id, position)
) @CLUSTERED@;

CREATE TABLE attempts (
    id @ID@,
    slot_id BIGINT NOT NULL REFERENCES slots (id),
    state BIGINT NOT NULL CHECK (state BETWEEN 1 AND 5),
    hash @BYTES@ NOT NULL,
    raw @BYTES@ NOT NULL,
    max_fee TEXT NOT NULL,
    max_priority_fee TEXT NOT NULL,
    gas_limit BIGINT NOT NULL,
    created_ms BIGINT NOT NULL,
    sent_ms BIGINT NOT NULL,
    sends BIGINT NOT NULL
);
CREATE INDEX attempts_slot ON attempts (slot_id, id);

CREATE TABLE outbox (
    id @ID@,
    type TEXT NOT NULL,
    job_id BIGINT NOT NULL REFERENCES jobs (id),
    state BIGINT NOT NULL CHECK (state BETWEEN 1 AND 3),
    due_ms BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    created_ms BIGINT NOT NULL,
    why TEXT NOT NULL
);
CREATE INDEX outbox_due ON outbox (due_ms, id) WHERE state = 1;

CREATE TABLE api_keys (
    id @ID@,
    digest @BYTES@ NOT NULL UNIQUE,
    name TEXT NOT NULL,
    scopes BIGINT NOT NULL,
    created_ms BIGINT NOT NULL,
    revoked_ms BIGINT NOT NULL
);

CREATE TABLE idempotency (
    id @ID@,
    api_key_id BIGINT NOT NULL,
    idempotency_key TEXT NOT NULL,
    request_digest @BYTES@ NOT NULL,
    http_status BIGINT NOT NULL,
    body @BYTES@ NOT NULL,
    created_ms BIGINT NOT NULL,
    UNIQUE (api_key_id, idempotency_key)
);
CREATE INDEX idempotency_age ON idempotency (created_ms, id);

CREATE TABLE audit (
    id @ID@,
    at_ms BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    detail TEXT NOT NULL
);
