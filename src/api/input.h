// SPDX-License-Identifier: Apache-2.0
// Strict reading of what clients send: JSON, addresses, amounts, ids. Each fault has its problem.
//
// These functions know nothing of HTTP or the store. On a fault the outputs are untouched.
#pragma once

#include "api/problem.h"
#include "base/bytes.h"
#include "base/money.h"
#include "eth/address.h"

#include <jansson.h>

#define JSON_DEPTH_MAX 32

// Addresses that are never a wallet: tokens, our contracts, our lanes. Zero entries stand for none.
struct refused {
    const struct address *addresses;
    size_t count;
};

// Parses one JSON object: UTF-8, no duplicate names, at most JSON_DEPTH_MAX levels. The caller
// releases *ret_object.
MUST_USE enum problem input_object(json_t **ret_object, struct bytes text);

// The first name in object that is not in names (NULL-terminated), or NULL.
const char *input_unknown_field(json_t *object, const char *const *names);

// A wallet: never zero, never one of the refused.
MUST_USE enum problem input_wallet(struct address *ret_address, const char *text,
                                   const struct refused *refused);

// A JSON integer is base units; text is decimal USDC. Never zero.
MUST_USE enum problem input_amount(struct usdc *ret_amount, const json_t *value);
// Decimal text only.
MUST_USE enum problem input_amount_text(struct usdc *ret_amount, const char *text);
// A JSON integer of cents, at 1 USDC per 100.
MUST_USE enum problem input_amount_cents(struct usdc *ret_amount, const json_t *value);
// Decimal text of SGE, zero allowed; a JSON integer is whole SGE.
MUST_USE enum problem input_sge(struct sge *ret_amount, const json_t *value);

// 1..size_max printable ASCII characters.
bool input_is_id(const char *text, size_t size_max);

// Digits only, within minimum..maximum.
MUST_USE bool input_integer(int64_t *ret_value, const char *text, int64_t minimum, int64_t maximum);
