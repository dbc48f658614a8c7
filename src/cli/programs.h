// SPDX-License-Identifier: Apache-2.0
// The command `sluice programs create|list|update`.
#pragma once

#include "cli/command.h"

enum exit_code programs_create(const struct arguments *arguments);
enum exit_code programs_list(const struct arguments *arguments);
enum exit_code programs_update(const struct arguments *arguments);
