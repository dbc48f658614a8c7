// SPDX-License-Identifier: Apache-2.0
// Comparison and wiping of byte strings.
#include "base/bytes.h"

#include <string.h>

struct bytes bytes_of_text(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

bool bytes_equal_constant_time(const void *a, const void *b, size_t size)
{
    // volatile: the compiler may not see that a single difference already decides the answer.
    const volatile uint8_t *left = a;
    const volatile uint8_t *right = b;
    volatile uint8_t difference = 0;
    for (size_t i = 0; i < size; i++)
        difference = (uint8_t)(difference | (left[i] ^ right[i]));
    return difference == 0;
}

bool hash32_equal(const struct hash32 *a, const struct hash32 *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool hash32_is_zero(const struct hash32 *hash)
{
    static const struct hash32 zero;
    return hash32_equal(hash, &zero);
}

void bytes_wipe(void *memory, size_t size)
{
    if (size > 0)
        explicit_bzero(memory, size);
}
