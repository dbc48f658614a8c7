// SPDX-License-Identifier: Apache-2.0
// Makes the k-th file operation of the process fail, in the program that links this: open, fopen,
// fstat, read, write, fsync, link, mkostemp. What reads or writes has done half of it first.
#pragma once

#include <stdint.h>

// The at-th from now, from 1, fails with the errno.
void fail_file_arm(int64_t at, int error);
// No more. Returns how many failed.
int64_t fail_file_disarm(void);
