// SPDX-License-Identifier: Apache-2.0
// Web3 Secret Storage v3 files: scrypt or PBKDF2, AES-128-CTR, Keccak MAC; written with scrypt.
#pragma once

#include "base/random.h"
#include "eth/key.h"

#define KEYSTORE_JSON_SIZE 1024

// The JSON text of a keystore. log2_n: scrypt cost, KEYSTORE_LOG2_N outside tests.
MUST_USE bool keystore_encrypt(char ret_json[KEYSTORE_JSON_SIZE], const struct eth_key *key,
                               const char *passphrase, unsigned log2_n,
                               const struct random_source *random);
#define KEYSTORE_LOG2_N         17
#define KEYSTORE_FILE_BYTES_MAX 16384

// STATUS_CORRUPT: not a keystore, or costs past the limits; STATUS_DENIED: wrong passphrase;
// STATUS_UNSUPPORTED: another version, cipher or KDF; STATUS_NO_MEMORY.
MUST_USE enum status keystore_decrypt(struct eth_key *ret_key, const char *json,
                                      const char *passphrase);
// Writes the file with mode 0600, fsynced, never over an existing one (STATUS_EXISTS).
MUST_USE enum status keystore_write(const char *path, const char *json);
