// SPDX-License-Identifier: Apache-2.0
// Refunds and chargebacks, in whatever order the provider delivers them.
//
// What a refund does to a payout depends on whether it may be signed: before, the job is
// cancelled; after, the affiliate owes it back (store/netting.h), unless the transaction comes to
// nothing: then the job is cancelled after all. A chargeback that was won leaves things as if it
// had never come, also where the news of winning it came first. A full refund outweighs a
// chargeback: winning the chargeback then restores nothing.
#include "store/netting.h"
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

enum status event_kind(struct store_tx *tx, enum refund_kind *ret_kind, int64_t id)
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

// What is answered where it is remembered for the payment to come.
static enum refund_outcome outcome_unmet(enum refund_kind kind)
{
    return kind == REFUND_REVERSED ? REFUND_WON_EARLY : REFUND_TOMBSTONE;
}

static enum status tombstone_set(struct store_tx *tx, enum refund_outcome *ret_outcome,
                                 const struct refund *refund, const struct outside_digest *digest)
{
    bool inserted;
    *ret_outcome = outcome_unmet(refund->kind);
    return outside_id_insert(tx, &inserted, digest, OUTSIDE_TOMBSTONE, refund->event_id);
}

// A chargeback and the news that it was won take each other away, whichever came first; a full
// refund stays.
static enum status tombstone_change(struct store_tx *tx, enum refund_outcome *ret_outcome,
                                    const struct refund *refund,
                                    const struct outside_digest *digest, int64_t first_event_id)
{
    enum refund_kind first;
    enum status status = event_kind(tx, &first, first_event_id);
    if (status != STATUS_OK)
        return status;
    *ret_outcome = outcome_unmet(refund->kind);
    if (refund->kind == REFUND_FULL)
        return outside_id_update(tx, digest, OUTSIDE_TOMBSTONE, refund->event_id);
    if (first == REFUND_FULL && refund->kind == REFUND_REVERSED)
        *ret_outcome = REFUND_NOTHING;
    if (first == REFUND_FULL || first == refund->kind)
        return STATUS_OK;
    *ret_outcome = refund->kind == REFUND_REVERSED ? REFUND_RESTORED : REFUND_VOID;
    return outside_id_delete(tx, digest);
}

// ---- a stored payment

static enum status job_cancel(struct store_tx *tx, const struct job *job,
                              const struct payment *payment, const struct refund *refund)
{
    struct outside_digest digest = referral_digest(&job->payout_id);
    struct job_change change = {.cause = "refund",
                                .why = refund->kind == REFUND_CHARGEBACK
                                           ? "charged back before it was signed"
                                           : "refunded before it was signed"};
    enum status status = job_row_change(tx, job, JOB_CANCELLED, &change, job->slot_id);
    // The referral may earn again: this payout was never made.
    return status == STATUS_OK && job->id == payment->job_id ? outside_id_delete(tx, &digest)
                                                             : status;
}

// A payout of the payment without effect on chain, and with no bytes that may have one; id 0 where
// there is none (left). A parked one would pay when retried.
static enum status unsigned_payout(struct store_tx *tx, struct job *ret_job,
                                   const struct payment *payment)
{
    static const struct db_statement find = {
        "payout unsigned",
        "SELECT " JOB_COLUMNS " FROM jobs WHERE (jobs.id = $2 OR jobs.id IN"
        " (SELECT job_id FROM restitutions WHERE payment_id = $1)) AND state IN (1, 2, 8) LIMIT 1"};
    static_assert(JOB_QUEUED == 1 && JOB_HELD == 2 && JOB_PARKED == 8, "see the statement above");
    memset(ret_job, 0, sizeof *ret_job);
    struct db_query *query = tx_query(tx, &find);
    db_bind_int(query, 1, payment->id);
    db_bind_int(query, 2, payment->job_id);
    enum status status = db_next(query);
    if (status == STATUS_OK)
        job_row_read(ret_job, query);
    return db_done_list(query, status);
}

// Each turn cancels one, so that it ends.
static enum status unsigned_payouts_cancel(struct store_tx *tx, bool *ret_any,
                                           const struct payment *payment,
                                           const struct refund *refund)
{
    struct job job;
    bool any = false;
    enum status status = unsigned_payout(tx, &job, payment);
    while (status == STATUS_OK && job.id != 0) {
        any = true;
        status = job_cancel(tx, &job, payment, refund);
        if (status == STATUS_OK)
            status = unsigned_payout(tx, &job, payment);
    }
    if (status == STATUS_OK)
        *ret_any = any;
    return status;
}

static enum status receivable_mark(struct store_tx *tx, const struct payment *payment,
                                   const struct refund *refund)
{
    static const struct db_statement update = {
        "receivable for what",
        "UPDATE receivables SET kind = $2, event_id = $3 WHERE payment_id = $1 AND cleared_ms = 0"};
    struct db_query *query = tx_query(tx, &update);
    db_bind_int(query, 1, payment->id);
    db_bind_int(query, 2, refund->kind);
    db_bind_int(query, 3, refund->event_id);
    return db_execute(query, NULL);
}

// A payment that nothing refunded yet.
static enum status refund_first(struct store_tx *tx, enum refund_outcome *ret_outcome,
                                struct payment *payment, const struct refund *refund)
{
    struct amounts open;
    bool cancelled;
    payment->state = PAYMENT_REFUNDED;
    enum status status = payment_row_update(tx, payment, refund->event_id);
    if (status == STATUS_OK)
        status = unsigned_payouts_cancel(tx, &cancelled, payment, refund);
    if (status == STATUS_OK)
        status = payment_level(tx, &open, payment, refund->kind, refund->event_id, refund->trace);
    if (status == STATUS_OK)
        status = receivable_mark(tx, payment, refund);
    if (status != STATUS_OK)
        return status;
    *ret_outcome = cancelled ? REFUND_CANCELLED : REFUND_NOTHING;
    if (!amounts_is_zero(open))
        *ret_outcome = REFUND_RECEIVABLE;
    return STATUS_OK;
}

// Refunded already: a full refund takes the place of a chargeback, so that it stays for good.
static enum status refund_again(struct store_tx *tx, enum refund_outcome *ret_outcome,
                                const struct payment *payment, const struct refund *refund)
{
    *ret_outcome = REFUND_NOTHING;
    if (refund->kind != REFUND_FULL)
        return STATUS_OK;
    enum status status = receivable_mark(tx, payment, refund);
    return status == STATUS_OK ? payment_row_update(tx, payment, refund->event_id) : status;
}

// The job's transaction had no effect: not to be tried again where that saves what is still open.
static enum status is_refunded(struct store_tx *tx, bool *ret_refunded, struct payment *payment,
                               const struct job *job)
{
    int64_t event_id;
    struct amounts open;
    enum status status = payment_row_by_id(tx, payment, &event_id, job->payment_id);
    if (status == STATUS_OK)
        status = receivable_open(tx, &open, job->payment_id);
    if (status == STATUS_NOT_FOUND)
        return tx_fail(tx, STATUS_CORRUPT);
    if (status == STATUS_OK)
        *ret_refunded = payment->state == PAYMENT_REFUNDED && !amounts_is_zero(open);
    return status;
}

enum status refund_unpaid(struct store_tx *tx, bool *ret_cancelled, const struct job *job,
                          const struct job_change *change)
{
    const struct job_change cancel = {.cause = "refund",
                                      .why = "refunded meanwhile; its transaction had no effect"};
    struct payment payment;
    struct amounts open;
    bool refunded = false;
    enum status status = STATUS_OK;
    if (job->payment_id != 0)
        status = is_refunded(tx, &refunded, &payment, job);
    if (status != STATUS_OK || !refunded) {
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
    if (status == STATUS_OK && job->id == payment.job_id)
        status = outside_id_delete(tx, &digest);
    if (status == STATUS_OK)
        status = payment_level(tx, &open, &payment, REFUND_FULL, 0, &job->trace);
    if (status == STATUS_OK)
        *ret_cancelled = true;
    return status;
}

// ---- a chargeback that was won

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

static enum status cancelled_by_refund(struct store_tx *tx, bool *ret_yes, const struct job *job)
{
    static const struct db_statement find = {
        "job cancelled by", "SELECT cause FROM history WHERE job_id = $1 AND to_state = 9"
                            " ORDER BY id DESC LIMIT 1"};
    struct db_query *query = tx_query(tx, &find);
    db_bind_int(query, 1, job->id);
    enum status status = db_next(query);
    bool yes = status == STATUS_OK && strcmp(db_text(query, "cause"), "refund") == 0;
    status = db_done_list(query, status);
    if (status == STATUS_OK)
        *ret_yes = yes;
    return status;
}

// The payout that the chargeback cancelled, under the same id, with what is left of its hold
// window; unless the referral has earned meanwhile, or an operator gave the payout up.
static enum status job_restore(struct store_tx *tx, struct payment *payment, const struct job *job)
{
    const struct program *program;
    bool restore, taken;
    enum status status = cancelled_by_refund(tx, &restore, job);
    if (status != STATUS_OK || !restore)
        return status;
    status = program_cached(tx, &program, payment->program_id, NULL);
    if (status == STATUS_OK)
        status = referral_take(tx, &taken, program, &job->payout_id, job->id);
    if (status != STATUS_OK)
        return status;
    payment->state = taken ? PAYMENT_ACCEPTED : PAYMENT_ALREADY_EARNED;
    return taken ? payout_revive(tx, job, job->created_ms + (int64_t)program->hold_seconds * 1000)
                 : STATUS_OK;
}

static enum status payment_restore(struct store_tx *tx, struct payment *payment,
                                   const struct refund *refund)
{
    struct job job;
    struct amounts open;
    if (payment->job_id == 0) {
        enum status status = settle_late(tx, payment, refund);
        return status == STATUS_OK ? payment_row_update(tx, payment, 0) : status;
    }
    payment->state = PAYMENT_ACCEPTED;
    enum status status = job_by_id(tx, &job, payment->job_id);
    if (status == STATUS_OK && job.state == JOB_CANCELLED)
        status = job_restore(tx, payment, &job);
    if (status == STATUS_OK)
        status = payment_row_update(tx, payment, 0);
    if (status == STATUS_OK)
        status = payment_level(tx, &open, payment, refund->kind, refund->event_id, refund->trace);
    return status;
}

// first: of the refund event that the payment carries.
static enum status refund_reverse(struct store_tx *tx, enum refund_outcome *ret_outcome,
                                  struct payment *payment, enum refund_kind first,
                                  const struct refund *refund)
{
    if (payment->state != PAYMENT_REFUNDED) {
        *ret_outcome = REFUND_WON_EARLY;
        return payment_row_update(tx, payment, refund->event_id);
    }
    *ret_outcome = first == REFUND_CHARGEBACK ? REFUND_RESTORED : REFUND_NOTHING;
    return first == REFUND_CHARGEBACK ? payment_restore(tx, payment, refund) : STATUS_OK;
}

static enum status refund_payment(struct store_tx *tx, enum refund_outcome *ret_outcome,
                                  int64_t payment_id, const struct refund *refund)
{
    struct payment payment;
    int64_t first_event_id;
    enum status status = payment_row_by_id(tx, &payment, &first_event_id, payment_id);
    if (status != STATUS_OK || strcmp(payment.key, refund->payment_key) != 0)
        return status == STATUS_OK ? tx_fail(tx, STATUS_CORRUPT) : status;
    enum refund_kind first = REFUND_FULL;
    if (first_event_id != 0)
        status = event_kind(tx, &first, first_event_id);
    if (status != STATUS_OK)
        return status;
    if (refund->kind == REFUND_REVERSED)
        return refund_reverse(tx, ret_outcome, &payment, first, refund);
    if (refund->kind == REFUND_CHARGEBACK && first_event_id != 0 && first == REFUND_REVERSED) {
        *ret_outcome = REFUND_VOID;
        return payment_row_update(tx, &payment, 0);
    }
    return payment.state == PAYMENT_REFUNDED ? refund_again(tx, ret_outcome, &payment, refund)
                                             : refund_first(tx, ret_outcome, &payment, refund);
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
