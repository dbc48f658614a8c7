// SPDX-License-Identifier: Apache-2.0
// Inside the store only: a program as the writer remembers it.
#pragma once

#include "store/programs.h"
#include "store/tx.h"

// By name where that is not NULL, else by id. The pointer is good until the next call.
MUST_USE enum status program_cached(struct store_tx *tx, const struct program **ret_program,
                                    int64_t id, const char *name);
