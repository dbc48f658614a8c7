// SPDX-License-Identifier: Apache-2.0
// Time, injected: production passes the system clock, tests and the simulator pass their own.
#pragma once

#include <stdatomic.h>
#include <stdint.h>

struct clock {
    // Milliseconds since the Unix epoch: for rows, tokens and signatures; may step.
    int64_t (*wall_ms)(void *context);
    // Milliseconds from an arbitrary start that never goes back: for timers and deadlines.
    int64_t (*monotonic_ms)(void *context);
    void *context;
};

// CLOCK_REALTIME and CLOCK_MONOTONIC: for what others check, signatures above all.
const struct clock *clock_system(void);

// A wall clock for the times in our own rows, that never goes back: a step back of its source does
// not reach it, and what was due stays due; a step forward does.
struct steady_clock {
    struct clock clock;
    const struct clock *source;
    _Atomic int64_t offset_ms; // wall less monotonic, the largest so far
};
// The object must not move afterwards. The functions of its clock may be called by any thread.
void steady_clock_init(struct steady_clock *steady, const struct clock *source);
// The one of the process, over clock_system().
const struct clock *clock_steady(void);

int64_t clock_wall_ms(const struct clock *clock);
int64_t clock_monotonic_ms(const struct clock *clock);
