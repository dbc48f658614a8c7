// SPDX-License-Identifier: Apache-2.0
// The command `sluice migrate`.
#pragma once

#include "cli/command.h"

enum exit_code migrate_run(const struct arguments *arguments);
