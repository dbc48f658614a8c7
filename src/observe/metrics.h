// SPDX-License-Identifier: Apache-2.0
// Metrics: a registry of counters, gauges and histograms, printed in Prometheus' text form.
//
// Metrics are static objects declared with the macros below next to the code that counts, and
// listed once in metrics.c; names follow Prometheus' rules (unit last, _total for counters).
// All updates are atomic and lock-free.
#pragma once

#include "base/bytes.h"

#include <stdatomic.h>

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

#define METRIC_BUCKETS    20
#define METRIC_LABELS_MAX 16 // values of the one label a metric may have

struct metric {
    const char *name; // "sluice_commit_group_size"
    const char *help;
    enum metric_type type;
    const char *label;               // NULL: none
    const char *const *label_values; // NULL-terminated
    double unit;                     // multiplies integers on output: 0.001 for milliseconds
    const int64_t *bounds;           // histogram: ascending upper bounds, METRIC_BUCKETS at most
    size_t bounds_count;
    atomic_llong values[METRIC_LABELS_MAX];
    atomic_llong buckets[METRIC_LABELS_MAX][METRIC_BUCKETS + 1];
    atomic_llong sums[METRIC_LABELS_MAX];
};

// label_index selects among label_values; 0 where there is no label.
void metric_add(struct metric *metric, size_t label_index, int64_t amount);
void metric_set(struct metric *metric, size_t label_index, int64_t value);
void metric_observe(struct metric *metric, size_t label_index, int64_t value);

// Adds to the registry (METRICS_MAX); at start, before threads.
void metrics_register(struct metric *metric);
#define METRICS_MAX 128

// The whole registry as Prometheus text (version 0.0.4). The caller frees it. NULL: memory is out.
char *metrics_print(size_t *ret_size);

// Latency buckets shared by the time histograms, in milliseconds: 1 ms to 10 min.
extern const int64_t metric_latency_bounds_ms[];
extern const size_t metric_latency_bounds_count;
