// SPDX-License-Identifier: Apache-2.0
// Counts of jobs and sums of affiliates: gathered while a group runs, written before its commit.
#include "store/totals.h"

#include "store/rows.h"
#include "store/tx.h"

#include <string.h>

// What a payout job means to its affiliate.
enum bucket { BUCKET_NONE, BUCKET_PENDING, BUCKET_PARKED, BUCKET_PAID, BUCKET_OWED };

static enum bucket bucket_of(enum job_state state, enum job_outcome outcome)
{
    if (state == JOB_CANCELLED)
        return BUCKET_NONE;
    if (state == JOB_PARKED)
        return BUCKET_PARKED;
    if (state != JOB_CONFIRMED)
        return BUCKET_PENDING;
    return outcome == JOB_OUTCOME_OWED ? BUCKET_OWED : BUCKET_PAID;
}

void totals_clear(struct totals *totals)
{
    memset(&totals->deltas, 0, sizeof totals->deltas);
    totals->counts_dirty = false;
    for (size_t i = 0; i < AFFILIATE_SLOTS; i++)
        totals->affiliates[i].used = false;
    totals->affiliates_count = 0;
    totals->dirty_count = 0;
}

// ---- counts

static void count(struct store_tx *tx, enum job_kind kind, enum job_state state, int64_t change)
{
    tx->cache->totals.deltas.counts[kind][state] += change;
    tx->cache->totals.counts_dirty = true;
}

static enum status count_insert(struct store_tx *tx, int kind, int state, int64_t change)
{
    static const struct db_statement insert = {
        "job count insert", "INSERT INTO job_counts (kind, state, jobs) VALUES ($1, $2, $3)"};
    struct db_query *query = tx_query(tx, &insert);
    db_bind_int(query, 1, kind);
    db_bind_int(query, 2, state);
    db_bind_int(query, 3, change);
    return db_execute(query, NULL);
}

static enum status count_write(struct store_tx *tx, int kind, int state, int64_t change)
{
    static const struct db_statement update = {
        "job count update",
        "UPDATE job_counts SET jobs = jobs + $3 WHERE kind = $1 AND state = $2"};
    struct db_query *query = tx_query(tx, &update);
    db_bind_int(query, 1, kind);
    db_bind_int(query, 2, state);
    db_bind_int(query, 3, change);
    int64_t changes;
    enum status status = db_execute(query, &changes);
    if (status == STATUS_OK && changes == 0)
        status = count_insert(tx, kind, state, change);
    return status;
}

static enum status counts_flush(struct store_tx *tx)
{
    struct totals *totals = &tx->cache->totals;
    for (int kind = 1; totals->counts_dirty && kind <= JOB_KIND_COUNT; kind++) {
        for (int state = 1; state <= JOB_STATE_COUNT; state++) {
            int64_t change = totals->deltas.counts[kind][state];
            enum status status = change == 0 ? STATUS_OK : count_write(tx, kind, state, change);
            if (status != STATUS_OK)
                return status;
            totals->deltas.counts[kind][state] = 0;
        }
    }
    totals->counts_dirty = false;
    return STATUS_OK;
}

enum status job_counts_read(struct store_tx *tx, struct job_counts *ret_counts)
{
    static const struct db_statement read = {"job counts",
                                             "SELECT kind, state, jobs FROM job_counts"};
    enum status status = totals_flush(tx);
    if (status != STATUS_OK)
        return status;
    struct job_counts counts = {0};
    struct db_query *query = tx_query(tx, &read);
    while ((status = db_next(query)) == STATUS_OK) {
        enum job_kind kind;
        enum job_state state;
        if (job_kind_from_number(&kind, db_int(query, "kind")) &&
            job_state_from_number(&state, db_int(query, "state")))
            counts.counts[kind][state] = db_int(query, "jobs");
        else
            db_fault(query);
    }
    status = db_done_list(query, status);
    if (status == STATUS_OK)
        *ret_counts = counts;
    return status;
}

// ---- affiliates

static void affiliate_read(struct affiliate_entry *entry, struct db_query *query)
{
    entry->id = db_int(query, "id");
    entry->last_job_id = db_int(query, "last_job_id");
    struct affiliate *sums = &entry->sums;
    row_address(query, "wallet", &sums->wallet);
    sums->children = db_int(query, "children");
    sums->payouts_pending = db_int(query, "payouts_pending");
    sums->payouts_confirmed = db_int(query, "payouts_confirmed");
    sums->payouts_parked = db_int(query, "payouts_parked");
    sums->usdc_paid = row_usdc(query, "usdc_paid");
    sums->usdc_owed = row_usdc(query, "usdc_owed");
    sums->usdc_pending = row_usdc(query, "usdc_pending");
    sums->usdc_receivable = row_usdc(query, "usdc_receivable");
    sums->sge_paid = row_sge(query, "sge_paid");
    sums->sge_owed = row_sge(query, "sge_owed");
    sums->sge_pending = row_sge(query, "sge_pending");
    sums->usdc_netted = row_usdc(query, "usdc_netted");
    sums->sge_netted = row_sge(query, "sge_netted");
    sums->sge_receivable = row_sge(query, "sge_receivable");
}

// Fills the entry from its row; leaves it with id 0 where there is none.
static enum status affiliate_load(struct store_tx *tx, struct affiliate_entry *entry,
                                  const struct address *wallet)
{
    static const struct db_statement find = {
        "affiliate find",
        "SELECT id, wallet, children, last_job_id, payouts_pending, payouts_confirmed,"
        " payouts_parked, usdc_paid, usdc_owed, usdc_pending, usdc_receivable, sge_paid, sge_owed,"
        " sge_pending, usdc_netted, sge_netted, sge_receivable FROM affiliates WHERE wallet = $1"};
    memset(entry, 0, sizeof *entry);
    entry->sums.wallet = *wallet;
    struct db_query *query = tx_query(tx, &find);
    bind_address(query, 1, wallet);
    enum status status = db_next(query);
    if (status == STATUS_OK)
        affiliate_read(entry, query);
    return db_done_list(query, status);
}

#define AFFILIATE_SGE_SUMS 5

static void affiliate_bind(struct db_query *query, const struct affiliate_entry *entry,
                           char texts[AFFILIATE_SGE_SUMS][SGE_TEXT_SIZE])
{
    const struct affiliate *sums = &entry->sums;
    db_bind_int(query, 1, entry->id);
    db_bind_int(query, 2, sums->children);
    db_bind_int(query, 3, entry->last_job_id);
    db_bind_int(query, 4, sums->payouts_pending);
    db_bind_int(query, 5, sums->payouts_confirmed);
    db_bind_int(query, 6, sums->payouts_parked);
    bind_usdc(query, 7, sums->usdc_paid);
    bind_usdc(query, 8, sums->usdc_owed);
    bind_usdc(query, 9, sums->usdc_pending);
    bind_usdc(query, 10, sums->usdc_receivable);
    bind_sge(query, 11, texts[0], sums->sge_paid);
    bind_sge(query, 12, texts[1], sums->sge_owed);
    bind_sge(query, 13, texts[2], sums->sge_pending);
    bind_usdc(query, 14, sums->usdc_netted);
    bind_sge(query, 15, texts[3], sums->sge_netted);
    bind_sge(query, 16, texts[4], sums->sge_receivable);
}

static enum status affiliate_insert(struct store_tx *tx, struct affiliate_entry *entry)
{
    static const struct db_statement insert = {
        "affiliate insert",
        "INSERT INTO affiliates (id, children, last_job_id, payouts_pending, payouts_confirmed,"
        " payouts_parked, usdc_paid, usdc_owed, usdc_pending, usdc_receivable, sge_paid, sge_owed,"
        " sge_pending, usdc_netted, sge_netted, sge_receivable, wallet) VALUES ($1, $2, $3, $4,"
        " $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"};
    enum status status = tx_new_id(tx, &entry->id, ID_AFFILIATES);
    if (status != STATUS_OK)
        return status;
    char texts[AFFILIATE_SGE_SUMS][SGE_TEXT_SIZE];
    struct db_query *query = tx_query(tx, &insert);
    affiliate_bind(query, entry, texts);
    bind_address(query, 17, &entry->sums.wallet);
    return db_execute(query, NULL);
}

static enum status affiliate_write(struct store_tx *tx, struct affiliate_entry *entry)
{
    static const struct db_statement update = {
        "affiliate update",
        "UPDATE affiliates SET children = $2, last_job_id = $3, payouts_pending = $4,"
        " payouts_confirmed = $5, payouts_parked = $6, usdc_paid = $7, usdc_owed = $8,"
        " usdc_pending = $9, usdc_receivable = $10, sge_paid = $11, sge_owed = $12,"
        " sge_pending = $13, usdc_netted = $14, sge_netted = $15, sge_receivable = $16"
        " WHERE id = $1"};
    if (entry->id == 0)
        return affiliate_insert(tx, entry);
    char texts[AFFILIATE_SGE_SUMS][SGE_TEXT_SIZE];
    struct db_query *query = tx_query(tx, &update);
    affiliate_bind(query, entry, texts);
    return db_execute(query, NULL);
}

static enum status affiliates_flush(struct store_tx *tx)
{
    struct totals *totals = &tx->cache->totals;
    for (size_t i = 0; i < totals->dirty_count; i++) {
        struct affiliate_entry *entry = &totals->affiliates[totals->dirty[i]];
        enum status status = affiliate_write(tx, entry);
        if (status != STATUS_OK)
            return status;
        entry->dirty = false;
    }
    totals->dirty_count = 0;
    return STATUS_OK;
}

enum status totals_flush(struct store_tx *tx)
{
    if (tx->cache == NULL)
        return STATUS_OK;
    enum status status = counts_flush(tx);
    return status == STATUS_OK ? affiliates_flush(tx) : status;
}

static size_t slot_of(const struct address *wallet)
{
    uint64_t key;
    memcpy(&key, wallet->bytes + sizeof wallet->bytes - sizeof key, sizeof key);
    return (size_t)((key * 0x9E3779B97F4A7C15u) >> 40) & (AFFILIATE_SLOTS - 1);
}

// The wallet's slot of the table, used or not.
static size_t affiliate_slot(const struct totals *totals, const struct address *wallet)
{
    size_t slot = slot_of(wallet);
    while (totals->affiliates[slot].used &&
           !address_equal(&totals->affiliates[slot].sums.wallet, wallet))
        slot = (slot + 1) & (AFFILIATE_SLOTS - 1);
    return slot;
}

// A full table is written out and begun again.
static enum status affiliates_make_room(struct store_tx *tx)
{
    struct totals *totals = &tx->cache->totals;
    if (totals->affiliates_count < AFFILIATES_CACHED_MAX)
        return STATUS_OK;
    enum status status = totals_flush(tx);
    if (status == STATUS_OK)
        totals_clear(totals);
    return status;
}

// The writer's entry of the wallet.
static enum status affiliate_entry(struct store_tx *tx, size_t *ret_slot,
                                   const struct address *wallet)
{
    struct totals *totals = &tx->cache->totals;
    enum status status = affiliates_make_room(tx);
    if (status != STATUS_OK)
        return status;
    size_t slot = affiliate_slot(totals, wallet);
    struct affiliate_entry *entry = &totals->affiliates[slot];
    if (!entry->used) {
        status = affiliate_load(tx, entry, wallet);
        if (status != STATUS_OK)
            return status;
        entry->used = true;
        totals->affiliates_count++;
    }
    *ret_slot = slot;
    return STATUS_OK;
}

// The same, to be written at the flush.
static enum status affiliate_touch(struct store_tx *tx, struct affiliate_entry **ret_entry,
                                   const struct address *wallet)
{
    tx_require_writable(tx);
    struct totals *totals = &tx->cache->totals;
    size_t slot;
    enum status status = affiliate_entry(tx, &slot, wallet);
    if (status != STATUS_OK)
        return status;
    if (!totals->affiliates[slot].dirty) {
        totals->affiliates[slot].dirty = true;
        totals->dirty[totals->dirty_count++] = (uint16_t)slot;
    }
    *ret_entry = &totals->affiliates[slot];
    return STATUS_OK;
}

struct bucket_sums {
    int64_t *payouts;
    struct usdc *usdc;
    struct sge *sge;
};

static struct bucket_sums bucket_sums(struct affiliate *sums, enum bucket bucket)
{
    switch (bucket) {
    case BUCKET_PENDING:
        return (struct bucket_sums){&sums->payouts_pending, &sums->usdc_pending,
                                    &sums->sge_pending};
    case BUCKET_PARKED:
        return (struct bucket_sums){&sums->payouts_parked, &sums->usdc_pending, &sums->sge_pending};
    case BUCKET_PAID:
        return (struct bucket_sums){&sums->payouts_confirmed, &sums->usdc_paid, &sums->sge_paid};
    case BUCKET_OWED:
        return (struct bucket_sums){&sums->payouts_confirmed, &sums->usdc_owed, &sums->sge_owed};
    case BUCKET_NONE:
        break;
    }
    return (struct bucket_sums){NULL, NULL, NULL};
}

static enum status bucket_add(struct affiliate *sums, enum bucket bucket, const struct job *job)
{
    struct bucket_sums to = bucket_sums(sums, bucket);
    if (to.payouts == NULL)
        return STATUS_OK;
    *to.payouts += 1;
    bool fits = usdc_add(to.usdc, *to.usdc, job->usdc) && sge_add(to.sge, *to.sge, job->sge);
    return fits ? STATUS_OK : STATUS_LIMIT;
}

static enum status bucket_take(struct affiliate *sums, enum bucket bucket, const struct job *job)
{
    struct bucket_sums from = bucket_sums(sums, bucket);
    if (from.payouts == NULL)
        return STATUS_OK;
    *from.payouts -= 1;
    bool fits = usdc_subtract(from.usdc, *from.usdc, job->usdc) &&
                sge_subtract(from.sge, *from.sge, job->sge);
    return fits ? STATUS_OK : STATUS_CORRUPT;
}

// What the job took off debts counts as long as the job does.
static enum status netted_change(struct affiliate *sums, enum bucket from, enum bucket to,
                                 const struct job *job)
{
    struct amounts netted = {sums->usdc_netted, sums->sge_netted};
    if ((from == BUCKET_NONE) == (to == BUCKET_NONE))
        return STATUS_OK;
    if (from == BUCKET_NONE && !amounts_add(&netted, netted, job_netted(job)))
        return STATUS_LIMIT;
    if (to == BUCKET_NONE && !amounts_subtract(&netted, netted, job_netted(job)))
        return STATUS_CORRUPT;
    sums->usdc_netted = netted.usdc;
    sums->sge_netted = netted.sge;
    return STATUS_OK;
}

// A half-made sum must never be committed.
static enum status checked(struct store_tx *tx, enum status status)
{
    return status == STATUS_OK ? status : tx_fail(tx, status);
}

enum status totals_job_added(struct store_tx *tx, int64_t *ret_previous_id, const struct job *job)
{
    count(tx, job->kind, job->state, 1);
    int64_t previous = 0;
    if (!address_is_zero(&job->referrer)) {
        struct affiliate_entry *entry;
        enum status status = affiliate_touch(tx, &entry, &job->referrer);
        if (status == STATUS_OK && job_kind_is_payout(job->kind))
            status = bucket_add(&entry->sums, bucket_of(job->state, job->outcome), job);
        if (status == STATUS_OK && job_kind_is_payout(job->kind))
            status =
                netted_change(&entry->sums, BUCKET_NONE, bucket_of(job->state, job->outcome), job);
        if (status != STATUS_OK)
            return checked(tx, status);
        previous = entry->last_job_id;
        entry->last_job_id = job->id;
    }
    *ret_previous_id = previous;
    return STATUS_OK;
}

enum status totals_job_changed(struct store_tx *tx, const struct job *before, enum job_state state,
                               enum job_outcome outcome)
{
    count(tx, before->kind, before->state, -1);
    count(tx, before->kind, state, 1);
    enum bucket from = bucket_of(before->state, before->outcome), to = bucket_of(state, outcome);
    if (!job_kind_is_payout(before->kind) || from == to)
        return STATUS_OK;
    struct affiliate_entry *entry;
    enum status status = affiliate_touch(tx, &entry, &before->referrer);
    if (status == STATUS_OK)
        status = bucket_take(&entry->sums, from, before);
    if (status == STATUS_OK)
        status = bucket_add(&entry->sums, to, before);
    if (status == STATUS_OK)
        status = netted_change(&entry->sums, from, to, before);
    return checked(tx, status);
}

void totals_kind_changed(struct store_tx *tx, enum job_kind before, enum job_kind after,
                         enum job_state state)
{
    count(tx, before, state, -1);
    count(tx, after, state, 1);
}

enum status totals_child_added(struct store_tx *tx, const struct address *referrer)
{
    struct affiliate_entry *entry;
    enum status status = affiliate_touch(tx, &entry, referrer);
    if (status == STATUS_OK)
        entry->sums.children++;
    return checked(tx, status);
}

enum status totals_receivable_changed(struct store_tx *tx, const struct address *wallet,
                                      struct amounts before, struct amounts after)
{
    struct affiliate_entry *entry;
    enum status status = affiliate_touch(tx, &entry, wallet);
    if (status != STATUS_OK)
        return checked(tx, status);
    struct amounts open = {entry->sums.usdc_receivable, entry->sums.sge_receivable};
    if (!amounts_subtract(&open, open, before))
        return tx_fail(tx, STATUS_CORRUPT);
    if (!amounts_add(&open, open, after))
        return tx_fail(tx, STATUS_LIMIT);
    entry->sums.usdc_receivable = open.usdc;
    entry->sums.sge_receivable = open.sge;
    return STATUS_OK;
}

// As the transaction sees it, from the writer's table or the row.
static enum status affiliate_view(struct store_tx *tx, struct affiliate_entry *ret_entry,
                                  const struct address *wallet)
{
    if (tx->cache == NULL)
        return affiliate_load(tx, ret_entry, wallet);
    size_t slot;
    enum status status = affiliate_entry(tx, &slot, wallet);
    if (status == STATUS_OK)
        *ret_entry = tx->cache->totals.affiliates[slot];
    return status;
}

enum status totals_last_job(struct store_tx *tx, int64_t *ret_job_id, const struct address *wallet)
{
    struct affiliate_entry entry;
    enum status status = affiliate_view(tx, &entry, wallet);
    if (status == STATUS_OK)
        *ret_job_id = entry.last_job_id;
    return status;
}

enum status totals_receivable(struct store_tx *tx, struct amounts *ret_open,
                              const struct address *wallet)
{
    struct affiliate_entry entry;
    enum status status = affiliate_view(tx, &entry, wallet);
    if (status == STATUS_OK)
        *ret_open = (struct amounts){entry.sums.usdc_receivable, entry.sums.sge_receivable};
    return status;
}

static bool add_earned(struct affiliate *sums)
{
    return usdc_add(&sums->usdc_earned, sums->usdc_paid, sums->usdc_owed) &&
           usdc_add(&sums->usdc_earned, sums->usdc_earned, sums->usdc_pending) &&
           usdc_add(&sums->usdc_earned, sums->usdc_earned, sums->usdc_netted) &&
           sge_add(&sums->sge_earned, sums->sge_paid, sums->sge_owed) &&
           sge_add(&sums->sge_earned, sums->sge_earned, sums->sge_pending) &&
           sge_add(&sums->sge_earned, sums->sge_earned, sums->sge_netted);
}

enum status affiliate_by_wallet(struct store_tx *tx, struct affiliate *ret_affiliate,
                                const struct address *wallet)
{
    struct affiliate_entry entry;
    enum status status = affiliate_view(tx, &entry, wallet);
    if (status != STATUS_OK)
        return status;
    if (entry.id == 0 && !entry.dirty)
        return STATUS_NOT_FOUND;
    if (!add_earned(&entry.sums))
        return STATUS_LIMIT;
    *ret_affiliate = entry.sums;
    return STATUS_OK;
}
