// SPDX-License-Identifier: Apache-2.0
// Nodes: views that lag behind the true chain, and mempools with geth's rules.
#include "world.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SLOTS_PER_ACCOUNT 16 // geth: executable ones a full pool still keeps
#define QUEUED_MAX        64 // geth: of one account, behind a gap
#define LIFETIME_MS       INT64_C(10800000)
#define BUMP_PERCENT      10
#define GOSSIP_MS_MAX     3000
#define GOSSIP_CHANCE     8000
#define POOL_FULL_CHANCE  2000
#define GWEI              UINT64_C(1000000000)

// ---------------------------------------------------------------- views

static void leave_pool(struct node *node, size_t index)
{
    node->pool[index] = node->pool[--node->pool_count];
}

static void purge_pool(struct sim *sim, struct node *node)
{
    const struct chain_state *state = &tree_block(&sim->tree, node->tip)->state;
    for (size_t i = node->pool_count; i > 0; i--) {
        const struct tx *tx = tree_tx(&sim->tree, node->pool[i - 1].tx);
        bool queued = tx->nonce > state->nonces[tx->lane];
        bool old = sim->now_ms - node->pool[i - 1].since_ms > LIFETIME_MS;
        if (tx->nonce < state->nonces[tx->lane] || (queued && old))
            leave_pool(node, i - 1);
    }
}

// The number of the block where the branch leaves the true chain.
static int64_t fork_number(const struct tree *tree, int32_t tip)
{
    while (!tree_is_canonical(tree, tip))
        tip = tree_block(tree, tip)->parent;
    return tree_block(tree, tip)->number;
}

static bool may_be_shown(const struct sim *sim, int32_t tip)
{
    return fork_number(&sim->tree, tip) >= sim->final_number || tree_is_canonical(&sim->tree, tip);
}

struct node *node_look(struct sim *sim, size_t index)
{
    struct node *node = &sim->nodes[index];
    bool keeps = sim->now_ms < node->forked_until_ms || sim->now_ms < node->stalled_until_ms;
    if (keeps && may_be_shown(sim, node->tip))
        return node;
    size_t used = 0;
    int32_t before = node->tip;
    while (used < node->updates_count && node->updates[used].at_ms <= sim->now_ms) {
        if (may_be_shown(sim, node->updates[used].block))
            node->tip = node->updates[used].block;
        used++;
    }
    memmove(node->updates, node->updates + used,
            (node->updates_count - used) * sizeof node->updates[0]);
    node->updates_count -= used;
    if (!may_be_shown(sim, node->tip)) {
        node->tip = tree_tip(&sim->tree);
        node->forked_until_ms = node->stalled_until_ms = 0;
    }
    if (node->tip != before)
        purge_pool(sim, node);
    return node;
}

static int64_t draw_lag(struct sim *sim, const struct node *node)
{
    return rng_chance(&sim->rng, 8000) ? rng_between(&sim->rng, 10, 400)
                                       : rng_between(&sim->rng, 10, node->lag_ms);
}

void nodes_hear(struct sim *sim)
{
    for (size_t i = 0; i < sim->scenario.nodes; i++) {
        struct node *node = &sim->nodes[i];
        (void)node_look(sim, i);
        if (node->updates_count == NODE_UPDATES_MAX) {
            memmove(node->updates, node->updates + 1,
                    (NODE_UPDATES_MAX - 1) * sizeof node->updates[0]);
            node->updates_count--;
        }
        int64_t at_ms = sim->now_ms + (sim->quiet ? 100 : draw_lag(sim, node));
        if (node->updates_count > 0 && at_ms < node->updates[node->updates_count - 1].at_ms)
            at_ms = node->updates[node->updates_count - 1].at_ms;
        node->updates[node->updates_count].at_ms = at_ms;
        node->updates[node->updates_count++].block = tree_tip(&sim->tree);
    }
}

void nodes_start(struct sim *sim)
{
    for (size_t i = 0; i < sim->scenario.nodes; i++) {
        struct node *node = &sim->nodes[i];
        memset(node, 0, sizeof *node);
        node->client = (enum client)rng_below(&sim->rng, CLIENTS);
        node->lag_ms = rng_between(&sim->rng, 100, sim->scenario.lag_ms_max);
        node->tip_min = rng_below(&sim->rng, 2) * GWEI / 100;
    }
}

// ---------------------------------------------------------------- refusals

enum refusal {
    REFUSAL_NONE,
    REFUSAL_KNOWN,
    REFUSAL_NONCE,
    REFUSAL_GAP,
    REFUSAL_REPLACEMENT,
    REFUSAL_FUNDS,
    REFUSAL_TIP,
    REFUSAL_FULL,
    REFUSAL_FATAL,
    REFUSALS,
};

// As the clients word them; a number stands for %.
static const struct wording {
    int64_t code;
    const char *text;
} wordings[CLIENTS][REFUSALS] = {
    [CLIENT_GETH] =
        {
            [REFUSAL_KNOWN] = {-32000, "already known"},
            [REFUSAL_NONCE] = {-32000, "nonce too low: next nonce %, tx nonce @"},
            [REFUSAL_GAP] = {-32000, "nonce too high: tx nonce @, gapped nonce %"},
            [REFUSAL_REPLACEMENT] = {-32000, "replacement transaction underpriced"},
            [REFUSAL_FUNDS] = {-32000, "insufficient funds for gas * price + value: balance 10, "
                                       "tx cost 21000, overshot 20990"},
            [REFUSAL_TIP] = {-32000, "transaction gas price below minimum: gas tip cap @, "
                                     "minimum needed %"},
            [REFUSAL_FULL] = {-32000, "txpool is full"},
            [REFUSAL_FATAL] = {-32000, "transaction gas limit too high (cap: 16777216, tx: @)"},
        },
    [CLIENT_ERIGON] =
        {
            [REFUSAL_KNOWN] = {-32000, "already known"},
            [REFUSAL_NONCE] = {-32000, "nonce too low"},
            [REFUSAL_GAP] = {-32000, "nonce too high: tx nonce @, gapped nonce %"},
            [REFUSAL_REPLACEMENT] = {-32000, "could not replace existing tx"},
            [REFUSAL_FUNDS] = {-32000, "insufficient funds for gas * price + value"},
            [REFUSAL_TIP] = {-32000, "underpriced"},
            [REFUSAL_FULL] = {-32000, "pending sub-pool is full"},
            [REFUSAL_FATAL] = {-32000, "gas limit is too high"},
        },
    [CLIENT_NETHERMIND] =
        {
            [REFUSAL_KNOWN] = {-32010, "AlreadyKnown"},
            [REFUSAL_NONCE] = {-32010, "OldNonce, Current nonce: %, nonce of rejected tx: @"},
            [REFUSAL_GAP] = {-32010, "NonceGap, Future nonce. Expected nonce: %"},
            [REFUSAL_REPLACEMENT] = {-32010, "ReplacementNotAllowed"},
            [REFUSAL_FUNDS] = {-32010, "InsufficientFunds, Account balance: 1, cumulative cost: 2"},
            [REFUSAL_TIP] = {-32010, "FeeTooLow, MaxFeePerGas too low"},
            [REFUSAL_FULL] = {-32010, "txpool is full"},
            [REFUSAL_FATAL] = {-32010, "GasLimitExceeded"},
        },
    [CLIENT_BESU] =
        {
            [REFUSAL_KNOWN] = {-32000, "Known transaction"},
            [REFUSAL_NONCE] = {-32001, "Nonce too low"},
            [REFUSAL_GAP] = {-32006, "Transaction nonce is too distant from current sender nonce"},
            [REFUSAL_REPLACEMENT] = {-32000, "Replacement transaction underpriced"},
            [REFUSAL_FUNDS] = {-32004, "Upfront cost exceeds account balance"},
            [REFUSAL_TIP] = {-32009, "Gas price below configured minimum gas price"},
            [REFUSAL_FULL] = {-32000, "txpool is full"},
            [REFUSAL_FATAL] = {-32003, "Intrinsic gas exceeds gas limit"},
        },
};

// Writes the wording with its numbers: % is what the node wants, @ what it got.
static void word(char ret_message[160], const char *text, int64_t wants, int64_t got)
{
    size_t at = 0;
    for (; *text != '\0' && at < 130; text++) {
        if (*text == '%' || *text == '@')
            at += (size_t)snprintf(ret_message + at, 160 - at, "%" PRId64,
                                   *text == '%' ? wants : got);
        else
            ret_message[at++] = *text;
    }
    ret_message[at] = '\0';
}

static uint128_t cost_of(const struct tx *tx)
{
    return (uint128_t)tx->max_fee * (uint128_t)tx->gas_limit;
}

static bool replaces(const struct tx *tx, const struct tx *old)
{
    return tx->max_fee * 100 >= old->max_fee * (100 + BUMP_PERCENT) &&
           tx->tip * 100 >= old->tip * (100 + BUMP_PERCENT);
}

// What the pool holds of the transaction's account.
struct account {
    uint128_t cost;
    size_t count;
    size_t same; // index + 1 of the one with its nonce
    bool known, gap;
};

static struct account account_of(struct sim *sim, const struct node *node, int32_t index)
{
    const struct tx *tx = tree_tx(&sim->tree, index);
    int64_t nonce = tree_block(&sim->tree, node->tip)->state.nonces[tx->lane];
    struct account account = {0};
    int64_t below = 0;
    for (size_t i = 0; i < node->pool_count; i++) {
        const struct tx *other = tree_tx(&sim->tree, node->pool[i].tx);
        if (other->lane != tx->lane)
            continue;
        account.count++;
        account.cost += other->nonce == tx->nonce ? 0 : cost_of(other);
        below += other->nonce >= nonce && other->nonce < tx->nonce;
        account.known = account.known || node->pool[i].tx == index;
        if (other->nonce == tx->nonce)
            account.same = i + 1;
    }
    account.gap = nonce + below < tx->nonce;
    return account;
}

static enum refusal judge(struct sim *sim, struct node *node, size_t node_index, int32_t index,
                          const struct account *account)
{
    const struct tx *tx = tree_tx(&sim->tree, index);
    const struct chain_state *state = &tree_block(&sim->tree, node->tip)->state;
    if ((tx->refusers >> node_index & 1) != 0)
        return REFUSAL_FATAL;
    if (account->known)
        return REFUSAL_KNOWN;
    if (tx->nonce < state->nonces[tx->lane])
        return REFUSAL_NONCE;
    if (tx->tip < node->tip_min)
        return REFUSAL_TIP;
    if (account->cost + cost_of(tx) > state->balances[tx->lane])
        return REFUSAL_FUNDS;
    if (account->same > 0)
        return replaces(tx, tree_tx(&sim->tree, node->pool[account->same - 1].tx))
                   ? REFUSAL_NONE
                   : REFUSAL_REPLACEMENT;
    if (account->gap && (node->client == CLIENT_NETHERMIND || account->count >= QUEUED_MAX))
        return REFUSAL_GAP;
    bool full = account->count >= SLOTS_PER_ACCOUNT && rng_chance(&sim->rng, POOL_FULL_CHANCE);
    return full || node->pool_count >= NODE_POOL_MAX ? REFUSAL_FULL : REFUSAL_NONE;
}

static void put(struct sim *sim, struct node *node, const struct account *account, int32_t index)
{
    size_t place = account->same > 0 ? account->same - 1 : node->pool_count++;
    node->pool[place] = (struct pooled){index, sim->now_ms};
}

static void tell_others(struct sim *sim, size_t from, int32_t tx)
{
    for (size_t i = 0; i < sim->scenario.nodes; i++)
        if (i != from && (sim->quiet || rng_chance(&sim->rng, GOSSIP_CHANCE)))
            world_schedule(sim, rng_between(&sim->rng, 20, GOSSIP_MS_MAX), DO_GOSSIP, (int32_t)i,
                           tx);
}

static enum refusal take(struct sim *sim, size_t index, int32_t tx)
{
    struct node *node = node_look(sim, index);
    struct account account = account_of(sim, node, tx);
    enum refusal refusal = judge(sim, node, index, tx, &account);
    if (refusal == REFUSAL_NONE) {
        put(sim, node, &account, tx);
        tell_others(sim, index, tx);
    }
    return refusal;
}

void node_gossip(struct sim *sim, size_t index, int32_t tx)
{
    (void)take(sim, index, tx);
}

void node_take(char ret_message[160], int64_t *ret_code, struct sim *sim, size_t index,
               int32_t tx_index)
{
    enum refusal refusal = take(sim, index, tx_index);
    const struct tx *tx = tree_tx(&sim->tree, tx_index);
    const struct node *node = &sim->nodes[index];
    ret_message[0] = '\0';
    if (refusal == REFUSAL_NONE)
        return;
    const struct wording *wording = &wordings[node->client][refusal];
    int64_t wants = tree_block(&sim->tree, node->tip)->state.nonces[tx->lane];
    int64_t got = tx->nonce;
    if (refusal == REFUSAL_TIP) {
        wants = (int64_t)node->tip_min;
        got = (int64_t)tx->tip;
    } else if (refusal == REFUSAL_FATAL) {
        got = tx->gas_limit;
    }
    *ret_code = wording->code;
    word(ret_message, wording->text, wants, got);
}
