// SPDX-License-Identifier: Apache-2.0
// Metrics: counting and the exposition text, line by line.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "observe/metrics.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const char *const colours[] = {"red", "say \"hi\"\\\n", NULL};
static const int64_t bounds[] = {1, 10, 100};

static struct metric requests_total = {
    .name = "test_requests_total", .help = "Requests\\answered\nso far.", .type = METRIC_COUNTER};
static struct metric level = {.name = "test_level",
                              .help = "Level.",
                              .type = METRIC_GAUGE,
                              .label = "colour",
                              .label_values = colours};
static struct metric wait_seconds = {.name = "test_wait_seconds",
                                     .help = "Wait.",
                                     .type = METRIC_HISTOGRAM,
                                     .unit = 0.001,
                                     .bounds = bounds,
                                     .bounds_count = 3};
static struct metric sizes = {.name = "test_sizes",
                              .help = "Sizes.",
                              .type = METRIC_HISTOGRAM,
                              .label = "colour",
                              .label_values = colours,
                              .bounds = bounds,
                              .bounds_count = 3};

static int register_all(void **state)
{
    (void)state;
    metrics_register(&requests_total);
    metrics_register(&level);
    metrics_register(&wait_seconds);
    metrics_register(&sizes);
    metrics_register(&sizes);
    return 0;
}

static void assert_prints(const char *lines)
{
    size_t size;
    char *text = metrics_print(&size);
    assert_non_null(text);
    assert_int_equal(size, strlen(text));
    if (!strstr(text, lines))
        print_error("%s", text);
    assert_non_null(strstr(text, lines));
    free(text);
}

static void counter_prints_help_type_and_whole_number(void **state)
{
    (void)state;
    metric_add(&requests_total, 0, 41);
    metric_add(&requests_total, 0, 1);
    assert_prints("# HELP test_requests_total Requests\\\\answered\\nso far.\n"
                  "# TYPE test_requests_total counter\n"
                  "test_requests_total 42\n");
}

static void label_values_are_escaped_and_every_one_is_printed(void **state)
{
    (void)state;
    metric_set(&level, 1, -5);
    assert_prints("# TYPE test_level gauge\n"
                  "test_level{colour=\"red\"} 0\n"
                  "test_level{colour=\"say \\\"hi\\\"\\\\\\n\"} -5\n");
}

static void histogram_buckets_cumulate_and_bounds_include_their_value(void **state)
{
    (void)state;
    metric_observe(&wait_seconds, 0, 1);
    metric_observe(&wait_seconds, 0, 2);
    metric_observe(&wait_seconds, 0, 10);
    metric_observe(&wait_seconds, 0, 101);
    assert_prints("# TYPE test_wait_seconds histogram\n"
                  "test_wait_seconds_bucket{le=\"0.001\"} 1\n"
                  "test_wait_seconds_bucket{le=\"0.01\"} 3\n"
                  "test_wait_seconds_bucket{le=\"0.1\"} 3\n"
                  "test_wait_seconds_bucket{le=\"+Inf\"} 4\n"
                  "test_wait_seconds_sum 0.114\n"
                  "test_wait_seconds_count 4\n");
}

static void labelled_histogram_puts_le_after_its_label(void **state)
{
    (void)state;
    metric_observe(&sizes, 0, 50);
    assert_prints("test_sizes_bucket{colour=\"red\",le=\"10\"} 0\n"
                  "test_sizes_bucket{colour=\"red\",le=\"100\"} 1\n"
                  "test_sizes_bucket{colour=\"red\",le=\"+Inf\"} 1\n"
                  "test_sizes_sum{colour=\"red\"} 50\n"
                  "test_sizes_count{colour=\"red\"} 1\n");
}

static void a_metric_registered_twice_is_printed_once(void **state)
{
    (void)state;
    size_t size;
    char *text = metrics_print(&size);
    char *first = strstr(text, "# TYPE test_sizes ");
    assert_non_null(first);
    assert_null(strstr(first + 1, "# TYPE test_sizes "));
    free(text);
}

static void *add_thousand(void *metric)
{
    for (int i = 0; i < 1000; i++)
        metric_observe(metric, 1, 5);
    return NULL;
}

static void no_update_is_lost_between_threads(void **state)
{
    (void)state;
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, add_thousand, &sizes), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_prints("\"} 20000\n");
}

static void latency_bounds_ascend_from_one_millisecond_to_ten_minutes(void **state)
{
    (void)state;
    assert_true(metric_latency_bounds_count <= METRIC_BUCKETS);
    assert_int_equal(metric_latency_bounds_ms[0], 1);
    assert_int_equal(metric_latency_bounds_ms[metric_latency_bounds_count - 1], 600000);
    for (size_t i = 1; i < metric_latency_bounds_count; i++)
        assert_true(metric_latency_bounds_ms[i] > metric_latency_bounds_ms[i - 1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counter_prints_help_type_and_whole_number),
        cmocka_unit_test(label_values_are_escaped_and_every_one_is_printed),
        cmocka_unit_test(histogram_buckets_cumulate_and_bounds_include_their_value),
        cmocka_unit_test(labelled_histogram_puts_le_after_its_label),
        cmocka_unit_test(a_metric_registered_twice_is_printed_once),
        cmocka_unit_test(no_update_is_lost_between_threads),
        cmocka_unit_test(latency_bounds_ascend_from_one_millisecond_to_ten_minutes),
    };
    return cmocka_run_group_tests(tests, register_all, NULL);
}
