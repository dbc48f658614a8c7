// SPDX-License-Identifier: Apache-2.0
// The command `sluice rpc`.
#pragma once

#include "cli/command.h"

enum exit_code rpc_classify_run(const struct arguments *arguments);
