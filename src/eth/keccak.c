// SPDX-License-Identifier: Apache-2.0
// The Keccak-256 sponge over nettle's permutation.
#include "eth/keccak.h"

#include <endian.h>
#include <nettle/sha3.h>
#include <string.h>

#define RATE_BYTES 136 // 200 - 2 * 32

static void absorb(struct sha3_state *sponge, const uint8_t block[RATE_BYTES])
{
    for (size_t i = 0; i < RATE_BYTES / 8; i++) {
        uint64_t word;
        memcpy(&word, block + 8 * i, 8);
        sponge->a[i] ^= le64toh(word);
    }
    sha3_permute(sponge);
}

struct hash32 keccak256(struct bytes data)
{
    struct sha3_state sponge = {{0}};
    while (data.size >= RATE_BYTES) {
        absorb(&sponge, data.data);
        data.data += RATE_BYTES;
        data.size -= RATE_BYTES;
    }
    uint8_t last[RATE_BYTES] = {0};
    if (data.size > 0)
        memcpy(last, data.data, data.size);
    last[data.size] = 0x01;
    last[RATE_BYTES - 1] |= 0x80;
    absorb(&sponge, last);
    struct hash32 hash;
    for (size_t i = 0; i < sizeof hash.bytes / 8; i++) {
        uint64_t word = htole64(sponge.a[i]);
        memcpy(hash.bytes + 8 * i, &word, 8);
    }
    return hash;
}

struct hash32 keccak256_text(const char *text)
{
    return keccak256(bytes_of_text(text));
}
