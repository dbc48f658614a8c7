// SPDX-License-Identifier: Apache-2.0
// scrypt (RFC 7914) without its bound of n by r, which OpenSSL enforces and some keystores, the
// published example among them (n = 2^18, r = 1), do not keep. For those only.
#pragma once

#include "base/bytes.h"

// n is a power of two; the caller has bounded 128 * n * r and n * r * p. False: memory is out.
MUST_USE bool scrypt_unbounded(uint8_t *ret_derived, size_t size, struct bytes passphrase,
                               struct bytes salt, uint64_t n, uint64_t r, uint64_t p);
