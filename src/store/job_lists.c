// SPDX-License-Identifier: Apache-2.0
// Jobs for people: listings by state, kind or wallet, the timeline, a job's slot.
//
// No index by wallet: it would cost each accepted payment a second random key. A referrer's jobs
// are a chain, newest first, headed by its row in affiliates; a child's jobs stand in the chain of
// its referrer.
#include "store/job_rows.h"
#include "store/outside_ids.h"
#include "store/rows.h"
#include "store/slot_rows.h"

#include <stdlib.h>
#include <string.h>

static int64_t before_id(const struct job_filter *filter)
{
    return filter->before_id == 0 ? INT64_MAX : filter->before_id;
}

// Every state but confirmed has an index; confirmed jobs are most of the table, so walking the
// newest rows finds them soon.
static enum status list_by_state(struct store_tx *tx, struct job **ret_jobs, size_t *ret_count,
                                 const struct job_filter *filter, struct arena *arena)
{
    static const struct db_statement by_state = {
        "jobs by state", "SELECT " JOB_COLUMNS " FROM jobs WHERE state <> 7 AND state = $1"
                         " AND id < $2 AND ($3 = 0 OR kind = $3) ORDER BY id DESC LIMIT $4"};
    static const struct db_statement all = {
        "jobs newest", "SELECT " JOB_COLUMNS " FROM jobs WHERE ($1 = 0 OR state = $1)"
                       " AND id < $2 AND ($3 = 0 OR kind = $3) ORDER BY id DESC LIMIT $4"};
    bool indexed = filter->state != 0 && filter->state != JOB_CONFIRMED;
    struct db_query *query = tx_query(tx, indexed ? &by_state : &all);
    db_bind_int(query, 1, filter->state);
    db_bind_int(query, 2, before_id(filter));
    db_bind_int(query, 3, filter->kind);
    db_bind_int(query, 4, (int64_t)filter->limit);
    return job_rows_collect(ret_jobs, ret_count, query, arena);
}

// Where a referrer's chain is entered: behind before_id where that is one of its jobs.
static enum status chain_start(struct store_tx *tx, int64_t *ret_job_id,
                               const struct address *referrer, int64_t page_before_id)
{
    static const struct db_statement previous = {
        "job chain entry", "SELECT referrer_previous_id FROM jobs WHERE id = $1 AND referrer = $2"};
    struct db_query *query = tx_query(tx, &previous);
    db_bind_int(query, 1, page_before_id);
    bind_address(query, 2, referrer);
    int64_t start = 0;
    enum status status = db_next(query);
    if (status == STATUS_OK)
        start = db_int(query, "referrer_previous_id");
    status = db_done(query, status);
    if (status == STATUS_NOT_FOUND)
        return totals_last_job(tx, ret_job_id, referrer);
    if (status == STATUS_OK)
        *ret_job_id = start;
    return status;
}

// Jobs of a referrer's chain; child zero: of any child.
static enum status list_chain(struct store_tx *tx, struct job **ret_jobs, size_t *ret_count,
                              const struct address *referrer, const struct address *child,
                              const struct job_filter *filter, struct arena *arena)
{
    static const struct db_statement walk = {
        "jobs of a chain",
        "WITH RECURSIVE chain (id) AS (SELECT $1 UNION ALL SELECT jobs.referrer_previous_id"
        " FROM chain JOIN jobs ON jobs.id = chain.id WHERE jobs.referrer_previous_id > 0)"
        " SELECT " JOB_COLUMNS " FROM chain CROSS JOIN jobs WHERE jobs.id = chain.id"
        " AND jobs.id < $2 AND ($3 = 0 OR jobs.kind = $3) AND ($4 = 0 OR jobs.state = $4)"
        " AND ($5 = 0 OR jobs.child = $6) LIMIT $7"};
    int64_t start;
    enum status status = chain_start(tx, &start, referrer, filter->before_id);
    if (status != STATUS_OK)
        return status;
    struct db_query *query = tx_query(tx, &walk);
    db_bind_int(query, 1, start);
    db_bind_int(query, 2, before_id(filter));
    db_bind_int(query, 3, filter->kind);
    db_bind_int(query, 4, filter->state);
    db_bind_int(query, 5, address_is_zero(child) ? 0 : 1);
    bind_address(query, 6, child);
    db_bind_int(query, 7, (int64_t)filter->limit);
    return job_rows_collect(ret_jobs, ret_count, query, arena);
}

// The wallet's mint, which is in no chain; zero or one job.
static enum status list_mint(struct store_tx *tx, struct job *ret_job, bool *ret_found,
                             const struct job_filter *filter)
{
    struct outside_digest digest = outside_digest(
        OUTSIDE_MINT, (struct bytes){filter->wallet.bytes, sizeof filter->wallet.bytes});
    enum outside_kind kind;
    int64_t job_id;
    enum status status = outside_id_find(tx, &kind, &job_id, &digest);
    if (status == STATUS_OK)
        status = job_by_id(tx, ret_job, job_id);
    *ret_found = status == STATUS_OK && ret_job->id < before_id(filter) &&
                 (filter->kind == 0 || filter->kind == ret_job->kind) &&
                 (filter->state == 0 || filter->state == ret_job->state);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static int newest_first(const void *a, const void *b)
{
    int64_t a_id = ((const struct job *)a)->id, b_id = ((const struct job *)b)->id;
    return a_id < b_id ? 1 : a_id > b_id ? -1 : 0;
}

static void append(struct job *all, size_t *count, const struct job *jobs, size_t jobs_count)
{
    if (jobs_count > 0)
        memcpy(all + *count, jobs, jobs_count * sizeof *jobs);
    *count += jobs_count;
}

// Three sources that share no job: as a referrer, as a child, the mint.
static enum status list_by_wallet(struct store_tx *tx, struct job **ret_jobs, size_t *ret_count,
                                  const struct job_filter *filter, struct arena *arena)
{
    const struct address anybody = {{0}};
    struct job *as_referrer = NULL, *as_child = NULL, mint;
    size_t as_referrer_count = 0, as_child_count = 0, count = 0;
    bool minted = false;
    struct user user;
    enum status status =
        list_chain(tx, &as_referrer, &as_referrer_count, &filter->wallet, &anybody, filter, arena);
    if (status == STATUS_OK)
        status = list_mint(tx, &mint, &minted, filter);
    if (status != STATUS_OK)
        return status;
    status = user_by_wallet(tx, &user, &filter->wallet);
    if (status == STATUS_OK && !address_is_zero(&user.referrer))
        status = list_chain(tx, &as_child, &as_child_count, &user.referrer, &filter->wallet, filter,
                            arena);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    struct job *all = arena_alloc_array(arena, as_referrer_count + as_child_count + 1, sizeof *all);
    if (all == NULL)
        return STATUS_NO_MEMORY;
    append(all, &count, as_referrer, as_referrer_count);
    append(all, &count, as_child, as_child_count);
    append(all, &count, &mint, minted ? 1 : 0);
    qsort(all, count, sizeof *all, newest_first);
    *ret_jobs = all;
    *ret_count = count < filter->limit ? count : filter->limit;
    return STATUS_OK;
}

enum status jobs_list(struct store_tx *tx, struct job **ret_jobs, size_t *ret_count,
                      const struct job_filter *filter, struct arena *arena)
{
    if (filter->limit < 1 || filter->limit > JOBS_PAGE_MAX)
        return STATUS_INVALID;
    if (address_is_zero(&filter->wallet))
        return list_by_state(tx, ret_jobs, ret_count, filter, arena);
    return list_by_wallet(tx, ret_jobs, ret_count, filter, arena);
}

static enum status event_read(struct job_event *event, struct db_query *query, struct arena *arena)
{
    if (!job_state_from_number(&event->from, db_int(query, "from_state")) ||
        !job_state_from_number(&event->to, db_int(query, "to_state")))
        db_fault(query);
    event->cause = arena_copy_text(arena, db_text(query, "cause"));
    event->why = arena_copy_text(arena, db_text(query, "why"));
    event->at_ms = db_int(query, "at_ms");
    return event->cause == NULL || event->why == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

static enum status history_read(struct store_tx *tx, struct tx_list *list, int64_t job_id,
                                struct arena *arena)
{
    static const struct db_statement find = {
        "history of a job", "SELECT from_state, to_state, cause, why, at_ms FROM history"
                            " WHERE job_id = $1 ORDER BY id LIMIT $2"};
    struct db_query *query = tx_query(tx, &find);
    db_bind_int(query, 1, job_id);
    db_bind_int(query, 2, JOB_EVENTS_MAX - 1);
    enum status status;
    while ((status = db_next(query)) == STATUS_OK) {
        struct job_event *event = tx_list_add(list, arena, sizeof *event);
        status = event == NULL ? STATUS_NO_MEMORY : event_read(event, query, arena);
        if (status != STATUS_OK)
            break;
    }
    return db_done_list(query, status);
}

// The job's row tells of its creation; history begins with the first change.
enum status job_timeline(struct store_tx *tx, struct job_event **ret_events, size_t *ret_count,
                         int64_t job_id, struct arena *arena)
{
    struct job job;
    struct tx_list list = {0};
    enum status status = job_by_id(tx, &job, job_id);
    if (status != STATUS_OK)
        return status;
    struct job_event *creation = tx_list_add(&list, arena, sizeof *creation);
    if (creation == NULL)
        return STATUS_NO_MEMORY;
    *creation = (struct job_event){.to = job.state, .cause = "created", .at_ms = job.created_ms};
    status = history_read(tx, &list, job_id, arena);
    if (status != STATUS_OK)
        return status;
    struct job_event *events = list.items;
    if (list.count > 1)
        events[0].to = events[1].from;
    events[0].why = events[0].to == JOB_HELD ? job_change_why(JOB_QUEUED, JOB_HELD) : "";
    *ret_events = events;
    *ret_count = list.count;
    return STATUS_OK;
}

enum status job_slot(struct store_tx *tx, struct slot *ret_slot, struct attempt **ret_attempts,
                     size_t *ret_count, int64_t job_id, struct arena *arena)
{
    struct job job;
    struct slot slot;
    enum status status = job_by_id(tx, &job, job_id);
    if (status != STATUS_OK)
        return status;
    if (job.slot_id == 0)
        return STATUS_NOT_FOUND;
    status = slot_row_by_id(tx, &slot, job.slot_id);
    if (status == STATUS_OK)
        status = attempt_rows(tx, ret_attempts, ret_count, job.slot_id, arena);
    if (status == STATUS_OK)
        *ret_slot = slot;
    return status;
}
