// SPDX-License-Identifier: Apache-2.0
// The command `sluice keys create|list|revoke`: API keys.
#pragma once

#include "cli/command.h"

enum exit_code keys_create(const struct arguments *arguments);
enum exit_code keys_list(const struct arguments *arguments);
enum exit_code keys_revoke(const struct arguments *arguments);
