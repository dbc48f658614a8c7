// SPDX-License-Identifier: Apache-2.0
// The system's random source, and uniform numbers from any source.
#include "base/random.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/types.h>

// A good source is refused less than half the time: 128 refusals in a row mean it is broken.
#define RANDOM_TRIES_MAX 128

static void system_fill(void *context, uint8_t *out, size_t size)
{
    (void)context;
    while (size > 0) {
        ssize_t got = getrandom(out, size, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            abort();
        out += got;
        size -= (size_t)got;
    }
}

const struct random_source *random_system(void)
{
    static const struct random_source system_source = {system_fill, NULL};
    return &system_source;
}

void random_fill(const struct random_source *source, void *out, size_t size)
{
    source->fill(source->context, out, size);
}

uint64_t random_below(const struct random_source *source, uint64_t bound)
{
    if (bound == 0)
        abort();
    // 2^64 mod bound values at the bottom would make the rest uneven: they are drawn again.
    uint64_t uneven = (0 - bound) % bound;
    for (int i = 0; i < RANDOM_TRIES_MAX; i++) {
        uint64_t value;
        random_fill(source, &value, sizeof value);
        if (value >= uneven)
            return value % bound;
    }
    abort();
}
