// SPDX-License-Identifier: Apache-2.0
// Keystores: any JSON is read or refused, and what opens is the key that was put in.
//
// The two key derivations are stood in for by a cheap one (the linker's --wrap): the limits on
// their costs are checked before they are called.
#include "fuzz.h"

#include "secret/keystore.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY_BYTES_MAX (UINT64_C(512) << 20)
#define WORK_MAX         (UINT64_C(1) << 23)
#define ROUNDS_MAX       10000000
#define PASSPHRASE       "testpassword"

int __wrap_EVP_PBE_scrypt(const char *pass, size_t passlen, const unsigned char *salt,
                          size_t saltlen, uint64_t N, uint64_t r, uint64_t p, uint64_t maxmem,
                          unsigned char *key, size_t keylen);
int __wrap_PKCS5_PBKDF2_HMAC(const char *pass, int passlen, const unsigned char *salt, int saltlen,
                             int iter, const EVP_MD *digest, int keylen, unsigned char *out);

// Both derivations give the same, so that a keystore written here opens under either.
static int derive(unsigned char *out, size_t size, const unsigned char *salt, size_t salt_size)
{
    for (size_t i = 0; i < size; i++)
        out[i] = (unsigned char)(i * 7 + (salt_size > 0 ? salt[i % salt_size] : 0));
    return 1;
}

int __wrap_EVP_PBE_scrypt(const char *pass, size_t passlen, const unsigned char *salt,
                          size_t saltlen, uint64_t N, uint64_t r, uint64_t p, uint64_t maxmem,
                          unsigned char *key, size_t keylen)
{
    (void)maxmem;
    MUST(strlen(pass) == passlen);
    MUST(N > 1 && (N & (N - 1)) == 0 && r > 0 && p > 0);
    MUST(r <= WORK_MAX / N && p <= WORK_MAX / N / r && 128 * N * r <= MEMORY_BYTES_MAX);
    return derive(key, keylen, salt, saltlen);
}

int __wrap_PKCS5_PBKDF2_HMAC(const char *pass, int passlen, const unsigned char *salt, int saltlen,
                             int iter, const EVP_MD *digest, int keylen, unsigned char *out)
{
    MUST(strlen(pass) == (size_t)passlen && digest && iter > 0 && iter <= ROUNDS_MAX);
    return derive(out, (size_t)keylen, salt, (size_t)saltlen);
}

static void fill(void *context, uint8_t *out, size_t size)
{
    fuzz_fill(context, out, size);
}

static void check_written(struct fuzz_input input)
{
    char json[KEYSTORE_JSON_SIZE];
    uint8_t secret[32];
    struct eth_key key, again;
    fuzz_fill(&input, secret, sizeof secret);
    const struct random_source random = {fill, &input};
    if (!eth_key_from_secret(&key, secret))
        return;
    MUST(keystore_encrypt(json, &key, PASSPHRASE, 12, &random));
    MUST(keystore_decrypt(&again, json, PASSPHRASE) == STATUS_OK);
    MUST(memcmp(key.secret, again.secret, sizeof key.secret) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = fuzz_input(data, size);
    struct eth_key key;
    if (size > 0 && data[0] == 'w') {
        (void)fuzz_byte(&input);
        check_written(input);
        return 0;
    }
    char *json = fuzz_text(&input);
    enum status status = keystore_decrypt(&key, json, PASSPHRASE);
    MUST(status == STATUS_OK || status == STATUS_CORRUPT || status == STATUS_DENIED ||
         status == STATUS_UNSUPPORTED);
    if (status == STATUS_OK) { // a real one: below the group's order
        struct eth_key again;
        MUST(eth_key_from_secret(&again, key.secret));
    }
    free(json);
    return 0;
}
