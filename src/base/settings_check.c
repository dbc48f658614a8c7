// SPDX-License-Identifier: Apache-2.0
// Whether a text is a right value of a setting, and the rule in words.
#include "base/settings_check.h"

#include "base/hex.h"
#include "base/money.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void setting_rule(char out[SETTING_RULE_SIZE], const struct setting *setting)
{
    switch (setting->type) {
    case SETTING_TEXT:
        snprintf(out, SETTING_RULE_SIZE, "printable text of at most %d bytes",
                 SETTING_VALUE_BYTES_MAX);
        break;
    case SETTING_INTEGER:
        snprintf(out, SETTING_RULE_SIZE, "a whole number from %" PRId64 " to %" PRId64,
                 setting->minimum, setting->maximum);
        break;
    case SETTING_BOOLEAN:
        snprintf(out, SETTING_RULE_SIZE, "true or false");
        break;
    case SETTING_CHOICE:
        snprintf(out, SETTING_RULE_SIZE, "one of %s", setting->choices);
        break;
    case SETTING_ADDRESS:
        snprintf(out, SETTING_RULE_SIZE, "an address: 0x and 40 hex digits");
        break;
    case SETTING_GWEI:
        snprintf(out, SETTING_RULE_SIZE,
                 "a decimal number of gwei from %" PRId64 " to %" PRId64 ", at most 9 decimals",
                 setting->minimum, setting->maximum);
        break;
    case SETTING_URL_LIST:
        if (setting->maximum == 1)
            snprintf(out, SETTING_RULE_SIZE, "an http:// or https:// URL");
        else
            snprintf(out, SETTING_RULE_SIZE,
                     "%" PRId64 " to %" PRId64 " http:// or https:// URLs, separated by commas",
                     setting->minimum, setting->maximum);
        break;
    }
}

static bool parse_integer(int64_t *ret_number, const char *text, int64_t minimum, int64_t maximum)
{
    struct usdc whole; // the one strict parser of non-negative 63-bit numbers there is
    if (!usdc_parse_units(&whole, text))
        return false;
    int64_t number = usdc_units(whole);
    if (number < minimum || number > maximum)
        return false;
    *ret_number = number;
    return true;
}

static bool is_choice(const char *choices, const char *text)
{
    size_t length = strlen(text);
    while (true) {
        size_t word = strcspn(choices, "|");
        if (word == length && memcmp(choices, text, length) == 0)
            return true;
        if (choices[word] == '\0')
            return false;
        choices += word + 1;
    }
}

static bool is_address(const char *text)
{
    uint8_t bytes[20];
    return text[0] == '0' && text[1] == 'x' && hex_decode(bytes, sizeof bytes, text);
}

static bool is_gwei(const struct setting *setting, const char *text)
{
    struct wei value;
    struct wei minimum;
    struct wei maximum;
    return wei_parse_gwei(&value, text) &&
           wei_from_units(&minimum, (uint128_t)setting->minimum * 1000000000) &&
           wei_from_units(&maximum, (uint128_t)setting->maximum * 1000000000) &&
           wei_compare(value, minimum) >= 0 && wei_compare(value, maximum) <= 0;
}

static bool is_url(const char *text, size_t length)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t scheme = strlen(schemes[i]);
        if (length > scheme && strncmp(text, schemes[i], scheme) == 0)
            return strchr("/?#:@", text[scheme]) == NULL;
    }
    return false;
}

static bool is_url_list(const struct setting *setting, const char *text)
{
    int64_t count = 0;
    if (text[strcspn(text, " \"<>\\^`{|}")] != '\0')
        return false;
    while (count < setting->maximum) {
        size_t length = strcspn(text, ",");
        if (!is_url(text, length))
            return false;
        count++;
        if (text[length] == '\0')
            return count >= setting->minimum;
        text += length + 1;
    }
    return false;
}

bool setting_is_printable(const char *text)
{
    size_t length = 0;
    while (text[length] != '\0' && (uint8_t)text[length] >= ' ' && text[length] != 0x7f)
        length++;
    return text[length] == '\0' && length <= SETTING_VALUE_BYTES_MAX;
}

bool setting_check(int64_t *ret_number, const struct setting *setting, const char *text)
{
    if (!setting_is_printable(text))
        return false;
    switch (setting->type) {
    case SETTING_TEXT:
        return true;
    case SETTING_INTEGER:
        return parse_integer(ret_number, text, setting->minimum, setting->maximum);
    case SETTING_BOOLEAN:
        *ret_number = strcmp(text, "true") == 0;
        return *ret_number || strcmp(text, "false") == 0;
    case SETTING_CHOICE:
        return is_choice(setting->choices, text);
    case SETTING_ADDRESS:
        return is_address(text);
    case SETTING_GWEI:
        return is_gwei(setting, text);
    case SETTING_URL_LIST:
        return is_url_list(setting, text);
    }
    abort();
}
