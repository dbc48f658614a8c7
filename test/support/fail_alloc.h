// SPDX-License-Identifier: Apache-2.0
// Makes the k-th allocation of the process fail, in our code and in every library: a program that
// links this gets its malloc, calloc, realloc and strdup from here.
//
// With FAIL_ALLOC_TRACE in the environment each failure prints where it was.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// From now on the at-th allocation (from 1) of the counted threads fails; where it stays, all later
// ones too.
void fail_alloc_arm(int64_t at, bool stays);
// No more. Returns how many failed.
int64_t fail_alloc_disarm(void);
// Every thread but the first counts, unless it says so itself.
void fail_alloc_count_thread(bool count);
