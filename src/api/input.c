// SPDX-License-Identifier: Apache-2.0
// Strict readers of JSON, addresses, amounts and ids.
#include "api/input.h"

#include "base/json.h"

#include <stdio.h>
#include <string.h>

#define CENT_UNITS 10000 // base units of one cent

// Brackets outside texts; the parser itself would allow 2048 levels.
static bool is_too_deep(struct bytes text)
{
    size_t depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '{' || c == '[') && ++depth > JSON_DEPTH_MAX)
            return true;
        else if (!quoted && (c == '}' || c == ']') && depth > 0)
            depth--;
    }
    return false;
}

static enum problem problem_of_json(const json_error_t *error)
{
    enum json_error_code code = json_error_code(error);
    if (code == json_error_invalid_utf8)
        return PROBLEM_NOT_UTF8;
    if (code == json_error_duplicate_key)
        return PROBLEM_FIELD_DUPLICATE;
    if (code == json_error_numeric_overflow)
        return PROBLEM_NUMBER_RANGE;
    return PROBLEM_NOT_JSON;
}

enum problem input_object(json_t **ret_object, struct bytes text)
{
    json_error_t error;
    if (text.size == 0)
        return PROBLEM_BODY_MISSING;
    if (is_too_deep(text))
        return PROBLEM_TOO_DEEP;
    json_t *root;
    enum status status = json_read(&root, &error, text);
    if (status != STATUS_OK)
        return status == STATUS_NO_MEMORY ? PROBLEM_NO_MEMORY : problem_of_json(&error);
    if (!json_is_object(root)) {
        json_decref(root);
        return PROBLEM_NOT_JSON;
    }
    *ret_object = root;
    return PROBLEM_NONE;
}

const char *input_unknown_field(json_t *object, const char *const *names)
{
    const char *field;
    json_t *value;
    json_object_foreach(object, field, value)
    {
        const char *const *name = names;
        while (*name && strcmp(*name, field) != 0)
            name++;
        if (!*name)
            return field;
    }
    return NULL;
}

static enum problem problem_of_address(enum address_fault fault)
{
    switch (fault) {
    case ADDRESS_FINE:
        return PROBLEM_NONE;
    case ADDRESS_LENGTH:
        return PROBLEM_ADDRESS_LENGTH;
    case ADDRESS_DIGITS:
        return PROBLEM_ADDRESS_DIGITS;
    case ADDRESS_CHECKSUM:
        return PROBLEM_ADDRESS_CHECKSUM;
    case ADDRESS_ZERO:
        return PROBLEM_ADDRESS_ZERO;
    }
    return PROBLEM_ADDRESS_DIGITS;
}

enum problem input_wallet(struct address *ret_address, const char *text,
                          const struct refused *refused)
{
    struct address address;
    enum address_fault fault = address_parse(&address, text);
    if (fault != ADDRESS_FINE)
        return problem_of_address(fault);
    for (size_t i = 0; i < refused->count; i++) // the address is not zero, as unused entries are
        if (address_equal(&address, &refused->addresses[i]))
            return PROBLEM_ADDRESS_REFUSED;
    *ret_address = address;
    return PROBLEM_NONE;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// Says why usdc_parse refused: a sign, other characters, zeros in front, decimals, else size.
static enum problem amount_text_fault(const char *text)
{
    const char *c = text;
    size_t points = 0;
    size_t decimals = 0;
    if (*c == '-' && is_digit(c[1]))
        return PROBLEM_AMOUNT_NEGATIVE;
    if (!is_digit(*c) || (*c == '0' && is_digit(c[1])))
        return PROBLEM_AMOUNT_MALFORMED;
    for (; *c; c++) {
        if (*c == '.')
            points++;
        else if (is_digit(*c))
            decimals += points;
        else
            return PROBLEM_AMOUNT_MALFORMED;
    }
    if (points > 1 || (points == 1 && decimals == 0))
        return PROBLEM_AMOUNT_MALFORMED;
    return decimals > USDC_DECIMALS ? PROBLEM_AMOUNT_PRECISION : PROBLEM_AMOUNT_OVERFLOW;
}

enum problem input_amount_text(struct usdc *ret_amount, const char *text)
{
    struct usdc amount;
    if (!usdc_parse(&amount, text))
        return amount_text_fault(text);
    if (usdc_is_zero(amount))
        return PROBLEM_AMOUNT_ZERO;
    *ret_amount = amount;
    return PROBLEM_NONE;
}

static enum problem amount_of_units(struct usdc *ret_amount, int64_t units)
{
    struct usdc amount;
    if (units < 0)
        return PROBLEM_AMOUNT_NEGATIVE;
    if (units == 0)
        return PROBLEM_AMOUNT_ZERO;
    if (!usdc_from_units(&amount, units))
        return PROBLEM_AMOUNT_OVERFLOW;
    *ret_amount = amount;
    return PROBLEM_NONE;
}

enum problem input_amount(struct usdc *ret_amount, const json_t *value)
{
    if (json_is_string(value))
        return input_amount_text(ret_amount, json_string_value(value));
    if (json_is_integer(value))
        return amount_of_units(ret_amount, json_integer_value(value));
    return json_is_real(value) ? PROBLEM_AMOUNT_NOT_EXACT : PROBLEM_FIELD_TYPE;
}

enum problem input_amount_cents(struct usdc *ret_amount, const json_t *value)
{
    int64_t units;
    if (!json_is_integer(value))
        return json_is_real(value) ? PROBLEM_AMOUNT_NOT_EXACT : PROBLEM_FIELD_TYPE;
    if (json_integer_value(value) < 0)
        return PROBLEM_AMOUNT_NEGATIVE;
    if (__builtin_mul_overflow((int64_t)json_integer_value(value), CENT_UNITS, &units))
        return PROBLEM_AMOUNT_OVERFLOW;
    return amount_of_units(ret_amount, units);
}

enum problem input_sge(struct sge *ret_amount, const json_t *value)
{
    char whole[24];
    const char *text = json_string_value(value);
    if (json_is_real(value))
        return PROBLEM_AMOUNT_NOT_EXACT;
    if (json_is_integer(value)) {
        snprintf(whole, sizeof whole, "%lld", (long long)json_integer_value(value));
        text = whole;
    }
    if (!text)
        return PROBLEM_FIELD_TYPE;
    if (sge_parse(ret_amount, text))
        return PROBLEM_NONE;
    return text[0] == '-' ? PROBLEM_AMOUNT_NEGATIVE : PROBLEM_AMOUNT_MALFORMED;
}

bool input_is_id(const char *text, size_t size_max)
{
    size_t size = 0;
    for (; text[size]; size++)
        if (size >= size_max || text[size] < ' ' || text[size] > '~')
            return false;
    return size > 0;
}

bool input_integer(int64_t *ret_value, const char *text, int64_t minimum, int64_t maximum)
{
    int64_t value = 0;
    if (!*text)
        return false;
    for (; *text; text++)
        if (!is_digit(*text) || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *text - '0', &value))
            return false;
    if (value < minimum || value > maximum)
        return false;
    *ret_value = value;
    return true;
}
