// SPDX-License-Identifier: Apache-2.0
// JSON text to values, as it was written or not at all.
//
// Where it cannot get memory, jansson's reader drops a character of a text and goes on: "12.50" may
// be read as "1250". What is read here is whole.
#pragma once

#include "base/bytes.h"
#include "base/status.h"

#include <jansson.h>

// Duplicate names are refused. The caller owns *ret_root. STATUS_INVALID: not JSON, *ret_error says
// why; STATUS_NO_MEMORY: nothing is said about the text.
MUST_USE enum status json_read(json_t **ret_root, json_error_t *ret_error, struct bytes text);
