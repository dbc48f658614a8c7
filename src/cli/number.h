// SPDX-License-Identifier: Apache-2.0
// Whole numbers on the command line.
#pragma once

#include "base/status.h"

#include <stdint.h>

// Decimal digits only, within the range. False otherwise.
MUST_USE bool number_parse(int64_t *ret_number, const char *text, int64_t minimum, int64_t maximum);
