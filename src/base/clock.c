// SPDX-License-Identifier: Apache-2.0
// The system's clocks behind the injected clock.
#include "base/clock.h"

#include <stdlib.h>
#include <time.h>

static int64_t read_ms(clockid_t id)
{
    struct timespec now;
    if (clock_gettime(id, &now) != 0)
        abort(); // both clocks always exist on Linux
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t system_wall_ms(void *context)
{
    (void)context;
    return read_ms(CLOCK_REALTIME);
}

static int64_t system_monotonic_ms(void *context)
{
    (void)context;
    return read_ms(CLOCK_MONOTONIC);
}

const struct clock *clock_system(void)
{
    static const struct clock system_clock = {system_wall_ms, system_monotonic_ms, NULL};
    return &system_clock;
}

int64_t clock_wall_ms(const struct clock *clock)
{
    return clock->wall_ms(clock->context);
}

int64_t clock_monotonic_ms(const struct clock *clock)
{
    return clock->monotonic_ms(clock->context);
}
