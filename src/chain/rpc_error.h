// SPDX-License-Identifier: Apache-2.0
// RPC error classes: what a node's refusal means for the transaction, across clients.
//
// Code, message and data are looked at together; texts are matched as lower-case substrings, never
// anchored; the classes are tried in the order of this table, safest first. What no rule knows is
// RPC_UNKNOWN: possibly sent.
#pragma once

#include "base/bytes.h"

// name, text, help
#define RPC_CLASS_TABLE(X)                                                                         \
    X(RPC_WRONG_CHAIN, "wrong_chain", "the node serves another chain: its fault, not the job's")   \
    X(RPC_ALREADY_KNOWN, "already_known", "the node has this very transaction: a success")         \
    X(RPC_NONCE_TOO_LOW, "nonce_too_low", "the nonce is used: look for our receipt, never resend") \
    X(RPC_REPLACEMENT_UNDERPRICED, "replacement_underpriced", "a bump must be larger")             \
    X(RPC_NONCE_GAP, "nonce_gap", "a lower nonce is missing at this node")                         \
    X(RPC_INSUFFICIENT_FUNDS, "insufficient_funds", "the lane lacks gas money")                    \
    X(RPC_UNDERPRICED, "underpriced", "the fee is below what the node takes")                      \
    X(RPC_POOL_FULL, "pool_full", "keep the bytes and send them again later")                      \
    X(RPC_REVERT, "revert", "execution reverted; data says why")                                   \
    X(RPC_FATAL, "fatal", "this payload can never be accepted")                                    \
    X(RPC_RATE_LIMITED, "rate_limited", "the endpoint wants fewer requests")                       \
    X(RPC_TRANSIENT, "transient", "the endpoint cannot say now")                                   \
    X(RPC_UNKNOWN, "unknown", "no rule knows it: treated as possibly sent")

enum rpc_class {
#define RPC_CLASS_ENUM(name, text, help) name,
    RPC_CLASS_TABLE(RPC_CLASS_ENUM)
#undef RPC_CLASS_ENUM
};

const char *rpc_class_text(enum rpc_class rpc_class);
const char *rpc_class_help(enum rpc_class rpc_class);

// code 0: none. message may be "". data: decoded revert data, or empty.
enum rpc_class rpc_classify(int64_t code, const char *message, struct bytes data);
