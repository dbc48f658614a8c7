// SPDX-License-Identifier: Apache-2.0
// The API's metrics, and those read from the store at scrape time.
#include "api/metrics.h"

#include "api/route.h"
#include "observe/metrics.h"
#include "store/jobs.h"

#include <stdio.h>
#include <stdlib.h>

static struct metric webhook_durable = {
    .name = "sluice_webhook_durable_seconds",
    .help = "From the end of a webhook's headers to its commit.",
    .type = METRIC_HISTOGRAM,
    .unit = 0.001,
    .bounds = metric_latency_bounds_ms,
};

static const char *const refund_outcomes[] = {
#define OUTCOME(name, text, help) [name] = (text),
    REFUND_OUTCOME_TABLE(OUTCOME)
#undef OUTCOME
        NULL,
};

static struct metric refunds = {
    .name = "sluice_refunds_total",
    .help = "Refunds, chargebacks and wins taken, by what became of them.",
    .type = METRIC_COUNTER,
    .label = "outcome",
    .label_values = refund_outcomes,
    .unit = 1,
};

void metrics_refund(enum refund_outcome outcome)
{
    metric_add(&refunds, outcome, 1);
}

void metrics_start(void)
{
    metrics_register(&refunds);
    webhook_durable.bounds_count = metric_latency_bounds_count;
    metrics_register(&webhook_durable);
}

void metrics_webhook_durable(int64_t wait_ms)
{
    metric_observe(&webhook_durable, 0, wait_ms);
}

static void print_jobs(FILE *out, const struct job_counts *counts)
{
    fputs("# HELP sluice_jobs Jobs by kind and state.\n# TYPE sluice_jobs gauge\n", out);
    for (int kind = 1; kind <= JOB_KIND_COUNT; kind++)
        for (int state = 1; state <= JOB_STATE_COUNT; state++)
            fprintf(out, "sluice_jobs{kind=\"%s\",state=\"%s\"} %lld\n",
                    job_kind_text((enum job_kind)kind), job_state_text((enum job_state)state),
                    (long long)counts->counts[kind][state]);
}

static void print_number(FILE *out, const char *name, const char *type, const char *help,
                         int64_t value)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n%s %lld\n", name, help, name, type, name,
            (long long)value);
}

static void print_store(FILE *out, struct store *store)
{
    struct store_statistics s;
    store_statistics(&s, store);
    print_number(out, "sluice_store_queued", "gauge", "Pieces of work waiting.", s.queued);
    print_number(out, "sluice_store_healthy", "gauge", "1 while the store takes work.",
                 store_is_healthy(store));
}

static void print_refusals(FILE *out)
{
    fputs("# HELP sluice_refused_total Requests refused, by problem code.\n"
          "# TYPE sluice_refused_total counter\n",
          out);
    for (int problem = PROBLEM_NONE + 1; problem < PROBLEM_COUNT; problem++)
        fprintf(out, "sluice_refused_total{code=\"%s\"} %lld\n",
                problem_facts((enum problem)problem)->code,
                (long long)problem_counted((enum problem)problem));
}

static bool read_counts(struct store *store, struct job_counts *ret_counts)
{
    struct store_tx *snapshot;
    if (store_read(&snapshot, store) != STATUS_OK)
        return false;
    enum status status = job_counts_read(snapshot, ret_counts);
    store_read_end(snapshot);
    return status == STATUS_OK;
}

char *metrics_text(size_t *ret_size, struct call *call)
{
    char *text = NULL;
    size_t size = 0;
    size_t registry_size = 0;
    struct job_counts counts;
    char *registry = metrics_print(&registry_size);
    FILE *out = open_memstream(&text, &size);
    if (registry && out) {
        fwrite(registry, 1, registry_size, out);
        route_print_metrics(out);
        print_refusals(out);
        print_store(out, call->api->store);
        if (read_counts(call->api->store, &counts))
            print_jobs(out, &counts);
    }
    bool failed = !registry || !out || ferror(out) != 0;
    free(registry);
    if ((out && fclose(out) != 0) || failed) {
        free(text);
        return NULL;
    }
    *ret_size = size;
    return text;
}
