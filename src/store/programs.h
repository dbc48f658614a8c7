// SPDX-License-Identifier: Apache-2.0
// Programs as rows.
#pragma once

#include "job/program.h"
#include "store/store.h"

// Creates; program->id and created_ms are set by the store. *ret_created is false where the name
// is taken (then *ret_id is that program's).
MUST_USE enum status program_insert(struct store_tx *tx, int64_t *ret_id, bool *ret_created,
                                    const struct program *program);
// STATUS_NOT_FOUND where there is none.
MUST_USE enum status program_by_name(struct store_tx *tx, struct program *ret_program,
                                     const char *name);
MUST_USE enum status program_by_id(struct store_tx *tx, struct program *ret_program, int64_t id);
// All, by name; in the arena. PROGRAMS_MAX bounds how many may exist (program_insert:
// STATUS_LIMIT).
MUST_USE enum status program_list(struct store_tx *tx, struct program **ret_programs,
                                  size_t *ret_count, struct arena *arena);
#define PROGRAMS_MAX 1000
// Changes everything but id, name and kind; applies to payments accepted from now on.
MUST_USE enum status program_update(struct store_tx *tx, const struct program *program);
