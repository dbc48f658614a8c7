// SPDX-License-Identifier: Apache-2.0
// Accepting a payment: its row, its one unique id, and the payout it earns.
#include "store/payments.h"

#include "store/netting.h"
#include "store/payment_rows.h"
#include "store/program_rows.h"
#include "store/rows.h"
#include "store/users.h"

#include <assert.h>
#include <string.h>

// These numbers are on disk.
static_assert(PROVIDER_DIRECT == 1 && PROVIDER_STANDARD == 2 && PROVIDER_STRIPE == 3, "on disk");
static_assert(PROVIDER_COINBASE_COMMERCE == 4, "on disk");
static_assert(PAYMENT_ACCEPTED == 1 && PAYMENT_NO_REFERRER == 2, "on disk");
static_assert(PAYMENT_NO_COMMISSION == 3 && PAYMENT_ALREADY_EARNED == 4, "on disk");
static_assert(PAYMENT_REFUNDED == 5, "on disk");

static const char *const provider_texts[] = {
#define PROVIDER_TEXT(number, name, text) [number] = (text),
    PROVIDER_TABLE(PROVIDER_TEXT)
#undef PROVIDER_TEXT
};

static const char *const state_texts[] = {
#define STATE_TEXT(number, name, text, help) [number] = (text),
    PAYMENT_STATE_TABLE(STATE_TEXT)
#undef STATE_TEXT
};

const char *provider_text(enum provider provider)
{
    return provider_texts[provider];
}

const char *payment_state_text(enum payment_state state)
{
    return state_texts[state];
}

// ---- rows

static void payment_read(struct payment *payment, int64_t *ret_refund_event_id,
                         struct db_query *query)
{
    int64_t provider = db_int(query, "provider"), state = db_int(query, "state");
    if (provider < PROVIDER_DIRECT || provider > PROVIDER_COINBASE_COMMERCE ||
        state < PAYMENT_ACCEPTED || state > PAYMENT_REFUNDED)
        db_fault(query);
    payment->id = db_int(query, "id");
    db_copy(query, "payment_key", payment->key, sizeof payment->key);
    payment->provider = (enum provider)provider;
    payment->state = (enum payment_state)state;
    row_address(query, "wallet", &payment->child);
    row_address(query, "referrer", &payment->referrer);
    payment->program_id = db_int(query, "program_id");
    payment->amount = row_usdc(query, "amount");
    payment->job_id = db_int(query, "job_id");
    payment->received_ms = db_int(query, "received_ms");
    *ret_refund_event_id = db_int(query, "refund_event_id");
}

enum status payment_row_by_id(struct store_tx *tx, struct payment *ret_payment,
                              int64_t *ret_refund_event_id, int64_t id)
{
    static const struct db_statement find = {
        "payment by id",
        "SELECT payments.id AS id, payment_key, provider, state, users.wallet AS wallet,"
        " users.referrer AS referrer, payments.program_id AS program_id, amount, job_id,"
        " received_ms, refund_event_id FROM payments JOIN users ON users.id = payments.user_id"
        " WHERE payments.id = $1"};
    struct payment payment;
    int64_t refund_event_id = 0;
    memset(&payment, 0, sizeof payment);
    struct db_query *query = tx_query(tx, &find);
    db_bind_int(query, 1, id);
    enum status status = db_next(query);
    if (status == STATUS_OK)
        payment_read(&payment, &refund_event_id, query);
    status = db_done(query, status);
    if (status != STATUS_OK)
        return status;
    *ret_payment = payment;
    *ret_refund_event_id = refund_event_id;
    return STATUS_OK;
}

struct outside_digest payment_key_digest(const char *payment_key)
{
    return outside_digest(OUTSIDE_PAYMENT, bytes_of_text(payment_key));
}

// Half a digest found another text: not a thing that happens; the store is not to be trusted.
static enum status same_key(const struct payment *payment, const char *payment_key)
{
    return strcmp(payment->key, payment_key) == 0 ? STATUS_OK : STATUS_CORRUPT;
}

enum status payment_by_id(struct store_tx *tx, struct payment *ret_payment, int64_t id)
{
    int64_t refund_event_id;
    return payment_row_by_id(tx, ret_payment, &refund_event_id, id);
}

enum status payment_by_key(struct store_tx *tx, struct payment *ret_payment,
                           const char *payment_key)
{
    struct outside_digest digest = payment_key_digest(payment_key);
    struct payment payment;
    enum outside_kind kind;
    int64_t ref, refund_event_id;
    enum status status = outside_id_find(tx, &kind, &ref, &digest);
    if (status != STATUS_OK)
        return status;
    if (kind != OUTSIDE_PAYMENT)
        return STATUS_NOT_FOUND;
    status = payment_row_by_id(tx, &payment, &refund_event_id, ref);
    if (status == STATUS_OK)
        status = same_key(&payment, payment_key);
    if (status == STATUS_OK)
        *ret_payment = payment;
    return status;
}

static enum status payment_insert(struct store_tx *tx, const struct payment *payment,
                                  int64_t user_id, int64_t refund_event_id)
{
    static const struct db_statement insert = {
        "payment insert",
        "INSERT INTO payments (id, payment_key, provider, state, user_id, program_id, amount,"
        " job_id, refund_event_id, received_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"};
    struct db_query *query = tx_query(tx, &insert);
    db_bind_int(query, 1, payment->id);
    db_bind_text(query, 2, payment->key);
    db_bind_int(query, 3, payment->provider);
    db_bind_int(query, 4, payment->state);
    db_bind_int(query, 5, user_id);
    db_bind_int(query, 6, payment->program_id);
    bind_usdc(query, 7, payment->amount);
    db_bind_int(query, 8, payment->job_id);
    db_bind_int(query, 9, refund_event_id);
    db_bind_int(query, 10, payment->received_ms);
    return db_execute(query, NULL);
}

enum status payment_row_update(struct store_tx *tx, const struct payment *payment,
                               int64_t refund_event_id)
{
    static const struct db_statement update = {
        "payment update",
        "UPDATE payments SET state = $2, job_id = $3, refund_event_id = $4 WHERE id = $1"};
    struct db_query *query = tx_query(tx, &update);
    db_bind_int(query, 1, payment->id);
    db_bind_int(query, 2, payment->state);
    db_bind_int(query, 3, payment->job_id);
    db_bind_int(query, 4, refund_event_id);
    return db_execute(query, NULL);
}

// ---- the payout

static struct hash32 payout_id(const struct store_tx *tx, const struct program *program,
                               const struct payment *payment)
{
    const struct payout_domain *domain = &tx->options->domain;
    if (program->trigger == PROGRAM_FIRST_PAYMENT)
        return payout_id_of_referral(domain, program->name, &payment->child, &payment->referrer);
    return payout_id_of_payment(domain, program->name, payment->key);
}

struct outside_digest referral_digest(const struct hash32 *id)
{
    return outside_digest(OUTSIDE_REFERRAL, (struct bytes){id->bytes, sizeof id->bytes});
}

enum status referral_take(struct store_tx *tx, bool *ret_taken, const struct program *program,
                          const struct hash32 *id, int64_t job_id)
{
    struct outside_digest digest = referral_digest(id);
    if (program->trigger == PROGRAM_FIRST_PAYMENT)
        return outside_id_insert(tx, ret_taken, &digest, OUTSIDE_REFERRAL, job_id);
    *ret_taken = true;
    return STATUS_OK;
}

static enum status payout_queue(struct store_tx *tx, struct payment *payment, struct job *job,
                                const struct program *program)
{
    job->kind = program->kind == PROGRAM_HYBRID ? JOB_PAYOUT_HYBRID : JOB_PAYOUT_USDC;
    job->state = program->hold_seconds > 0 ? JOB_HELD : JOB_QUEUED;
    job->due_ms = tx->now_ms + (int64_t)program->hold_seconds * 1000;
    job->program_id = program->id;
    job->payment_id = payment->id;
    job->child = payment->child;
    job->referrer = payment->referrer;
    enum status status = payout_add(tx, job);
    payment->job_id = job->id;
    return status;
}

enum status payment_settle(struct store_tx *tx, struct payment *payment,
                           const struct program *program, const struct trace_id *trace)
{
    struct job job;
    bool taken;
    memset(&job, 0, sizeof job);
    job.trace = *trace;
    // The one guard: a child that refers itself never earns, however its row came about.
    if (address_is_zero(&payment->referrer) || address_equal(&payment->child, &payment->referrer)) {
        payment->state = PAYMENT_NO_REFERRER;
        return STATUS_OK;
    }
    if (!program_commission(&job.usdc, &job.sge, program, payment->amount))
        return tx_fail(tx, STATUS_CORRUPT); // program_insert refuses such programs
    if (usdc_is_zero(job.usdc) && sge_is_zero(job.sge)) {
        payment->state = PAYMENT_NO_COMMISSION;
        return STATUS_OK;
    }
    job.payout_id = payout_id(tx, program, payment);
    int64_t job_id;
    enum status status = tx_next_id(tx, &job_id, ID_JOBS);
    if (status == STATUS_OK)
        status = referral_take(tx, &taken, program, &job.payout_id, job_id);
    if (status != STATUS_OK)
        return status;
    payment->state = taken ? PAYMENT_ACCEPTED : PAYMENT_ALREADY_EARNED;
    return taken ? payout_queue(tx, payment, &job, program) : STATUS_OK;
}

// ---- accepting

// The stored payment of that key, and whether the input says the same.
static enum status duplicate(struct store_tx *tx, enum payment_outcome *ret_outcome,
                             struct payment *ret_payment, int64_t payment_id,
                             const struct payment_input *input)
{
    struct payment payment;
    int64_t refund_event_id;
    enum status status = payment_row_by_id(tx, &payment, &refund_event_id, payment_id);
    if (status == STATUS_OK)
        status = same_key(&payment, input->payment_key);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? tx_fail(tx, STATUS_CORRUPT) : status;
    bool same = address_equal(&payment.child, &input->child) &&
                usdc_compare(payment.amount, input->amount) == 0;
    if (same && input->program_name != NULL) {
        const struct program *program;
        status = program_cached(tx, &program, 0, input->program_name);
        if (status != STATUS_OK && status != STATUS_NOT_FOUND)
            return status;
        same = status == STATUS_OK && program->id == payment.program_id;
    }
    *ret_outcome = same ? PAYMENT_DUPLICATE : PAYMENT_DIFFERS;
    if (same)
        *ret_payment = payment;
    return STATUS_OK;
}

// Makes the payment whose id is taken already; a refund that came first leaves it without a job,
// a chargeback won too early does not.
static enum status payment_store(struct store_tx *tx, struct payment *ret_payment,
                                 const struct payment_input *input, const struct user *user,
                                 const struct program *program, int64_t refund_event_id)
{
    struct payment payment;
    memset(&payment, 0, sizeof payment);
    memcpy(payment.key, input->payment_key, strlen(input->payment_key) + 1);
    payment.provider = input->provider;
    payment.child = user->wallet;
    payment.referrer = user->referrer;
    payment.program_id = program->id;
    payment.amount = input->amount;
    payment.received_ms = input->received_ms;
    payment.state = PAYMENT_REFUNDED;
    enum refund_kind came_first = REFUND_REVERSED;
    enum status status = tx_new_id(tx, &payment.id, ID_PAYMENTS);
    if (status == STATUS_OK && refund_event_id != 0)
        status = event_kind(tx, &came_first, refund_event_id);
    if (status == STATUS_OK && came_first == REFUND_REVERSED)
        status = payment_settle(tx, &payment, program, &input->trace);
    if (status == STATUS_OK)
        status = payment_insert(tx, &payment, user->id, refund_event_id);
    if (status == STATUS_OK)
        *ret_payment = payment;
    return status;
}

// The user and the program the payment falls under; the outcome where one is missing.
static enum status parties(struct store_tx *tx, enum payment_outcome *ret_outcome,
                           struct user *user, const struct program **ret_program,
                           const struct payment_input *input)
{
    *ret_outcome = PAYMENT_UNKNOWN_USER;
    enum status status = user_by_wallet(tx, user, &input->child);
    if (status != STATUS_OK)
        return status;
    *ret_outcome = PAYMENT_UNKNOWN_PROGRAM;
    if (input->program_name == NULL && user->program_id == 0)
        return STATUS_NOT_FOUND;
    status = program_cached(tx, ret_program, user->program_id, input->program_name);
    if (status == STATUS_OK && !(*ret_program)->active)
        status = STATUS_NOT_FOUND;
    if (status == STATUS_OK)
        *ret_outcome = PAYMENT_NEW;
    return status;
}

// The key is in the index: a payment, or a refund that came before its payment.
static enum status payment_known(struct store_tx *tx, enum payment_outcome *ret_outcome,
                                 struct payment *ret_payment, const struct payment_input *input,
                                 const struct outside_digest *digest, const struct user *user,
                                 const struct program *program)
{
    enum outside_kind kind;
    int64_t ref, payment_id;
    enum status status = outside_id_find(tx, &kind, &ref, digest);
    if (status != STATUS_OK)
        return status;
    if (kind == OUTSIDE_PAYMENT)
        return duplicate(tx, ret_outcome, ret_payment, ref, input);
    if (*ret_outcome != PAYMENT_NEW)
        return STATUS_OK;
    status = tx_next_id(tx, &payment_id, ID_PAYMENTS);
    if (status == STATUS_OK)
        status = outside_id_update(tx, digest, OUTSIDE_PAYMENT, payment_id);
    return status == STATUS_OK ? payment_store(tx, ret_payment, input, user, program, ref) : status;
}

// The common case costs one descent of the index: the insert itself says whether the key is new.
enum status payment_accept(struct store_tx *tx, enum payment_outcome *ret_outcome,
                           struct payment *ret_payment, const struct payment_input *input)
{
    tx_require_writable(tx);
    if (strnlen(input->payment_key, PAYMENT_KEY_SIZE) == PAYMENT_KEY_SIZE)
        return STATUS_INVALID;
    struct outside_digest digest = payment_key_digest(input->payment_key);
    const struct program *program = NULL;
    struct user user;
    enum payment_outcome outcome;
    int64_t payment_id;
    bool inserted = false;
    enum status status = parties(tx, &outcome, &user, &program, input);
    if (status == STATUS_OK) {
        status = tx_next_id(tx, &payment_id, ID_PAYMENTS);
        if (status == STATUS_OK)
            status = outside_id_insert(tx, &inserted, &digest, OUTSIDE_PAYMENT, payment_id);
    } else if (status == STATUS_NOT_FOUND) {
        status = STATUS_OK;
    }
    if (status == STATUS_OK && inserted)
        status = payment_store(tx, ret_payment, input, &user, program, 0);
    else if (status == STATUS_OK)
        status = payment_known(tx, &outcome, ret_payment, input, &digest, &user, program);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    *ret_outcome = outcome;
    return STATUS_OK;
}
