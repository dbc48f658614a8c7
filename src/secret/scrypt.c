// SPDX-License-Identifier: Apache-2.0
// scrypt's memory-hard mixing, between two rounds of OpenSSL's PBKDF2.
#include "secret/scrypt.h"

#include <endian.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_WORDS 16 // of Salsa20: 64 bytes

// The tables of one computation, in words. A row is 2 r blocks.
struct mixer {
    uint64_t n;
    size_t row_words;
    uint32_t *rows;    // n of them
    uint32_t *current; // one
    uint32_t *scratch; // one
};

static uint32_t rotate(uint32_t word, unsigned bits)
{
    return word << bits | word >> (32 - bits);
}

static void quarter_round(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
    *b ^= rotate(*a + *d, 7);
    *c ^= rotate(*b + *a, 9);
    *d ^= rotate(*c + *b, 13);
    *a ^= rotate(*d + *c, 18);
}

// Salsa20/8, RFC 7914 section 3.
static void salsa20_8(uint32_t block[BLOCK_WORDS])
{
    uint32_t x[BLOCK_WORDS];
    memcpy(x, block, sizeof x);
    for (size_t round = 0; round < 8; round += 2) {
        quarter_round(&x[0], &x[4], &x[8], &x[12]);
        quarter_round(&x[5], &x[9], &x[13], &x[1]);
        quarter_round(&x[10], &x[14], &x[2], &x[6]);
        quarter_round(&x[15], &x[3], &x[7], &x[11]);
        quarter_round(&x[0], &x[1], &x[2], &x[3]);
        quarter_round(&x[5], &x[6], &x[7], &x[4]);
        quarter_round(&x[10], &x[11], &x[8], &x[9]);
        quarter_round(&x[15], &x[12], &x[13], &x[14]);
    }
    for (size_t i = 0; i < BLOCK_WORDS; i++)
        block[i] += x[i];
}

static void xor_words(uint32_t *target, const uint32_t *source, size_t count)
{
    for (size_t i = 0; i < count; i++)
        target[i] ^= source[i];
}

// Section 4: blocks of even index go to the first half, odd ones to the second.
static void mix_blocks(struct mixer *mixer)
{
    size_t blocks = mixer->row_words / BLOCK_WORDS;
    uint32_t x[BLOCK_WORDS];
    memcpy(x, mixer->current + mixer->row_words - BLOCK_WORDS, sizeof x);
    for (size_t i = 0; i < blocks; i++) {
        xor_words(x, mixer->current + i * BLOCK_WORDS, BLOCK_WORDS);
        salsa20_8(x);
        size_t place = i / 2 + (i % 2 == 0 ? 0 : blocks / 2);
        memcpy(mixer->scratch + place * BLOCK_WORDS, x, sizeof x);
    }
    memcpy(mixer->current, mixer->scratch, mixer->row_words * sizeof *mixer->current);
}

// Section 5, on one row of little-endian bytes.
static void mix_row(struct mixer *mixer, uint8_t *row)
{
    size_t size = mixer->row_words * sizeof *mixer->current;
    memcpy(mixer->current, row, size);
    for (size_t i = 0; i < mixer->row_words; i++)
        mixer->current[i] = le32toh(mixer->current[i]);
    for (uint64_t i = 0; i < mixer->n; i++) {
        memcpy(mixer->rows + i * mixer->row_words, mixer->current, size);
        mix_blocks(mixer);
    }
    for (uint64_t i = 0; i < mixer->n; i++) {
        uint64_t low = mixer->current[mixer->row_words - BLOCK_WORDS];
        uint64_t high = mixer->current[mixer->row_words - BLOCK_WORDS + 1];
        uint64_t chosen = (high << 32 | low) & (mixer->n - 1);
        xor_words(mixer->current, mixer->rows + chosen * mixer->row_words, mixer->row_words);
        mix_blocks(mixer);
    }
    for (size_t i = 0; i < mixer->row_words; i++)
        mixer->current[i] = htole32(mixer->current[i]);
    memcpy(row, mixer->current, size);
}

static bool pbkdf2(uint8_t *out, size_t size, struct bytes passphrase, struct bytes salt)
{
    return PKCS5_PBKDF2_HMAC((const char *)passphrase.data, (int)passphrase.size, salt.data,
                             (int)salt.size, 1, EVP_sha256(), (int)size, out) == 1;
}

bool scrypt_unbounded(uint8_t *ret_derived, size_t size, struct bytes passphrase, struct bytes salt,
                      uint64_t n, uint64_t r, uint64_t p)
{
    size_t row_size = 128 * r, rows_size = p * row_size, table_size = (n + 2) * row_size;
    uint8_t *rows = malloc(rows_size);
    uint32_t *table = malloc(table_size);
    bool fine = rows != NULL && table != NULL && pbkdf2(rows, rows_size, passphrase, salt);
    if (fine) {
        size_t words = row_size / sizeof *table;
        struct mixer mixer = {n, words, table, table + n * words, table + (n + 1) * words};
        for (uint64_t i = 0; i < p; i++)
            mix_row(&mixer, rows + i * row_size);
        fine = pbkdf2(ret_derived, size, passphrase, (struct bytes){rows, rows_size});
        bytes_wipe(table, table_size);
    }
    if (rows != NULL)
        bytes_wipe(rows, rows_size);
    free(rows);
    free(table);
    return fine;
}
