// SPDX-License-Identifier: Apache-2.0
// Jobs: the list with its filters, and one job with all that happened to it.
#include "api/handlers.h"
#include "api/job_id.h"
#include "api/job_page.h"
#include "api/render.h"

#include <string.h>

#define JOBS_PAGE_DEFAULT 50

bool job_id_of_path(struct call *call, int64_t *ret_id)
{
    if (input_integer(ret_id, call->path_value, 1, INT64_MAX))
        return true;
    call_refuse(call, PROBLEM_JOB_UNKNOWN, NULL);
    return false;
}

static bool read_parameter(struct job_filter *filter, const char *name, const char *value)
{
    int64_t limit = 0;
    if (strcmp(name, "state") == 0)
        return job_state_parse(&filter->state, value);
    if (strcmp(name, "kind") == 0)
        return job_kind_parse(&filter->kind, value);
    if (strcmp(name, "wallet") == 0)
        return address_parse(&filter->wallet, value) == ADDRESS_FINE;
    if (strcmp(name, "before") == 0)
        return input_integer(&filter->before_id, value, 1, INT64_MAX);
    if (!input_integer(&limit, value, 1, JOBS_PAGE_MAX)) // "limit": route.c lets no other through
        return false;
    filter->limit = (size_t)limit;
    return true;
}

static bool read_filter(struct call *call, struct job_filter *filter)
{
    const char *cursor = call->request->query;
    char *name;
    char *value;
    while (http_query_next(&cursor, &name, &value, call->arena)) {
        if (value && read_parameter(filter, name, value))
            continue;
        call_refuse(call, PROBLEM_PARAMETER_INVALID,
                    arena_printf(call->arena, "parameter %s", name));
        return false;
    }
    return true;
}

static enum status apply_list(struct call *call, struct store_tx *tx)
{
    const struct job_filter *filter = call->input;
    struct job *jobs;
    size_t count;
    struct out out;
    enum status status = jobs_list(tx, &jobs, &count, filter, call->arena);
    if (status != STATUS_OK)
        return status;
    out_start(&out, call->arena);
    out_object(&out, NULL);
    out_array(&out, "jobs");
    for (size_t i = 0; i < count; i++)
        render_job(&out, NULL, &jobs[i]);
    out_array_end(&out);
    out_id(&out, "next_before", count == filter->limit ? jobs[count - 1].id : 0);
    out_object_end(&out);
    return call_set_answer(call, 200, &out);
}

void api_jobs_get_many(struct call *call)
{
    struct job_filter *filter = call_new_input(call, sizeof *filter);
    if (!filter)
        return;
    filter->limit = JOBS_PAGE_DEFAULT;
    if (read_filter(call, filter))
        call_read(call, apply_list);
}

static enum status apply_get(struct call *call, struct store_tx *tx)
{
    const int64_t *id = call->input;
    struct job_page page;
    struct out out;
    enum status status = job_page_read(tx, &page, *id, call->arena);
    if (status == STATUS_NOT_FOUND)
        return call_set_problem(call, PROBLEM_JOB_UNKNOWN, NULL);
    if (status != STATUS_OK)
        return status;
    out_start(&out, call->arena);
    job_page_render(&out, &page);
    return call_set_answer(call, 200, &out);
}

void api_jobs_get(struct call *call)
{
    int64_t *id = call_new_input(call, sizeof *id);
    if (id && job_id_of_path(call, id))
        call_read(call, apply_get);
}
