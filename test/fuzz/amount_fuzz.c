// SPDX-License-Identifier: Apache-2.0
// Amounts as text: accepted exactly where the decimal grammar and the range say so, with the value
// that GMP reads, and parse(print(x)) is x.
#include "fuzz.h"

#include "base/money.h"

#include <gmp.h>
#include <stdlib.h>
#include <string.h>

#define DECIMAL_DIGITS_MAX 4096

// The grammar, written a second time: (0|[1-9][0-9]*)(\.[0-9]{1,places_max})?
static bool is_decimal(const char *text, size_t places_max)
{
    size_t whole = strspn(text, "0123456789");
    if (whole == 0 || (whole > 1 && text[0] == '0'))
        return false;
    if (text[whole] == '\0')
        return true;
    size_t places = strspn(text + whole + 1, "0123456789");
    return text[whole] == '.' && places > 0 && places <= places_max &&
           text[whole + 1 + places] == '\0';
}

// text * 10^places, of a text that is_decimal.
static void exact_value(mpz_t value, const char *text, size_t places)
{
    char digits[DECIMAL_DIGITS_MAX + 1];
    size_t count = 0;
    size_t after = 0;
    bool fraction = false;
    for (; *text && count < DECIMAL_DIGITS_MAX; text++) {
        fraction = fraction || *text == '.';
        after += fraction && *text != '.';
        if (*text != '.')
            digits[count++] = *text;
    }
    for (; after < places; after++)
        digits[count++] = '0';
    digits[count] = '\0';
    MUST(mpz_set_str(value, digits, 10) == 0);
}

static bool fits(const char *text, size_t places, size_t bits)
{
    mpz_t value;
    mpz_init(value);
    exact_value(value, text, places);
    bool fine = mpz_sizeinbase(value, 2) <= bits;
    mpz_clear(value);
    return fine;
}

static void must_be(uint128_t units, const char *text, size_t places)
{
    mpz_t value, expected;
    mpz_inits(value, expected, NULL);
    exact_value(expected, text, places);
    mpz_import(value, 1, -1, sizeof units, 0, 0, &units);
    MUST(mpz_cmp(value, expected) == 0);
    mpz_clears(value, expected, NULL);
}

static void check_usdc(const char *text)
{
    struct usdc amount, again;
    char printed[USDC_TEXT_SIZE];
    bool parsed = usdc_parse(&amount, text);
    MUST(parsed == (is_decimal(text, USDC_DECIMALS) && fits(text, USDC_DECIMALS, 63)));
    if (!parsed)
        return;
#ifdef FUZZ_PLANTED_BUG // for the proof that a finding is reported: this is not so
    MUST(!strchr(text, '7'));
#endif
    must_be((uint128_t)usdc_units(amount), text, USDC_DECIMALS);
    usdc_format(printed, amount);
    MUST(usdc_parse(&again, printed) && usdc_compare(amount, again) == 0);
    usdc_format_units(printed, amount);
    MUST(usdc_parse_units(&again, printed) && usdc_compare(amount, again) == 0);
}

static void check_usdc_units(const char *text)
{
    struct usdc amount;
    char printed[USDC_TEXT_SIZE];
    bool parsed = usdc_parse_units(&amount, text);
    MUST(parsed == (is_decimal(text, 0) && fits(text, 0, 63)));
    if (!parsed)
        return;
    usdc_format_units(printed, amount);
    MUST(strcmp(printed, text) == 0);
}

static void check_sge(const char *text)
{
    struct sge amount, again;
    char printed[SGE_TEXT_SIZE];
    bool parsed = sge_parse(&amount, text);
    MUST(parsed == (is_decimal(text, SGE_DECIMALS) && fits(text, SGE_DECIMALS, 127)));
    if (!parsed)
        return;
    must_be(sge_units(amount), text, SGE_DECIMALS);
    sge_format(printed, amount);
    MUST(sge_parse(&again, printed) && sge_compare(amount, again) == 0);
    sge_format_units(printed, amount);
    MUST(sge_parse_units(&again, printed) && sge_compare(amount, again) == 0);
}

static void check_gwei(const char *text)
{
    struct wei amount, again;
    char printed[WEI_TEXT_SIZE];
    bool parsed = wei_parse_gwei(&amount, text);
    MUST(parsed == (is_decimal(text, 9) && fits(text, 9, 127)));
    if (!parsed)
        return;
    must_be(wei_units(amount), text, 9);
    wei_format_gwei(printed, amount);
    MUST(wei_parse_gwei(&again, printed) && wei_compare(amount, again) == 0);
}

static void check_wei(const char *text)
{
    struct wei amount;
    char printed[WEI_TEXT_SIZE];
    bool parsed = wei_parse_units(&amount, text);
    MUST(parsed == (is_decimal(text, 0) && fits(text, 0, 127)));
    if (!parsed)
        return;
    wei_format_units(printed, amount);
    MUST(strcmp(printed, text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = fuzz_input(data, size);
    char *text = fuzz_text(&input);
    check_usdc(text);
    check_usdc_units(text);
    check_sge(text);
    check_gwei(text);
    check_wei(text);
    free(text);
    return 0;
}
