// SPDX-License-Identifier: Apache-2.0
// The signer process itself, from just after the fork to its end.
#pragma once

#include "signer/signer.h"

#include <sys/types.h>

// Serves the socket until it ends. Never returns. The keys are moved into locked memory and wiped
// where they stood (the child's copy of the caller's memory).
_Noreturn void signer_child_run(int fd, pid_t parent, struct eth_key *keys, size_t count,
                                const struct signer_policy *policy);
