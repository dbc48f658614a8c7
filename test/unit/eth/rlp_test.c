// SPDX-License-Identifier: Apache-2.0
// RLP against ethereum/tests, in both directions, and what strict reading refuses.
#include "eth/rlp.h"

#include "eth/vectors.h"

#include <gmp.h>

#define BUFFER_BYTES 4096
#define NUMBER_BYTES 64

// "#123" in the vectors is an integer of any size; it is written as its big-endian bytes.
static struct bytes number_bytes(uint8_t buffer[NUMBER_BYTES], const char *text)
{
    mpz_t number;
    size_t size = 0;
    assert_int_equal(mpz_init_set_str(number, text, 10), 0);
    mpz_export(buffer, &size, 1, 1, 1, 0, number);
    mpz_clear(number);
    return (struct bytes){buffer, size};
}

static struct bytes string_bytes(uint8_t buffer[NUMBER_BYTES], const json_t *item)
{
    const char *text = json_string_value(item);
    if (text[0] == '#')
        return number_bytes(buffer, text + 1);
    return (struct bytes){(const uint8_t *)text, json_string_length(item)};
}

// NOLINTNEXTLINE(misc-no-recursion): lists nest, and the vectors are ours
static void write_item(struct rlp_writer *writer, const json_t *item)
{
    uint8_t buffer[NUMBER_BYTES];
    size_t mark = rlp_list_mark(writer);
    if (json_is_array(item)) {
        for (size_t i = json_array_size(item); i-- > 0;)
            write_item(writer, json_array_get(item, i));
        rlp_list_wrap(writer, mark);
    } else if (json_is_integer(item)) {
        rlp_write_u64(writer, (uint64_t)json_integer_value(item));
    } else {
        rlp_write_bytes(writer, string_bytes(buffer, item));
    }
}

// NOLINTNEXTLINE(misc-no-recursion): lists nest, and the vectors are ours
static void assert_reads_back(struct rlp_reader *reader, const json_t *item)
{
    uint8_t buffer[NUMBER_BYTES];
    struct rlp_reader items;
    struct bytes payload;
    uint64_t number;
    if (json_is_array(item)) {
        assert_true(rlp_read_list(reader, &items));
        for (size_t i = 0; i < json_array_size(item); i++)
            assert_reads_back(&items, json_array_get(item, i));
        assert_true(rlp_at_end(&items));
    } else if (json_is_integer(item)) {
        assert_true(rlp_read_u64(reader, &number));
        assert_int_equal(number, json_integer_value(item));
    } else {
        assert_true(rlp_read_string(reader, &payload));
        assert_true(bytes_equal(payload, string_bytes(buffer, item)));
    }
}

static void published_vectors_are_written_and_read_back(void **state)
{
    (void)state;
    json_t *root = vectors_load("rlp_valid.json");
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(root, "rows"), index, row)
    {
        uint8_t buffer[BUFFER_BYTES];
        struct bytes expected = vector_bytes(vector_text(row, "out"));
        struct bytes encoding;
        struct rlp_writer writer = rlp_writer(buffer, sizeof buffer);
        write_item(&writer, json_object_get(row, "in"));
        assert_true(rlp_finish(&encoding, &writer));
        if (!bytes_equal(encoding, expected))
            fail_msg("%s differs", vector_text(row, "name"));
        struct rlp_reader reader = {expected};
        assert_reads_back(&reader, json_object_get(row, "in"));
        assert_true(rlp_at_end(&reader));
        // A buffer of exactly the size does, one byte less does not.
        writer = rlp_writer(buffer, expected.size);
        write_item(&writer, json_object_get(row, "in"));
        assert_true(rlp_finish(&encoding, &writer));
        writer = rlp_writer(buffer, expected.size - 1);
        write_item(&writer, json_object_get(row, "in"));
        assert_false(rlp_finish(&encoding, &writer));
        vector_free(expected);
    }
    json_decref(root);
}

// Reads the whole tree; false on the first fault.
// NOLINTNEXTLINE(misc-no-recursion): lists nest, and the vectors are ours
static bool reads_whole(struct rlp_reader reader)
{
    enum rlp_kind kind;
    struct bytes payload;
    while (!rlp_at_end(&reader)) {
        if (!rlp_read(&reader, &kind, &payload))
            return false;
        if (kind == RLP_LIST && !reads_whole((struct rlp_reader){payload}))
            return false;
    }
    return true;
}

static bool is_one_item(struct bytes data)
{
    struct rlp_reader reader = {data};
    enum rlp_kind kind;
    struct bytes payload;
    return rlp_read(&reader, &kind, &payload) && rlp_at_end(&reader) &&
           reads_whole((struct rlp_reader){data});
}

static void published_faults_are_refused(void **state)
{
    (void)state;
    json_t *root = vectors_load("rlp_invalid.json");
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(root, "rows"), index, row)
    {
        struct bytes data = vector_bytes(vector_text(row, "out"));
        if (is_one_item(data))
            fail_msg("%s was accepted", vector_text(row, "name"));
        vector_free(data);
    }
    json_decref(root);
}

static void reading_is_strict_at_every_border(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        bool fine;
    } rows[] = {
        {"", false},
        {"00", true},
        {"7f", true},
        {"80", true},
        {"8180", true},
        {"817f", false},
        {"81", false},
        {"8201", false},
        {"c0", true},
        {"c1", false},
        {"c180", true},
        {"c18181", false},
        {"b8", false},
        {"b837", false},
        {"b8ff", false},
        {"f8", false},
        {"f838", false},
        {"bfffffffffffffffff", false},
        {"ffffffffffffffffff", false},
        {"bf8000000000000000", false},
        {"bb00000001", false},
        {"8080", false},
        {"c0c0", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bytes data = vector_bytes(rows[i].hex);
        if (is_one_item(data) != rows[i].fine)
            fail_msg("wrong answer to %s", rows[i].hex);
        vector_free(data);
    }
}

static void numbers_have_one_form(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        bool u64, u256;
        uint64_t value;
    } rows[] = {
        {"80", true, true, 0},
        {"01", true, true, 1},
        {"820400", true, true, 1024},
        {"88ffffffffffffffff", true, true, UINT64_MAX},
        {"89010000000000000000", false, true, 0},
        {"a0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", false, true, 0},
        {"a1010000000000000000000000000000000000000000000000000000000000000000", false, false, 0},
        {"00", false, false, 0},
        {"820001", false, false, 0},
        {"c0", false, false, 0},
        {"8100", false, false, 0},
        {"82ff", false, false, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bytes data = vector_bytes(rows[i].hex);
        struct rlp_reader narrow = {data};
        struct rlp_reader wide = {data};
        uint64_t value = 99;
        struct u256 number;
        assert_int_equal(rlp_read_u64(&narrow, &value), rows[i].u64);
        assert_int_equal(rlp_read_u256(&wide, &number), rows[i].u256);
        assert_int_equal(value, rows[i].u64 ? rows[i].value : 99);
        // A refusal leaves the cursor where it was.
        assert_int_equal(rlp_at_end(&narrow), rows[i].u64);
        assert_int_equal(rlp_at_end(&wide), rows[i].u256);
        vector_free(data);
    }
}

static void a_string_is_no_list_and_a_list_no_string(void **state)
{
    (void)state;
    struct rlp_reader reader = {{(const uint8_t[]){0xc1, 0x05}, 2}};
    struct rlp_reader items = {{NULL, 0}};
    struct bytes payload = {NULL, 0};
    assert_false(rlp_read_string(&reader, &payload));
    assert_true(rlp_read_list(&reader, &items));
    assert_false(rlp_read_list(&items, &items));
    assert_true(rlp_read_string(&items, &payload));
    assert_true(rlp_at_end(&items) && rlp_at_end(&reader));
    assert_false(rlp_read_string(&items, &payload));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vectors_are_written_and_read_back),
        cmocka_unit_test(published_faults_are_refused),
        cmocka_unit_test(reading_is_strict_at_every_border),
        cmocka_unit_test(numbers_have_one_form),
        cmocka_unit_test(a_string_is_no_list_and_a_list_no_string),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
