// SPDX-License-Identifier: Apache-2.0
// Addresses as EIP-55 text, and the addresses of created contracts.
#include "eth/address.h"

#include "base/hex.h"
#include "eth/keccak.h"
#include "eth/rlp.h"

#include <stdlib.h>
#include <string.h>

#define ADDRESS_DIGITS_COUNT 40
#define CREATE_RLP_BYTES_MAX (1 + 21 + 9)

void address_format(char out[ADDRESS_TEXT_SIZE], const struct address *address)
{
    hex_encode(out, (struct bytes){address->bytes, sizeof address->bytes});
    // EIP-55: a letter is upper case where the digit of the text's own hash is 8 or more.
    struct hash32 hash = keccak256_text(out + 2);
    for (size_t i = 0; i < ADDRESS_DIGITS_COUNT; i++) {
        unsigned nibble = (unsigned)hash.bytes[i / 2] >> (i % 2 == 0 ? 4 : 0) & 15U;
        if (out[2 + i] >= 'a' && nibble >= 8)
            out[2 + i] = (char)(out[2 + i] - 'a' + 'A');
    }
}

static bool has_one_case(const char *digits)
{
    bool lower = digits[strcspn(digits, "abcdef")] != '\0';
    bool upper = digits[strcspn(digits, "ABCDEF")] != '\0';
    return !(lower && upper);
}

enum address_fault address_parse(struct address *ret_address, const char *text)
{
    struct address address;
    char checked[ADDRESS_TEXT_SIZE];
    if (strnlen(text, ADDRESS_TEXT_SIZE) != ADDRESS_TEXT_SIZE - 1)
        return ADDRESS_LENGTH;
    if (strncmp(text, "0x", 2) != 0 || !hex_decode(address.bytes, sizeof address.bytes, text))
        return ADDRESS_DIGITS;
    address_format(checked, &address);
    if (!has_one_case(text + 2) && strcmp(checked, text) != 0)
        return ADDRESS_CHECKSUM;
    if (address_is_zero(&address))
        return ADDRESS_ZERO;
    *ret_address = address;
    return ADDRESS_FINE;
}

bool address_equal(const struct address *a, const struct address *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool address_is_zero(const struct address *address)
{
    static const struct address zero;
    return address_equal(address, &zero);
}

struct address address_of_contract(const struct address *creator, uint64_t nonce)
{
    uint8_t buffer[CREATE_RLP_BYTES_MAX];
    struct bytes encoding;
    struct address address;
    struct rlp_writer writer = rlp_writer(buffer, sizeof buffer);
    size_t mark = rlp_list_mark(&writer);
    rlp_write_u64(&writer, nonce);
    rlp_write_bytes(&writer, (struct bytes){creator->bytes, sizeof creator->bytes});
    rlp_list_wrap(&writer, mark);
    if (!rlp_finish(&encoding, &writer))
        abort();
    struct hash32 hash = keccak256(encoding);
    memcpy(address.bytes, hash.bytes + 12, sizeof address.bytes);
    return address;
}
