// SPDX-License-Identifier: Apache-2.0
// Transactions: what decodes, assembles to the same bytes; what we sign, decodes to the same.
#include "fuzz.h"

#include "eth/keccak.h"
#include "eth/rlp.h"
#include "eth/transaction.h"

#include <string.h>

#define FIELDS_MAX 16
#define DATA_MAX   512

// r, s and the parity stand at the end of every type; a legacy one has v = 35 + 2 * chain + parity.
static struct eth_signature signature_of(struct bytes raw, const struct transaction *transaction)
{
    struct rlp_reader reader = {raw};
    struct rlp_reader fields;
    struct bytes payloads[FIELDS_MAX];
    enum rlp_kind kind;
    struct eth_signature signature = {.y_parity = 0};
    size_t count = 0;
    if (transaction->type != TX_LEGACY)
        reader.rest = (struct bytes){raw.data + 1, raw.size - 1};
    MUST(rlp_read_list(&reader, &fields));
    while (!rlp_at_end(&fields) && count < FIELDS_MAX)
        MUST(rlp_read(&fields, &kind, &payloads[count++]));
    struct bytes v = payloads[count - 3];
    struct bytes r = payloads[count - 2];
    struct bytes s = payloads[count - 1];
    uint8_t last = v.size > 0 ? v.data[v.size - 1] : 0;
    signature.y_parity = transaction->type == TX_LEGACY ? !(last & 1) : last;
    memcpy(signature.r + 32 - r.size, r.data, r.size);
    memcpy(signature.s + 32 - s.size, s.data, s.size);
    return signature;
}

static void check_decode(struct bytes raw)
{
    struct arena *arena = fuzz_arena();
    struct transaction transaction;
    struct address sender, again;
    struct hash32 digest;
    struct signed_transaction assembled;
    if (!transaction_decode(&transaction, &sender, raw, arena))
        return;
    struct eth_signature signature = signature_of(raw, &transaction);
    MUST(transaction_assemble(&assembled, &transaction, &signature, arena));
    MUST(bytes_equal(assembled.raw, raw));
    struct hash32 hash = keccak256(raw);
    MUST(hash32_equal(&assembled.hash, &hash));
    MUST(transaction_digest(&digest, &transaction, arena));
    MUST(eth_recover(&again, &signature, &digest) && address_equal(&sender, &again));
}

static struct wei take_wei(struct fuzz_input *input)
{
    struct wei amount = {0};
    uint64_t high = fuzz_u64(input) >> (1 + fuzz_byte(input) % 63);
    MUST(wei_from_units(&amount, (uint128_t)high << 64 | fuzz_u64(input)));
    return amount;
}

static void must_equal(const struct transaction *a, const struct transaction *b)
{
    MUST(a->type == b->type && a->chain_id == b->chain_id && a->nonce == b->nonce);
    MUST(wei_compare(a->max_fee, b->max_fee) == 0);
    MUST(a->type != TX_DYNAMIC_FEE || wei_compare(a->max_priority_fee, b->max_priority_fee) == 0);
    MUST(a->gas_limit == b->gas_limit && a->creates_contract == b->creates_contract);
    MUST(a->creates_contract || address_equal(&a->to, &b->to));
    MUST(u256_compare(a->value, b->value) == 0 && bytes_equal(a->data, b->data));
    MUST(a->access_list_count == b->access_list_count);
    for (size_t i = 0; i < a->access_list_count; i++) {
        MUST(address_equal(&a->access_list[i].address, &b->access_list[i].address));
        MUST(a->access_list[i].storage_keys_count == b->access_list[i].storage_keys_count);
    }
}

static void check_sign(struct fuzz_input *input)
{
    static const uint8_t secret[32] = {[31] = 1};
    struct arena *arena = fuzz_arena();
    struct eth_key key;
    uint8_t value[32];
    struct hash32 slot;
    struct tx_access access = {.storage_keys = &slot, .storage_keys_count = 1};
    struct transaction transaction = {.type = (enum tx_type)(fuzz_byte(input) % 3)};
    struct transaction decoded;
    struct signed_transaction made;
    struct address sender;
    transaction.chain_id = fuzz_u64(input) >> 1 | 1;
    transaction.nonce = fuzz_u64(input);
    transaction.gas_limit = fuzz_u64(input);
    transaction.creates_contract = fuzz_byte(input) & 1;
    transaction.max_fee = take_wei(input);
    transaction.max_priority_fee = take_wei(input);
    fuzz_fill(input, transaction.to.bytes, sizeof transaction.to.bytes);
    fuzz_fill(input, value, sizeof value);
    fuzz_fill(input, slot.bytes, sizeof slot.bytes);
    fuzz_fill(input, access.address.bytes, sizeof access.address.bytes);
    transaction.value = u256_from_bytes(value);
    transaction.data = input->rest;
    transaction.access_list = &access;
    transaction.access_list_count = transaction.type != TX_LEGACY && slot.bytes[0];
    MUST(eth_key_from_secret(&key, secret));
    MUST(transaction_sign(&made, &transaction, &key, arena));
    MUST(transaction_decode(&decoded, &sender, made.raw, arena));
    must_equal(&transaction, &decoded);
    struct address expected = eth_key_address(&key);
    MUST(address_equal(&sender, &expected));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = fuzz_input(data, size);
    if (fuzz_byte(&input) == 's')
        check_sign(&input);
    else
        check_decode((struct bytes){data, size});
    return 0;
}
