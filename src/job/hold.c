// SPDX-License-Identifier: Apache-2.0
// The reasons of holds, read from the table in hold.h.
#include "job/hold.h"

#include <stddef.h>
#include <string.h>

bool hold_reason_is_known(const char *text)
{
#define TEXT(text, help) text,
    static const char *const reasons[] = {HOLD_REASON_TABLE(TEXT)};
#undef TEXT
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (strcmp(reasons[i], text) == 0)
            return true;
    return false;
}
