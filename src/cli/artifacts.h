// SPDX-License-Identifier: Apache-2.0
// Creation bytecode of the contracts, built in from contracts/artifacts, so that `sluice deploy`
// needs neither Node nor a compiler.
#pragma once

#include "base/bytes.h"

struct artifact {
    const char *name; // of the contract
    struct bytes code;
};

// Ends at a NULL name.
extern const struct artifact artifacts[];
