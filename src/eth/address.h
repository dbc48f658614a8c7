// SPDX-License-Identifier: Apache-2.0
// Ethereum addresses: 20 bytes, printed and checked as EIP-55 says.
#pragma once

#include "base/bytes.h"

struct address {
    uint8_t bytes[20];
};

#define ADDRESS_TEXT_SIZE 43 // "0x" + 40 digits + NUL

// Why a text is not an address: each its own stable API code.
enum address_fault { ADDRESS_FINE, ADDRESS_LENGTH, ADDRESS_DIGITS, ADDRESS_CHECKSUM, ADDRESS_ZERO };

// Parses "0x" + 40 digits. All-lower or all-upper digits carry no checksum and pass; mixed case
// must match EIP-55. The zero address is a fault. *ret_address is set only on ADDRESS_FINE.
MUST_USE enum address_fault address_parse(struct address *ret_address, const char *text);

// EIP-55 mixed-case text.
void address_format(char out[ADDRESS_TEXT_SIZE], const struct address *address);

bool address_equal(const struct address *a, const struct address *b);
bool address_is_zero(const struct address *address);

// The address of a contract created by `creator` at `nonce` (CREATE, EIP-161 numbering).
struct address address_of_contract(const struct address *creator, uint64_t nonce);
