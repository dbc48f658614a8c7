// SPDX-License-Identifier: Apache-2.0
// Transactions: legacy with EIP-155, EIP-2930 (type 1), EIP-1559 (type 2). Encode, sign, decode.
#pragma once

#include "base/arena.h"
#include "eth/key.h"
#include "eth/u256.h"

enum tx_type { TX_LEGACY = 0, TX_ACCESS_LIST = 1, TX_DYNAMIC_FEE = 2 };

struct tx_access {
    struct address address;
    const struct hash32 *storage_keys;
    size_t storage_keys_count;
};

struct transaction {
    enum tx_type type;
    uint64_t chain_id;
    uint64_t nonce;
    struct wei max_priority_fee; // type 2 only
    struct wei max_fee;          // type 2; gas price for types 0 and 1
    uint64_t gas_limit;
    bool creates_contract; // `to` is then ignored
    struct address to;
    struct u256 value;
    struct bytes data;
    const struct tx_access *access_list; // types 1 and 2
    size_t access_list_count;
};

struct signed_transaction {
    struct bytes raw;   // what eth_sendRawTransaction takes; in the arena
    struct hash32 hash; // keccak256(raw)
};

// The digest that is signed. False when memory (the arena) is out.
MUST_USE bool transaction_digest(struct hash32 *ret_digest, const struct transaction *transaction,
                                 struct arena *arena);
// Assembles raw bytes from a transaction and a signature made elsewhere (remote signers).
MUST_USE bool transaction_assemble(struct signed_transaction *ret_signed,
                                   const struct transaction *transaction,
                                   const struct eth_signature *signature, struct arena *arena);
// digest, eth_sign, assemble.
MUST_USE bool transaction_sign(struct signed_transaction *ret_signed,
                               const struct transaction *transaction, const struct eth_key *key,
                               struct arena *arena);
// Strict decoding of raw bytes; also recovers the sender. False on anything malformed.
MUST_USE bool transaction_decode(struct transaction *ret_transaction, struct address *ret_sender,
                                 struct bytes raw, struct arena *arena);
