// SPDX-License-Identifier: Apache-2.0
// Metrics of group commit: how large the groups are, how long their commits take.
#include "store/metrics.h"

#include "observe/metrics.h"

static const int64_t group_bounds[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024};

static struct metric group_size = {
    .name = "sluice_commit_group_size",
    .help = "Pieces of work committed together.",
    .type = METRIC_HISTOGRAM,
    .unit = 1,
    .bounds = group_bounds,
    .bounds_count = sizeof group_bounds / sizeof group_bounds[0],
};
static struct metric commit_time = {
    .name = "sluice_commit_seconds",
    .help = "From the end of a group's writes to its flush.",
    .type = METRIC_HISTOGRAM,
    .unit = 0.001,
    .bounds = metric_latency_bounds_ms,
};
static struct metric failures = {
    .name = "sluice_commit_failures_total",
    .help = "Groups rolled back.",
    .type = METRIC_COUNTER,
    .unit = 1,
};

void store_metrics_register(void)
{
    commit_time.bounds_count = metric_latency_bounds_count;
    metrics_register(&group_size);
    metrics_register(&commit_time);
    metrics_register(&failures);
}

void store_metrics_commit(int64_t size, int64_t commit_ms, enum status status)
{
    if (status != STATUS_OK) {
        metric_add(&failures, 0, 1);
        return;
    }
    metric_observe(&group_size, 0, size);
    metric_observe(&commit_time, 0, commit_ms);
}
