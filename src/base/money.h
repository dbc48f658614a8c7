// SPDX-License-Identifier: Apache-2.0
// Money as types: USDC, SGE and wei cannot be mixed, and every operation is checked.
//
// No other file touches the member `units` (make lint proves it). No floating point anywhere.
// Text forms are exact: an optional fraction of at most the token's decimals, ASCII digits only;
// no sign, exponent, hex, space or separator.
#pragma once

#include "base/status.h"

#include <stdint.h>

__extension__ typedef unsigned __int128 uint128_t;

#define USDC_DECIMALS 6
#define SGE_DECIMALS  18
#define BPS_PER_WHOLE 10000 // basis points in one whole

struct usdc {
    uint64_t units; // 10^-6 USDC, at most INT64_MAX so that it fits a signed SQL integer
};
struct sge {
    uint128_t units; // 10^-18 SGE, at most 2^127 - 1
};
struct wei {
    uint128_t units; // 10^-18 of the chain's coin, at most 2^127 - 1
};

// Text sizes, NUL included.
#define USDC_TEXT_SIZE 24
#define SGE_TEXT_SIZE  48
#define WEI_TEXT_SIZE  48

// Decimal text ("12.50") to units. False on any other form, too many decimals, or overflow.
MUST_USE bool usdc_parse(struct usdc *ret_amount, const char *text);
MUST_USE bool sge_parse(struct sge *ret_amount, const char *text);

// Integer text in base units ("12500000"). False on any other form or overflow.
MUST_USE bool usdc_parse_units(struct usdc *ret_amount, const char *text);
MUST_USE bool sge_parse_units(struct sge *ret_amount, const char *text);
MUST_USE bool wei_parse_units(struct wei *ret_amount, const char *text);

// Base units from and to machine integers. False when out of range.
MUST_USE bool usdc_from_units(struct usdc *ret_amount, int64_t units);
MUST_USE bool sge_from_units(struct sge *ret_amount, uint128_t units);
MUST_USE bool wei_from_units(struct wei *ret_amount, uint128_t units);
int64_t usdc_units(struct usdc amount);
uint128_t sge_units(struct sge amount);
uint128_t wei_units(struct wei amount);

// "12.5" with no needless zeros; and the integer form.
void usdc_format(char out[USDC_TEXT_SIZE], struct usdc amount);
void usdc_format_units(char out[USDC_TEXT_SIZE], struct usdc amount);
void sge_format(char out[SGE_TEXT_SIZE], struct sge amount);
void sge_format_units(char out[SGE_TEXT_SIZE], struct sge amount);
void wei_format_units(char out[WEI_TEXT_SIZE], struct wei amount);
void wei_format_gwei(char out[WEI_TEXT_SIZE], struct wei amount);

// "1.5" gwei to wei; at most 9 decimals.
MUST_USE bool wei_parse_gwei(struct wei *ret_amount, const char *text);

// Checked arithmetic: false (and no output) on overflow or a negative result.
MUST_USE bool usdc_add(struct usdc *ret_sum, struct usdc a, struct usdc b);
MUST_USE bool usdc_subtract(struct usdc *ret_difference, struct usdc a, struct usdc b);
MUST_USE bool sge_add(struct sge *ret_sum, struct sge a, struct sge b);
MUST_USE bool sge_subtract(struct sge *ret_difference, struct sge a, struct sge b);
MUST_USE bool wei_add(struct wei *ret_sum, struct wei a, struct wei b);
// a * numerator / denominator, rounded up (fee bumps round up) ; denominator is not 0.
MUST_USE bool wei_scale_up(struct wei *ret_amount, struct wei a, uint32_t numerator,
                           uint32_t denominator);

// The commission: amount * bps / 10000, rounded down. bps is at most BPS_PER_WHOLE.
MUST_USE bool usdc_share(struct usdc *ret_share, struct usdc amount, uint32_t bps);
// SGE owed for an amount at `rate` SGE per whole USDC: amount * rate / 10^6, rounded down.
MUST_USE bool sge_for_usdc(struct sge *ret_amount, struct usdc amount, struct sge rate);

// -1, 0, 1.
int usdc_compare(struct usdc a, struct usdc b);
int sge_compare(struct sge a, struct sge b);
int wei_compare(struct wei a, struct wei b);
bool usdc_is_zero(struct usdc amount);
bool sge_is_zero(struct sge amount);
bool wei_is_zero(struct wei amount);
