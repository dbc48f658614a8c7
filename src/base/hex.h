// SPDX-License-Identifier: Apache-2.0
// Hexadecimal text, strict: an optional single "0x", an even number of digits, nothing else.
#pragma once

#include "base/bytes.h"

// Text size of n bytes with "0x" and NUL.
#define HEX_TEXT_SIZE(n) ((n)*2 + 3)

// Writes "0x" + lower-case digits + NUL; out has HEX_TEXT_SIZE(data.size) bytes.
void hex_encode(char *out, struct bytes data);

// Decodes exactly size bytes from text (with or without "0x").
// Returns false on any other length or a non-digit; out is then untouched.
MUST_USE bool hex_decode(uint8_t *ret_out, size_t size, const char *text);

// Decodes as many bytes as text holds, at most capacity; *ret_size tells how many.
MUST_USE bool hex_decode_any(uint8_t *ret_out, size_t *ret_size, size_t capacity, const char *text);
