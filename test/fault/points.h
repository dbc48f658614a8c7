// SPDX-License-Identifier: Apache-2.0
// The loop over fault points: the k-th use of something fails, for k = 1, 2, ... until none does.
//
// `make fault-points` tries every k; without FAULT_POINTS_ALL in the environment the first ones and
// then every `stride`-th, so that `make test` stays quick.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#define POINTS_DENSE 5      // tried one by one in any case
#define STRIDE_SLOW  50     // from this stride on a point is slow, and the first two must do
#define POINTS_MAX   200000 // a scenario with more does not end

#define OK_STATUS(call) assert_string_equal(status_text(call), "ok")

// Runs the scenario with the k-th use failing and checks what must hold. True where it fired.
typedef bool point_run(void *context, int64_t k);

static inline int64_t points_step(int64_t k, int64_t stride)
{
    if (getenv("FAULT_POINTS_ALL") != NULL)
        return 1;
    return k < (stride >= STRIDE_SLOW ? 2 : POINTS_DENSE) ? 1 : stride;
}

static inline void points_loop(const char *scenario, const char *fault, int64_t stride,
                               point_run *run, void *context)
{
    int64_t fired = 0, last = 0;
    for (int64_t k = 1; run(context, k); k += points_step(k, stride)) {
        assert_true(k < POINTS_MAX);
        fired++;
        last = k;
    }
    printf("fault points: %-18s %-34s %6lld fired, the last was no. %lld\n", scenario, fault,
           (long long)fired, (long long)last);
    fflush(stdout);
    if (fired == 0)
        fail_msg("%s, %s: no point fired", scenario, fault);
}
