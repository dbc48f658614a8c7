// SPDX-License-Identifier: Apache-2.0
// Is the chain the one that the settings speak of? Asked before any lane takes a step.
#pragma once

#include "relay/relay.h"

// A chain over some of the endpoints; NULL when memory is out.
struct chain *start_open_chain(const struct relay_options *options, const char *const *urls,
                               size_t count);

// STATUS_CONFLICT: an endpoint serves another chain; STATUS_NOT_FOUND: there is no contract at a
// configured address (a call to it would succeed and do nothing); both are logged.
// STATUS_UNAVAILABLE: no endpoint answers, ask again.
MUST_USE enum status start_check(const struct relay_options *options);
