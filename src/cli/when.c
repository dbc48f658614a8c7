// SPDX-License-Identifier: Apache-2.0
// Times for people: RFC 3339 in UTC.
#include "cli/when.h"

#include <stdio.h>
#include <time.h>

void when_format(char out[WHEN_SIZE], int64_t wall_ms)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm broken;
    if (wall_ms == 0 || !gmtime_r(&seconds, &broken) ||
        strftime(out, WHEN_SIZE, "%Y-%m-%dT%H:%M:%SZ", &broken) == 0)
        snprintf(out, WHEN_SIZE, "-");
}
