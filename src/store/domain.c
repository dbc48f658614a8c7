// SPDX-License-Identifier: Apache-2.0
// Which chain and payout contract a store's payouts belong to: a digest in the meta table.
#include "store/domain.h"

#include "eth/keccak.h"
#include "store/jobs.h"
#include "store/tx.h"

#include <string.h>

static int64_t domain_digest(const struct payout_domain *domain)
{
    uint8_t data[sizeof(uint64_t) + sizeof domain->payout_contract.bytes];
    memcpy(data, &domain->chain_id, sizeof(uint64_t));
    memcpy(data + sizeof(uint64_t), domain->payout_contract.bytes,
           sizeof domain->payout_contract.bytes);
    struct hash32 hash = keccak256((struct bytes){data, sizeof data});
    uint64_t digest = 0;
    for (size_t i = 0; i < sizeof digest; i++)
        digest = digest << 8 | hash.bytes[i];
    return (int64_t)(digest >> 1); // fits a signed SQL integer
}

static enum status read_bound(struct store_tx *tx, int64_t *ret_digest)
{
    static const struct db_statement find = {"domain find",
                                             "SELECT value FROM meta WHERE name = 'payout_domain'"};
    struct db_query *query = tx_query(tx, &find);
    int64_t digest = 0;
    enum status status = db_next(query);
    if (status == STATUS_OK)
        digest = db_int(query, "value");
    status = db_done(query, status);
    if (status == STATUS_OK)
        *ret_digest = digest;
    return status;
}

static enum status write_bound(struct store_tx *tx, int64_t digest)
{
    static const struct db_statement bind = {
        "domain bind", "INSERT INTO meta (name, value) VALUES ('payout_domain', $1)"
                       " ON CONFLICT (name) DO UPDATE SET value = excluded.value"};
    struct db_query *query = tx_query(tx, &bind);
    db_bind_int(query, 1, digest);
    return db_execute(query, NULL);
}

static enum status has_open_payouts(struct store_tx *tx, bool *ret_open)
{
    struct job_counts counts;
    int64_t open = 0;
    enum status status = job_counts_read(tx, &counts);
    for (int kind = 1; kind <= JOB_KIND_COUNT; kind++)
        for (int state = 1; state <= JOB_STATE_COUNT && status == STATUS_OK; state++)
            if (job_kind_is_payout((enum job_kind)kind) && job_state_is_open((enum job_state)state))
                open += counts.counts[kind][state];
    *ret_open = open > 0;
    return status;
}

enum status domain_bind(struct store_tx *tx, enum domain_outcome *ret_outcome, bool move)
{
    int64_t digest = domain_digest(store_tx_domain(tx)), bound = 0;
    bool open = false;
    enum status status = read_bound(tx, &bound);
    if (status == STATUS_OK && bound == digest) {
        *ret_outcome = DOMAIN_BOUND;
        return STATUS_OK;
    }
    if (status == STATUS_OK && !move) {
        *ret_outcome = DOMAIN_OTHER;
        return STATUS_OK;
    }
    if (status == STATUS_OK) {
        status = has_open_payouts(tx, &open);
        *ret_outcome = DOMAIN_OPEN_JOBS;
    }
    if ((status != STATUS_OK && status != STATUS_NOT_FOUND) || open)
        return status;
    *ret_outcome = DOMAIN_BOUND;
    return write_bound(tx, digest);
}
