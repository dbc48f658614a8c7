// SPDX-License-Identifier: Apache-2.0
// secp256k1 keys and signatures (libsecp256k1): RFC 6979 nonces, low s (EIP-2).
#pragma once

#include "eth/address.h"

// A private key. Never logged, never copied but by value into the signer; wipe with eth_key_wipe.
struct eth_key {
    uint8_t secret[32];
};

struct eth_signature {
    uint8_t r[32];
    uint8_t s[32];
    uint8_t y_parity; // 0 or 1
};

// False when secret is 0 or not below the group order.
MUST_USE bool eth_key_from_secret(struct eth_key *ret_key, const uint8_t secret[32]);
void eth_key_wipe(struct eth_key *key);
struct address eth_key_address(const struct eth_key *key);

// Deterministic. The key is valid, so it cannot fail.
struct eth_signature eth_sign(const struct eth_key *key, const struct hash32 *digest);

// The signer's address; false for an invalid signature (r, s out of range, high s, no such point).
MUST_USE bool eth_recover(struct address *ret_signer, const struct eth_signature *signature,
                          const struct hash32 *digest);
