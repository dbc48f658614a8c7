// SPDX-License-Identifier: Apache-2.0
// The command `sluice status`.
#pragma once

#include "cli/command.h"

enum exit_code status_run(const struct arguments *arguments);
