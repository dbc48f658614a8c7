// SPDX-License-Identifier: Apache-2.0
// Routes: one table of every path, its method, scope, handler and help.
//
// The dispatcher, docs/api.md and the check of openapi.json read it.
#pragma once

#include "api/call.h"
#include "store/access.h"

#include <stdio.h>

struct route {
    const char *method;
    const char *path;              // at most one {part}
    enum scope scope;              // 0: no key needed
    bool idempotent;               // takes Idempotency-Key
    const char *const *parameters; // query parameters, NULL-terminated; NULL: none
    void (*handle)(struct call *call);
    const char *help;
};

#define ROUTES_MAX 64

// The table, in order of matching.
const struct route *route_table(size_t *ret_count);

// The route of method and path. NULL with *ret_allow NULL: no such path; with *ret_allow set (in
// the arena): the path has these methods. *ret_value is the {part} as sent, *ret_value_size long.
const struct route *route_find(const char **ret_allow, const char **ret_value,
                               size_t *ret_value_size, struct arena *arena, const char *method,
                               const char *path);

// Counts an answer; route NULL: no route.
void route_count(const struct route *route, int status);
// Those counts in Prometheus' form.
void route_print_metrics(FILE *out);
