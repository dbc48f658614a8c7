// SPDX-License-Identifier: Apache-2.0
// What /metrics says beyond the registry: jobs, the store, refusals, routes.
#pragma once

#include "api/call.h"
#include "store/payments.h"

// Before threads.
void metrics_start(void);
// Milliseconds from the end of a webhook's headers to its commit.
void metrics_webhook_durable(int64_t wait_ms);
// A refund event was taken.
void metrics_refund(enum refund_outcome outcome);

// The whole text; the caller frees it. NULL: memory is out. A store that cannot be read only leaves
// its part out.
char *metrics_text(size_t *ret_size, struct call *call);
