// SPDX-License-Identifier: Apache-2.0
// Times for people: RFC 3339 in UTC.
#pragma once

#include <stdint.h>

#define WHEN_SIZE 24

// "2026-11-22T08:15:30Z", or "-" for 0.
void when_format(char out[WHEN_SIZE], int64_t wall_ms);
