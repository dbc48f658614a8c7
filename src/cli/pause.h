// SPDX-License-Identifier: Apache-2.0
// The command `sluice pause`, `sluice resume`, `sluice withdraw`: stopping payouts, and taking the
// money out.
#pragma once

#include "cli/command.h"

enum exit_code pause_run(const struct arguments *arguments);
enum exit_code resume_run(const struct arguments *arguments);
enum exit_code withdraw_run(const struct arguments *arguments);
