// SPDX-License-Identifier: Apache-2.0
// Transactions: one encoder for the signed and the unsigned form, one strict decoder.
#include "eth/transaction.h"

#include "eth/keccak.h"
#include "eth/rlp.h"

#include <string.h>

// Upper bounds of encoded parts: headers are at most 9 bytes, numbers 33, addresses 21.
#define TX_FIXED_BYTES_MAX      512
#define ACCESS_BYTES_MAX        (2 * 9 + 21)
#define STORAGE_KEY_BYTES       33
#define EIP155_V_OFFSET         35
#define EIP2718_LEGACY_BYTE_MIN 0xc0

static bool size_bound(size_t *ret_bound, const struct transaction *transaction)
{
    size_t bound = TX_FIXED_BYTES_MAX;
    if (__builtin_add_overflow(bound, transaction->data.size, &bound))
        return false;
    for (size_t i = 0; i < transaction->access_list_count; i++) {
        size_t keys;
        if (__builtin_mul_overflow(transaction->access_list[i].storage_keys_count,
                                   STORAGE_KEY_BYTES, &keys) ||
            __builtin_add_overflow(keys, ACCESS_BYTES_MAX, &keys) ||
            __builtin_add_overflow(bound, keys, &bound))
            return false;
    }
    *ret_bound = bound;
    return true;
}

static void write_access_list(struct rlp_writer *writer, const struct transaction *transaction)
{
    size_t list = rlp_list_mark(writer);
    for (size_t i = transaction->access_list_count; i-- > 0;) {
        const struct tx_access *access = &transaction->access_list[i];
        size_t entry = rlp_list_mark(writer);
        for (size_t k = access->storage_keys_count; k-- > 0;)
            rlp_write_bytes(writer, (struct bytes){access->storage_keys[k].bytes, 32});
        rlp_list_wrap(writer, entry);
        rlp_write_bytes(writer, (struct bytes){access->address.bytes, 20});
        rlp_list_wrap(writer, entry);
    }
    rlp_list_wrap(writer, list);
}

static void write_wei(struct rlp_writer *writer, struct wei amount)
{
    rlp_write_u256(writer, u256_from_u128(wei_units(amount)));
}

// Fields common to all types, last first.
static void write_payload(struct rlp_writer *writer, const struct transaction *transaction)
{
    rlp_write_bytes(writer, transaction->data);
    rlp_write_u256(writer, transaction->value);
    rlp_write_bytes(writer,
                    (struct bytes){transaction->to.bytes, transaction->creates_contract ? 0 : 20});
    rlp_write_u64(writer, transaction->gas_limit);
    write_wei(writer, transaction->max_fee);
}

static void write_signature(struct rlp_writer *writer, const struct eth_signature *signature,
                            struct u256 v)
{
    rlp_write_u256(writer, u256_from_bytes(signature->s));
    rlp_write_u256(writer, u256_from_bytes(signature->r));
    rlp_write_u256(writer, v);
}

// EIP-155: what is signed ends in (chain id, 0, 0), which makes it good on one chain only.
static void write_legacy(struct rlp_writer *writer, const struct transaction *transaction,
                         const struct eth_signature *signature)
{
    if (signature) {
        uint128_t v = (uint128_t)transaction->chain_id * 2 + EIP155_V_OFFSET + signature->y_parity;
        write_signature(writer, signature, u256_from_u128(v));
    } else {
        rlp_write_u64(writer, 0);
        rlp_write_u64(writer, 0);
        rlp_write_u64(writer, transaction->chain_id);
    }
    write_payload(writer, transaction);
    rlp_write_u64(writer, transaction->nonce);
}

// EIP-2930 and EIP-1559.
static void write_typed(struct rlp_writer *writer, const struct transaction *transaction,
                        const struct eth_signature *signature)
{
    if (signature)
        write_signature(writer, signature, u256_from_u64(signature->y_parity));
    write_access_list(writer, transaction);
    write_payload(writer, transaction);
    if (transaction->type == TX_DYNAMIC_FEE)
        write_wei(writer, transaction->max_priority_fee);
    rlp_write_u64(writer, transaction->nonce);
    rlp_write_u64(writer, transaction->chain_id);
}

// Without a signature: what is signed.
static bool encode(struct bytes *ret_encoding, const struct transaction *transaction,
                   const struct eth_signature *signature, struct arena *arena)
{
    size_t bound;
    if (!size_bound(&bound, transaction))
        return false;
    uint8_t *buffer = arena_alloc(arena, bound);
    if (!buffer)
        return false;
    struct rlp_writer writer = rlp_writer(buffer, bound);
    size_t mark = rlp_list_mark(&writer);
    if (transaction->type == TX_LEGACY)
        write_legacy(&writer, transaction, signature);
    else
        write_typed(&writer, transaction, signature);
    rlp_list_wrap(&writer, mark);
    if (transaction->type != TX_LEGACY)
        rlp_write_raw_byte(&writer, (uint8_t)transaction->type);
    return rlp_finish(ret_encoding, &writer);
}

bool transaction_digest(struct hash32 *ret_digest, const struct transaction *transaction,
                        struct arena *arena)
{
    struct bytes encoding;
    if (!encode(&encoding, transaction, NULL, arena))
        return false;
    *ret_digest = keccak256(encoding);
    return true;
}

bool transaction_assemble(struct signed_transaction *ret_signed,
                          const struct transaction *transaction,
                          const struct eth_signature *signature, struct arena *arena)
{
    if (!encode(&ret_signed->raw, transaction, signature, arena))
        return false;
    ret_signed->hash = keccak256(ret_signed->raw);
    return true;
}

bool transaction_sign(struct signed_transaction *ret_signed, const struct transaction *transaction,
                      const struct eth_key *key, struct arena *arena)
{
    struct hash32 digest;
    if (!transaction_digest(&digest, transaction, arena))
        return false;
    struct eth_signature signature = eth_sign(key, &digest);
    return transaction_assemble(ret_signed, transaction, &signature, arena);
}

static bool read_wei(struct rlp_reader *reader, struct wei *ret_amount)
{
    struct u256 value;
    uint128_t units;
    return rlp_read_u256(reader, &value) && u256_to_u128(&units, value) &&
           wei_from_units(ret_amount, units);
}

static bool read_fixed(struct rlp_reader *reader, uint8_t *ret_bytes, size_t size)
{
    struct bytes payload;
    if (!rlp_read_string(reader, &payload) || payload.size != size)
        return false;
    memcpy(ret_bytes, payload.data, size);
    return true;
}

static bool read_to(struct rlp_reader *reader, struct transaction *transaction)
{
    struct bytes payload;
    if (!rlp_read_string(reader, &payload))
        return false;
    transaction->creates_contract = payload.size == 0;
    if (payload.size == sizeof transaction->to.bytes)
        memcpy(transaction->to.bytes, payload.data, payload.size);
    return payload.size == 0 || payload.size == sizeof transaction->to.bytes;
}

static bool count_items(size_t *ret_count, struct rlp_reader items)
{
    enum rlp_kind kind;
    struct bytes payload;
    size_t count = 0;
    for (; !rlp_at_end(&items); count++) {
        if (!rlp_read(&items, &kind, &payload))
            return false;
    }
    *ret_count = count;
    return true;
}

static bool read_storage_keys(struct rlp_reader *reader, struct tx_access *access,
                              struct arena *arena)
{
    struct rlp_reader items;
    size_t count;
    if (!rlp_read_list(reader, &items) || !count_items(&count, items))
        return false;
    struct hash32 *keys = arena_alloc_array(arena, count, sizeof *keys);
    if (!keys)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!read_fixed(&items, keys[i].bytes, sizeof keys[i].bytes))
            return false;
    }
    access->storage_keys = keys;
    access->storage_keys_count = count;
    return true;
}

static bool read_access_list(struct rlp_reader *reader, struct transaction *transaction,
                             struct arena *arena)
{
    struct rlp_reader items;
    size_t count;
    if (!rlp_read_list(reader, &items) || !count_items(&count, items))
        return false;
    struct tx_access *list = arena_alloc_array(arena, count, sizeof *list);
    if (!list)
        return false;
    for (size_t i = 0; i < count; i++) {
        struct rlp_reader entry;
        if (!rlp_read_list(&items, &entry) ||
            !read_fixed(&entry, list[i].address.bytes, sizeof list[i].address.bytes) ||
            !read_storage_keys(&entry, &list[i], arena) || !rlp_at_end(&entry))
            return false;
    }
    transaction->access_list = list;
    transaction->access_list_count = count;
    return true;
}

static bool read_payload(struct rlp_reader *reader, struct transaction *transaction)
{
    return read_wei(reader, &transaction->max_fee) &&
           rlp_read_u64(reader, &transaction->gas_limit) && read_to(reader, transaction) &&
           rlp_read_u256(reader, &transaction->value) &&
           rlp_read_string(reader, &transaction->data);
}

static bool read_r_s(struct rlp_reader *reader, struct eth_signature *signature)
{
    struct u256 r;
    struct u256 s;
    if (!rlp_read_u256(reader, &r) || !rlp_read_u256(reader, &s))
        return false;
    u256_to_bytes(signature->r, r);
    u256_to_bytes(signature->s, s);
    return true;
}

static bool split_v(struct transaction *transaction, struct eth_signature *signature, struct u256 v)
{
    uint128_t wide;
    if (!u256_to_u128(&wide, v) || wide < EIP155_V_OFFSET)
        return false;
    wide -= EIP155_V_OFFSET;
    if (wide / 2 > UINT64_MAX)
        return false;
    transaction->chain_id = (uint64_t)(wide / 2);
    signature->y_parity = (uint8_t)(wide % 2);
    return true;
}

static bool read_legacy(struct rlp_reader *reader, struct transaction *transaction,
                        struct eth_signature *signature)
{
    struct u256 v;
    return rlp_read_u64(reader, &transaction->nonce) && read_payload(reader, transaction) &&
           rlp_read_u256(reader, &v) && split_v(transaction, signature, v) &&
           read_r_s(reader, signature);
}

static bool read_typed(struct rlp_reader *reader, struct transaction *transaction,
                       struct eth_signature *signature, struct arena *arena)
{
    uint64_t y_parity;
    if (!rlp_read_u64(reader, &transaction->chain_id) || !rlp_read_u64(reader, &transaction->nonce))
        return false;
    if (transaction->type == TX_DYNAMIC_FEE && !read_wei(reader, &transaction->max_priority_fee))
        return false;
    if (!read_payload(reader, transaction) || !read_access_list(reader, transaction, arena))
        return false;
    if (!rlp_read_u64(reader, &y_parity) || y_parity > 1)
        return false;
    signature->y_parity = (uint8_t)y_parity;
    return read_r_s(reader, signature);
}

// The EIP-2718 envelope: a list is a legacy transaction, else the first byte is the type.
static bool read_envelope(struct transaction *transaction, struct eth_signature *signature,
                          struct bytes raw, struct arena *arena)
{
    struct rlp_reader outer = {raw};
    struct rlp_reader fields;
    if (raw.size == 0)
        return false;
    if (raw.data[0] < EIP2718_LEGACY_BYTE_MIN) {
        if (raw.data[0] != TX_ACCESS_LIST && raw.data[0] != TX_DYNAMIC_FEE)
            return false;
        transaction->type = (enum tx_type)raw.data[0];
        outer.rest = (struct bytes){raw.data + 1, raw.size - 1};
    }
    if (!rlp_read_list(&outer, &fields) || !rlp_at_end(&outer))
        return false;
    bool fine = transaction->type == TX_LEGACY ? read_legacy(&fields, transaction, signature)
                                               : read_typed(&fields, transaction, signature, arena);
    return fine && rlp_at_end(&fields) && transaction->chain_id != 0;
}

bool transaction_decode(struct transaction *ret_transaction, struct address *ret_sender,
                        struct bytes raw, struct arena *arena)
{
    struct transaction transaction = {.type = TX_LEGACY};
    struct eth_signature signature;
    struct hash32 digest;
    struct address sender;
    if (!read_envelope(&transaction, &signature, raw, arena) ||
        !transaction_digest(&digest, &transaction, arena) ||
        !eth_recover(&sender, &signature, &digest))
        return false;
    *ret_transaction = transaction;
    *ret_sender = sender;
    return true;
}
