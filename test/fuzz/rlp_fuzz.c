// SPDX-License-Identifier: Apache-2.0
// RLP: what decodes, encodes to the very same bytes: there is one form of everything.
#include "fuzz.h"

#include "eth/rlp.h"

#include <stdlib.h>

#define DEPTH_MAX 32
#define ITEMS_MAX 64 // of one list; more is not looked at

struct item {
    enum rlp_kind kind;
    struct bytes payload;
};

// False where the bytes are no whole items, or more than are looked at.
static bool read_items(struct item items[ITEMS_MAX], size_t *ret_count, struct bytes data)
{
    struct rlp_reader reader = {data};
    size_t count = 0;
    while (!rlp_at_end(&reader)) {
        if (count == ITEMS_MAX || !rlp_read(&reader, &items[count].kind, &items[count].payload))
            return false;
        MUST(items[count].payload.data >= data.data &&
             items[count].payload.data + items[count].payload.size <= data.data + data.size);
        count++;
    }
    *ret_count = count;
    return true;
}

// Writes all items of data, last first. False where a list inside is malformed.
static bool rewrite(struct rlp_writer *writer, struct bytes data, int depth)
{
    struct item items[ITEMS_MAX];
    size_t count;
    if (depth > DEPTH_MAX || !read_items(items, &count, data))
        return false;
    while (count-- > 0) {
        if (items[count].kind == RLP_STRING) {
            rlp_write_bytes(writer, items[count].payload);
            continue;
        }
        size_t mark = rlp_list_mark(writer);
        if (!rewrite(writer, items[count].payload, depth + 1))
            return false;
        rlp_list_wrap(writer, mark);
    }
    return true;
}

static void check_integers(struct bytes data)
{
    struct rlp_reader reader = {data};
    uint64_t small;
    struct u256 wide;
    uint8_t buffer[64];
    struct bytes again;
    struct rlp_writer writer = rlp_writer(buffer, sizeof buffer);
    if (!rlp_read_u256(&reader, &wide))
        return;
    size_t used = data.size - reader.rest.size;
    rlp_write_u256(&writer, wide);
    MUST(rlp_finish(&again, &writer) && bytes_equal(again, (struct bytes){data.data, used}));
    struct rlp_reader second = {data};
    MUST(rlp_read_u64(&second, &small) == (u256_bit_length(wide) <= 64));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes raw = {data, size};
    struct bytes again;
    uint8_t *buffer = malloc(size + 1);
    if (!buffer)
        abort();
    struct rlp_writer writer = rlp_writer(buffer, size);
    if (rewrite(&writer, raw, 0))
        MUST(rlp_finish(&again, &writer) && bytes_equal(again, raw));
    free(buffer);
    check_integers(raw);
    return 0;
}
