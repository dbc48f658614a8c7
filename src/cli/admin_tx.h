// SPDX-License-Identifier: Apache-2.0
// Transactions of an administrator at the console: deployments, pausing, withdrawal.
//
// They are not payouts: no lane, no store. Each names its hash before it waits, so that an
// interrupted command leaves a trace to look up.
#pragma once

#include "cli/console.h"
#include "eth/transaction.h"

struct admin {
    struct settings *settings;
    struct contract_addresses addresses;
    struct endpoint_list endpoints;
    struct chain *chain;
    struct eth_key key;
    struct address address;
    uint64_t chain_id;
    int64_t nonce; // of the next transaction
    struct wei max_fee, max_priority_fee;
    struct arena *arena;
};

// Settings, chain id, the key named by --key (or `fallback`, a setting's name, NULL: none), nonce
// and fees. False after one line; *ret_code says how to end. with_key false: reads only.
MUST_USE bool admin_open(struct admin *ret_admin, enum exit_code *ret_code,
                         const struct arguments *arguments, bool with_key);
void admin_close(struct admin *admin);

struct admin_transaction {
    const char *what; // for messages: "AffiliatePayout"
    bool creates;
    struct address to;
    struct bytes data;
    int64_t gas_limit;            // 0: estimated, plus a quarter
    struct hash32 hash;           // after sending
    struct address contract;      // the address it creates
    struct chain_receipt receipt; // after waiting
};

// Signs and sends all, in order, then waits for every receipt (ADMIN_WAIT_MS_MAX in all) and checks
// that each succeeded. One line on standard error for what failed.
MUST_USE enum exit_code admin_send(struct admin *admin, struct admin_transaction *transactions,
                                   size_t count);
#define ADMIN_TRANSACTIONS_MAX 32
#define ADMIN_WAIT_MS_MAX      180000

// One view call; false after one line.
MUST_USE bool admin_view(struct admin *admin, struct bytes *ret_returned, const struct address *to,
                         struct bytes data, const char *what);
