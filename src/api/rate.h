// SPDX-License-Identifier: Apache-2.0
// Rate limits: token buckets in a fixed table, one atomic each.
#pragma once

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

#define RATE_SLOTS 16384 // memory is bounded: beyond this, keys or addresses share buckets

struct rate;

// per_second tokens flow in, and at most one second's worth is kept. NULL: memory is out.
struct rate *rate_new(int64_t per_second);
void rate_free(struct rate *rate);

// Takes a token of slot `hash`. False where there is none; *ret_retry_s then says when to try.
MUST_USE bool rate_take(struct rate *rate, int64_t *ret_retry_s, uint64_t hash, int64_t now_ms);
// Looks without taking.
MUST_USE bool rate_has(struct rate *rate, int64_t *ret_retry_s, uint64_t hash, int64_t now_ms);
