// SPDX-License-Identifier: Apache-2.0
// Breaks the socket of the k-th send, sendmsg, recv or accept of the process, in the program that
// links this: the call fails, or ends early, and so does every later one on that socket.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// The at-th call from now, from 1.
void fail_socket_arm(int64_t at);
// Returns how many failed.
int64_t fail_socket_disarm(void);
// The calling thread's calls are neither counted nor broken.
void fail_socket_exempt(bool exempt);
