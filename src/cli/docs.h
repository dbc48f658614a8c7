// SPDX-License-Identifier: Apache-2.0
// The command `sluice docs`.
#pragma once

#include "cli/command.h"

enum exit_code docs_run(const struct arguments *arguments);
