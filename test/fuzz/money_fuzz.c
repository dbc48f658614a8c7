// SPDX-License-Identifier: Apache-2.0
// Arithmetic of money: every result is the one GMP has, and is refused exactly where it does not
// fit.
#include "fuzz.h"

#include "base/money.h"

#include <gmp.h>

#define USDC_BITS 63
#define WIDE_BITS 127

static void set(mpz_t value, uint128_t units)
{
    mpz_import(value, 1, -1, sizeof units, 0, 0, &units);
}

// The outcome of a checked operation against the exact result.
static void must_match(bool fine, uint128_t units, const mpz_t exact, size_t bits)
{
    mpz_t value;
    mpz_init(value);
    MUST(fine == (mpz_sgn(exact) >= 0 && mpz_sizeinbase(exact, 2) <= bits));
    set(value, units);
    MUST(!fine || mpz_cmp(value, exact) == 0);
    mpz_clear(value);
}

static void check_usdc(struct usdc a, struct usdc b, uint32_t bps)
{
    mpz_t x, y, exact;
    struct usdc result = {0};
    mpz_inits(x, y, exact, NULL);
    set(x, (uint128_t)usdc_units(a));
    set(y, (uint128_t)usdc_units(b));

    bool fine = usdc_add(&result, a, b);
    mpz_add(exact, x, y);
    must_match(fine, (uint128_t)usdc_units(result), exact, USDC_BITS);

    fine = usdc_subtract(&result, a, b);
    mpz_sub(exact, x, y);
    must_match(fine, (uint128_t)usdc_units(result), exact, USDC_BITS);

    fine = usdc_share(&result, a, bps);
    mpz_mul_ui(exact, x, bps);
    mpz_fdiv_q_ui(exact, exact, BPS_PER_WHOLE);
    must_match(fine, (uint128_t)usdc_units(result), exact, USDC_BITS);

    MUST((usdc_compare(a, b) < 0) == (mpz_cmp(x, y) < 0));
    mpz_clears(x, y, exact, NULL);
}

static void check_sge(struct sge a, struct sge b, struct usdc amount)
{
    mpz_t x, y, exact;
    struct sge result = {0};
    mpz_inits(x, y, exact, NULL);
    set(x, sge_units(a));
    set(y, sge_units(b));

    bool fine = sge_add(&result, a, b);
    mpz_add(exact, x, y);
    must_match(fine, sge_units(result), exact, WIDE_BITS);

    fine = sge_for_usdc(&result, amount, a);
    set(y, (uint128_t)usdc_units(amount));
    mpz_mul(exact, x, y);
    mpz_fdiv_q_ui(exact, exact, 1000000);
    must_match(fine, sge_units(result), exact, WIDE_BITS);
    mpz_clears(x, y, exact, NULL);
}

static void check_wei(struct wei a, struct wei b, uint32_t numerator, uint32_t denominator)
{
    mpz_t x, y, exact;
    struct wei result = {0};
    mpz_inits(x, y, exact, NULL);
    set(x, wei_units(a));
    set(y, wei_units(b));

    bool fine = wei_add(&result, a, b);
    mpz_add(exact, x, y);
    must_match(fine, wei_units(result), exact, WIDE_BITS);

    fine = wei_scale_up(&result, a, numerator, denominator);
    mpz_mul_ui(exact, x, numerator);
    mpz_cdiv_q_ui(exact, exact, denominator);
    must_match(fine, wei_units(result), exact, WIDE_BITS);
    mpz_clears(x, y, exact, NULL);
}

static uint128_t take_wide(struct fuzz_input *input)
{
    uint128_t low = fuzz_u64(input);
    uint128_t units = (uint128_t)fuzz_u64(input) << 64 | low;
    return units >> (fuzz_byte(input) % 128); // as often small as large
}

static struct usdc take_usdc(struct fuzz_input *input)
{
    struct usdc amount = {0};
    uint64_t units = fuzz_u64(input) >> (fuzz_byte(input) % 64);
    MUST(usdc_from_units(&amount, (int64_t)units) == (units <= INT64_MAX));
    return amount;
}

static struct sge take_sge(struct fuzz_input *input)
{
    struct sge amount = {0};
    uint128_t units = take_wide(input);
    MUST(sge_from_units(&amount, units) == !(units >> WIDE_BITS));
    return amount;
}

static struct wei take_wei(struct fuzz_input *input)
{
    struct wei amount = {0};
    uint128_t units = take_wide(input);
    MUST(wei_from_units(&amount, units) == !(units >> WIDE_BITS));
    return amount;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = fuzz_input(data, size);
    struct usdc a = take_usdc(&input);
    struct usdc b = take_usdc(&input);
    struct sge c = take_sge(&input);
    struct sge d = take_sge(&input);
    struct wei e = take_wei(&input);
    struct wei f = take_wei(&input);
    uint64_t numbers = fuzz_u64(&input);
    uint32_t denominator = (uint32_t)(numbers >> 32);
    check_usdc(a, b, (uint32_t)numbers % (BPS_PER_WHOLE + 1));
    check_sge(c, d, a);
    check_wei(e, f, (uint32_t)numbers, denominator ? denominator : 1);
    return 0;
}
