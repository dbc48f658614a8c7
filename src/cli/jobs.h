// SPDX-License-Identifier: Apache-2.0
// The command `sluice jobs list|show|retry|cancel`.
#pragma once

#include "cli/command.h"

enum exit_code jobs_command_list(const struct arguments *arguments);
enum exit_code jobs_command_show(const struct arguments *arguments);
enum exit_code jobs_command_retry(const struct arguments *arguments);
enum exit_code jobs_command_cancel(const struct arguments *arguments);
