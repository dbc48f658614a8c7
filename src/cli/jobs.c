// SPDX-License-Identifier: Apache-2.0
// The command `sluice jobs list|show|retry|cancel`: what is to happen on chain, and what became of
// it.
#include "cli/jobs.h"

#include "api/job_page.h"
#include "api/render.h"
#include "base/hex.h"
#include "cli/console.h"
#include "cli/number.h"
#include "cli/when.h"
#include "store/access.h"
#include "store/jobs.h"

#include <string.h>

#define LIST_LIMIT_DEFAULT 50

static enum tone tone_of(enum job_state state)
{
    switch (state) {
    case JOB_CONFIRMED:
        return TONE_GOOD;
    case JOB_PARKED:
    case JOB_UNRESOLVED:
        return TONE_BAD;
    case JOB_HELD:
        return TONE_WARN;
    case JOB_CANCELLED:
        return TONE_DIM;
    case JOB_QUEUED:
    case JOB_ASSIGNED:
    case JOB_SENT:
    case JOB_MINED:
        return TONE_PLAIN;
    }
    return TONE_PLAIN;
}

struct listing {
    struct job_filter filter;
    struct job *jobs;
    size_t count;
    struct arena *arena;
};

static enum status list(struct store_tx *tx, void *context)
{
    struct listing *listing = context;
    return jobs_list(tx, &listing->jobs, &listing->count, &listing->filter, listing->arena);
}

static bool read_filter(struct job_filter *ret_filter, const struct arguments *arguments)
{
    const char *state = argument(arguments, "state");
    const char *kind = argument(arguments, "kind");
    const char *wallet = argument(arguments, "wallet");
    const char *limit = argument(arguments, "limit");
    int64_t number = LIST_LIMIT_DEFAULT;
    const char *wrong = NULL;
    if (state && !job_state_parse(&ret_filter->state, state))
        wrong = "--state is not a state: see sluice docs states";
    else if (kind && !job_kind_parse(&ret_filter->kind, kind))
        wrong = "--kind is not a kind: see sluice docs states";
    else if (wallet && address_parse(&ret_filter->wallet, wallet) != ADDRESS_FINE)
        wrong = "--wallet is not an address";
    else if (limit && !number_parse(&number, limit, 1, JOBS_PAGE_MAX))
        wrong = "--limit is 1 to 200";
    ret_filter->limit = (size_t)number;
    if (wrong)
        console_fail(EXIT_USAGE, "%s", wrong);
    return !wrong;
}

static const char *const job_headings[] = {"ID",   "KIND", "STATE",   "WALLET",
                                           "USDC", "SGE",  "CREATED", "WHY"};
#define JOB_COLUMNS (sizeof job_headings / sizeof job_headings[0])

static void add_row(struct table *table, const struct job *job)
{
    char id[24], wallet[ADDRESS_TEXT_SIZE], usdc[USDC_TEXT_SIZE], sge[SGE_TEXT_SIZE],
        created[WHEN_SIZE];
    snprintf(id, sizeof id, "%lld", (long long)job->id);
    address_format(wallet, job_kind_is_payout(job->kind) ? &job->referrer : &job->child);
    usdc_format(usdc, job->usdc);
    sge_format(sge, job->sge);
    when_format(created, job->created_ms);
    table_row(table, tone_of(job->state),
              (const char *const[]){id, job_kind_text(job->kind), job_state_text(job->state),
                                    wallet, usdc, sge, created, job->reason});
}

enum exit_code jobs_command_list(const struct arguments *arguments)
{
    struct listing listing = {0};
    struct console console;
    if (!read_filter(&listing.filter, arguments))
        return EXIT_USAGE;
    if (!console_open(&console, CONSOLE_READS))
        return console.code;
    listing.arena = console.arena;
    enum exit_code code = console_read(&console, "the jobs cannot be read", list, &listing);
    if (code == EXIT_FINE && argument_json(arguments)) {
        struct out out;
        out_start(&out, console.arena);
        out_array(&out, NULL);
        for (size_t i = 0; i < listing.count; i++)
            render_job(&out, NULL, &listing.jobs[i]);
        out_array_end(&out);
        print_json(out_take(&out));
    } else if (code == EXIT_FINE) {
        struct table *table = table_new(job_headings, JOB_COLUMNS);
        for (size_t i = 0; i < listing.count; i++)
            add_row(table, &listing.jobs[i]);
        table_print(table, stdout);
    }
    return console_close(&console, code);
}

struct detail {
    int64_t id;
    bool found;
    struct job_page page;
    struct arena *arena;
};

static enum status read_detail(struct store_tx *tx, void *context)
{
    struct detail *detail = context;
    enum status status = job_page_read(tx, &detail->page, detail->id, detail->arena);
    detail->found = status == STATUS_OK;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static void print_detail_json(const struct detail *detail)
{
    struct out out;
    out_start(&out, detail->arena);
    job_page_render(&out, &detail->page);
    print_json(out_take(&out));
}

static void print_attempts(const struct job_page *page)
{
    for (size_t i = 0; i < page->attempts_count; i++) {
        char hash[HEX_TEXT_SIZE(32)];
        hex_encode(hash, (struct bytes){page->attempts[i].hash.bytes, sizeof(struct hash32)});
        printf("%snonce %lld: %s (%s)\n", i == 0 ? "\n" : "", (long long)page->slot.nonce, hash,
               attempt_state_text(page->attempts[i].state));
    }
}

static void print_detail(const struct detail *detail)
{
    static const char *const headings[] = {"AT", "STATE", "CAUSE", "WHY"};
    struct table *table = table_new(job_headings, JOB_COLUMNS);
    add_row(table, &detail->page.job);
    table_print(table, stdout);
    if (detail->page.payment_key[0])
        printf("payment %s\n", detail->page.payment_key);
    putchar('\n');
    table = table_new(headings, 4);
    for (size_t i = 0; i < detail->page.events_count; i++) {
        const struct job_event *e = &detail->page.events[i];
        char at[WHEN_SIZE];
        when_format(at, e->at_ms);
        table_row(table, tone_of(e->to),
                  (const char *const[]){at, job_state_text(e->to), e->cause, e->why});
    }
    table_print(table, stdout);
    print_attempts(&detail->page);
}

static bool read_id(int64_t *ret_id, const char *text)
{
    if (number_parse(ret_id, text, 1, INT64_MAX))
        return true;
    console_fail(EXIT_USAGE, "%s is not a job id", text);
    return false;
}

enum exit_code jobs_command_show(const struct arguments *arguments)
{
    struct detail detail = {0};
    struct console console;
    if (!read_id(&detail.id, arguments->words[0]))
        return EXIT_USAGE;
    if (!console_open(&console, CONSOLE_READS))
        return console.code;
    detail.arena = console.arena;
    enum exit_code code = console_read(&console, "the job cannot be read", read_detail, &detail);
    if (code == EXIT_FINE && !detail.found)
        code = console_fail(EXIT_FAILED, "there is no job %lld", (long long)detail.id);
    else if (code == EXIT_FINE && argument_json(arguments))
        print_detail_json(&detail);
    else if (code == EXIT_FINE)
        print_detail(&detail);
    return console_close(&console, code);
}

struct transition {
    int64_t id;
    bool cancel;
    const char *why;
    bool found, allowed;
    enum job_state from;
};

// Retry: parked -> queued, where the relayer proves it unpaid before it assigns it again.
// Cancel: what is not signed yet, or parked.
static enum status change_state(struct store_tx *tx, void *context)
{
    struct transition *change = context;
    struct job job;
    enum status status = job_by_id(tx, &job, change->id);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    enum job_state next = change->cancel ? JOB_CANCELLED : JOB_QUEUED;
    change->found = true;
    change->from = job.state;
    change->allowed = job_change_is_allowed(job.state, next) &&
                      (change->cancel || job.state == JOB_PARKED || job.state == JOB_HELD);
    if (!change->allowed)
        return STATUS_OK;
    struct job_change facts = {.cause = "operator", .why = change->why};
    status = job_set_state(tx, change->id, job.state, next, &facts);
    char detail[32];
    snprintf(detail, sizeof detail, "%lld", (long long)change->id);
    if (status == STATUS_OK)
        status = audit_append(tx, console_actor(), change->cancel ? "jobs.cancel" : "jobs.retry",
                              detail);
    return status;
}

static enum exit_code run_change(const struct arguments *arguments, bool cancel)
{
    struct transition change = {.cancel = cancel, .why = argument(arguments, "why")};
    struct console console;
    if (!read_id(&change.id, arguments->words[0]))
        return EXIT_USAGE;
    if (!console_open(&console, CONSOLE_WRITES))
        return console.code;
    enum exit_code code = console_write(&console, "the job was not changed", change_state, &change);
    if (code == EXIT_FINE && !change.found)
        code = console_fail(EXIT_FAILED, "there is no job %lld", (long long)change.id);
    else if (code == EXIT_FINE && !change.allowed)
        code = console_fail(EXIT_FAILED, "job %lld is %s and cannot be %s", (long long)change.id,
                            job_state_text(change.from), cancel ? "cancelled" : "retried");
    else if (code == EXIT_FINE && argument_json(arguments))
        print_json(json_pack("{s:I,s:s}", "id", (json_int_t)change.id, "state",
                             cancel ? "cancelled" : "queued"));
    else if (code == EXIT_FINE)
        printf("job %lld is %s\n", (long long)change.id,
               cancel ? "cancelled" : "queued again: it is proven unpaid before it is sent");
    return console_close(&console, code);
}

enum exit_code jobs_command_retry(const struct arguments *arguments)
{
    return run_change(arguments, false);
}

enum exit_code jobs_command_cancel(const struct arguments *arguments)
{
    return run_change(arguments, true);
}
