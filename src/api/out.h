// SPDX-License-Identifier: Apache-2.0
// JSON out, on jansson: objects and arrays as they are written, and the JSON forms of our types.
#pragma once

#include "base/arena.h"
#include "base/money.h"
#include "eth/address.h"

#include <jansson.h>

#define OUT_DEPTH_MAX 8

// Started by out_start; must end in out_finish or out_take, which free what it holds.
struct out {
    struct arena *arena; // of the finished text
    json_t *root;
    json_t *open[OUT_DEPTH_MAX]; // objects and arrays not ended yet, outermost first
    size_t depth;
    bool failed; // memory is out; everything after is a no-op
};

void out_start(struct out *out, struct arena *arena);
// The text. False where memory ran out.
MUST_USE bool out_finish(struct bytes *ret_text, struct out *out);
// The value itself, for whoever prints it another way; NULL where memory ran out.
json_t *out_take(struct out *out);

// key is NULL for the outermost value and inside arrays.
void out_object(struct out *out, const char *key);
void out_object_end(struct out *out);
void out_array(struct out *out, const char *key);
void out_array_end(struct out *out);
void out_text(struct out *out, const char *key, const char *text); // NULL: null
void out_integer(struct out *out, const char *key, int64_t value);
void out_boolean(struct out *out, const char *key, bool value);
// Row ids are texts: some languages read JSON numbers as floating point. 0: null.
void out_id(struct out *out, const char *key, int64_t id);
void out_usdc(struct out *out, const char *key, struct usdc amount);
void out_sge(struct out *out, const char *key, struct sge amount);
void out_address(struct out *out, const char *key, const struct address *address); // zero: null
void out_hash(struct out *out, const char *key, const struct hash32 *hash);        // zero: null
// RFC 3339 in UTC with milliseconds; 0: null.
void out_time(struct out *out, const char *key, int64_t wall_ms);
