// SPDX-License-Identifier: Apache-2.0
// Small things the simulator's files share: seeded random numbers, growing lists.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Everything random comes from one of these: the same seed is the same run, bit for bit.
struct rng {
    uint64_t state;
};

static inline uint64_t rng_mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

// The generator splitmix64.
static inline uint64_t rng_next(struct rng *rng)
{
    rng->state += UINT64_C(0x9e3779b97f4a7c15);
    return rng_mix(rng->state);
}

// In [0, bound); bound is not 0.
static inline uint64_t rng_below(struct rng *rng, uint64_t bound)
{
    return rng_next(rng) % bound;
}

// Both ends included.
static inline int64_t rng_between(struct rng *rng, int64_t low, int64_t high)
{
    return low + (int64_t)rng_below(rng, (uint64_t)(high - low) + 1);
}

// True so many times in 10,000.
static inline bool rng_chance(struct rng *rng, int64_t per_10000)
{
    return (int64_t)rng_below(rng, 10000) < per_10000;
}

// A list that grows and is emptied for the next seed without giving its memory back.
struct list {
    void *items;
    size_t count, capacity;
};

// The zeroed place of one more item; aborts when memory is out. Moves the items: keep indexes.
void *list_add(struct list *list, size_t item_size);
void list_free(struct list *list);

#define LIST_AT(list, type, index) (&((type *)(list)->items)[index])
