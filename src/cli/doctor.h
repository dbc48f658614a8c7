// SPDX-License-Identifier: Apache-2.0
// The command `sluice doctor`.
#pragma once

#include "cli/command.h"

enum exit_code doctor_run(const struct arguments *arguments);
