// SPDX-License-Identifier: Apache-2.0
// RLP, written from the back and read from the front.
#include "eth/rlp.h"

#include <string.h>

#define STRING_SHORT      0x80
#define STRING_LONG       0xb7 // plus the length of the length
#define LIST_SHORT        0xc0
#define LIST_LONG         0xf7
#define PAYLOAD_SHORT_MAX 55

struct rlp_writer rlp_writer(uint8_t *buffer, size_t capacity)
{
    return (struct rlp_writer){.buffer = buffer, .capacity = capacity, .start = capacity};
}

static void put(struct rlp_writer *writer, const uint8_t *data, size_t size)
{
    if (writer->overflow || size > writer->start) {
        writer->overflow = true;
        return;
    }
    writer->start -= size;
    if (size > 0)
        memcpy(writer->buffer + writer->start, data, size);
}

void rlp_write_raw_byte(struct rlp_writer *writer, uint8_t byte)
{
    put(writer, &byte, 1);
}

// Big-endian without leading zeros; returns how many bytes that were.
static size_t put_number(struct rlp_writer *writer, uint64_t number)
{
    size_t size = 0;
    for (; number > 0; number >>= 8, size++)
        rlp_write_raw_byte(writer, (uint8_t)number);
    return size;
}

static void put_header(struct rlp_writer *writer, uint8_t short_base, uint8_t long_base,
                       size_t size)
{
    if (size <= PAYLOAD_SHORT_MAX)
        rlp_write_raw_byte(writer, (uint8_t)(short_base + size));
    else
        rlp_write_raw_byte(writer, (uint8_t)(long_base + put_number(writer, size)));
}

void rlp_write_bytes(struct rlp_writer *writer, struct bytes data)
{
    put(writer, data.data, data.size);
    if (data.size != 1 || data.data[0] >= STRING_SHORT)
        put_header(writer, STRING_SHORT, STRING_LONG, data.size);
}

void rlp_write_u256(struct rlp_writer *writer, struct u256 value)
{
    uint8_t bytes[32];
    u256_to_bytes(bytes, value);
    size_t size = (u256_bit_length(value) + 7) / 8;
    rlp_write_bytes(writer, (struct bytes){bytes + sizeof bytes - size, size});
}

void rlp_write_u64(struct rlp_writer *writer, uint64_t value)
{
    rlp_write_u256(writer, u256_from_u64(value));
}

size_t rlp_list_mark(const struct rlp_writer *writer)
{
    return writer->start;
}

void rlp_list_wrap(struct rlp_writer *writer, size_t mark)
{
    put_header(writer, LIST_SHORT, LIST_LONG, mark - writer->start);
}

bool rlp_finish(struct bytes *ret_encoding, const struct rlp_writer *writer)
{
    if (writer->overflow)
        return false;
    ret_encoding->data = writer->buffer + writer->start;
    ret_encoding->size = writer->capacity - writer->start;
    return true;
}

// A long form's length: no leading zero, and too large for the short form.
static bool read_long_size(size_t *ret_size, struct bytes rest, size_t size_of_size)
{
    uint64_t size = 0;
    if (rest.size < 1 + size_of_size || rest.data[1] == 0)
        return false;
    for (size_t i = 0; i < size_of_size; i++)
        size = size << 8 | rest.data[1 + i];
    if (size <= PAYLOAD_SHORT_MAX || size > SIZE_MAX)
        return false;
    *ret_size = (size_t)size;
    return true;
}

static bool read_header(size_t *ret_header, size_t *ret_size, struct bytes rest)
{
    uint8_t first = rest.data[0];
    bool list = first >= LIST_SHORT;
    uint8_t short_base = list ? LIST_SHORT : STRING_SHORT;
    uint8_t long_base = list ? LIST_LONG : STRING_LONG;
    if (first < STRING_SHORT) {
        *ret_header = 0;
        *ret_size = 1;
        return true;
    }
    if (first <= long_base) {
        *ret_header = 1;
        *ret_size = (size_t)(first - short_base);
        return true;
    }
    size_t size_of_size = (size_t)(first - long_base);
    if (!read_long_size(ret_size, rest, size_of_size))
        return false;
    *ret_header = 1 + size_of_size;
    return true;
}

bool rlp_read(struct rlp_reader *reader, enum rlp_kind *ret_kind, struct bytes *ret_payload)
{
    struct bytes rest = reader->rest;
    size_t header;
    size_t size;
    if (rest.size == 0 || !read_header(&header, &size, rest) || size > rest.size - header)
        return false;
    const uint8_t *payload = rest.data + header;
    if (rest.data[0] == STRING_SHORT + 1 && payload[0] < STRING_SHORT)
        return false; // a small byte stands for itself
    *ret_kind = rest.data[0] >= LIST_SHORT ? RLP_LIST : RLP_STRING;
    *ret_payload = (struct bytes){payload, size};
    reader->rest = (struct bytes){payload + size, rest.size - header - size};
    return true;
}

static bool read_kind(struct rlp_reader *reader, struct bytes *ret_payload, enum rlp_kind wanted)
{
    struct rlp_reader ahead = *reader;
    enum rlp_kind kind;
    struct bytes payload;
    if (!rlp_read(&ahead, &kind, &payload) || kind != wanted)
        return false;
    *ret_payload = payload;
    *reader = ahead;
    return true;
}

bool rlp_read_string(struct rlp_reader *reader, struct bytes *ret_payload)
{
    return read_kind(reader, ret_payload, RLP_STRING);
}

bool rlp_read_list(struct rlp_reader *reader, struct rlp_reader *ret_items)
{
    return read_kind(reader, &ret_items->rest, RLP_LIST);
}

bool rlp_read_u256(struct rlp_reader *reader, struct u256 *ret_value)
{
    struct rlp_reader ahead = *reader;
    struct bytes payload;
    uint8_t bytes[32] = {0};
    if (!rlp_read_string(&ahead, &payload) || payload.size > sizeof bytes)
        return false;
    if (payload.size > 0 && payload.data[0] == 0)
        return false;
    if (payload.size > 0)
        memcpy(bytes + sizeof bytes - payload.size, payload.data, payload.size);
    *ret_value = u256_from_bytes(bytes);
    *reader = ahead;
    return true;
}

bool rlp_read_u64(struct rlp_reader *reader, uint64_t *ret_value)
{
    struct rlp_reader ahead = *reader;
    struct u256 value;
    if (!rlp_read_u256(&ahead, &value) || !u256_to_u64(ret_value, value))
        return false;
    *reader = ahead;
    return true;
}

bool rlp_at_end(const struct rlp_reader *reader)
{
    return reader->rest.size == 0;
}
