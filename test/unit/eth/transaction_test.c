// SPDX-License-Identifier: Apache-2.0
// Transactions: the EIP-155 example, viem's bytes for every type, and what decoding refuses.
#include "eth/transaction.h"

#include "eth/rlp.h"
#include "eth/vectors.h"

#define ARENA_BYTES ((size_t)1 << 20)
#define KEYS_MAX    4
#define ACCESS_MAX  4

struct fixture {
    struct arena *arena;
    struct eth_key key;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    uint8_t secret[32];
    fixture.arena = arena_new(ARENA_BYTES);
    assert_true(hex_decode(secret, sizeof secret,
                           "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"));
    assert_true(eth_key_from_secret(&fixture.key, secret));
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    arena_free(fixture->arena);
    return 0;
}

static struct wei wei(uint64_t units)
{
    struct wei amount;
    assert_true(wei_from_units(&amount, units));
    return amount;
}

static void assert_hex(struct bytes data, const char *expected)
{
    char *text = malloc(HEX_TEXT_SIZE(data.size));
    assert_non_null(text);
    hex_encode(text, data);
    assert_string_equal(text, expected);
    free(text);
}

static void eip_155_example_gives_the_published_bytes(void **state)
{
    struct fixture *fixture = *state;
    struct transaction transaction = {.type = TX_LEGACY,
                                      .chain_id = 1,
                                      .nonce = 9,
                                      .max_fee = wei(20000000000),
                                      .gas_limit = 21000,
                                      .value = u256_from_u64(1000000000000000000)};
    struct signed_transaction done;
    struct eth_key key;
    struct hash32 digest;
    uint8_t secret[32];
    memset(secret, 0x46, sizeof secret);
    memset(transaction.to.bytes, 0x35, sizeof transaction.to.bytes);
    assert_true(eth_key_from_secret(&key, secret));
    assert_true(transaction_digest(&digest, &transaction, fixture->arena));
    assert_hex((struct bytes){digest.bytes, 32},
               "0xdaf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53");
    assert_true(transaction_sign(&done, &transaction, &key, fixture->arena));
    assert_hex(done.raw, "0xf86c098504a817c80082520894353535353535353535353535353535353535353588"
                         "0de0b6b3a76400008025a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63"
                         "e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297f"
                         "b1966a3b6d83");
}

// The access list of a vector, in storage of the test.
struct access_store {
    struct tx_access list[ACCESS_MAX];
    struct hash32 keys[ACCESS_MAX][KEYS_MAX];
};

static void load_access_list(struct transaction *transaction, struct access_store *store,
                             const json_t *list)
{
    assert_true(json_array_size(list) <= ACCESS_MAX);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i);
        const json_t *keys = json_object_get(entry, "storageKeys");
        assert_true(json_array_size(keys) <= KEYS_MAX);
        assert_int_equal(address_parse(&store->list[i].address, vector_text(entry, "address")),
                         ADDRESS_FINE);
        for (size_t k = 0; k < json_array_size(keys); k++)
            assert_true(hex_decode(store->keys[i][k].bytes, 32,
                                   json_string_value(json_array_get(keys, k))));
        store->list[i].storage_keys = store->keys[i];
        store->list[i].storage_keys_count = json_array_size(keys);
    }
    transaction->access_list = store->list;
    transaction->access_list_count = json_array_size(list);
}

static uint64_t number(const json_t *row, const char *name)
{
    struct u256 value;
    uint64_t narrow;
    assert_true(u256_parse_decimal(&value, vector_text(row, name)));
    assert_true(u256_to_u64(&narrow, value));
    return narrow;
}

static struct transaction load(const json_t *row, struct access_store *store)
{
    struct transaction transaction = {
        .type = (enum tx_type)json_integer_value(json_object_get(row, "type")),
        .chain_id = number(row, "chainId"),
        .nonce = number(row, "nonce"),
        .gas_limit = number(row, "gas"),
        .creates_contract = json_is_null(json_object_get(row, "to")),
        .data = vector_bytes(vector_text(row, "data")),
    };
    assert_true(wei_parse_units(&transaction.max_priority_fee, vector_text(row, "priority")));
    assert_true(wei_parse_units(&transaction.max_fee, vector_text(row, "fee")));
    assert_true(u256_parse_decimal(&transaction.value, vector_text(row, "value")));
    if (!transaction.creates_contract)
        assert_int_equal(address_parse(&transaction.to, vector_text(row, "to")), ADDRESS_FINE);
    load_access_list(&transaction, store, json_object_get(row, "accessList"));
    return transaction;
}

static void assert_same(const struct transaction *a, const struct transaction *b)
{
    assert_int_equal(a->type, b->type);
    assert_true(a->chain_id == b->chain_id && a->nonce == b->nonce);
    assert_int_equal(wei_compare(a->max_fee, b->max_fee), 0);
    assert_int_equal(wei_compare(a->max_priority_fee, b->max_priority_fee), 0);
    assert_true(a->gas_limit == b->gas_limit && a->creates_contract == b->creates_contract);
    if (!a->creates_contract)
        assert_true(address_equal(&a->to, &b->to));
    assert_int_equal(u256_compare(a->value, b->value), 0);
    assert_true(bytes_equal(a->data, b->data));
    assert_int_equal(a->access_list_count, b->access_list_count);
    for (size_t i = 0; i < a->access_list_count; i++) {
        const struct tx_access *x = &a->access_list[i];
        const struct tx_access *y = &b->access_list[i];
        assert_true(address_equal(&x->address, &y->address));
        assert_int_equal(x->storage_keys_count, y->storage_keys_count);
        for (size_t k = 0; k < x->storage_keys_count; k++)
            assert_true(hash32_equal(&x->storage_keys[k], &y->storage_keys[k]));
    }
}

static void every_type_gives_the_bytes_of_viem_and_is_read_back(void **state)
{
    struct fixture *fixture = *state;
    json_t *root = vectors_load("transactions.json");
    struct address own = eth_key_address(&fixture->key);
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(root, "rows"), index, row)
    {
        struct access_store store = {0};
        struct transaction transaction = load(row, &store);
        struct transaction decoded;
        struct signed_transaction done;
        struct address sender;
        arena_reset(fixture->arena);
        assert_true(transaction_sign(&done, &transaction, &fixture->key, fixture->arena));
        assert_hex(done.raw, vector_text(row, "raw"));
        assert_hex((struct bytes){done.hash.bytes, 32}, vector_text(row, "hash"));
        assert_true(transaction_decode(&decoded, &sender, done.raw, fixture->arena));
        assert_same(&transaction, &decoded);
        assert_true(address_equal(&sender, &own));
        vector_free(transaction.data);
    }
    json_decref(root);
}

static void a_changed_byte_is_refused_or_has_another_sender(void **state)
{
    struct fixture *fixture = *state;
    json_t *root = vectors_load("transactions.json");
    struct address own = eth_key_address(&fixture->key);
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(root, "rows"), index, row)
    {
        struct bytes raw = vector_bytes(vector_text(row, "raw"));
        uint8_t *changed = malloc(raw.size);
        assert_non_null(changed);
        for (size_t i = 0; i < raw.size * 8; i += 3) {
            struct transaction decoded;
            struct address sender;
            memcpy(changed, raw.data, raw.size);
            changed[i / 8] ^= (uint8_t)(1U << i % 8);
            arena_reset(fixture->arena);
            if (transaction_decode(&decoded, &sender, (struct bytes){changed, raw.size},
                                   fixture->arena))
                assert_false(address_equal(&sender, &own));
        }
        free(changed);
        vector_free(raw);
    }
    json_decref(root);
}

static void cut_and_lengthened_bytes_are_refused(void **state)
{
    struct fixture *fixture = *state;
    json_t *root = vectors_load("transactions.json");
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(root, "rows"), index, row)
    {
        struct bytes raw = vector_bytes(vector_text(row, "raw"));
        struct transaction decoded;
        struct address sender;
        for (size_t size = 0; size < raw.size; size++) {
            // A copy of exactly that size, so that a read past its end is caught.
            uint8_t *cut = malloc(size + (size == 0));
            assert_non_null(cut);
            memcpy(cut, raw.data, size);
            arena_reset(fixture->arena);
            assert_false(
                transaction_decode(&decoded, &sender, (struct bytes){cut, size}, fixture->arena));
            free(cut);
        }
        uint8_t *longer = calloc(raw.size + 1, 1);
        assert_non_null(longer);
        memcpy(longer, raw.data, raw.size);
        assert_false(transaction_decode(&decoded, &sender, (struct bytes){longer, raw.size + 1},
                                        fixture->arena));
        free(longer);
        vector_free(raw);
    }
    json_decref(root);
}

// Fields of a legacy transaction, some of them spoiled, written by hand.
struct spoiled {
    const char *why;
    size_t to_size;
    bool string_list; // a list where a number belongs
    uint64_t v;
    bool fine;
    bool surplus; // a field too many at the end
};

static void write_spoiled(struct rlp_writer *writer, const struct spoiled *row,
                          const struct eth_signature *signature)
{
    static const uint8_t to[32] = {0x35, 0x35};
    size_t mark = rlp_list_mark(writer);
    if (row->surplus)
        rlp_write_u64(writer, 0);
    rlp_write_u256(writer, u256_from_bytes(signature->s));
    rlp_write_u256(writer, u256_from_bytes(signature->r));
    rlp_write_u64(writer, row->v);
    rlp_write_bytes(writer, (struct bytes){NULL, 0});
    rlp_write_u64(writer, 1);
    rlp_write_bytes(writer, (struct bytes){to, row->to_size});
    rlp_write_u64(writer, 21000);
    rlp_write_u64(writer, 1);
    size_t nonce = rlp_list_mark(writer);
    rlp_write_u64(writer, 7);
    if (row->string_list)
        rlp_list_wrap(writer, nonce);
    rlp_list_wrap(writer, mark);
}

static void fields_that_no_chain_accepts_are_refused(void **state)
{
    struct fixture *fixture = *state;
    static const struct spoiled rows[] = {
        {"a fine one", 20, false, 37, true, false},
        {"a contract creation", 0, false, 38, true, false},
        {"a recipient of 19 bytes", 19, false, 37, false, false},
        {"a recipient of 21 bytes", 21, false, 37, false, false},
        {"no replay protection", 20, false, 27, false, false},
        {"no replay protection either", 20, false, 28, false, false},
        {"a v that is none", 20, false, 34, false, false},
        {"chain id zero", 20, false, 35, false, false},
        {"a list as nonce", 20, true, 37, false, false},
        {"a field too many", 20, false, 37, false, true},
    };
    struct hash32 digest = {{1}};
    struct eth_signature signature = eth_sign(&fixture->key, &digest);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t buffer[256];
        struct bytes raw;
        struct transaction decoded;
        struct address sender;
        struct rlp_writer writer = rlp_writer(buffer, sizeof buffer);
        write_spoiled(&writer, &rows[i], &signature);
        assert_true(rlp_finish(&raw, &writer));
        if (transaction_decode(&decoded, &sender, raw, fixture->arena) != rows[i].fine)
            fail_msg("wrong answer to %s", rows[i].why);
    }
}

static void unknown_types_and_nothing_are_refused(void **state)
{
    struct fixture *fixture = *state;
    static const char *const rows[] = {"",   "00", "01", "02", "01c0", "02c0", "03c0",
                                       "04", "7f", "80", "bf", "c0",   "00c0"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bytes raw = vector_bytes(rows[i]);
        struct transaction decoded;
        struct address sender;
        assert_false(transaction_decode(&decoded, &sender, raw, fixture->arena));
        vector_free(raw);
    }
}

static void a_full_arena_is_said_and_nothing_is_written(void **state)
{
    struct fixture *fixture = *state;
    struct transaction transaction = {.type = TX_DYNAMIC_FEE, .chain_id = 1};
    struct signed_transaction done = {{NULL, 0}, {{0}}};
    struct hash32 digest = {{0}};
    struct arena *small = arena_new(100);
    assert_false(transaction_digest(&digest, &transaction, small));
    assert_false(transaction_sign(&done, &transaction, &fixture->key, small));
    assert_null(done.raw.data);
    assert_true(hash32_is_zero(&done.hash) && hash32_is_zero(&digest));
    arena_free(small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eip_155_example_gives_the_published_bytes),
        cmocka_unit_test(every_type_gives_the_bytes_of_viem_and_is_read_back),
        cmocka_unit_test(a_changed_byte_is_refused_or_has_another_sender),
        cmocka_unit_test(cut_and_lengthened_bytes_are_refused),
        cmocka_unit_test(fields_that_no_chain_accepts_are_refused),
        cmocka_unit_test(unknown_types_and_nothing_are_refused),
        cmocka_unit_test(a_full_arena_is_said_and_nothing_is_written),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
