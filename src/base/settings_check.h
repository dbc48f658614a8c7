// SPDX-License-Identifier: Apache-2.0
// The rules of the values, for the files that read and print settings (not for other modules).
#pragma once

#include "base/settings.h"

#define SETTING_VALUE_BYTES_MAX 8192
#define SETTING_RULE_SIZE       192

// What a value should be, e.g. "a whole number from 1 to 64".
void setting_rule(char out[SETTING_RULE_SIZE], const struct setting *setting);

// False when text breaks the rule; *ret_number is set for integers and booleans (0 or 1).
MUST_USE bool setting_check(int64_t *ret_number, const struct setting *setting, const char *text);

// No control characters, within SETTING_VALUE_BYTES_MAX: a value or its echo never splits a line.
bool setting_is_printable(const char *text);
