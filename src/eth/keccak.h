// SPDX-License-Identifier: Apache-2.0
// Keccak-256 as Ethereum uses it (padding 0x01, not SHA-3's 0x06), over nettle's permutation.
#pragma once

#include "base/bytes.h"

struct hash32 keccak256(struct bytes data);
// Of the text without its NUL: event topics and selectors.
struct hash32 keccak256_text(const char *text);
