// SPDX-License-Identifier: Apache-2.0
// The operator: pause and resume kinds of jobs, retry and cancel single ones.
#include "api/handlers.h"
#include "api/job_id.h"
#include "api/render.h"

#include <string.h>

#define HOLD_REASON "paused"
#define KINDS_ALL   ((1U << (JOB_KIND_COUNT + 1)) - 2) // bits 1 << enum job_kind

struct hold_input {
    unsigned kinds;
    bool pause;
    const char *why;
};

struct job_input {
    int64_t id;
    enum job_state next;
};

static enum status answer_holds(struct call *call, struct store_tx *tx)
{
    struct hold *holds;
    size_t count;
    struct out out;
    enum status status = holds_list(tx, &holds, &count, call->arena);
    if (status != STATUS_OK)
        return status;
    out_start(&out, call->arena);
    out_object(&out, NULL);
    render_holds(&out, "holds", holds, count);
    out_object_end(&out);
    return call_set_answer(call, 200, &out);
}

void api_admin_holds(struct call *call)
{
    call_read(call, answer_holds);
}

// ---- pause and resume

static enum status apply_hold(struct call *call, struct store_tx *tx)
{
    const struct hold_input *input = call->input;
    for (int kind = 1; kind <= JOB_KIND_COUNT; kind++) {
        bool changed;
        if (!(input->kinds & (1U << kind)))
            continue;
        enum status status =
            input->pause ? hold_set(tx, &changed, (enum job_kind)kind, HOLD_REASON, input->why)
                         : hold_clear(tx, &changed, (enum job_kind)kind, HOLD_REASON);
        if (status == STATUS_OK && changed)
            status = call_audit(call, tx, input->pause ? "pause" : "resume",
                                job_kind_text((enum job_kind)kind));
        if (status != STATUS_OK)
            return status;
    }
    return answer_holds(call, tx);
}

static struct fault read_kinds(unsigned *ret_kinds, const json_t *body)
{
    const json_t *kinds = json_object_get(body, "kinds");
    size_t i;
    json_t *value;
    unsigned found = 0;
    if (!kinds) {
        *ret_kinds = KINDS_ALL;
        return (struct fault){PROBLEM_NONE, NULL};
    }
    if (!json_is_array(kinds) || json_array_size(kinds) == 0)
        return (struct fault){PROBLEM_FIELD_TYPE, "kinds"};
    json_array_foreach(kinds, i, value)
    {
        enum job_kind kind;
        const char *text = json_string_value(value);
        if (!text || !job_kind_parse(&kind, text))
            return (struct fault){PROBLEM_FIELD_TYPE, "kinds"};
        found |= 1U << kind;
    }
    *ret_kinds = found;
    return (struct fault){PROBLEM_NONE, NULL};
}

static void change_holds(struct call *call, bool pause)
{
    static const char *const fields[] = {"kinds", "why", NULL};
    struct hold_input *input = call_new_input(call, sizeof *input);
    if (!input)
        return;
    input->pause = pause;
    if (!call_take_body(call, fields, true) || !call_take_text(call, &input->why, "why", false))
        return;
    struct fault fault = read_kinds(&input->kinds, call->body);
    if (input->why && !input_is_id(input->why, JOB_REASON_SIZE - 1))
        fault = (struct fault){PROBLEM_FIELD_TYPE, "why"};
    if (!input->why)
        input->why = "paused by an operator";
    if (fault.problem != PROBLEM_NONE)
        call_refuse_fault(call, fault);
    else
        call_write(call, apply_hold);
}

void api_admin_pause(struct call *call)
{
    change_holds(call, true);
}

void api_admin_resume(struct call *call)
{
    change_holds(call, false);
}

// ---- retry and cancel

// What an operator may do from a state: nothing is ever taken back from a signed job.
static bool is_allowed(enum job_state from, enum job_state next)
{
    if (next == JOB_QUEUED)
        return from == JOB_PARKED;
    return from == JOB_QUEUED || from == JOB_HELD || from == JOB_PARKED;
}

static enum status change_job(struct call *call, struct store_tx *tx, const struct job *job,
                              enum job_state next)
{
    struct job_change change = {.cause = "operator",
                                .why = arena_printf(call->arena, "%s by key:%s",
                                                    next == JOB_QUEUED ? "retry" : "cancelled",
                                                    call->key.name)};
    enum status status = job_set_state(tx, job->id, job->state, next, &change);
    if (status == STATUS_OK)
        status = call_audit(call, tx, next == JOB_QUEUED ? "jobs.retry" : "jobs.cancel",
                            arena_printf(call->arena, "job %lld", (long long)job->id));
    return status;
}

static enum status apply_job(struct call *call, struct store_tx *tx)
{
    const struct job_input *input = call->input;
    struct job job;
    struct out out;
    enum status status = job_by_id(tx, &job, input->id);
    if (status == STATUS_NOT_FOUND)
        return call_set_problem(call, PROBLEM_JOB_UNKNOWN, NULL);
    if (status != STATUS_OK)
        return status;
    if (!is_allowed(job.state, input->next))
        return call_set_problem(
            call, PROBLEM_JOB_STATE,
            arena_printf(call->arena, "the job is %s", job_state_text(job.state)));
    status = change_job(call, tx, &job, input->next);
    if (status == STATUS_OK)
        status = job_by_id(tx, &job, input->id);
    if (status != STATUS_OK)
        return status;
    out_start(&out, call->arena);
    render_job(&out, NULL, &job);
    return call_set_answer(call, 200, &out);
}

static void change(struct call *call, enum job_state next)
{
    static const char *const fields[] = {NULL};
    struct job_input *input = call_new_input(call, sizeof *input);
    if (!input)
        return;
    input->next = next;
    if (call_take_body(call, fields, true) && job_id_of_path(call, &input->id))
        call_write(call, apply_job);
}

// The relayer proves a payout unpaid on chain before it assigns it, so queueing is all there is to
// a retry here.
void api_admin_retry(struct call *call)
{
    change(call, JOB_QUEUED);
}

void api_admin_cancel(struct call *call)
{
    change(call, JOB_CANCELLED);
}
