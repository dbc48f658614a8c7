// SPDX-License-Identifier: Apache-2.0
// The job id in a path.
#pragma once

#include "api/call.h"

// Refuses with job_unknown and returns false where it is no id.
MUST_USE bool job_id_of_path(struct call *call, int64_t *ret_id);
