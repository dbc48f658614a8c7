// SPDX-License-Identifier: Apache-2.0
// The rules that turn a node's error into a class: texts first, safest class first, then codes.
#include "chain/rpc_error.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES_MAX 1024 // of a message that are looked at
#define SELECTOR_BYTES 4
#define WORD_BYTES     32
#define LENGTH(array)  (sizeof(array) / sizeof(array)[0])

static const struct {
    const char *text;
    const char *help;
} classes[] = {
#define RPC_CLASS_ROW(name, text, help) [name] = {text, help},
    RPC_CLASS_TABLE(RPC_CLASS_ROW)
#undef RPC_CLASS_ROW
};

struct text_rule {
    enum rpc_class rpc_class;
    const char *text;   // lower case
    const char *unless; // a longer text that says something else, or NULL
};

// In the order of the classes; the clients named are where a text comes from.
static const struct text_rule text_rules[] = {
    {RPC_WRONG_CHAIN, "invalid chain id", NULL},         // geth, anvil: ".. for signer"
    {RPC_WRONG_CHAIN, "wrong chainid", NULL},            // besu
    {RPC_WRONG_CHAIN, "chainid not supported", NULL},    // besu
    {RPC_WRONG_CHAIN, "signed for another chain", NULL}, // hardhat, anvil

    {RPC_ALREADY_KNOWN, "already known", NULL}, // geth, reth, erigon, nethermind
    {RPC_ALREADY_KNOWN, "alreadyknown", NULL},  // nethermind, gnosis
    // geth, hardhat, besu; "unknown transaction type" is the contrary
    {RPC_ALREADY_KNOWN, "known transaction", "unknown transaction"},
    {RPC_ALREADY_KNOWN, "ownnoncealreadyused", NULL},         // nethermind
    {RPC_ALREADY_KNOWN, "existing txn with same hash", NULL}, // erigon
    {RPC_ALREADY_KNOWN, "already imported", NULL},            // anvil, parity
    {RPC_ALREADY_KNOWN, "tx already exists in cache", NULL},  // sei
    {RPC_ALREADY_KNOWN, "pool(alreadyimported)", NULL},       // substrate

    {RPC_NONCE_TOO_LOW, "nonce too low", NULL},    // geth, reth, besu, anvil, hardhat, zksync
    {RPC_NONCE_TOO_LOW, "nonce is too low", NULL}, // parity
    {RPC_NONCE_TOO_LOW, "oldnonce", NULL},         // nethermind
    {RPC_NONCE_TOO_LOW, "invalid transaction nonce", NULL},     // arbitrum
    {RPC_NONCE_TOO_LOW, "pool(stale)", NULL},                   // substrate
    {RPC_NONCE_TOO_LOW, "transaction already finalized", NULL}, // harmony

    {RPC_REPLACEMENT_UNDERPRICED, "replacement transaction underpriced", NULL}, // nearly all
    {RPC_REPLACEMENT_UNDERPRICED, "future transaction tries to replace pending", NULL}, // geth
    {RPC_REPLACEMENT_UNDERPRICED, "replacementnotallowed", NULL},               // nethermind
    {RPC_REPLACEMENT_UNDERPRICED, "could not replace existing tx", NULL},       // erigon
    {RPC_REPLACEMENT_UNDERPRICED, "to replace existing transaction", NULL},     // anvil
    {RPC_REPLACEMENT_UNDERPRICED, "another tx which has the same nonce", NULL}, // klaytn
    {RPC_REPLACEMENT_UNDERPRICED, "another transaction with same nonce", NULL}, // parity

    {RPC_NONCE_GAP, "nonce too high", NULL},            // geth, besu, hardhat
    {RPC_NONCE_GAP, "gapped-nonce", NULL},              // geth, delegated accounts
    {RPC_NONCE_GAP, "nonce too far in future", NULL},   // nethermind
    {RPC_NONCE_GAP, "noncegap", NULL},                  // nethermind
    {RPC_NONCE_GAP, "nonce is too distant", NULL},      // besu
    {RPC_NONCE_GAP, "with a lower nonce exists", NULL}, // besu

    {RPC_INSUFFICIENT_FUNDS, "insufficient funds", NULL},              // geth, reth, erigon, anvil
    {RPC_INSUFFICIENT_FUNDS, "insufficientfunds", NULL},               // nethermind
    {RPC_INSUFFICIENT_FUNDS, "upfront cost exceeds", NULL},            // besu
    {RPC_INSUFFICIENT_FUNDS, "doesn't have enough funds", NULL},       // hardhat
    {RPC_INSUFFICIENT_FUNDS, "not enough funds for gas", NULL},        // arbitrum
    {RPC_INSUFFICIENT_FUNDS, "signer had insufficient balance", NULL}, // monad
    {RPC_INSUFFICIENT_FUNDS, "insufficient_payer_balance", NULL},      // hedera

    {RPC_UNDERPRICED, "underpriced", NULL},                   // geth, erigon
    {RPC_UNDERPRICED, "gas price below", NULL},               // geth, besu
    {RPC_UNDERPRICED, "less than block base fee", NULL},      // geth, reth, astar
    {RPC_UNDERPRICED, "fee cap less than base fee", NULL},    // geth
    {RPC_UNDERPRICED, "feetoolow", NULL},                     // nethermind
    {RPC_UNDERPRICED, "fee too low", NULL},                   // erigon
    {RPC_UNDERPRICED, "gas price too low", NULL},             // arbitrum, metis
    {RPC_UNDERPRICED, "is too low for the next block", NULL}, // hardhat
    {RPC_UNDERPRICED, "less than gas price minimum", NULL},   // celo

    {RPC_POOL_FULL, "txpool is full", NULL},                    // geth, reth
    {RPC_POOL_FULL, "account limit exceeded", NULL},            // geth
    {RPC_POOL_FULL, "in-flight transaction limit", NULL},       // geth
    {RPC_POOL_FULL, "address already reserved", NULL},          // geth
    {RPC_POOL_FULL, "pending transaction type conflict", NULL}, // nethermind
    {RPC_POOL_FULL, "sub-pool is full", NULL},                  // erigon
    {RPC_POOL_FULL, "spammer", NULL},                           // erigon
    {RPC_POOL_FULL, "queue full", NULL},                        // arbitrum
    {RPC_POOL_FULL, "tx pool full", NULL},                      // arbitrum

    {RPC_REVERT, "execution reverted", NULL},            // geth, besu, anvil
    {RPC_REVERT, "vm execution error", NULL},            // parity
    {RPC_REVERT, "vm exception while processing", NULL}, // hardhat

    {RPC_FATAL, "intrinsic gas", NULL},                        // geth, besu, reth, anvil
    {RPC_FATAL, "intrinsicgas", NULL},                         // erigon
    {RPC_FATAL, "floor data gas", NULL},                       // geth
    {RPC_FATAL, "gas limit too high", NULL},                   // geth
    {RPC_FATAL, "gas limit is too high", NULL},                // erigon
    {RPC_FATAL, "exceeds block gas limit", NULL},              // geth, besu
    {RPC_FATAL, "gaslimitexceeded", NULL},                     // nethermind
    {RPC_FATAL, "gas limit reached", NULL},                    // nethermind, geth
    {RPC_FATAL, "gas limit cap exceeded", NULL},               // besu
    {RPC_FATAL, "rlptoolong", NULL},                           // erigon
    {RPC_FATAL, "oversized data", NULL},                       // geth
    {RPC_FATAL, "transaction too large", NULL},                // nethermind
    {RPC_FATAL, "max priority fee per gas higher than", NULL}, // geth
    {RPC_FATAL, "exceeds the configured cap", NULL},           // geth: "tx fee (..) .."
    {RPC_FATAL, "transaction fee cap exceeded", NULL},         // besu
    {RPC_FATAL, "failed to decode signed transaction", NULL},  // reth
    {RPC_FATAL, "invalid signature", NULL},                    // besu
    {RPC_FATAL, "sender not an eoa", NULL},                    // geth
    {RPC_FATAL, "sender is not an eoa", NULL},                 // geth
    {RPC_FATAL, "only replay-protected", NULL},                // geth
    {RPC_FATAL, "not authorized to send transactions", NULL},  // besu

    {RPC_RATE_LIMITED, "request rate", NULL},             // infura
    {RPC_RATE_LIMITED, "request count exceeded", NULL},   // infura
    {RPC_RATE_LIMITED, "too many requests", NULL},        // infura and proxies
    {RPC_RATE_LIMITED, "compute units per second", NULL}, // alchemy
    {RPC_RATE_LIMITED, "capacity limit exceeded", NULL},  // alchemy
    {RPC_RATE_LIMITED, "rate limit", NULL},               // many

    {RPC_TRANSIENT, "indexing is in progress", NULL},      // geth
    {RPC_TRANSIENT, "node is syncing", NULL},              // nethermind
    {RPC_TRANSIENT, "initial sync", NULL},                 // besu
    {RPC_TRANSIENT, "transaction pool not enabled", NULL}, // besu
    {RPC_TRANSIENT, "header not found", NULL},             // geth
    {RPC_TRANSIENT, "world state unavailable", NULL},      // besu
    {RPC_TRANSIENT, "missing trie node", NULL},            // geth
    {RPC_TRANSIENT, "resource not found", NULL},           // EIP-1474, clashes with besu's -32001
    {RPC_TRANSIENT, "timeout", NULL},
    {RPC_TRANSIENT, "timed out", NULL},

    // Known to say nothing about the transaction: keeps the clashing codes below away.
    {RPC_UNKNOWN, "method not found", NULL},
    {RPC_UNKNOWN, "not supported", NULL},
    {RPC_UNKNOWN, "response too large", NULL}, // geth's -32003
};

// Only where no text says better. -32003 means a different thing in every client: no rule.
static const struct {
    int64_t code;
    enum rpc_class rpc_class;
} code_rules[] = {
    {-38010, RPC_NONCE_TOO_LOW},      // geth
    {-32001, RPC_NONCE_TOO_LOW},      // besu
    {-38011, RPC_NONCE_GAP},          // geth
    {-32006, RPC_NONCE_GAP},          // besu
    {-38014, RPC_INSUFFICIENT_FUNDS}, // geth
    {-32004, RPC_INSUFFICIENT_FUNDS}, // besu
    {-38012, RPC_UNDERPRICED},        // geth
    {-32009, RPC_UNDERPRICED},        // besu
    {3, RPC_REVERT},                  // geth
    {-32015, RPC_REVERT},             // parity
    {-38013, RPC_FATAL},              // geth: intrinsic gas
    {-32007, RPC_FATAL},              // besu: sender not authorized
    {429, RPC_RATE_LIMITED},          // alchemy
    {-32005, RPC_RATE_LIMITED},       // infura, EIP-1474
    {-32002, RPC_TRANSIENT},          // geth: time-out
    {-32008, RPC_TRANSIENT},          // besu: initial sync
    {4444, RPC_TRANSIENT},            // pruned history
};

// What follows is the contract's own text, which may say anything.
static const char *const revert_marks[] = {"execution reverted", "vm exception while processing"};

const char *rpc_class_text(enum rpc_class rpc_class)
{
    if ((size_t)rpc_class >= LENGTH(classes))
        abort();
    return classes[rpc_class].text;
}

const char *rpc_class_help(enum rpc_class rpc_class)
{
    if ((size_t)rpc_class >= LENGTH(classes))
        abort();
    return classes[rpc_class].help;
}

static void lower(char *out, const char *text)
{
    size_t i = 0;
    for (; i + 1 < TEXT_BYTES_MAX && text[i] != '\0'; i++)
        out[i] = (char)tolower((unsigned char)text[i]);
    out[i] = '\0';
}

static void cut_contract_text(char *text)
{
    for (size_t i = 0; i < LENGTH(revert_marks); i++) {
        char *mark = strstr(text, revert_marks[i]);
        if (mark)
            mark[strlen(revert_marks[i])] = '\0';
    }
}

static bool text_matches(const struct text_rule *rule, const char *text)
{
    return strstr(text, rule->text) && !(rule->unless && strstr(text, rule->unless));
}

// A selector and whole words: what a revert leaves behind.
static bool is_revert_data(struct bytes data)
{
    return data.size % WORD_BYTES == SELECTOR_BYTES;
}

enum rpc_class rpc_classify(int64_t code, const char *message, struct bytes data)
{
    char text[TEXT_BYTES_MAX];
    lower(text, message);
    cut_contract_text(text);
    for (size_t i = 0; i < LENGTH(text_rules); i++) {
        if (text_matches(&text_rules[i], text))
            return text_rules[i].rpc_class;
    }
    for (size_t i = 0; i < LENGTH(code_rules); i++) {
        if (code_rules[i].code == code)
            return code_rules[i].rpc_class;
    }
    return is_revert_data(data) ? RPC_REVERT : RPC_UNKNOWN;
}
