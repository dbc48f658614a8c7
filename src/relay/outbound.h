// SPDX-License-Identifier: Apache-2.0
// Outbound webhooks to the merchant: Standard Webhooks signed, at least once, from the outbox.
//
// One thread: takes what is due from the outbox, posts several at a time, records the outcome, and
// waits for the next due time or a wake-up. Retries after 0, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h,
// 14 h, 20 h, 24 h with jitter; 2xx is success; 410 stops; Retry-After is honoured. The id is the
// same on every retry, the timestamp and signature are new.
#pragma once

#include "base/clock.h"
#include "base/random.h"
#include "queue/wake.h"
#include "store/store.h"

struct outbound_options {
    struct store *store;
    struct wake *wake;
    const struct clock *clock;       // of the rows
    const struct clock *stamp_clock; // of what the receiver checks
    const struct random_source *random;
    const char *url;
    const char *secret; // whsec_...
    int64_t poll_interval_ms;
};

struct outbound;

// STATUS_INVALID: the secret or URL is malformed.
MUST_USE enum status outbound_start(struct outbound **ret_outbound,
                                    const struct outbound_options *options);
void outbound_stop(struct outbound *outbound);
