// SPDX-License-Identifier: Apache-2.0
// The table of problems as data, and their counters.
#include "api/problem.h"

#include <stdatomic.h>
#include <stdlib.h>

static const struct problem_facts facts[PROBLEM_COUNT] = {
#define PROBLEM_FACTS(name, code, status, title, hint)                                             \
    [PROBLEM_##name] = {code, status, title, hint},
    PROBLEM_TABLE(PROBLEM_FACTS)
#undef PROBLEM_FACTS
};

static atomic_llong counts[PROBLEM_COUNT];

const struct problem_facts *problem_facts(enum problem problem)
{
    if (problem <= PROBLEM_NONE || problem >= PROBLEM_COUNT)
        abort();
    return &facts[problem];
}

void problem_count(enum problem problem)
{
    atomic_fetch_add_explicit(&counts[problem], 1, memory_order_relaxed);
}

int64_t problem_counted(enum problem problem)
{
    return atomic_load_explicit(&counts[problem], memory_order_relaxed);
}
