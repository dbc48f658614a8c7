// SPDX-License-Identifier: Apache-2.0
// Breaks the socket of the k-th send or recv of the process, in the program that links this: the
// call fails, or ends early, and so does every later one on that socket.
#pragma once

#include <stdint.h>

// The at-th call from now, from 1.
void fail_socket_arm(int64_t at);
// Returns how many failed.
int64_t fail_socket_disarm(void);
