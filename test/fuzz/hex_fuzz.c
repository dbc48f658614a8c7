// SPDX-License-Identifier: Apache-2.0
// Hexadecimal text, addresses with EIP-55, quantities and decimal integers of 256 bits.
#include "fuzz.h"

#include "base/hex.h"
#include "eth/address.h"
#include "eth/keccak.h"
#include "eth/u256.h"

#include <ctype.h>
#include <gmp.h>
#include <stdlib.h>
#include <string.h>

#define HEX_DIGITS    "0123456789abcdefABCDEF"
#define CAPACITY_MAX  300
#define ADDRESS_CHARS 42

static const char *without_prefix(const char *text)
{
    return strncmp(text, "0x", 2) == 0 ? text + 2 : text;
}

static bool is_hex(const char *digits)
{
    return digits[strspn(digits, HEX_DIGITS)] == '\0';
}

static void check_hex(const char *text, size_t capacity)
{
    uint8_t *out = malloc(capacity + 1);
    char *again = malloc(HEX_TEXT_SIZE(capacity));
    if (!out || !again)
        abort();
    const char *digits = without_prefix(text);
    size_t length = strlen(digits);
    size_t size = 0;
    bool fine = hex_decode_any(out, &size, capacity, text);
    MUST(fine == (is_hex(digits) && length % 2 == 0 && length / 2 <= capacity));
    MUST(hex_decode(out, capacity, text) == (fine && size == capacity));
    if (fine) {
        hex_encode(again, (struct bytes){out, size});
        MUST(size == length / 2 && strcasecmp(again + 2, digits) == 0);
    }
    free(out);
    free(again);
}

// EIP-55 a second time: a letter is upper case where the hash's digit is 8 or more.
static bool has_checksum(const char *text)
{
    char lower[ADDRESS_CHARS - 1];
    for (size_t i = 0; i < ADDRESS_CHARS - 1; i++)
        lower[i] = (char)tolower((unsigned char)text[i + 2]);
    struct hash32 hash = keccak256_text(lower);
    for (size_t i = 0; i < ADDRESS_CHARS - 2; i++) {
        unsigned digit = i % 2 ? hash.bytes[i / 2] & 15U : (unsigned)hash.bytes[i / 2] >> 4;
        if (isalpha((unsigned char)lower[i]) &&
            (digit >= 8) != !!isupper((unsigned char)text[i + 2]))
            return false;
    }
    return true;
}

static bool is_address(const char *text)
{
    if (strlen(text) != ADDRESS_CHARS || strncmp(text, "0x", 2) != 0 || !is_hex(text + 2))
        return false;
    bool lower = text[2 + strcspn(text + 2, "abcdef")];
    bool upper = text[2 + strcspn(text + 2, "ABCDEF")];
    bool zero = text[2 + strspn(text + 2, "0")] == '\0';
    return !zero && (!(lower && upper) || has_checksum(text));
}

static void check_address(const char *text)
{
    struct address address, again;
    char printed[ADDRESS_TEXT_SIZE];
    enum address_fault fault = address_parse(&address, text);
    MUST((fault == ADDRESS_FINE) == is_address(text));
    if (fault != ADDRESS_FINE)
        return;
    address_format(printed, &address);
    MUST(strcasecmp(printed, text) == 0 && has_checksum(printed));
    MUST(address_parse(&again, printed) == ADDRESS_FINE && address_equal(&address, &again));
}

static void must_be(struct u256 value, const char *digits, int base)
{
    mpz_t exact, ours;
    mpz_inits(exact, ours, NULL);
    MUST(mpz_set_str(exact, digits, base) == 0);
    mpz_import(ours, 4, -1, sizeof value.limbs[0], 0, 0, value.limbs);
    MUST(mpz_cmp(exact, ours) == 0);
    mpz_clears(exact, ours, NULL);
}

static void check_numbers(const char *text)
{
    struct u256 value, again;
    char decimal[U256_DECIMAL_SIZE];
    char quantity[67];
    if (u256_parse_decimal(&value, text)) {
        MUST(text[0] != '\0' && text[strspn(text, "0123456789")] == '\0');
        must_be(value, text, 10);
        u256_format_decimal(decimal, value);
        MUST(u256_parse_decimal(&again, decimal) && u256_compare(value, again) == 0);
    }
    if (u256_parse_quantity(&value, text)) {
        MUST(strncmp(text, "0x", 2) == 0 && text[2] != '\0' && is_hex(text + 2));
        must_be(value, text + 2, 16);
        u256_format_quantity(quantity, value);
        MUST(u256_parse_quantity(&again, quantity) && u256_compare(value, again) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = fuzz_input(data, size);
    size_t capacity = fuzz_byte(&input);
    char *text = fuzz_text(&input);
    check_hex(text, capacity);
    check_hex(text, strlen(without_prefix(text)) / 2);
    check_address(text);
    check_numbers(text);
    free(text);
    return 0;
}
