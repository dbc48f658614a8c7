// SPDX-License-Identifier: Apache-2.0
// Solidity ABI words: written into the arena, read with every bound and padding checked.
#include "eth/abi.h"

#include "eth/keccak.h"

#include <string.h>

#define WORD_BYTES     32
#define SELECTOR_BYTES 4
#define ABI_WORDS_MAX  (1U << 20)

struct abi_writer abi_writer(struct arena *arena, size_t words)
{
    struct abi_writer writer = {.overflow = words > ABI_WORDS_MAX};
    if (writer.overflow)
        return writer;
    writer.capacity = SELECTOR_BYTES + words * WORD_BYTES;
    writer.buffer = arena_alloc(arena, writer.capacity);
    writer.overflow = writer.buffer == NULL;
    return writer;
}

static void put(struct abi_writer *writer, const uint8_t *data, size_t size)
{
    if (writer->overflow || size > writer->capacity - writer->size) {
        writer->overflow = true;
        return;
    }
    memcpy(writer->buffer + writer->size, data, size);
    writer->size += size;
}

void abi_write_selector(struct abi_writer *writer, const char *signature)
{
    struct hash32 hash = keccak256_text(signature);
    put(writer, hash.bytes, SELECTOR_BYTES);
}

void abi_write_u256(struct abi_writer *writer, struct u256 value)
{
    uint8_t word[WORD_BYTES];
    u256_to_bytes(word, value);
    put(writer, word, sizeof word);
}

void abi_write_u64(struct abi_writer *writer, uint64_t value)
{
    abi_write_u256(writer, u256_from_u64(value));
}

void abi_write_address(struct abi_writer *writer, const struct address *address)
{
    uint8_t word[WORD_BYTES] = {0};
    memcpy(word + WORD_BYTES - sizeof address->bytes, address->bytes, sizeof address->bytes);
    put(writer, word, sizeof word);
}

void abi_write_hash32(struct abi_writer *writer, const struct hash32 *hash)
{
    put(writer, hash->bytes, sizeof hash->bytes);
}

void abi_write_bool(struct abi_writer *writer, bool value)
{
    abi_write_u64(writer, value ? 1 : 0);
}

bool abi_finish(struct bytes *ret_data, const struct abi_writer *writer)
{
    if (writer->overflow)
        return false;
    *ret_data = (struct bytes){writer->buffer, writer->size};
    return true;
}

bool abi_read_u256(struct u256 *ret_value, struct bytes data, size_t word_index)
{
    if (word_index >= data.size / WORD_BYTES)
        return false;
    *ret_value = u256_from_bytes(data.data + word_index * WORD_BYTES);
    return true;
}

bool abi_read_u64(uint64_t *ret_value, struct bytes data, size_t word_index)
{
    struct u256 value;
    return abi_read_u256(&value, data, word_index) && u256_to_u64(ret_value, value);
}

bool abi_read_address(struct address *ret_address, struct bytes data, size_t word_index)
{
    uint8_t word[WORD_BYTES];
    struct u256 value;
    if (!abi_read_u256(&value, data, word_index))
        return false;
    if (u256_bit_length(value) > 8 * sizeof ret_address->bytes)
        return false;
    u256_to_bytes(word, value);
    memcpy(ret_address->bytes, word + WORD_BYTES - sizeof ret_address->bytes,
           sizeof ret_address->bytes);
    return true;
}

bool abi_read_bool(bool *ret_value, struct bytes data, size_t word_index)
{
    uint64_t value;
    if (!abi_read_u64(&value, data, word_index) || value > 1)
        return false;
    *ret_value = value == 1;
    return true;
}

// Some encoders leave the padding of the last tail away; what is there must be zero.
static bool is_zero_padded(struct bytes data, size_t end)
{
    for (; end < data.size && end % WORD_BYTES != 0; end++) {
        if (data.data[end] != 0)
            return false;
    }
    return true;
}

bool abi_read_dynamic(struct bytes *ret_value, struct bytes data, size_t word_index)
{
    uint64_t offset;
    uint64_t size;
    if (!abi_read_u64(&offset, data, word_index) || offset % WORD_BYTES != 0)
        return false;
    if (!abi_read_u64(&size, data, offset / WORD_BYTES))
        return false;
    size_t start = (size_t)offset + WORD_BYTES;
    if (size > data.size - start || !is_zero_padded(data, start + (size_t)size))
        return false;
    *ret_value = (struct bytes){data.data + start, (size_t)size};
    return true;
}
