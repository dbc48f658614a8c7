// SPDX-License-Identifier: Apache-2.0
// Checked money: the one file that touches `units`.
#include "base/money.h"

#include <stdlib.h>
#include <string.h>

#define UINT128_MAX_SIGNED ((uint128_t)-1 >> 1) // 2^127 - 1
#define USDC_UNITS_MAX     ((uint128_t)INT64_MAX)
#define SGE_UNITS_MAX      UINT128_MAX_SIGNED
#define WEI_UNITS_MAX      UINT128_MAX_SIGNED
#define USDC_UNITS_WHOLE   1000000
#define GWEI_DECIMALS      9
#define DIGITS_MAX         39 // of 2^127 - 1

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool push_digit(uint128_t *value, char digit, uint128_t max)
{
    unsigned number = (unsigned)(digit - '0');
    if (*value > (max - number) / 10)
        return false;
    *value = *value * 10 + number;
    return true;
}

// Digits without needless zeros in front, then a point and 1 to `decimals` digits, or no point.
static bool parse(uint128_t *ret_units, const char *text, unsigned decimals, uint128_t max)
{
    uint128_t units = 0;
    if (!is_digit(text[0]) || (text[0] == '0' && is_digit(text[1])))
        return false;
    for (; is_digit(*text); text++) {
        if (!push_digit(&units, *text, max))
            return false;
    }
    unsigned places = 0;
    if (*text == '.') {
        for (text++; is_digit(*text); text++, places++) {
            if (places == decimals || !push_digit(&units, *text, max))
                return false;
        }
        if (places == 0)
            return false;
    }
    if (*text != '\0')
        return false;
    for (; places < decimals; places++) {
        if (!push_digit(&units, '0', max))
            return false;
    }
    *ret_units = units;
    return true;
}

// The longest form is 2^127 - 1 with a point: every out buffer holds it (USDC: 2^63 - 1).
static void format(char *out, uint128_t units, unsigned decimals)
{
    char reversed[DIGITS_MAX + 2];
    size_t length = 0;
    bool significant = false;
    for (unsigned place = 0; units > 0 || place <= decimals; place++) {
        if (place == decimals && significant)
            reversed[length++] = '.';
        char digit = (char)('0' + (int)(units % 10));
        units /= 10;
        significant = significant || digit != '0';
        if (significant || place >= decimals)
            reversed[length++] = digit;
    }
    for (size_t i = 0; i < length; i++)
        out[i] = reversed[length - 1 - i];
    out[length] = '\0';
}

bool usdc_parse(struct usdc *ret_amount, const char *text)
{
    uint128_t units;
    if (!parse(&units, text, USDC_DECIMALS, USDC_UNITS_MAX))
        return false;
    ret_amount->units = (uint64_t)units;
    return true;
}

bool sge_parse(struct sge *ret_amount, const char *text)
{
    return parse(&ret_amount->units, text, SGE_DECIMALS, SGE_UNITS_MAX);
}

bool usdc_parse_units(struct usdc *ret_amount, const char *text)
{
    uint128_t units;
    if (!parse(&units, text, 0, USDC_UNITS_MAX))
        return false;
    ret_amount->units = (uint64_t)units;
    return true;
}

bool sge_parse_units(struct sge *ret_amount, const char *text)
{
    return parse(&ret_amount->units, text, 0, SGE_UNITS_MAX);
}

bool wei_parse_units(struct wei *ret_amount, const char *text)
{
    return parse(&ret_amount->units, text, 0, WEI_UNITS_MAX);
}

bool wei_parse_gwei(struct wei *ret_amount, const char *text)
{
    return parse(&ret_amount->units, text, GWEI_DECIMALS, WEI_UNITS_MAX);
}

bool usdc_from_units(struct usdc *ret_amount, int64_t units)
{
    if (units < 0)
        return false;
    ret_amount->units = (uint64_t)units;
    return true;
}

bool sge_from_units(struct sge *ret_amount, uint128_t units)
{
    if (units > SGE_UNITS_MAX)
        return false;
    ret_amount->units = units;
    return true;
}

bool wei_from_units(struct wei *ret_amount, uint128_t units)
{
    if (units > WEI_UNITS_MAX)
        return false;
    ret_amount->units = units;
    return true;
}

int64_t usdc_units(struct usdc amount)
{
    return (int64_t)amount.units;
}

uint128_t sge_units(struct sge amount)
{
    return amount.units;
}

uint128_t wei_units(struct wei amount)
{
    return amount.units;
}

void usdc_format(char out[USDC_TEXT_SIZE], struct usdc amount)
{
    format(out, amount.units, USDC_DECIMALS);
}

void usdc_format_units(char out[USDC_TEXT_SIZE], struct usdc amount)
{
    format(out, amount.units, 0);
}

void sge_format(char out[SGE_TEXT_SIZE], struct sge amount)
{
    format(out, amount.units, SGE_DECIMALS);
}

void sge_format_units(char out[SGE_TEXT_SIZE], struct sge amount)
{
    format(out, amount.units, 0);
}

void wei_format_units(char out[WEI_TEXT_SIZE], struct wei amount)
{
    format(out, amount.units, 0);
}

void wei_format_gwei(char out[WEI_TEXT_SIZE], struct wei amount)
{
    format(out, amount.units, GWEI_DECIMALS);
}

static bool add(uint128_t *ret_sum, uint128_t a, uint128_t b, uint128_t max)
{
    if (a > max || b > max - a)
        return false;
    *ret_sum = a + b;
    return true;
}

bool usdc_add(struct usdc *ret_sum, struct usdc a, struct usdc b)
{
    uint128_t sum;
    if (!add(&sum, a.units, b.units, USDC_UNITS_MAX))
        return false;
    ret_sum->units = (uint64_t)sum;
    return true;
}

bool usdc_subtract(struct usdc *ret_difference, struct usdc a, struct usdc b)
{
    if (b.units > a.units)
        return false;
    ret_difference->units = a.units - b.units;
    return true;
}

bool sge_add(struct sge *ret_sum, struct sge a, struct sge b)
{
    return add(&ret_sum->units, a.units, b.units, SGE_UNITS_MAX);
}

bool sge_subtract(struct sge *ret_difference, struct sge a, struct sge b)
{
    if (b.units > a.units)
        return false;
    ret_difference->units = a.units - b.units;
    return true;
}

bool wei_add(struct wei *ret_sum, struct wei a, struct wei b)
{
    return add(&ret_sum->units, a.units, b.units, WEI_UNITS_MAX);
}

// a * factor + extra, within max.
static bool multiply_add(uint128_t *ret_result, uint128_t a, uint128_t factor, uint128_t extra,
                         uint128_t max)
{
    if (extra > max || (factor != 0 && a > (max - extra) / factor))
        return false;
    *ret_result = a * factor + extra;
    return true;
}

bool wei_scale_up(struct wei *ret_amount, struct wei a, uint32_t numerator, uint32_t denominator)
{
    if (denominator == 0)
        abort();
    // (q * d + r) * n / d = q * n + r * n / d: no product wider than 128 bits.
    uint128_t rest = a.units % denominator * numerator;
    uint128_t rest_up = (rest + denominator - 1) / denominator;
    return multiply_add(&ret_amount->units, a.units / denominator, numerator, rest_up,
                        WEI_UNITS_MAX);
}

bool usdc_share(struct usdc *ret_share, struct usdc amount, uint32_t bps)
{
    if (bps > BPS_PER_WHOLE)
        return false;
    ret_share->units = (uint64_t)((uint128_t)amount.units * bps / BPS_PER_WHOLE);
    return true;
}

bool sge_for_usdc(struct sge *ret_amount, struct usdc amount, struct sge rate)
{
    uint128_t rest = rate.units % USDC_UNITS_WHOLE * amount.units / USDC_UNITS_WHOLE;
    return multiply_add(&ret_amount->units, rate.units / USDC_UNITS_WHOLE, amount.units, rest,
                        SGE_UNITS_MAX);
}

int usdc_compare(struct usdc a, struct usdc b)
{
    return (a.units > b.units) - (a.units < b.units);
}

int sge_compare(struct sge a, struct sge b)
{
    return (a.units > b.units) - (a.units < b.units);
}

int wei_compare(struct wei a, struct wei b)
{
    return (a.units > b.units) - (a.units < b.units);
}

bool usdc_is_zero(struct usdc amount)
{
    return amount.units == 0;
}

bool sge_is_zero(struct sge amount)
{
    return amount.units == 0;
}

bool wei_is_zero(struct wei amount)
{
    return amount.units == 0;
}
