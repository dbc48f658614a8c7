// SPDX-License-Identifier: Apache-2.0
// Refunds and chargebacks, in whatever order the provider delivers them.
//
// What a refund does to a payout depends on whether it may be signed: before, the job is
// cancelled; after, the affiliate owes it back, unless the transaction comes to nothing: then the
// job is cancelled after all. A full refund outweighs a chargeback: winning the chargeback then
// restores nothing.
#include "store/payment_rows.h"
#include "store/program_rows.h"
#include "store/rows.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

// These numbers are on disk.
static_assert(REFUND_FULL == 0 && REFUND_CHARGEBACK == 1 && REFUND_REVERSED == 2, "on disk");

struct refund {
    int64_t event_id; // our row's
    const char *payment_key;
    enum refund_kind kind;
    const struct trace_id *trace;
};

// ---- events

static struct outside_digest event_digest(enum provider provider, const char *event_id)
{
    char text[EVENT_ID_SIZE + 32];
    snprintf(text, sizeof text, "%s:%s", provider_text(provider), event_id);
    return outside_digest(OUTSIDE_EVENT, bytes_of_text(text));
}

static enum status event_insert(struct store_tx *tx, const struct refund *refund,
                                enum provider provider, const char *event_id)
{
    static const struct db_statement insert = {
        "event insert", "INSERT INTO events (id, provider, event_id, payment_key, kind,"
                        " received_ms) VALUES ($1, $2, $3, $4, $5, $6)"};
    struct db_query *query = tx_query(tx, &insert);
    db_bind_int(query, 1, refund->event_id);
    db_bind_int(query, 2, provider);
    db_bind_text(query, 3, event_id);
    db_bind_text(query, 4, refund->payment_key);
    db_bind_int(query, 5, refund->kind);
    db_bind_int(query, 6, tx->now_ms);
    return db_execute(query, NULL);
}

// The full text behind half a digest.
static enum status event_compare(struct store_tx *tx, int64_t id, const char *event_id)
{
    static const struct db_statement find = {"event text",
                                             "SELECT event_id FROM events WHERE id = $1"};
    struct db_query *query = tx_query(tx, &find);
    db_bind_int(query, 1, id);
    enum status status = db_next(query);
    bool same = status == STATUS_OK && strcmp(db_text(query, "event_id"), event_id) == 0;
    status = db_done(query, status);
    return status == STATUS_OK && !same ? tx_fail(tx, STATUS_CORRUPT) : status;
}

static enum status event_kind(struct store_tx *tx, enum refund_kind *ret_kind, int64_t id)
{
    static const struct db_statement find = {"event kind", "SELECT kind FROM events WHERE id = $1"};
    struct db_query *query = tx_query(tx, &find);
    db_bind_int(query, 1, id);
    enum status status = db_next(query);
    int64_t kind = status == STATUS_OK ? db_int(query, "kind") : 0;
    if (status == STATUS_OK && (kind < REFUND_FULL || kind > REFUND_REVERSED))
        db_fault(query);
    status = db_done(query, status);
    if (status == STATUS_OK)
        *ret_kind = (enum refund_kind)kind;
    return status;
}

// Takes the event for ever. *ret_new is false where it was handled before.
static enum status event_take(struct store_tx *tx, bool *ret_new, struct refund *refund,
                              enum provider provider, const char *event_id)
{
    struct outside_digest digest = event_digest(provider, event_id);
    enum outside_kind kind;
    int64_t ref;
    bool inserted;
    enum status status = outside_id_find(tx, &kind, &ref, &digest);
    if (status == STATUS_OK) {
        *ret_new = false;
        return event_compare(tx, ref, event_id);
    }
    if (status == STATUS_NOT_FOUND)
        status = tx_new_id(tx, &refund->event_id, ID_EVENTS);
    if (status == STATUS_OK)
        status = outside_id_insert(tx, &inserted, &digest, OUTSIDE_EVENT, refund->event_id);
    if (status == STATUS_OK)
        status = event_insert(tx, refund, provider, event_id);
    if (status == STATUS_OK)
        *ret_new = true;
    return status;
}

// ---- no payment yet

static enum status tombstone_set(struct store_tx *tx, enum refund_outcome *ret_outcome,
                                 const struct refund *refund, const struct outside_digest *digest)
{
    bool inserted;
    if (refund->kind == REFUND_REVERSED) {
        *ret_outcome = REFUND_NOTHING;
        return STATUS_OK;
    }
    *ret_outcome = REFUND_TOMBSTONE;
    return outside_id_insert(tx, &inserted, digest, OUTSIDE_TOMBSTONE, refund->event_id);
}

static enum status tombstone_change(struct store_tx *tx, enum refund_outcome *ret_outcome,
                                    const struct refund *refund,
                                    const struct outside_digest *digest, int64_t first_event_id)
{
    enum refund_kind first;
    enum status status = event_kind(tx, &first, first_event_id);
    if (status != STATUS_OK)
        return status;
    if (refund->kind == REFUND_REVERSED && first == REFUND_CHARGEBACK) {
        *ret_outcome = REFUND_RESTORED;
        return outside_id_delete(tx, digest);
    }
    *ret_outcome = refund->kind == REFUND_REVERSED ? REFUND_NOTHING : REFUND_TOMBSTONE;
    if (refund->kind == REFUND_FULL)
        return outside_id_update(tx, digest, OUTSIDE_TOMBSTONE, refund->event_id);
    return STATUS_OK;
}

// ---- a stored payment

static enum status has_open_receivable(struct store_tx *tx, bool *ret_has, int64_t payment_id)
{
    static const struct db_statement find = {
        "receivable open", "SELECT id FROM receivables WHERE payment_id = $1 AND cleared_ms = 0"};
    struct db_query *query = tx_query(tx, &find);
    db_bind_int(query, 1, payment_id);
    enum status status = db_next(query);
    bool has = status == STATUS_OK;
    status = db_done_list(query, status);
    if (status == STATUS_OK)
        *ret_has = has;
    return status;
}

static enum status receivable_insert(struct store_tx *tx, const struct job *job,
                                     const struct refund *refund)
{
    static const struct db_statement insert = {
        "receivable insert",
        "INSERT INTO receivables (id, wallet, payment_id, job_id, usdc, sge, kind, event_id,"
        " created_ms, cleared_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0)"};
    int64_t id;
    enum status status = tx_new_id(tx, &id, ID_RECEIVABLES);
    if (status != STATUS_OK)
        return status;
    char sge[SGE_TEXT_SIZE];
    struct db_query *query = tx_query(tx, &insert);
    db_bind_int(query, 1, id);
    bind_address(query, 2, &job->referrer);
    db_bind_int(query, 3, job->payment_id);
    db_bind_int(query, 4, job->id);
    bind_usdc(query, 5, job->usdc);
    bind_sge(query, 6, sge, job->sge);
    db_bind_int(query, 7, refund->kind);
    db_bind_int(query, 8, refund->event_id);
    db_bind_int(query, 9, tx->now_ms);
    status = db_execute(query, NULL);
    return status == STATUS_OK ? totals_receivable_added(tx, &job->referrer, job->usdc) : status;
}

static enum status job_cancel(struct store_tx *tx, const struct job *job,
                              const struct refund *refund)
{
    // The referral may earn again: this payout was never made.
    struct outside_digest digest = referral_digest(&job->payout_id);
    struct job_change change = {.cause = "refund",
                                .why = refund->kind == REFUND_CHARGEBACK
                                           ? "charged back before it was signed"
                                           : "refunded before it was signed"};
    enum status status = job_row_change(tx, job, JOB_CANCELLED, &change, job->slot_id);
    return status == STATUS_OK ? outside_id_delete(tx, &digest) : status;
}

static enum status job_refund(struct store_tx *tx, enum refund_outcome *ret_outcome, int64_t job_id,
                              const struct refund *refund)
{
    struct job job;
    enum status status = job_by_id(tx, &job, job_id);
    if (status != STATUS_OK)
        return status;
    switch (job.state) {
    case JOB_QUEUED:
    case JOB_HELD:
    case JOB_PARKED: // without effect on chain, and would pay when retried
        *ret_outcome = REFUND_CANCELLED;
        return job_cancel(tx, &job, refund);
    case JOB_ASSIGNED:
    case JOB_SENT:
    case JOB_MINED:
    case JOB_UNRESOLVED:
    case JOB_CONFIRMED:
        *ret_outcome = REFUND_RECEIVABLE;
        return receivable_insert(tx, &job, refund);
    case JOB_CANCELLED:
        break;
    }
    *ret_outcome = REFUND_NOTHING;
    return STATUS_OK;
}

static enum status refund_first(struct store_tx *tx, enum refund_outcome *ret_outcome,
                                struct payment *payment, const struct refund *refund)
{
    *ret_outcome = REFUND_NOTHING;
    enum status status = STATUS_OK;
    if (payment->state == PAYMENT_ACCEPTED)
        status = job_refund(tx, ret_outcome, payment->job_id, refund);
    payment->state = PAYMENT_REFUNDED;
    return status == STATUS_OK ? payment_row_update(tx, payment, refund->event_id) : status;
}

// Refunded already: a full refund takes the place of a chargeback, so that it stays for good.
static enum status refund_again(struct store_tx *tx, const struct payment *payment,
                                const struct refund *refund)
{
    static const struct db_statement update = {
        "receivable for good",
        "UPDATE receivables SET kind = $2, event_id = $3 WHERE payment_id = $1 AND cleared_ms = 0"};
    if (refund->kind != REFUND_FULL)
        return STATUS_OK;
    struct db_query *query = tx_query(tx, &update);
    db_bind_int(query, 1, payment->id);
    db_bind_int(query, 2, refund->kind);
    db_bind_int(query, 3, refund->event_id);
    enum status status = db_execute(query, NULL);
    return status == STATUS_OK ? payment_row_update(tx, payment, refund->event_id) : status;
}

static enum status receivable_clear(struct store_tx *tx, const struct job *job)
{
    static const struct db_statement update = {
        "receivable clear",
        "UPDATE receivables SET cleared_ms = $2 WHERE payment_id = $1 AND cleared_ms = 0"};
    struct db_query *query = tx_query(tx, &update);
    db_bind_int(query, 1, job->payment_id);
    db_bind_int(query, 2, tx->now_ms);
    int64_t changes;
    enum status status = db_execute(query, &changes);
    if (status == STATUS_OK && changes != 1)
        return tx_fail(tx, STATUS_CORRUPT);
    return status == STATUS_OK ? totals_receivable_cleared(tx, &job->referrer, job->usdc) : status;
}

enum status refund_unpaid(struct store_tx *tx, bool *ret_cancelled, const struct job *job,
                          const struct job_change *change)
{
    const struct job_change cancel = {.cause = "refund",
                                      .why = "refunded meanwhile; its transaction had no effect"};
    bool owes = false;
    enum status status = STATUS_OK;
    if (job->payment_id != 0)
        status = has_open_receivable(tx, &owes, job->payment_id);
    if (status != STATUS_OK || !owes) {
        *ret_cancelled = false;
        return status;
    }
    struct outside_digest digest = referral_digest(&job->payout_id);
    struct job queued = *job;
    queued.state = JOB_QUEUED;
    queued.slot_id = 0;
    status = job_row_change(tx, job, JOB_QUEUED, change, 0);
    if (status == STATUS_OK)
        status = job_row_change(tx, &queued, JOB_CANCELLED, &cancel, 0);
    if (status == STATUS_OK)
        status = outside_id_delete(tx, &digest);
    if (status == STATUS_OK)
        status = receivable_clear(tx, job);
    if (status == STATUS_OK)
        *ret_cancelled = true;
    return status;
}

// A payment that only ever met its chargeback earns now what it would have earned then.
static enum status settle_late(struct store_tx *tx, struct payment *payment,
                               const struct refund *refund)
{
    const struct program *program;
    enum status status = program_cached(tx, &program, payment->program_id, NULL);
    if (status == STATUS_OK)
        status = payment_settle(tx, payment, program, refund->trace);
    return status;
}

static enum status payment_restore(struct store_tx *tx, enum refund_outcome *ret_outcome,
                                   struct payment *payment, const struct refund *refund)
{
    struct job job;
    enum status status;
    if (payment->job_id == 0) {
        status = settle_late(tx, payment, refund);
    } else {
        status = job_by_id(tx, &job, payment->job_id);
        if (status != STATUS_OK)
            return status;
        if (job.state == JOB_CANCELLED) { // an end state: the cancelled payout is not revived
            *ret_outcome = REFUND_NOTHING;
            return STATUS_OK;
        }
        status = receivable_clear(tx, &job);
        payment->state = PAYMENT_ACCEPTED;
    }
    *ret_outcome = REFUND_RESTORED;
    return status == STATUS_OK ? payment_row_update(tx, payment, 0) : status;
}

static enum status refund_reverse(struct store_tx *tx, enum refund_outcome *ret_outcome,
                                  struct payment *payment, int64_t first_event_id,
                                  const struct refund *refund)
{
    enum refund_kind first;
    *ret_outcome = REFUND_NOTHING;
    if (payment->state != PAYMENT_REFUNDED)
        return STATUS_OK;
    enum status status = event_kind(tx, &first, first_event_id);
    if (status != STATUS_OK || first != REFUND_CHARGEBACK)
        return status;
    return payment_restore(tx, ret_outcome, payment, refund);
}

static enum status refund_payment(struct store_tx *tx, enum refund_outcome *ret_outcome,
                                  int64_t payment_id, const struct refund *refund)
{
    struct payment payment;
    int64_t first_event_id;
    enum status status = payment_row_by_id(tx, &payment, &first_event_id, payment_id);
    if (status != STATUS_OK || strcmp(payment.key, refund->payment_key) != 0)
        return status == STATUS_OK ? tx_fail(tx, STATUS_CORRUPT) : status;
    if (refund->kind == REFUND_REVERSED)
        return refund_reverse(tx, ret_outcome, &payment, first_event_id, refund);
    if (payment.state != PAYMENT_REFUNDED)
        return refund_first(tx, ret_outcome, &payment, refund);
    *ret_outcome = REFUND_NOTHING;
    return refund_again(tx, &payment, refund);
}

static enum status refund_apply(struct store_tx *tx, enum refund_outcome *ret_outcome,
                                const struct refund *refund)
{
    struct outside_digest digest = payment_key_digest(refund->payment_key);
    enum outside_kind kind;
    int64_t ref;
    enum status status = outside_id_find(tx, &kind, &ref, &digest);
    if (status == STATUS_NOT_FOUND)
        return tombstone_set(tx, ret_outcome, refund, &digest);
    if (status != STATUS_OK)
        return status;
    if (kind == OUTSIDE_TOMBSTONE)
        return tombstone_change(tx, ret_outcome, refund, &digest, ref);
    return refund_payment(tx, ret_outcome, ref, refund);
}

enum status payment_refund(struct store_tx *tx, enum refund_outcome *ret_outcome,
                           enum provider provider, const char *event_id, const char *payment_key,
                           enum refund_kind kind, const struct trace_id *trace)
{
    tx_require_writable(tx);
    struct refund refund = {.payment_key = payment_key, .kind = kind, .trace = trace};
    bool new;
    enum refund_outcome outcome = REFUND_DUPLICATE;
    if (strnlen(event_id, EVENT_ID_SIZE) == EVENT_ID_SIZE ||
        strnlen(payment_key, PAYMENT_KEY_SIZE) == PAYMENT_KEY_SIZE)
        return STATUS_INVALID;
    enum status status = event_take(tx, &new, &refund, provider, event_id);
    if (status == STATUS_OK && new)
        status = refund_apply(tx, &outcome, &refund);
    // Nothing that was looked up on the way may be missing.
    if (status == STATUS_NOT_FOUND)
        status = tx_fail(tx, STATUS_CORRUPT);
    if (status == STATUS_OK)
        *ret_outcome = outcome;
    return status;
}
