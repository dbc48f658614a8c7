// SPDX-License-Identifier: Apache-2.0
// Secret references: where a secret is, rather than what it is.
//
//   keystore:PATH   Web3 Secret Storage v3 (scrypt, AES-128-CTR), passphrase from elsewhere
//   file:PATH       the file's content, one line; refused when others may read it
//   env:NAME        an environment variable, removed from the environment once read
//   0x...           a raw key, for development
#pragma once

#include "base/settings.h"
#include "eth/key.h"

// Resolves a reference to a private key. ret_error gets one line that names the reference's kind
// and what is wrong, never the secret. STATUS_INVALID, STATUS_NOT_FOUND, STATUS_DENIED (wrong
// passphrase, or a file open to others), STATUS_IO.
MUST_USE enum status secret_private_key(struct eth_key *ret_key, char *ret_error, size_t error_size,
                                        const char *reference, const char *passphrase);
// True for a raw key in the reference itself.
bool secret_is_raw(const char *reference);
