// SPDX-License-Identifier: Apache-2.0
// Keystore files: derive a key from the passphrase, check the MAC, decrypt; and the way back.
#include "secret/keystore.h"

#include "base/hex.h"
#include "base/json.h"
#include "eth/keccak.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DERIVED_SIZE    32
#define CIPHER_KEY_SIZE 16 // the derived key's first half; the MAC takes the second
#define IV_SIZE         16
#define SECRET_SIZE     32
#define SALT_BYTES_MAX  64
#define SALT_SIZE       32 // of what we write

// What a file may ask of us: four times the dearest setting in common use (n = 2^18, r = 8, p = 1).
#define SCRYPT_MEMORY_BYTES_MAX (UINT64_C(512) << 20)
#define SCRYPT_WORK_MAX         (UINT64_C(1) << 23) // n * r * p
#define PBKDF2_ROUNDS_MAX       10000000

#define SCRYPT_R 8
#define SCRYPT_P 1

enum kdf { KDF_SCRYPT, KDF_PBKDF2 };

struct keystore {
    enum kdf kdf;
    uint64_t n, r, p; // scrypt
    uint64_t rounds;  // PBKDF2
    uint8_t salt[SALT_BYTES_MAX];
    size_t salt_size;
    uint8_t iv[IV_SIZE];
    uint8_t ciphertext[SECRET_SIZE];
    uint8_t mac[32];
};

// --- reading the JSON ---

static bool read_integer(uint64_t *ret_value, const json_t *object, const char *name)
{
    const json_t *member = json_object_get(object, name);
    if (!json_is_integer(member) || json_integer_value(member) <= 0)
        return false;
    *ret_value = (uint64_t)json_integer_value(member);
    return true;
}

static bool read_hex(uint8_t *ret_out, size_t size, const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL && hex_decode(ret_out, size, text);
}

static bool text_is(const json_t *object, const char *name, const char *expected)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL && strcmp(text, expected) == 0;
}

static bool scrypt_costs_are_fine(const struct keystore *keystore)
{
    uint64_t n = keystore->n, r = keystore->r, p = keystore->p;
    if (n < 2 || (n & (n - 1)) != 0 || n > SCRYPT_WORK_MAX || r > SCRYPT_WORK_MAX / n ||
        p > SCRYPT_WORK_MAX / n / r)
        return false;
    return 128 * n * r <= SCRYPT_MEMORY_BYTES_MAX;
}

// RFC 7914 bounds n by r, and OpenSSL computes nothing beyond.
static bool scrypt_is_bounded(const struct keystore *keystore)
{
    return 16 * keystore->r >= 64 || keystore->n < UINT64_C(1) << (16 * keystore->r);
}

static enum status read_scrypt(struct keystore *keystore, const json_t *params)
{
    keystore->kdf = KDF_SCRYPT;
    bool fine = read_integer(&keystore->n, params, "n") &&
                read_integer(&keystore->r, params, "r") &&
                read_integer(&keystore->p, params, "p") && scrypt_costs_are_fine(keystore);
    if (!fine)
        return STATUS_CORRUPT;
    return scrypt_is_bounded(keystore) ? STATUS_OK : STATUS_UNSUPPORTED;
}

static enum status read_pbkdf2(struct keystore *keystore, const json_t *params)
{
    keystore->kdf = KDF_PBKDF2;
    if (!text_is(params, "prf", "hmac-sha256"))
        return STATUS_UNSUPPORTED;
    if (!read_integer(&keystore->rounds, params, "c") || keystore->rounds > PBKDF2_ROUNDS_MAX)
        return STATUS_CORRUPT;
    return STATUS_OK;
}

static enum status read_kdf(struct keystore *keystore, const json_t *crypto)
{
    const json_t *params = json_object_get(crypto, "kdfparams");
    const char *salt = json_string_value(json_object_get(params, "salt"));
    uint64_t size;
    if (salt == NULL ||
        !hex_decode_any(keystore->salt, &keystore->salt_size, SALT_BYTES_MAX, salt) ||
        !read_integer(&size, params, "dklen"))
        return STATUS_CORRUPT;
    if (size != DERIVED_SIZE)
        return STATUS_UNSUPPORTED;
    if (text_is(crypto, "kdf", "scrypt"))
        return read_scrypt(keystore, params);
    if (text_is(crypto, "kdf", "pbkdf2"))
        return read_pbkdf2(keystore, params);
    return STATUS_UNSUPPORTED;
}

static enum status read_root(struct keystore *keystore, const json_t *root)
{
    uint64_t version;
    const json_t *crypto = json_object_get(root, "crypto");
    if (crypto == NULL)
        crypto = json_object_get(root, "Crypto"); // as early writers spelt it
    if (!read_integer(&version, root, "version") || !json_is_object(crypto))
        return STATUS_CORRUPT;
    if (version != 3 || !text_is(crypto, "cipher", "aes-128-ctr"))
        return STATUS_UNSUPPORTED;
    if (!read_hex(keystore->iv, IV_SIZE, json_object_get(crypto, "cipherparams"), "iv") ||
        !read_hex(keystore->ciphertext, SECRET_SIZE, crypto, "ciphertext") ||
        !read_hex(keystore->mac, sizeof keystore->mac, crypto, "mac"))
        return STATUS_CORRUPT;
    return read_kdf(keystore, crypto);
}

static enum status read_json(struct keystore *keystore, const char *json)
{
    size_t size = strnlen(json, KEYSTORE_FILE_BYTES_MAX + 1);
    if (size > KEYSTORE_FILE_BYTES_MAX)
        return STATUS_CORRUPT;
    json_error_t error;
    json_t *root;
    enum status status = json_read(&root, &error, (struct bytes){(const uint8_t *)json, size});
    if (status != STATUS_OK)
        return status == STATUS_NO_MEMORY ? STATUS_NO_MEMORY : STATUS_CORRUPT;
    status = read_root(keystore, root);
    json_decref(root);
    return status;
}

// --- cryptography ---

static bool derive(uint8_t ret_derived[DERIVED_SIZE], const struct keystore *keystore,
                   const char *passphrase)
{
    size_t size = strlen(passphrase);
    if (keystore->kdf == KDF_PBKDF2)
        return PKCS5_PBKDF2_HMAC(passphrase, (int)size, keystore->salt, (int)keystore->salt_size,
                                 (int)keystore->rounds, EVP_sha256(), DERIVED_SIZE,
                                 ret_derived) == 1;
    // What OpenSSL counts against its own limit: the table, the blocks and two spare rows.
    uint64_t memory = 128 * keystore->r * (keystore->n + keystore->p + 2);
    return EVP_PBE_scrypt(passphrase, size, keystore->salt, keystore->salt_size, keystore->n,
                          keystore->r, keystore->p, memory, ret_derived, DERIVED_SIZE) == 1;
}

static struct hash32 mac_of(const uint8_t derived[DERIVED_SIZE],
                            const uint8_t ciphertext[SECRET_SIZE])
{
    uint8_t body[DERIVED_SIZE - CIPHER_KEY_SIZE + SECRET_SIZE];
    memcpy(body, derived + CIPHER_KEY_SIZE, DERIVED_SIZE - CIPHER_KEY_SIZE);
    memcpy(body + DERIVED_SIZE - CIPHER_KEY_SIZE, ciphertext, SECRET_SIZE);
    struct hash32 mac = keccak256((struct bytes){body, sizeof body});
    bytes_wipe(body, sizeof body);
    return mac;
}

// AES-128-CTR: the same both ways.
static bool apply_cipher(uint8_t ret_out[SECRET_SIZE], const uint8_t key[CIPHER_KEY_SIZE],
                         const uint8_t iv[IV_SIZE], const uint8_t in[SECRET_SIZE])
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int size = 0;
    bool fine =
        context != NULL && EVP_EncryptInit_ex(context, EVP_aes_128_ctr(), NULL, key, iv) == 1 &&
        EVP_EncryptUpdate(context, ret_out, &size, in, SECRET_SIZE) == 1 && size == SECRET_SIZE;
    EVP_CIPHER_CTX_free(context);
    return fine;
}

static enum status open_keystore(struct eth_key *ret_key, const struct keystore *keystore,
                                 const char *passphrase)
{
    uint8_t derived[DERIVED_SIZE], secret[SECRET_SIZE];
    enum status status = STATUS_NO_MEMORY;
    if (!derive(derived, keystore, passphrase))
        return STATUS_NO_MEMORY;
    struct hash32 mac = mac_of(derived, keystore->ciphertext);
    if (!bytes_equal_constant_time(mac.bytes, keystore->mac, sizeof mac.bytes))
        status = STATUS_DENIED;
    else if (apply_cipher(secret, derived, keystore->iv, keystore->ciphertext))
        status = eth_key_from_secret(ret_key, secret) ? STATUS_OK : STATUS_CORRUPT;
    bytes_wipe(derived, sizeof derived);
    bytes_wipe(secret, sizeof secret);
    return status;
}

enum status keystore_decrypt(struct eth_key *ret_key, const char *json, const char *passphrase)
{
    struct keystore keystore = {.kdf = KDF_SCRYPT};
    enum status status = read_json(&keystore, json);
    if (status == STATUS_OK)
        status = open_keystore(ret_key, &keystore, passphrase);
    return status;
}

// --- writing ---

// Digits without "0x", as keystores have them.
static void print_hex(char *out, const uint8_t *data, size_t size)
{
    char text[HEX_TEXT_SIZE(SALT_BYTES_MAX)];
    hex_encode(text, (struct bytes){data, size});
    memcpy(out, text + 2, 2 * size + 1);
}

// RFC 4122, version 4.
static void print_uuid(char out[37], const struct random_source *random)
{
    uint8_t uuid[16];
    char digits[33];
    random_fill(random, uuid, sizeof uuid);
    uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x40);
    uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
    print_hex(digits, uuid, sizeof uuid);
    snprintf(out, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", digits, digits + 8, digits + 12, digits + 16,
             digits + 20);
}

static void print_keystore(char ret_json[KEYSTORE_JSON_SIZE], const struct keystore *keystore,
                           const struct address *address, const struct random_source *random)
{
    char owner[41], iv[2 * IV_SIZE + 1], text[2 * SECRET_SIZE + 1], salt[2 * SALT_SIZE + 1],
        mac[65];
    char uuid[37];
    print_hex(owner, address->bytes, sizeof address->bytes);
    print_hex(iv, keystore->iv, IV_SIZE);
    print_hex(text, keystore->ciphertext, SECRET_SIZE);
    print_hex(salt, keystore->salt, SALT_SIZE);
    print_hex(mac, keystore->mac, sizeof keystore->mac);
    print_uuid(uuid, random);
    snprintf(ret_json, KEYSTORE_JSON_SIZE,
             "{\"version\":3,\"id\":\"%s\",\"address\":\"%s\",\"crypto\":{"
             "\"cipher\":\"aes-128-ctr\",\"cipherparams\":{\"iv\":\"%s\"},\"ciphertext\":\"%s\","
             "\"kdf\":\"scrypt\",\"kdfparams\":{\"dklen\":32,\"n\":%llu,\"r\":%d,\"p\":%d,"
             "\"salt\":\"%s\"},\"mac\":\"%s\"}}\n",
             uuid, owner, iv, text, (unsigned long long)keystore->n, SCRYPT_R, SCRYPT_P, salt, mac);
}

bool keystore_encrypt(char ret_json[KEYSTORE_JSON_SIZE], const struct eth_key *key,
                      const char *passphrase, unsigned log2_n, const struct random_source *random)
{
    struct keystore keystore = {.kdf = KDF_SCRYPT,
                                .n = log2_n < 32 ? UINT64_C(1) << log2_n : 0,
                                .r = SCRYPT_R,
                                .p = SCRYPT_P,
                                .salt_size = SALT_SIZE};
    if (!scrypt_costs_are_fine(&keystore))
        abort();
    random_fill(random, keystore.salt, SALT_SIZE);
    random_fill(random, keystore.iv, IV_SIZE);
    uint8_t derived[DERIVED_SIZE];
    bool fine = derive(derived, &keystore, passphrase) &&
                apply_cipher(keystore.ciphertext, derived, keystore.iv, key->secret);
    if (fine) {
        struct hash32 mac = mac_of(derived, keystore.ciphertext);
        memcpy(keystore.mac, mac.bytes, sizeof keystore.mac);
        struct address address = eth_key_address(key);
        print_keystore(ret_json, &keystore, &address, random);
    }
    bytes_wipe(derived, sizeof derived);
    return fine;
}

// --- the file ---

static bool write_all(int fd, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, text, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        text += written;
        size -= (size_t)written;
    }
    return true;
}

// Makes the new name itself durable.
static bool sync_directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *directory = slash == NULL   ? strdup(".")
                      : slash == path ? strdup("/")
                                      : strndup(path, (size_t)(slash - path));
    if (directory == NULL)
        return false;
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(directory);
    bool fine = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return fine;
}

static enum status write_beside(char *temporary, const char *path, const char *json)
{
    int fd = mkostemp(temporary, O_CLOEXEC); // mode 0600
    if (fd < 0)
        return STATUS_IO;
    bool fine = write_all(fd, json, strlen(json)) && fsync(fd) == 0;
    fine = close(fd) == 0 && fine;
    enum status status = STATUS_IO;
    // A link, unlike a rename, never replaces, and the file appears whole.
    if (fine && link(temporary, path) == 0)
        status = sync_directory_of(path) ? STATUS_OK : STATUS_IO;
    else if (fine && errno == EEXIST)
        status = STATUS_EXISTS;
    unlink(temporary);
    return status;
}

enum status keystore_write(const char *path, const char *json)
{
    static const char suffix[] = ".XXXXXX";
    size_t size = strlen(path) + sizeof suffix;
    char *temporary = malloc(size);
    if (temporary == NULL)
        return STATUS_NO_MEMORY;
    snprintf(temporary, size, "%s%s", path, suffix);
    enum status status = write_beside(temporary, path, json);
    free(temporary);
    return status;
}
