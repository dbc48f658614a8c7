// SPDX-License-Identifier: Apache-2.0
// Outbound webhooks waiting for delivery: written with the change they tell of, at least once.
#pragma once

#include "job/job.h"
#include "store/store.h"

struct outbox_message {
    int64_t id;          // grows: the order in which things happened
    char webhook_id[40]; // "msg_" + the row's own id in hex: the same on every retry
    char type[32];       // as docs/webhooks.md lists them
    struct job job;      // as it is now; type and created_ms say what happened when
    int64_t created_ms;
    int32_t tries;
    struct inclusion_brief {
        bool known;
        struct hash32 transaction_hash;
        int64_t block_number;
    } inclusion;
};

MUST_USE enum status outbox_due(struct store_tx *tx, struct outbox_message **ret_messages,
                                size_t *ret_count, int64_t now_ms, size_t limit,
                                struct arena *arena);
MUST_USE enum status outbox_next_due_ms(struct store_tx *tx, int64_t *ret_due_ms);
MUST_USE enum status outbox_delivered(struct store_tx *tx, int64_t message_id);
// Tries + 1, due again at due_ms; after the last try `dead` keeps it as undeliverable.
MUST_USE enum status outbox_failed(struct store_tx *tx, int64_t message_id, int64_t due_ms,
                                   bool dead, const char *why);
