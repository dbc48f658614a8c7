// SPDX-License-Identifier: Apache-2.0
// Randomness, injected: production passes the system source, the simulator a seeded one.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct random_source {
    void (*fill)(void *context, uint8_t *out, size_t size);
    void *context;
};

// getrandom(2); aborts if the system has none (nothing safe can go on without it).
const struct random_source *random_system(void);

void random_fill(const struct random_source *source, void *out, size_t size);
// Uniform in [0, bound); bound is not 0.
uint64_t random_below(const struct random_source *source, uint64_t bound);
