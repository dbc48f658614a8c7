-- SPDX-License-Identifier: Apache-2.0
-- What is owed back is taken from the affiliate's next payouts. Numbers and words as in 0001.

-- A fifth outcome, "netted". The check goes with the column it stands on, so: a new column.
ALTER TABLE jobs ADD COLUMN ended BIGINT NOT NULL DEFAULT 0 CHECK (ended BETWEEN 0 AND 4);
UPDATE jobs SET ended = outcome WHERE outcome <> 0;
ALTER TABLE jobs DROP COLUMN outcome;
ALTER TABLE jobs RENAME COLUMN ended TO outcome;

-- What the payout does not pay because it was owed back; usdc and sge are what goes on chain.
ALTER TABLE jobs ADD COLUMN netted_usdc BIGINT NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN netted_sge TEXT NOT NULL DEFAULT '0';

-- A receivable's usdc and sge are what is still open, cleared_ms is 0 while anything is.
ALTER TABLE receivables ADD COLUMN netted_usdc BIGINT NOT NULL DEFAULT 0;
ALTER TABLE receivables ADD COLUMN netted_sge TEXT NOT NULL DEFAULT '0';
UPDATE receivables SET usdc = 0, sge = '0' WHERE cleared_ms <> 0;
DROP INDEX receivables_open;
CREATE INDEX receivables_open ON receivables (wallet, id) WHERE cleared_ms = 0;
CREATE INDEX receivables_payment ON receivables (payment_id, id);

ALTER TABLE affiliates ADD COLUMN usdc_netted BIGINT NOT NULL DEFAULT 0;
ALTER TABLE affiliates ADD COLUMN sge_netted TEXT NOT NULL DEFAULT '0';
ALTER TABLE affiliates ADD COLUMN sge_receivable TEXT NOT NULL DEFAULT '0';
-- SGE passes 64 bits: summed in billions and the rest.
UPDATE affiliates SET sge_receivable = (
    SELECT CASE WHEN whole = 0 THEN CAST(rest AS TEXT)
           ELSE CAST(whole AS TEXT) || substr(CAST(1000000000 + rest AS TEXT), 2) END
    FROM (SELECT wholes + rests / 1000000000 AS whole, rests % 1000000000 AS rest
          FROM (SELECT SUM(CASE WHEN length(sge) > 9
                           THEN CAST(substr(sge, 1, length(sge) - 9) AS BIGINT) ELSE 0 END)
                       AS wholes,
                       SUM(CASE WHEN length(sge) > 9
                           THEN CAST(substr(sge, length(sge) - 8) AS BIGINT)
                           ELSE CAST(sge AS BIGINT) END) AS rests
                FROM receivables
                WHERE receivables.wallet = affiliates.wallet AND cleared_ms = 0) AS sums)
         AS parts)
WHERE wallet IN (SELECT wallet FROM receivables WHERE cleared_ms = 0);

-- Which payout took how much off which receivable, so that it can be undone.
CREATE TABLE nettings (
    id @ID@,
    receivable_id BIGINT NOT NULL REFERENCES receivables (id),
    job_id BIGINT NOT NULL REFERENCES jobs (id),
    usdc BIGINT NOT NULL,
    sge TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    undone_ms BIGINT NOT NULL
);
CREATE INDEX nettings_job ON nettings (job_id) WHERE undone_ms = 0;

-- Payouts that give back what was netted for a refund that did not stand.
CREATE TABLE restitutions (
    payment_id BIGINT NOT NULL REFERENCES payments (id),
    number BIGINT NOT NULL,
    job_id BIGINT NOT NULL REFERENCES jobs (id),
    PRIMARY KEY (payment_id, number)
) @CLUSTERED@;
