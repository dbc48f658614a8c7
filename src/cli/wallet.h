// SPDX-License-Identifier: Apache-2.0
// The command `sluice keys wallet create|import|show`: relayer keys in encrypted keystore files.
#pragma once

#include "cli/command.h"

enum exit_code wallet_create(const struct arguments *arguments);
enum exit_code wallet_import(const struct arguments *arguments);
enum exit_code wallet_show(const struct arguments *arguments);
