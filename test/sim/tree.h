// SPDX-License-Identifier: Apache-2.0
// The true tree of blocks: every block that any node ever shows, the state after each, what each
// transaction did in each, and which branch is canonical.
#pragma once

#include "common.h"

#include "eth/contracts.h"

#define SIM_LANES_MAX  3
#define CHILDREN_MAX   1024
#define AFFILIATES_MAX 24

// What blocks change, as it stands after one block.
struct chain_state {
    int64_t nonces[SIM_LANES_MAX];
    uint128_t balances[SIM_LANES_MAX]; // wei
    uint128_t gifts[SIM_LANES_MAX];    // of those, given so far: see struct tree.wanted
    uint64_t funds, funds_given;       // USDC units of the payout contract
    int64_t day;
    uint64_t day_spent, day_cap, payout_cap;
    bool paused, token_paused, role_missing;
    uint32_t blacklisted; // bit per affiliate
};

struct block {
    int32_t parent; // -1: the first
    int64_t number;
    struct hash32 hash;
    int64_t time_ms;
    uint64_t base_fee, next_base_fee; // wei
    struct chain_state state;
};

enum record_kind {
    RECORD_PAYOUT, // paid, owed, or one of either
    RECORD_PAYOUT_SKIPPED,
    RECORD_REFERRED,
    RECORD_REFERRAL_SKIPPED,
    RECORD_MINTED,
};

// One thing a contract did in one block: what an event tells of.
struct record {
    enum record_kind kind;
    int32_t block;
    int32_t next; // of the same payout, referral or wallet, older; -1: none
    struct payout_call payout;
    uint64_t usdc_owed;
    bool sge_owed;
    struct address child, referrer;
    uint8_t reason[4];
};

// A transaction in a block.
struct landing {
    int32_t tx, block;
    int32_t next; // of the same transaction, older
    bool succeeded;
    int64_t gas_used;
    uint64_t gas_price;
    size_t first_record, records_count;
};

enum tx_target { TARGET_NONE, TARGET_REGISTRY, TARGET_PAYOUT, TARGET_IDENTITY };

// Every transaction there is: signed by us, or by a foreign user of our key.
struct tx {
    struct hash32 hash;
    size_t lane;
    int64_t nonce;
    bool foreign;
    bool filler;
    bool durable; // found in the store
    bool sent;
    uint32_t refusers; // nodes whose policy never takes it: bits
    uint64_t max_fee, tip;
    int64_t gas_limit;
    enum tx_target target;
    uint8_t *data, *raw; // owned
    size_t data_size, raw_size;
    int32_t first_inclusion;
    int64_t signed_ms;
};

struct payout_subject {
    struct hash32 id;
    int32_t first_record;
    size_t job; // of the oracle; 0: none
    int64_t bound_nonce;
    size_t bound_lane;
    bool bound;
    bool would_pay; // so said the last eth_call that asked
};

struct child_subject {
    int32_t first_referral, first_mint;
    bool referral_bound, mint_bound;
    int64_t referral_nonce, mint_nonce;
    size_t referral_lane, mint_lane;
};

#define PAYOUTS_TABLE 4096 // a power of two, larger than the payouts of any seed

struct tree {
    uint64_t salt;
    struct list blocks, txs, inclusions, records, payouts;
    struct list canonical; // int32_t by height
    struct child_subject children[CHILDREN_MAX];
    int32_t payout_table[PAYOUTS_TABLE]; // index + 1
    int64_t number_max;                  // of any block on any branch
    // What the next block puts in force; members that count (gifts, funds_given) only grow.
    struct chain_state wanted;
};

void tree_start(struct tree *tree, uint64_t salt);
void tree_free(struct tree *tree);

static inline struct block *tree_block(const struct tree *tree, int32_t index)
{
    return LIST_AT(&tree->blocks, struct block, index);
}
static inline struct tx *tree_tx(const struct tree *tree, int32_t index)
{
    return LIST_AT(&tree->txs, struct tx, index);
}
static inline struct record *tree_record(const struct tree *tree, int32_t index)
{
    return LIST_AT(&tree->records, struct record, index);
}
static inline struct landing *tree_inclusion(const struct tree *tree, int32_t index)
{
    return LIST_AT(&tree->inclusions, struct landing, index);
}
static inline struct payout_subject *tree_payout(const struct tree *tree, int32_t index)
{
    return LIST_AT(&tree->payouts, struct payout_subject, index);
}

int32_t tree_tip(const struct tree *tree);
// The ancestor of `tip` (or itself) at that height; -1 above it or below the first block.
int32_t tree_at(const struct tree *tree, int32_t tip, int64_t number);
// Is the block the tip or an ancestor of it?
bool tree_has(const struct tree *tree, int32_t tip, int32_t block);
bool tree_is_canonical(const struct tree *tree, int32_t block);
// A new block on the parent, with the wanted state put in force and nothing in it.
int32_t tree_grow(struct tree *tree, int32_t parent, int64_t time_ms);
// Makes the branch that ends in `tip` the canonical one.
void tree_make_canonical(struct tree *tree, int32_t tip);

// Takes ownership of nothing: data and raw are copied.
int32_t tree_add_tx(struct tree *tree, const struct tx *tx, struct bytes data, struct bytes raw);
int32_t tree_find_tx(const struct tree *tree, const struct hash32 *hash); // -1: none
int32_t tree_find_raw(const struct tree *tree, struct bytes raw);         // -1: none
// The newest inclusion of the transaction on the branch of `tip`; -1: none.
int32_t tree_find_inclusion(const struct tree *tree, int32_t tip, int32_t tx);

int32_t tree_find_payout(const struct tree *tree, const struct hash32 *id); // -1: none
int32_t tree_need_payout(struct tree *tree, const struct hash32 *id);
// How many times the branch of `tip` pays (or owes) it; *ret_record: one of them.
int tree_count_payouts(const struct tree *tree, int32_t *ret_record, int32_t tip, int32_t payout);
// The branch's referral or mint of the child; -1: none.
int32_t tree_referral(const struct tree *tree, int32_t tip, size_t child);
int32_t tree_mint(const struct tree *tree, int32_t tip, size_t child);

// Children and affiliates by number, as addresses, and back.
struct address child_address(size_t child);
struct address affiliate_address(size_t affiliate);
bool child_of_address(size_t *ret_child, const struct address *address);
bool affiliate_of_address(size_t *ret_affiliate, const struct address *address);
