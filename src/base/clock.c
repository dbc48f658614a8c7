// SPDX-License-Identifier: Apache-2.0
// The system's clocks behind the injected clock.
#include "base/clock.h"

#include <pthread.h>
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

static int64_t steady_wall_ms(void *context)
{
    struct steady_clock *steady = context;
    int64_t monotonic_ms = clock_monotonic_ms(steady->source);
    int64_t offset_ms = clock_wall_ms(steady->source) - monotonic_ms;
    int64_t largest_ms = atomic_load(&steady->offset_ms);
    while (offset_ms > largest_ms &&
           !atomic_compare_exchange_weak(&steady->offset_ms, &largest_ms, offset_ms))
        ;
    return monotonic_ms + (offset_ms > largest_ms ? offset_ms : largest_ms);
}

static int64_t steady_monotonic_ms(void *context)
{
    return clock_monotonic_ms(((struct steady_clock *)context)->source);
}

void steady_clock_init(struct steady_clock *steady, const struct clock *source)
{
    steady->clock = (struct clock){steady_wall_ms, steady_monotonic_ms, steady};
    steady->source = source;
    atomic_init(&steady->offset_ms, clock_wall_ms(source) - clock_monotonic_ms(source));
}

static struct steady_clock steady_system;

static void init_steady_system(void)
{
    steady_clock_init(&steady_system, clock_system());
}

const struct clock *clock_steady(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, init_steady_system);
    return &steady_system.clock;
}

int64_t clock_wall_ms(const struct clock *clock)
{
    return clock->wall_ms(clock->context);
}

int64_t clock_monotonic_ms(const struct clock *clock)
{
    return clock->monotonic_ms(clock->context);
}
