// SPDX-License-Identifier: Apache-2.0
// The metrics registry and its text exposition (Prometheus format 0.0.4).
#include "observe/metrics.h"

#include <stdio.h>
#include <stdlib.h>

const int64_t metric_latency_bounds_ms[] = {1,     2,     5,      10,     20,    50,    100,
                                            200,   500,   1000,   2000,   5000,  10000, 15000,
                                            30000, 60000, 120000, 300000, 600000};
const size_t metric_latency_bounds_count =
    sizeof metric_latency_bounds_ms / sizeof metric_latency_bounds_ms[0];

static struct metric *registry[METRICS_MAX];
static size_t registry_count;

static size_t label_count(const struct metric *metric)
{
    size_t count = 0;
    if (!metric->label)
        return 1;
    while (metric->label_values[count])
        count++;
    return count;
}

static void check_index(const struct metric *metric, size_t label_index, enum metric_type type)
{
    bool histogram = metric->type == METRIC_HISTOGRAM;
    if (label_index >= METRIC_LABELS_MAX || histogram != (type == METRIC_HISTOGRAM))
        abort();
}

void metric_add(struct metric *metric, size_t label_index, int64_t amount)
{
    check_index(metric, label_index, METRIC_COUNTER);
    atomic_fetch_add_explicit(&metric->values[label_index], amount, memory_order_relaxed);
}

void metric_set(struct metric *metric, size_t label_index, int64_t value)
{
    check_index(metric, label_index, METRIC_GAUGE);
    atomic_store_explicit(&metric->values[label_index], value, memory_order_relaxed);
}

static size_t bucket_of(const struct metric *metric, int64_t value)
{
    size_t bucket = 0;
    while (bucket < metric->bounds_count && value > metric->bounds[bucket])
        bucket++;
    return bucket;
}

void metric_observe(struct metric *metric, size_t label_index, int64_t value)
{
    check_index(metric, label_index, METRIC_HISTOGRAM);
    size_t bucket = bucket_of(metric, value);
    atomic_fetch_add_explicit(&metric->buckets[label_index][bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&metric->sums[label_index], value, memory_order_relaxed);
}

void metrics_register(struct metric *metric)
{
    for (size_t i = 0; i < registry_count; i++)
        if (registry[i] == metric)
            return; // a second start in one process
    bool fits = registry_count < METRICS_MAX && metric->bounds_count <= METRIC_BUCKETS &&
                label_count(metric) <= METRIC_LABELS_MAX;
    if (!fits)
        abort();
    registry[registry_count++] = metric;
}

// HELP escapes backslash and line feed; label values the quotation mark as well.
static void print_escaped(FILE *out, const char *text, bool quote)
{
    for (; *text; text++) {
        if (*text == '\\')
            fputs("\\\\", out);
        else if (*text == '\n')
            fputs("\\n", out);
        else if (quote && *text == '"')
            fputs("\\\"", out);
        else
            fputc(*text, out);
    }
}

// Whole numbers stay exact; a unit below one is for people and needs no more than 12 digits.
static void print_number(FILE *out, const struct metric *metric, int64_t value)
{
    bool whole =
        !(metric->unit > 0.0) || (metric->unit > 0.999999999 && metric->unit < 1.000000001);
    if (whole)
        fprintf(out, "%lld", (long long)value);
    else
        fprintf(out, "%.12g", (double)value * metric->unit);
}

static void print_label(FILE *out, const struct metric *metric, size_t label_index)
{
    fprintf(out, "%s=\"", metric->label);
    print_escaped(out, metric->label_values[label_index], true);
    fputc('"', out);
}

static void print_series(FILE *out, const struct metric *metric, const char *suffix,
                         size_t label_index)
{
    fprintf(out, "%s%s", metric->name, suffix);
    if (metric->label) {
        fputc('{', out);
        print_label(out, metric, label_index);
        fputc('}', out);
    }
    fputc(' ', out);
}

static void print_bucket_start(FILE *out, const struct metric *metric, size_t label_index)
{
    fprintf(out, "%s_bucket{", metric->name);
    if (metric->label) {
        print_label(out, metric, label_index);
        fputc(',', out);
    }
    fputs("le=\"", out);
}

// The count is taken from the buckets, so that it always equals the last one.
static void print_histogram(FILE *out, struct metric *metric, size_t label_index)
{
    long long total = 0;
    for (size_t i = 0; i <= metric->bounds_count; i++) {
        total += atomic_load_explicit(&metric->buckets[label_index][i], memory_order_relaxed);
        print_bucket_start(out, metric, label_index);
        if (i < metric->bounds_count)
            print_number(out, metric, metric->bounds[i]);
        else
            fputs("+Inf", out);
        fprintf(out, "\"} %lld\n", total);
    }
    print_series(out, metric, "_sum", label_index);
    print_number(out, metric,
                 atomic_load_explicit(&metric->sums[label_index], memory_order_relaxed));
    fputc('\n', out);
    print_series(out, metric, "_count", label_index);
    fprintf(out, "%lld\n", total);
}

static void print_value(FILE *out, struct metric *metric, size_t label_index)
{
    print_series(out, metric, "", label_index);
    print_number(out, metric,
                 atomic_load_explicit(&metric->values[label_index], memory_order_relaxed));
    fputc('\n', out);
}

static const char *type_text(enum metric_type type)
{
    switch (type) {
    case METRIC_COUNTER:
        return "counter";
    case METRIC_GAUGE:
        return "gauge";
    case METRIC_HISTOGRAM:
        return "histogram";
    }
    abort();
}

static void print_metric(FILE *out, struct metric *metric)
{
    fprintf(out, "# HELP %s ", metric->name);
    print_escaped(out, metric->help, false);
    fprintf(out, "\n# TYPE %s %s\n", metric->name, type_text(metric->type));
    for (size_t i = 0; i < label_count(metric); i++) {
        if (metric->type == METRIC_HISTOGRAM)
            print_histogram(out, metric, i);
        else
            print_value(out, metric, i);
    }
}

char *metrics_print(size_t *ret_size)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    for (size_t i = 0; i < registry_count; i++)
        print_metric(out, registry[i]);
    bool failed = ferror(out) != 0;
    if (fclose(out) != 0 || failed) {
        free(text);
        return NULL;
    }
    *ret_size = size;
    return text;
}
