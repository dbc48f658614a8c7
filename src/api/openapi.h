// SPDX-License-Identifier: Apache-2.0
// openapi.json, embedded at build.
#pragma once

#include "base/bytes.h"

extern const struct bytes openapi_json;
