// SPDX-License-Identifier: Apache-2.0
// Users: registration with its jobs, and identity mints.
#include "store/users.h"

#include "store/job_rows.h"
#include "store/outside_ids.h"
#include "store/program_rows.h"
#include "store/rows.h"

#include <string.h>

static void user_read(struct user *user, struct db_query *query)
{
    user->id = db_int(query, "id");
    row_address(query, "wallet", &user->wallet);
    row_address(query, "referrer", &user->referrer);
    user->program_id = db_int(query, "program_id");
    user->referral_job_id = db_int(query, "referral_job_id");
    user->mint_job_id = db_int(query, "mint_job_id");
    user->created_ms = db_int(query, "created_ms");
}

enum status user_by_wallet(struct store_tx *tx, struct user *ret_user, const struct address *wallet)
{
    static const struct db_statement find = {
        "user by wallet", "SELECT id, wallet, referrer, program_id, referral_job_id, mint_job_id,"
                          " created_ms FROM users WHERE wallet = $1"};
    struct user user;
    memset(&user, 0, sizeof user);
    struct db_query *query = tx_query(tx, &find);
    bind_address(query, 1, wallet);
    enum status status = db_next(query);
    if (status == STATUS_OK)
        user_read(&user, query);
    status = db_done(query, status);
    if (status == STATUS_OK)
        *ret_user = user;
    return status;
}

static enum status user_insert(struct store_tx *tx, const struct user *user)
{
    static const struct db_statement insert = {
        "user insert", "INSERT INTO users (id, wallet, referrer, program_id, referral_job_id,"
                       " mint_job_id, created_ms) VALUES ($1, $2, $3, $4, $5, 0, $6)"};
    struct db_query *query = tx_query(tx, &insert);
    db_bind_int(query, 1, user->id);
    bind_address(query, 2, &user->wallet);
    bind_address(query, 3, &user->referrer);
    db_bind_int(query, 4, user->program_id);
    db_bind_int(query, 5, user->referral_job_id);
    db_bind_int(query, 6, user->created_ms);
    return db_execute(query, NULL);
}

static enum status referral_queue(struct store_tx *tx, struct user *user,
                                  const struct trace_id *trace)
{
    struct job job;
    memset(&job, 0, sizeof job);
    job.kind = JOB_REGISTER_REFERRAL;
    job.state = JOB_QUEUED;
    job.program_id = user->program_id;
    job.child = user->wallet;
    job.referrer = user->referrer;
    job.due_ms = tx->now_ms;
    job.trace = *trace;
    enum status status = job_row_insert(tx, &job);
    if (status == STATUS_OK)
        status = totals_child_added(tx, &user->referrer);
    if (status == STATUS_OK)
        user->referral_job_id = job.id;
    return status;
}

// The wallet's mint job, which is made once; for users it is noted in their row too.
static enum status mint_queue(struct store_tx *tx, int64_t *ret_job_id, bool *ret_created,
                              const struct address *wallet, const struct trace_id *trace)
{
    struct outside_digest digest =
        outside_digest(OUTSIDE_MINT, (struct bytes){wallet->bytes, sizeof wallet->bytes});
    enum outside_kind kind;
    bool inserted;
    enum status status = outside_id_find(tx, &kind, ret_job_id, &digest);
    if (status != STATUS_NOT_FOUND) {
        *ret_created = false;
        return status;
    }
    struct job job;
    memset(&job, 0, sizeof job);
    job.kind = JOB_MINT_IDENTITY;
    job.state = JOB_QUEUED;
    job.child = *wallet;
    job.due_ms = tx->now_ms;
    job.trace = *trace;
    status = job_row_insert(tx, &job);
    if (status == STATUS_OK)
        status = outside_id_insert(tx, &inserted, &digest, OUTSIDE_MINT, job.id);
    if (status == STATUS_OK) {
        *ret_job_id = job.id;
        *ret_created = true;
    }
    return status;
}

static enum status user_set_mint(struct store_tx *tx, const struct address *wallet, int64_t job_id)
{
    static const struct db_statement update = {
        "user set mint", "UPDATE users SET mint_job_id = $2 WHERE wallet = $1"};
    struct db_query *query = tx_query(tx, &update);
    bind_address(query, 1, wallet);
    db_bind_int(query, 2, job_id);
    return db_execute(query, NULL);
}

enum status mint_request(struct store_tx *tx, int64_t *ret_job_id, bool *ret_created,
                         const struct address *wallet, const struct trace_id *trace)
{
    tx_require_writable(tx);
    int64_t job_id;
    bool created;
    enum status status = mint_queue(tx, &job_id, &created, wallet, trace);
    if (status == STATUS_OK)
        status = user_set_mint(tx, wallet, job_id);
    if (status == STATUS_OK) {
        *ret_job_id = job_id;
        *ret_created = created;
    }
    return status;
}

static enum status user_mint(struct store_tx *tx, struct user *user, bool mint,
                             const struct trace_id *trace)
{
    bool created;
    if (!mint || user->mint_job_id != 0)
        return STATUS_OK;
    return mint_request(tx, &user->mint_job_id, &created, &user->wallet, trace);
}

// *ret_id is 0 where none is named; STATUS_NOT_FOUND where there is no active one of that name.
static enum status program_id_of(struct store_tx *tx, int64_t *ret_id, const char *name)
{
    const struct program *program;
    if (name == NULL) {
        *ret_id = 0;
        return STATUS_OK;
    }
    enum status status = program_cached(tx, &program, 0, name);
    if (status == STATUS_OK && !program->active)
        status = STATUS_NOT_FOUND;
    if (status == STATUS_OK)
        *ret_id = program->id;
    return status;
}

static enum status user_create(struct store_tx *tx, struct user *user, const struct trace_id *trace)
{
    user->created_ms = tx->now_ms;
    enum status status = tx_new_id(tx, &user->id, ID_USERS);
    if (status == STATUS_OK && !address_is_zero(&user->referrer))
        status = referral_queue(tx, user, trace);
    return status == STATUS_OK ? user_insert(tx, user) : status;
}

// Whether the wallet is found among the nearest referrers above `by`.
static enum status find_cycle(struct store_tx *tx, bool *ret_cycle, const struct address *wallet,
                              const struct address *by)
{
    struct user above = {.referrer = *by};
    enum status status = STATUS_OK;
    bool cycle = false;
    for (size_t i = 0; i < REFERRAL_DEPTH_MAX && !cycle && status == STATUS_OK; i++) {
        const struct address next = above.referrer;
        if (address_is_zero(&next))
            break;
        status = user_by_wallet(tx, &above, &next);
        cycle = status == STATUS_OK && address_equal(&above.referrer, wallet);
    }
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    *ret_cycle = cycle;
    return STATUS_OK;
}

// What stands against this user being new. USER_CREATED: nothing.
static enum status judge_new(struct store_tx *tx, enum user_outcome *ret_outcome,
                             const struct user *user, bool program_known)
{
    bool cycle = false;
    enum status status = find_cycle(tx, &cycle, &user->wallet, &user->referrer);
    if (status != STATUS_OK)
        return status;
    if (!program_known)
        *ret_outcome = USER_UNKNOWN_PROGRAM;
    else
        *ret_outcome = cycle ? USER_REFERRAL_CYCLE : USER_CREATED;
    return STATUS_OK;
}

// The same for a user known already: what is recorded is never changed. by may be zero and
// program_id 0: not named.
static enum user_outcome judge_known(const struct user *user, const struct address *by,
                                     bool program_known, int64_t program_id)
{
    if (!address_is_zero(by) && !address_equal(by, &user->referrer))
        return USER_OTHER_REFERRER;
    if (!program_known)
        return USER_UNKNOWN_PROGRAM;
    return program_id != 0 && program_id != user->program_id ? USER_OTHER_PROGRAM : USER_UNCHANGED;
}

enum status user_register(struct store_tx *tx, enum user_outcome *ret_outcome,
                          struct user *ret_user, const struct address *wallet,
                          const struct address *referrer, const char *program_name, bool mint,
                          const struct trace_id *trace)
{
    tx_require_writable(tx);
    const struct address nobody = {{0}};
    const struct address *by = referrer != NULL ? referrer : &nobody;
    if (address_equal(wallet, by)) {
        *ret_outcome = USER_SELF_REFERRAL;
        return STATUS_OK;
    }
    int64_t program_id = 0;
    enum status status = program_id_of(tx, &program_id, program_name);
    bool program_known = status == STATUS_OK;
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    enum user_outcome outcome = USER_CREATED;
    struct user user;
    memset(&user, 0, sizeof user);
    status = user_by_wallet(tx, &user, wallet);
    if (status == STATUS_OK) {
        outcome = judge_known(&user, by, program_known, program_id);
    } else if (status == STATUS_NOT_FOUND) {
        user.wallet = *wallet;
        user.referrer = *by;
        user.program_id = program_id;
        status = judge_new(tx, &outcome, &user, program_known);
        if (status == STATUS_OK && outcome == USER_CREATED)
            status = user_create(tx, &user, trace);
    }
    if (status == STATUS_OK && (outcome == USER_CREATED || outcome == USER_UNCHANGED))
        status = user_mint(tx, &user, mint, trace);
    if (status != STATUS_OK)
        return status;
    *ret_outcome = outcome;
    *ret_user = user;
    return STATUS_OK;
}
