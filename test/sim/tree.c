// SPDX-License-Identifier: Apache-2.0
// The true tree of blocks.
#include "tree.h"

#include <stdlib.h>
#include <string.h>

#define LIST_CAPACITY_MIN 64
#define FIRST_BASE_FEE    UINT64_C(10000000000)

void *list_add(struct list *list, size_t item_size)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity > 0 ? list->capacity * 2 : LIST_CAPACITY_MIN;
        void *items = realloc(list->items, capacity * item_size);
        if (items == NULL)
            abort();
        list->items = items;
        list->capacity = capacity;
    }
    uint8_t *place = (uint8_t *)list->items + list->count++ * item_size;
    memset(place, 0, item_size);
    return place;
}

void list_free(struct list *list)
{
    free(list->items);
    *list = (struct list){0};
}

// ---------------------------------------------------------------- addresses

#define CHILD_MARK     0xc1
#define AFFILIATE_MARK 0xaf

static struct address marked_address(uint8_t mark, size_t number)
{
    struct address address = {{mark}};
    address.bytes[18] = (uint8_t)(number >> 8);
    address.bytes[19] = (uint8_t)number;
    return address;
}

static bool number_of_address(size_t *ret_number, const struct address *address, uint8_t mark,
                              size_t max)
{
    size_t number = (size_t)address->bytes[18] << 8 | address->bytes[19];
    if (address->bytes[0] != mark || number >= max)
        return false;
    *ret_number = number;
    return true;
}

struct address child_address(size_t child)
{
    return marked_address(CHILD_MARK, child);
}

struct address affiliate_address(size_t affiliate)
{
    return marked_address(AFFILIATE_MARK, affiliate);
}

bool child_of_address(size_t *ret_child, const struct address *address)
{
    return number_of_address(ret_child, address, CHILD_MARK, CHILDREN_MAX);
}

bool affiliate_of_address(size_t *ret_affiliate, const struct address *address)
{
    return number_of_address(ret_affiliate, address, AFFILIATE_MARK, AFFILIATES_MAX);
}

// ---------------------------------------------------------------- blocks

static void forget_txs(struct tree *tree)
{
    for (size_t i = 0; i < tree->txs.count; i++) {
        free(tree_tx(tree, (int32_t)i)->data);
        free(tree_tx(tree, (int32_t)i)->raw);
    }
    tree->txs.count = 0;
}

void tree_start(struct tree *tree, uint64_t salt)
{
    forget_txs(tree);
    tree->salt = salt;
    tree->blocks.count = tree->inclusions.count = tree->records.count = 0;
    tree->payouts.count = tree->canonical.count = 0;
    tree->number_max = 0;
    for (size_t i = 0; i < CHILDREN_MAX; i++)
        tree->children[i] = (struct child_subject){.first_referral = -1, .first_mint = -1};
    memset(tree->payout_table, 0, sizeof tree->payout_table);
    int32_t first = tree_grow(tree, -1, 0);
    tree_make_canonical(tree, first);
}

void tree_free(struct tree *tree)
{
    forget_txs(tree);
    struct list *lists[] = {&tree->blocks,  &tree->txs,     &tree->inclusions,
                            &tree->records, &tree->payouts, &tree->canonical};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        list_free(lists[i]);
}

int32_t tree_tip(const struct tree *tree)
{
    return *LIST_AT(&tree->canonical, int32_t, tree->canonical.count - 1);
}

bool tree_is_canonical(const struct tree *tree, int32_t block)
{
    size_t number = (size_t)tree_block(tree, block)->number;
    return number < tree->canonical.count && *LIST_AT(&tree->canonical, int32_t, number) == block;
}

int32_t tree_at(const struct tree *tree, int32_t tip, int64_t number)
{
    if (number < 0)
        return -1;
    while (tip >= 0 && tree_block(tree, tip)->number >= number) {
        if (tree_is_canonical(tree, tip))
            return *LIST_AT(&tree->canonical, int32_t, number);
        if (tree_block(tree, tip)->number == number)
            return tip;
        tip = tree_block(tree, tip)->parent;
    }
    return -1;
}

bool tree_has(const struct tree *tree, int32_t tip, int32_t block)
{
    return tree_at(tree, tip, tree_block(tree, block)->number) == block;
}

static struct hash32 hash_of(uint64_t salt, uint64_t number)
{
    struct hash32 hash;
    for (size_t i = 0; i < sizeof hash.bytes; i += 8) {
        uint64_t word = rng_mix(salt + (number + 1) * UINT64_C(0x9e3779b97f4a7c15) + i);
        memcpy(hash.bytes + i, &word, 8);
    }
    return hash;
}

#define DAY_MS INT64_C(86400000)
// Past these somebody took more than was there: on another branch less was spent.
#define BALANCE_MAX ((uint128_t)1 << 100)
#define FUNDS_MAX   (UINT64_C(1) << 60)

static void put_in_force(struct chain_state *state, const struct chain_state *wanted,
                         int64_t time_ms)
{
    for (size_t i = 0; i < SIM_LANES_MAX; i++) {
        state->balances[i] += wanted->gifts[i] - state->gifts[i];
        state->gifts[i] = wanted->gifts[i];
        if (state->balances[i] > BALANCE_MAX)
            state->balances[i] = 0;
    }
    state->funds += wanted->funds_given - state->funds_given;
    state->funds_given = wanted->funds_given;
    if (state->funds > FUNDS_MAX)
        state->funds = 0;
    state->day_cap = wanted->day_cap;
    state->payout_cap = wanted->payout_cap;
    state->paused = wanted->paused;
    state->token_paused = wanted->token_paused;
    state->role_missing = wanted->role_missing;
    state->blacklisted = wanted->blacklisted;
    if (state->day != time_ms / DAY_MS)
        state->day_spent = 0;
    state->day = time_ms / DAY_MS;
}

int32_t tree_grow(struct tree *tree, int32_t parent, int64_t time_ms)
{
    int32_t index = (int32_t)tree->blocks.count;
    struct block *block = list_add(&tree->blocks, sizeof *block);
    block->parent = parent;
    block->hash = hash_of(tree->salt, (uint64_t)index);
    block->time_ms = time_ms;
    block->base_fee = block->next_base_fee = FIRST_BASE_FEE;
    if (parent >= 0) {
        const struct block *before = tree_block(tree, parent);
        block->number = before->number + 1;
        block->state = before->state;
        block->base_fee = before->next_base_fee;
    }
    put_in_force(&block->state, &tree->wanted, time_ms);
    if (block->number > tree->number_max)
        tree->number_max = block->number;
    return index;
}

void tree_make_canonical(struct tree *tree, int32_t tip)
{
    size_t count = (size_t)tree_block(tree, tip)->number + 1;
    while (tree->canonical.count < count)
        *(int32_t *)list_add(&tree->canonical, sizeof(int32_t)) = -1;
    tree->canonical.count = count;
    int32_t *canonical = tree->canonical.items;
    for (int32_t block = tip; block >= 0; block = tree_block(tree, block)->parent) {
        int64_t number = tree_block(tree, block)->number;
        if (canonical[number] == block)
            return;
        canonical[number] = block;
    }
}

// ---------------------------------------------------------------- transactions

static uint8_t *copied(struct bytes data)
{
    uint8_t *copy = malloc(data.size + 1);
    if (copy == NULL)
        abort();
    if (data.size > 0)
        memcpy(copy, data.data, data.size);
    return copy;
}

int32_t tree_add_tx(struct tree *tree, const struct tx *tx, struct bytes data, struct bytes raw)
{
    struct tx *place = list_add(&tree->txs, sizeof *place);
    *place = *tx;
    place->data = copied(data);
    place->data_size = data.size;
    place->raw = copied(raw);
    place->raw_size = raw.size;
    place->first_inclusion = -1;
    return (int32_t)tree->txs.count - 1;
}

// Newest first: what is asked for is mostly young.
int32_t tree_find_tx(const struct tree *tree, const struct hash32 *hash)
{
    for (size_t i = tree->txs.count; i > 0; i--)
        if (hash32_equal(&tree_tx(tree, (int32_t)i - 1)->hash, hash))
            return (int32_t)i - 1;
    return -1;
}

int32_t tree_find_raw(const struct tree *tree, struct bytes raw)
{
    for (size_t i = tree->txs.count; i > 0; i--) {
        const struct tx *tx = tree_tx(tree, (int32_t)i - 1);
        if (bytes_equal((struct bytes){tx->raw, tx->raw_size}, raw))
            return (int32_t)i - 1;
    }
    return -1;
}

int32_t tree_find_inclusion(const struct tree *tree, int32_t tip, int32_t tx)
{
    int32_t at = tree_tx(tree, tx)->first_inclusion;
    while (at >= 0 && !tree_has(tree, tip, tree_inclusion(tree, at)->block))
        at = tree_inclusion(tree, at)->next;
    return at;
}

// ---------------------------------------------------------------- subjects

static size_t payout_place(const struct tree *tree, const struct hash32 *id)
{
    uint64_t key;
    memcpy(&key, id->bytes, sizeof key);
    size_t place = key & (PAYOUTS_TABLE - 1);
    while (tree->payout_table[place] != 0 &&
           !hash32_equal(&tree_payout(tree, tree->payout_table[place] - 1)->id, id))
        place = (place + 1) & (PAYOUTS_TABLE - 1);
    return place;
}

int32_t tree_find_payout(const struct tree *tree, const struct hash32 *id)
{
    return tree->payout_table[payout_place(tree, id)] - 1;
}

int32_t tree_need_payout(struct tree *tree, const struct hash32 *id)
{
    size_t place = payout_place(tree, id);
    if (tree->payout_table[place] != 0)
        return tree->payout_table[place] - 1;
    if (tree->payouts.count >= PAYOUTS_TABLE / 2)
        abort();
    struct payout_subject *payout = list_add(&tree->payouts, sizeof *payout);
    payout->id = *id;
    payout->first_record = -1;
    tree->payout_table[place] = (int32_t)tree->payouts.count;
    return (int32_t)tree->payouts.count - 1;
}

int tree_count_payouts(const struct tree *tree, int32_t *ret_record, int32_t tip, int32_t payout)
{
    int count = 0;
    for (int32_t at = tree_payout(tree, payout)->first_record; at >= 0;
         at = tree_record(tree, at)->next) {
        if (tree_record(tree, at)->kind != RECORD_PAYOUT ||
            !tree_has(tree, tip, tree_record(tree, at)->block))
            continue;
        *ret_record = at;
        count++;
    }
    return count;
}

static int32_t first_on_branch(const struct tree *tree, int32_t tip, int32_t at,
                               enum record_kind kind)
{
    while (at >= 0 && (tree_record(tree, at)->kind != kind ||
                       !tree_has(tree, tip, tree_record(tree, at)->block)))
        at = tree_record(tree, at)->next;
    return at;
}

int32_t tree_referral(const struct tree *tree, int32_t tip, size_t child)
{
    return first_on_branch(tree, tip, tree->children[child].first_referral, RECORD_REFERRED);
}

int32_t tree_mint(const struct tree *tree, int32_t tip, size_t child)
{
    return first_on_branch(tree, tip, tree->children[child].first_mint, RECORD_MINTED);
}
