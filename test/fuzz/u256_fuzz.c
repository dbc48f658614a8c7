// SPDX-License-Identifier: Apache-2.0
// Arithmetic of 256 bits against GMP's arbitrary integers.
#include "fuzz.h"

#include "eth/u256.h"

#include <gmp.h>

#define BITS 256

static void set(mpz_t value, struct u256 ours)
{
    mpz_import(value, 4, -1, sizeof ours.limbs[0], 0, 0, ours.limbs);
}

static void must_match(bool fine, struct u256 ours, const mpz_t exact)
{
    mpz_t value;
    mpz_init(value);
    MUST(fine == (mpz_sgn(exact) >= 0 && mpz_sizeinbase(exact, 2) <= BITS));
    set(value, ours);
    MUST(!fine || mpz_cmp(value, exact) == 0);
    mpz_clear(value);
}

static struct u256 take(struct fuzz_input *input)
{
    uint8_t bytes[32] = {0};
    size_t size = fuzz_byte(input) % 33;
    fuzz_fill(input, bytes + 32 - size, size);
    struct u256 value = u256_from_bytes(bytes);
    uint8_t again[32];
    u256_to_bytes(again, value);
    MUST(bytes_equal((struct bytes){bytes, 32}, (struct bytes){again, 32}));
    return value;
}

static void check_division(struct u256 a, struct u256 b, const mpz_t x, const mpz_t y)
{
    struct u256 remainder;
    mpz_t quotient, rest;
    if (u256_is_zero(b))
        return;
    mpz_inits(quotient, rest, NULL);
    mpz_tdiv_qr(quotient, rest, x, y);
    must_match(true, u256_divide(&remainder, a, b), quotient);
    must_match(true, remainder, rest);
    mpz_clears(quotient, rest, NULL);
}

static void check_narrowing(struct u256 a, const mpz_t x)
{
    uint64_t small;
    uint128_t wide;
    MUST(u256_to_u64(&small, a) == (mpz_sizeinbase(x, 2) <= 64));
    MUST(u256_to_u128(&wide, a) == (mpz_sizeinbase(x, 2) <= 128));
    MUST(u256_bit_length(a) == (mpz_sgn(x) == 0 ? 0 : mpz_sizeinbase(x, 2)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = fuzz_input(data, size);
    struct u256 a = take(&input);
    struct u256 b = take(&input);
    struct u256 result = {{0}};
    mpz_t x, y, exact;
    mpz_inits(x, y, exact, NULL);
    set(x, a);
    set(y, b);
    mpz_add(exact, x, y);
    bool fine = u256_add(&result, a, b);
    must_match(fine, result, exact);
    mpz_sub(exact, x, y);
    fine = u256_subtract(&result, a, b);
    must_match(fine, result, exact);
    mpz_mul(exact, x, y);
    fine = u256_multiply(&result, a, b);
    must_match(fine, result, exact);
    MUST((u256_compare(a, b) < 0) == (mpz_cmp(x, y) < 0));
    MUST((u256_compare(a, b) > 0) == (mpz_cmp(x, y) > 0));
    check_division(a, b, x, y);
    check_narrowing(a, x);
    mpz_clears(x, y, exact, NULL);
    return 0;
}
