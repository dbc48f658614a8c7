// SPDX-License-Identifier: Apache-2.0
// Pieces shared by the parts of the plan: block facts, delays, jitter.
#include "relay/plan.h"

#define RETRY_DOUBLINGS_MAX 40

const struct block_fact *plan_block(const struct plan_facts *facts, int64_t number)
{
    for (size_t i = 0; i < facts->blocks_count; i++)
        if (facts->blocks[i].number == number)
            return &facts->blocks[i];
    return NULL;
}

// The finaliser of splitmix64.
uint64_t plan_mix(uint64_t jitter, uint64_t item)
{
    uint64_t z = jitter + (item + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static int64_t doubled(int64_t first, int64_t max, int32_t times)
{
    int64_t delay = first;
    for (int32_t i = 0; i < times && i < RETRY_DOUBLINGS_MAX && delay < max; i++)
        delay *= 2;
    return delay < max ? delay : max;
}

int64_t plan_retry_delay_ms(const struct plan_limits *limits, int32_t tries, uint64_t jitter)
{
    int32_t times = tries > 0 ? tries - 1 : 0;
    int64_t delay = doubled(limits->retry_delay_ms, limits->retry_delay_ms_max, times);
    int64_t quarter = delay / 4;
    return quarter == 0 ? delay : delay - (int64_t)(jitter % (uint64_t)quarter);
}
