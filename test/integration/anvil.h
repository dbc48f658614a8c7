// SPDX-License-Identifier: Apache-2.0
// A real node for tests: starts anvil on a free port, waits for it, and ends it with the test.
#pragma once

#include <jansson.h>
#include <stdbool.h>

struct anvil;

// arguments: further ones for anvil, NULL-terminated, or NULL. The binary is that of the
// environment variable ANVIL, else the one under contracts/node_modules. NULL, with a line on
// standard error, where it does not answer in time. Ends with the calling thread at the latest.
struct anvil *anvil_start(const char *const *arguments);
// Takes NULL.
void anvil_stop(struct anvil *anvil);

const char *anvil_url(const struct anvil *anvil);
// A node that hangs, and that goes on: SIGSTOP, SIGCONT.
void anvil_hang(const struct anvil *anvil, bool hangs);

// The result of one call; the caller releases it. Ends the test program where the node refuses.
json_t *anvil_rpc(struct anvil *anvil, const char *method, const char *params);
