// SPDX-License-Identifier: Apache-2.0
// Token buckets kept as the one number that says when each would be full again.
#include "api/rate.h"

#include <stdatomic.h>
#include <stdlib.h>

#define TOKEN 1000 // a token in units of (ms * tokens per second)

struct rate {
    int64_t per_second;
    atomic_llong full_at[RATE_SLOTS]; // in those units on the monotonic clock; past: full
};

struct rate *rate_new(int64_t per_second)
{
    struct rate *rate = calloc(1, sizeof *rate);
    if (rate)
        rate->per_second = per_second;
    return rate;
}

void rate_free(struct rate *rate)
{
    free(rate);
}

// Where the bucket stands after one more token, or -1 with the wait where it is empty.
static int64_t after_taking(const struct rate *rate, int64_t *ret_retry_s, int64_t full_at,
                            int64_t now_ms)
{
    int64_t now = now_ms * rate->per_second;
    int64_t next = (full_at > now ? full_at : now) + TOKEN;
    int64_t excess = next - now - rate->per_second * TOKEN;
    if (excess <= 0)
        return next;
    int64_t units_per_second = rate->per_second * 1000;
    *ret_retry_s = (excess + units_per_second - 1) / units_per_second;
    return -1;
}

bool rate_has(struct rate *rate, int64_t *ret_retry_s, uint64_t hash, int64_t now_ms)
{
    return after_taking(rate, ret_retry_s, atomic_load(&rate->full_at[hash % RATE_SLOTS]),
                        now_ms) >= 0;
}

bool rate_take(struct rate *rate, int64_t *ret_retry_s, uint64_t hash, int64_t now_ms)
{
    atomic_llong *slot = &rate->full_at[hash % RATE_SLOTS];
    long long full_at = atomic_load_explicit(slot, memory_order_relaxed);
    for (;;) {
        int64_t next = after_taking(rate, ret_retry_s, full_at, now_ms);
        if (next < 0)
            return false;
        if (atomic_compare_exchange_weak(slot, &full_at, next))
            return true;
    }
}
