// SPDX-License-Identifier: Apache-2.0
// Keccak-256 against the Keccak team's vectors, every length around the rate, and known texts.
#include "eth/keccak.h"

#include "eth/vectors.h"

static void assert_hash(struct bytes message, const json_t *row)
{
    struct hash32 expected = vector_hash(row, "hash");
    struct hash32 hash = keccak256(message);
    assert_memory_equal(hash.bytes, expected.bytes, sizeof hash.bytes);
}

static void agrees_with_the_vectors_of_the_keccak_team(void **state)
{
    (void)state;
    json_t *root = vectors_load("keccak_kat.json");
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(root, "rows"), index, row)
    {
        struct bytes message = vector_bytes(vector_text(row, "message"));
        assert_hash(message, row);
        vector_free(message);
    }
    json_decref(root);
}

static void agrees_at_every_length_around_the_rate(void **state)
{
    (void)state;
    json_t *root = vectors_load("keccak_counting.json");
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(root, "rows"), index, row)
    {
        size_t size = (size_t)json_integer_value(json_object_get(row, "size"));
        // Exactly as large as the message, so that a read past its end is caught.
        uint8_t *message = malloc(size + (size == 0));
        assert_non_null(message);
        for (size_t i = 0; i < size; i++)
            message[i] = (uint8_t)(i % 251);
        assert_hash((struct bytes){message, size}, row);
        free(message);
    }
    json_decref(root);
}

static void agrees_with_known_texts_selectors_and_topics(void **state)
{
    (void)state;
    json_t *root = vectors_load("keccak_text.json");
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(root, "rows"), index, row)
    {
        struct hash32 expected = vector_hash(row, "hash");
        struct hash32 hash = keccak256_text(vector_text(row, "text"));
        assert_memory_equal(hash.bytes, expected.bytes, sizeof hash.bytes);
    }
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_vectors_of_the_keccak_team),
        cmocka_unit_test(agrees_at_every_length_around_the_rate),
        cmocka_unit_test(agrees_with_known_texts_selectors_and_topics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
