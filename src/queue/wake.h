// SPDX-License-Identifier: Apache-2.0
// Wake-ups between who queues jobs and who claims them. Losing or repeating one loses nothing.
#pragma once

#include "base/status.h"

#include <stdint.h>

struct wake; // in-process: an eventfd; other kinds come behind the same calls

struct wake *wake_new(void);
void wake_free(struct wake *wake);
// Any thread, also a signal handler; never blocks.
void wake_signal(struct wake *wake);
// Returns at once when signalled since the last wait, else at the signal or after timeout_ms.
void wake_wait(struct wake *wake, int64_t timeout_ms);
