// SPDX-License-Identifier: Apache-2.0
// Arena: memory for one tick or one request, freed all at once.
//
// No allocation per row on hot paths: rows, encoded calls and signed bytes of a tick live in one
// arena, which arena_reset() empties and keeps for the next tick. Not thread-safe: one owner.
#pragma once

#include "base/bytes.h"

struct arena;

// limit_bytes is the most the arena may ever hold (a named limit of the caller's).
// Returns NULL when memory is out.
struct arena *arena_new(size_t limit_bytes);

// Takes NULL.
void arena_free(struct arena *arena);

// Empties the arena and keeps its memory.
void arena_reset(struct arena *arena);

// Zeroed memory aligned for any type, or NULL past the limit or when memory is out.
MUST_USE void *arena_alloc(struct arena *arena, size_t size);

// The same for count items of size bytes; NULL also when the product overflows.
MUST_USE void *arena_alloc_array(struct arena *arena, size_t count, size_t size);

// Copies; NULL as above. arena_copy_text adds the NUL.
MUST_USE uint8_t *arena_copy(struct arena *arena, struct bytes data);
MUST_USE char *arena_copy_text(struct arena *arena, const char *text);
MUST_USE char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// Bytes handed out since the last reset.
size_t arena_used(const struct arena *arena);
