// SPDX-License-Identifier: Apache-2.0
// The command `sluice deploy`.
#pragma once

#include "cli/command.h"

enum exit_code deploy_run(const struct arguments *arguments);
