// SPDX-License-Identifier: Apache-2.0
// Idempotency keys of requests that are running now, so that two at once are kept apart.
#pragma once

#include "base/status.h"

#include <stdint.h>

struct running;

// One running request; lives in the request's memory.
struct running_entry {
    int64_t api_key_id;
    const char *key;
    struct running_entry *next;
};

struct running *running_new(void);
void running_free(struct running *running);

// False where the same key of the same caller is running.
MUST_USE bool running_enter(struct running *running, struct running_entry *entry);
void running_leave(struct running *running, struct running_entry *entry);
