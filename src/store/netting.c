// SPDX-License-Identifier: Apache-2.0
// Receivables, the payouts that are netted against them, and what is given back.
#include "store/netting.h"

#include "store/payment_rows.h"
#include "store/program_rows.h"
#include "store/rows.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

// ---- receivables as rows

struct receivable {
    int64_t id;
    struct address wallet;
    struct amounts open, netted;
};

#define RECEIVABLE_COLUMNS                                                                         \
    "receivables.id AS id, receivables.wallet AS wallet, receivables.usdc AS usdc,"                \
    " receivables.sge AS sge, receivables.netted_usdc AS netted_usdc,"                             \
    " receivables.netted_sge AS netted_sge"

static void receivable_read(struct receivable *receivable, struct db_query *query)
{
    receivable->id = db_int(query, "id");
    row_address(query, "wallet", &receivable->wallet);
    receivable->open.usdc = row_usdc(query, "usdc");
    receivable->open.sge = row_sge(query, "sge");
    receivable->netted.usdc = row_usdc(query, "netted_usdc");
    receivable->netted.sge = row_sge(query, "netted_sge");
}

// Writes what is open and netted now, where `before` was open.
static enum status receivable_write(struct store_tx *tx, const struct receivable *receivable,
                                    struct amounts before)
{
    static const struct db_statement update = {
        "receivable change", "UPDATE receivables SET usdc = $2, sge = $3, netted_usdc = $4,"
                             " netted_sge = $5, cleared_ms = $6 WHERE id = $1"};
    char texts[2][SGE_TEXT_SIZE];
    struct db_query *query = tx_query(tx, &update);
    db_bind_int(query, 1, receivable->id);
    bind_usdc(query, 2, receivable->open.usdc);
    bind_sge(query, 3, texts[0], receivable->open.sge);
    bind_usdc(query, 4, receivable->netted.usdc);
    bind_sge(query, 5, texts[1], receivable->netted.sge);
    db_bind_int(query, 6, amounts_is_zero(receivable->open) ? tx->now_ms : 0);
    enum status status = db_execute(query, NULL);
    return status == STATUS_OK
               ? totals_receivable_changed(tx, &receivable->wallet, before, receivable->open)
               : status;
}

// ---- netting a payout

struct netting {
    struct receivable receivable; // as it was
    struct amounts taken;
};

struct netting_plan {
    size_t count;
    struct netting nettings[NETTINGS_MAX];
};

static void amounts_set(struct job *job, struct amounts pays, struct amounts netted)
{
    job->usdc = pays.usdc;
    job->sge = pays.sge;
    job->netted_usdc = netted.usdc;
    job->netted_sge = netted.sge;
    // A USDC payout carries no SGE; where nothing is left, either will do.
    if (!amounts_is_zero(pays) && job->kind == JOB_PAYOUT_HYBRID && sge_is_zero(pays.sge))
        job->kind = JOB_PAYOUT_USDC;
    if (!sge_is_zero(pays.sge))
        job->kind = JOB_PAYOUT_HYBRID;
}

// Takes off the job what the receivable has open.
static enum status plan_one(struct store_tx *tx, struct netting *netting, struct job *job)
{
    struct amounts pays = job_pays(job), netted = job_netted(job);
    netting->taken = amounts_least(pays, netting->receivable.open);
    if (!amounts_subtract(&pays, pays, netting->taken) ||
        !amounts_add(&netted, netted, netting->taken))
        return tx_fail(tx, STATUS_LIMIT);
    amounts_set(job, pays, netted);
    return STATUS_OK;
}

static enum status plan_read(struct store_tx *tx, struct netting_plan *plan, const struct job *job)
{
    static const struct db_statement find = {
        "receivables open",
        "SELECT " RECEIVABLE_COLUMNS " FROM receivables WHERE wallet = $1 AND cleared_ms = 0"
        " AND ((usdc > 0 AND $2 = 1) OR (sge <> '0' AND $3 = 1)) ORDER BY id LIMIT $4"};
    struct db_query *query = tx_query(tx, &find);
    bind_address(query, 1, &job->referrer);
    db_bind_int(query, 2, !usdc_is_zero(job->usdc));
    db_bind_int(query, 3, !sge_is_zero(job->sge));
    db_bind_int(query, 4, NETTINGS_MAX);
    enum status status;
    while ((status = db_next(query)) == STATUS_OK && plan->count < NETTINGS_MAX)
        receivable_read(&plan->nettings[plan->count++].receivable, query);
    return db_done_list(query, status);
}

// Sets what the job pays and nets. Most affiliates owe nothing: that costs no query.
static enum status netting_plan(struct store_tx *tx, struct netting_plan *plan, struct job *job)
{
    struct amounts owed;
    plan->count = 0;
    enum status status = totals_receivable(tx, &owed, &job->referrer);
    if (status != STATUS_OK || amounts_is_zero(amounts_least(owed, job_pays(job))))
        return status;
    status = plan_read(tx, plan, job);
    for (size_t i = 0; status == STATUS_OK && i < plan->count; i++)
        status = plan_one(tx, &plan->nettings[i], job);
    return status;
}

static enum status netting_insert(struct store_tx *tx, const struct netting *netting,
                                  int64_t job_id)
{
    static const struct db_statement insert = {
        "netting insert", "INSERT INTO nettings (id, receivable_id, job_id, usdc, sge, created_ms,"
                          " undone_ms) VALUES ($1, $2, $3, $4, $5, $6, 0)"};
    int64_t id;
    enum status status = tx_new_id(tx, &id, ID_NETTINGS);
    if (status != STATUS_OK)
        return status;
    char sge[SGE_TEXT_SIZE];
    struct db_query *query = tx_query(tx, &insert);
    db_bind_int(query, 1, id);
    db_bind_int(query, 2, netting->receivable.id);
    db_bind_int(query, 3, job_id);
    bind_usdc(query, 4, netting->taken.usdc);
    bind_sge(query, 5, sge, netting->taken.sge);
    db_bind_int(query, 6, tx->now_ms);
    return db_execute(query, NULL);
}

static enum status netting_write(struct store_tx *tx, const struct netting_plan *plan,
                                 int64_t job_id)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < plan->count; i++) {
        const struct netting *netting = &plan->nettings[i];
        struct receivable after = netting->receivable;
        if (amounts_is_zero(netting->taken))
            continue; // those before it were enough
        if (!amounts_subtract(&after.open, after.open, netting->taken) ||
            !amounts_add(&after.netted, after.netted, netting->taken))
            return tx_fail(tx, STATUS_LIMIT);
        status = receivable_write(tx, &after, netting->receivable.open);
        if (status == STATUS_OK)
            status = netting_insert(tx, netting, job_id);
    }
    return status;
}

// Nothing is left to pay: no transaction, so it is final now.
static enum status close_netted(struct store_tx *tx, const struct job *job)
{
    const struct job_change change = {.cause = "netted",
                                      .why = "all of it went against what was owed back",
                                      .outcome = JOB_OUTCOME_NETTED};
    return job_row_change(tx, job, JOB_CONFIRMED, &change, 0);
}

enum status payout_add(struct store_tx *tx, struct job *job)
{
    struct netting_plan plan;
    enum status status = netting_plan(tx, &plan, job);
    bool nothing_left = amounts_is_zero(job_pays(job));
    if (nothing_left)
        job->state = JOB_QUEUED;
    if (status == STATUS_OK)
        status = job_row_insert(tx, job);
    if (status == STATUS_OK)
        status = netting_write(tx, &plan, job->id);
    return status == STATUS_OK && nothing_left ? close_netted(tx, job) : status;
}

enum status payout_revive(struct store_tx *tx, const struct job *cancelled, int64_t due_ms)
{
    const struct job_change change = {.cause = "chargeback won", .due_ms = due_ms};
    struct netting_plan plan;
    struct job job = *cancelled;
    enum status status = netting_plan(tx, &plan, &job);
    bool nothing_left = amounts_is_zero(job_pays(&job));
    enum job_state next = due_ms > tx->now_ms && !nothing_left ? JOB_HELD : JOB_QUEUED;
    if (status == STATUS_OK)
        status = job_row_amounts(tx, &job, cancelled->kind);
    if (status == STATUS_OK)
        status = job_row_change(tx, &job, next, &change, 0);
    if (status == STATUS_OK)
        status = netting_write(tx, &plan, job.id);
    job.state = next;
    return status == STATUS_OK && nothing_left ? close_netted(tx, &job) : status;
}

// ---- undoing

static enum status undo_read(struct store_tx *tx, struct netting_plan *plan, int64_t job_id)
{
    static const struct db_statement find = {
        "nettings of a job",
        "SELECT " RECEIVABLE_COLUMNS ", nettings.usdc AS taken_usdc, nettings.sge AS taken_sge"
        " FROM nettings JOIN receivables ON receivables.id = nettings.receivable_id"
        " WHERE nettings.job_id = $1 AND nettings.undone_ms = 0"};
    struct db_query *query = tx_query(tx, &find);
    db_bind_int(query, 1, job_id);
    enum status status;
    plan->count = 0;
    while ((status = db_next(query)) == STATUS_OK) {
        if (plan->count == NETTINGS_MAX) {
            db_fault(query);
            break;
        }
        struct netting *netting = &plan->nettings[plan->count++];
        receivable_read(&netting->receivable, query);
        netting->taken.usdc = row_usdc(query, "taken_usdc");
        netting->taken.sge = row_sge(query, "taken_sge");
    }
    return db_done_list(query, status);
}

static enum status undo_mark(struct store_tx *tx, int64_t job_id)
{
    static const struct db_statement update = {
        "nettings undone",
        "UPDATE nettings SET undone_ms = $2 WHERE job_id = $1 AND undone_ms = 0"};
    struct db_query *query = tx_query(tx, &update);
    db_bind_int(query, 1, job_id);
    db_bind_int(query, 2, tx->now_ms);
    return db_execute(query, NULL);
}

static enum status undo_one(struct store_tx *tx, const struct netting *netting)
{
    struct receivable after = netting->receivable;
    if (!amounts_add(&after.open, after.open, netting->taken) ||
        !amounts_subtract(&after.netted, after.netted, netting->taken))
        return tx_fail(tx, STATUS_CORRUPT);
    return receivable_write(tx, &after, netting->receivable.open);
}

enum status netting_undo(struct store_tx *tx, const struct job *job)
{
    struct netting_plan plan;
    struct job whole = *job;
    struct amounts gross;
    if (amounts_is_zero(job_netted(job)))
        return STATUS_OK;
    if (!amounts_add(&gross, job_pays(job), job_netted(job)))
        return tx_fail(tx, STATUS_LIMIT);
    enum status status = undo_read(tx, &plan, job->id);
    for (size_t i = 0; status == STATUS_OK && i < plan.count; i++)
        status = undo_one(tx, &plan.nettings[i]);
    if (status == STATUS_OK)
        status = undo_mark(tx, job->id);
    amounts_set(&whole, gross, amounts_none());
    return status == STATUS_OK ? job_row_amounts(tx, &whole, job->kind) : status;
}

// ---- one payment's balance

// The payment's newest receivable; id 0 where it has none.
static enum status receivable_of(struct store_tx *tx, struct receivable *ret_receivable,
                                 int64_t payment_id)
{
    static const struct db_statement find = {
        "receivable of a payment",
        "SELECT " RECEIVABLE_COLUMNS " FROM receivables WHERE payment_id = $1 ORDER BY id DESC"
        " LIMIT 1"};
    memset(ret_receivable, 0, sizeof *ret_receivable);
    struct db_query *query = tx_query(tx, &find);
    db_bind_int(query, 1, payment_id);
    enum status status = db_next(query);
    if (status == STATUS_OK)
        receivable_read(ret_receivable, query);
    return db_done_list(query, status);
}

enum status receivable_open(struct store_tx *tx, struct amounts *ret_open, int64_t payment_id)
{
    struct receivable receivable;
    enum status status = receivable_of(tx, &receivable, payment_id);
    if (status == STATUS_OK)
        *ret_open = receivable.open;
    return status;
}

struct balance {
    struct amounts brought; // by all its payouts that are not cancelled
    struct amounts earned;  // while it is accepted
    int64_t restitutions;
};

// Adds one payout of the payment.
static bool balance_add(struct balance *balance, struct db_query *query, int64_t first_job_id)
{
    struct job job;
    struct amounts gross;
    memset(&job, 0, sizeof job);
    job_row_read(&job, query);
    bool given_up =
        job.state == JOB_CANCELLED && strcmp(db_text(query, "cancelled_by"), "refund") != 0;
    if (!amounts_add(&gross, job_pays(&job), job_netted(&job)))
        return false;
    balance->restitutions += job.id != first_job_id;
    if (job.id == first_job_id && !given_up)
        balance->earned = gross;
    return job.state == JOB_CANCELLED || amounts_add(&balance->brought, balance->brought, gross);
}

static enum status balance_read(struct store_tx *tx, struct balance *ret_balance,
                                const struct payment *payment)
{
    static const struct db_statement find = {
        "payouts of a payment",
        "SELECT " JOB_COLUMNS ", COALESCE((SELECT cause FROM history WHERE history.job_id = jobs.id"
        " AND to_state = 9 ORDER BY history.id DESC LIMIT 1), '') AS cancelled_by FROM jobs"
        " WHERE jobs.id = $2 OR jobs.id IN"
        " (SELECT job_id FROM restitutions WHERE payment_id = $1)"};
    static_assert(JOB_CANCELLED == 9, "see the statement above");
    struct balance balance;
    memset(&balance, 0, sizeof balance);
    struct db_query *query = tx_query(tx, &find);
    db_bind_int(query, 1, payment->id);
    db_bind_int(query, 2, payment->job_id);
    enum status status;
    while ((status = db_next(query)) == STATUS_OK)
        if (!balance_add(&balance, query, payment->job_id))
            db_fault(query);
    status = db_done_list(query, status);
    if (status == STATUS_OK)
        *ret_balance = balance;
    return status;
}

static enum status receivable_insert(struct store_tx *tx, const struct payment *payment,
                                     struct amounts open, enum refund_kind kind, int64_t event_id)
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
    bind_address(query, 2, &payment->referrer);
    db_bind_int(query, 3, payment->id);
    db_bind_int(query, 4, payment->job_id);
    bind_usdc(query, 5, open.usdc);
    bind_sge(query, 6, sge, open.sge);
    db_bind_int(query, 7, kind);
    db_bind_int(query, 8, event_id);
    db_bind_int(query, 9, tx->now_ms);
    status = db_execute(query, NULL);
    return status == STATUS_OK
               ? totals_receivable_changed(tx, &payment->referrer, amounts_none(), open)
               : status;
}

static enum status restitution_insert(struct store_tx *tx, const struct payment *payment,
                                      int64_t number, int64_t job_id)
{
    static const struct db_statement insert = {
        "restitution insert",
        "INSERT INTO restitutions (payment_id, number, job_id) VALUES ($1, $2, $3)"};
    struct db_query *query = tx_query(tx, &insert);
    db_bind_int(query, 1, payment->id);
    db_bind_int(query, 2, number);
    db_bind_int(query, 3, job_id);
    return db_execute(query, NULL);
}

// A payout of its own: the first one's id has paid already. The line feed keeps its business key
// apart from every payment id, which is printable.
static enum status restitute(struct store_tx *tx, const struct payment *payment, int64_t number,
                             struct amounts due, const struct trace_id *trace)
{
    const struct program *program;
    char key[PAYMENT_KEY_SIZE + 40];
    struct job job;
    enum status status = program_cached(tx, &program, payment->program_id, NULL);
    if (status != STATUS_OK)
        return status;
    memset(&job, 0, sizeof job);
    snprintf(key, sizeof key, "%s\nrestitution %" PRId64, payment->key, number);
    job.payout_id = payout_id_of_payment(&tx->options->domain, program->name, key);
    job.kind = sge_is_zero(due.sge) ? JOB_PAYOUT_USDC : JOB_PAYOUT_HYBRID;
    job.state = JOB_QUEUED;
    job.due_ms = tx->now_ms;
    job.program_id = payment->program_id;
    job.payment_id = payment->id;
    job.child = payment->child;
    job.referrer = payment->referrer;
    job.usdc = due.usdc;
    job.sge = due.sge;
    job.trace = *trace;
    snprintf(job.reason, sizeof job.reason, "gives back what was netted for a refund undone");
    status = payout_add(tx, &job);
    return status == STATUS_OK ? restitution_insert(tx, payment, number, job.id) : status;
}

// Of the payment's receivable, `open` is what is left from now on.
static enum status receivable_set(struct store_tx *tx, struct receivable *receivable,
                                  struct amounts open, const struct payment *payment,
                                  enum refund_kind kind, int64_t event_id)
{
    struct amounts before = receivable->open;
    if (amounts_equal(before, open))
        return STATUS_OK;
    if (receivable->id == 0)
        return receivable_insert(tx, payment, open, kind, event_id);
    receivable->open = open;
    return receivable_write(tx, receivable, before);
}

enum status payment_level(struct store_tx *tx, struct amounts *ret_open,
                          const struct payment *payment, enum refund_kind kind, int64_t event_id,
                          const struct trace_id *trace)
{
    struct receivable receivable;
    struct balance balance;
    enum status status = receivable_of(tx, &receivable, payment->id);
    if (status == STATUS_OK)
        status = balance_read(tx, &balance, payment);
    if (status != STATUS_OK)
        return status;
    struct amounts settled = receivable.netted;
    if (payment->state == PAYMENT_ACCEPTED && !amounts_add(&settled, settled, balance.earned))
        return tx_fail(tx, STATUS_LIMIT);
    struct amounts open = amounts_above(balance.brought, settled);
    struct amounts due = amounts_above(settled, balance.brought);
    status = receivable_set(tx, &receivable, open, payment, kind, event_id);
    if (status == STATUS_OK && !amounts_is_zero(due))
        status = restitute(tx, payment, balance.restitutions + 1, due, trace);
    if (status == STATUS_OK)
        *ret_open = open;
    return status;
}
