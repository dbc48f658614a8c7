// SPDX-License-Identifier: Apache-2.0
// Time, injected: production passes the system clock, tests and the simulator pass their own.
#pragma once

#include <stdint.h>

struct clock {
    // Milliseconds since the Unix epoch: for rows, tokens and signatures; may step.
    int64_t (*wall_ms)(void *context);
    // Milliseconds from an arbitrary start that never goes back: for timers and deadlines.
    int64_t (*monotonic_ms)(void *context);
    void *context;
};

// CLOCK_REALTIME and CLOCK_MONOTONIC.
const struct clock *clock_system(void);

int64_t clock_wall_ms(const struct clock *clock);
int64_t clock_monotonic_ms(const struct clock *clock);
