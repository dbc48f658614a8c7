// SPDX-License-Identifier: Apache-2.0
// Metrics of group commit: how large the groups are, how long their commits take.
#pragma once

#include "base/status.h"

#include <stdint.h>

// At store_open, before the writer starts. Repeating it changes nothing.
void store_metrics_register(void);
void store_metrics_commit(int64_t group_size, int64_t commit_ms, enum status status);
