// SPDX-License-Identifier: Apache-2.0
// The services as commands. Each runs until SIGTERM or SIGINT (exit 0), or until the store or a
// lane has failed for good (exit 70: start it again).
#pragma once

#include "cli/command.h"

enum exit_code service_up(const struct arguments *arguments);
enum exit_code service_api(const struct arguments *arguments);
enum exit_code service_relay(const struct arguments *arguments);
