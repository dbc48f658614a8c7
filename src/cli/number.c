// SPDX-License-Identifier: Apache-2.0
// Whole numbers on the command line: digits only, within a range.
#include "cli/number.h"

bool number_parse(int64_t *ret_number, const char *text, int64_t minimum, int64_t maximum)
{
    int64_t number = 0;
    if (!*text)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || __builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, *text - '0', &number))
            return false;
    }
    if (number < minimum || number > maximum)
        return false;
    *ret_number = number;
    return true;
}
