// SPDX-License-Identifier: Apache-2.0
// One job with all that happened to it: what the API's page and the console's show alike.
#pragma once

#include "api/out.h"
#include "store/jobs.h"
#include "store/payments.h"

struct job_page {
    struct job job;
    char payment_key[PAYMENT_KEY_SIZE]; // "": not of a payment
    struct job_event *events;           // oldest first
    size_t events_count;
    bool has_slot;
    struct slot slot;
    struct attempt *attempts; // of the slot, oldest first
    size_t attempts_count;
};

// STATUS_NOT_FOUND where there is no such job. Lists are in the arena.
MUST_USE enum status job_page_read(struct store_tx *tx, struct job_page *ret_page, int64_t id,
                                   struct arena *arena);
// The transaction that counts: the included one, else the newest; NULL where none is signed.
const struct hash32 *job_page_transaction(const struct job_page *page);
void job_page_render(struct out *out, const struct job_page *page);
