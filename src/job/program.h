// SPDX-License-Identifier: Apache-2.0
// Programs: a commission rule and its limits; what a payment earns under it.
#pragma once

#include "base/money.h"

#include <stdint.h>

#define PROGRAM_KIND_TABLE(X)                                                                      \
    X(1, PROGRAM_USDC, "usdc", "commission in USDC")                                               \
    X(2, PROGRAM_HYBRID, "hybrid", "commission in USDC plus SGE in proportion to it")

enum program_kind {
#define PROGRAM_KIND_ENUM(number, name, text, help) name = number,
    PROGRAM_KIND_TABLE(PROGRAM_KIND_ENUM)
#undef PROGRAM_KIND_ENUM
};

#define PROGRAM_TRIGGER_TABLE(X)                                                                   \
    X(1, PROGRAM_EVERY_PAYMENT, "every_payment", "each payment of a child earns")                  \
    X(2, PROGRAM_FIRST_PAYMENT, "first_payment", "a child earns its referrer once")

enum program_trigger {
#define PROGRAM_TRIGGER_ENUM(number, name, text, help) name = number,
    PROGRAM_TRIGGER_TABLE(PROGRAM_TRIGGER_ENUM)
#undef PROGRAM_TRIGGER_ENUM
};

#define PROGRAM_NAME_SIZE 65 // 1..64 of a-z 0-9 -, NUL included

struct program {
    int64_t id;
    char name[PROGRAM_NAME_SIZE];
    enum program_kind kind;
    enum program_trigger trigger;
    uint32_t commission_bps; // 1..10000 of the payment
    struct sge sge_rate;     // SGE per whole USDC of commission; hybrid only, else zero
    struct usdc payout_max;  // a commission above it is cut to it; zero: no limit
    int32_t hold_seconds;    // 0: instant
    bool active;
    int64_t created_ms;
};

const char *program_kind_text(enum program_kind kind);
MUST_USE bool program_kind_parse(enum program_kind *ret_kind, const char *text);
MUST_USE bool program_kind_from_number(enum program_kind *ret_kind, int64_t number);
const char *program_trigger_text(enum program_trigger trigger);
MUST_USE bool program_trigger_parse(enum program_trigger *ret_trigger, const char *text);
MUST_USE bool program_trigger_from_number(enum program_trigger *ret_trigger, int64_t number);
MUST_USE bool program_name_is_valid(const char *name);

// What a payment of `amount` earns. False on overflow. Both may be zero for a tiny amount.
MUST_USE bool program_commission(struct usdc *ret_usdc, struct sge *ret_sge,
                                 const struct program *program, struct usdc amount);
