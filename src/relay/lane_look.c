// SPDX-License-Identifier: Apache-2.0
// What the chain says: head, finality, nonce, receipts of unfinished slots, canonical blocks, fees.
#include "relay/lane_state.h"

#include "relay/relay_metrics.h"

// The balance is read anew at this age though the head stands still (a top-up on a chain without
// blocks of its own).
#define BALANCE_AGE_MS_MAX 2000

static enum status read_final(struct relay_lane *lane)
{
    const struct lane_options *options = &lane->options;
    if (options->finality == BLOCK_LATEST) {
        lane->final_number = lane->head.number - options->confirmations + 1;
        return STATUS_OK;
    }
    struct chain_head head;
    struct block_id block = {.tag = options->finality};
    enum status status = options->chain->ops->head(options->chain, &head, block);
    if (status == STATUS_OK)
        lane->final_number = head.number;
    return status;
}

static enum status read_nonce(struct relay_lane *lane, int64_t now_ms)
{
    int64_t nonce;
    struct block_id latest = {.tag = BLOCK_LATEST};
    enum status status = lane->options.chain->ops->nonce(lane->options.chain, &nonce,
                                                         &lane->options.address, latest);
    if (status != STATUS_OK)
        return status;
    if (!lane->nonce_known || lane->nonce != nonce)
        lane->nonce_since_ms = now_ms;
    lane->nonce = nonce;
    lane->nonce_known = true;
    return STATUS_OK;
}

static void new_head(struct relay_lane *lane, const struct chain_head *head, int64_t now_ms)
{
    lane->head = *head;
    lane->head_known = true;
    lane->head_since_ms = now_ms;
    lane->fees_known = false;
    lane->balance_known = false;
    lane->settled = false;
}

static void fill_facts(struct step *step)
{
    const struct relay_lane *lane = step->lane;
    step->facts.head = lane->head;
    step->facts.head_since_ms = lane->head_since_ms;
    step->facts.final_number = lane->final_number;
    step->facts.nonce_known = lane->nonce_known;
    step->facts.nonce = lane->nonce;
    step->facts.nonce_since_ms = lane->nonce_since_ms;
}

enum status look_at_head(struct step *step)
{
    struct relay_lane *lane = step->lane;
    struct chain_head head;
    struct block_id latest = {.tag = BLOCK_LATEST};
    enum status status = lane->options.chain->ops->head(lane->options.chain, &head, latest);
    if (status != STATUS_OK)
        return status;
    bool moved = !lane->head_known || !hash32_equal(&lane->head.hash, &head.hash);
    if (moved)
        new_head(lane, &head, step->facts.now_ms);
    if (moved || !lane->settled) {
        status = read_final(lane);
        if (status == STATUS_OK)
            status = read_nonce(lane, step->facts.now_ms);
        if (status != STATUS_OK) {
            lane->head_known = false; // the next step asks for all of it again
            return status;
        }
    }
    fill_facts(step);
    return STATUS_OK;
}

// ---------------------------------------------------------------- blocks

struct block_list {
    struct block_fact *items;
    size_t count;
};

static void add_number(struct block_list *list, int64_t number)
{
    for (size_t i = list->count; i > 0; i--)
        if (list->items[i - 1].number == number)
            return;
    list->items[list->count++] = (struct block_fact){.number = number};
}

static enum status ask_blocks(struct step *step, struct block_list *list, size_t from)
{
    size_t count = list->count - from;
    if (count == 0)
        return STATUS_OK;
    int64_t *numbers = arena_alloc_array(step->arena, count, sizeof *numbers);
    struct hash32 *hashes = arena_alloc_array(step->arena, count, sizeof *hashes);
    bool *found = arena_alloc_array(step->arena, count, sizeof *found);
    if (numbers == NULL || hashes == NULL || found == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        numbers[i] = list->items[from + i].number;
    struct chain *chain = step->lane->options.chain;
    enum status status = chain->ops->block_hashes(chain, hashes, found, numbers, count);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        list->items[from + i].found = found[i];
        list->items[from + i].hash = hashes[i];
    }
    return status;
}

// ---------------------------------------------------------------- receipts

// Open slots always; mined ones only where their block moved, or became final and its events are
// needed.
static bool needs_receipts(const struct lane_slot *slot, const struct plan_facts *facts)
{
    if (slot->row.state == SLOT_OPEN)
        return true;
    const struct inclusion *inclusion = &slot->row.inclusion;
    const struct block_fact *block = plan_block(facts, inclusion->block_number);
    if (block == NULL || !block->found)
        return false;
    return !hash32_equal(&block->hash, &inclusion->block_hash) ||
           inclusion->block_number <= facts->final_number;
}

// The hash that was asked for commits to the contract: a receipt to another is a lie.
static bool are_ours(const struct step *step, size_t first, size_t last)
{
    const struct lane_slots *slots = &step->lane->slots;
    for (size_t i = first; i < last; i++)
        for (size_t a = 0; step->receipts[i] != NULL && a < slots->items[i]->attempts_count; a++)
            if (step->receipts[i][a].found &&
                !address_equal(&step->receipts[i][a].to, &slots->items[i]->attempts[a].to))
                return false;
    return true;
}

static enum status ask_receipts(struct step *step, size_t first, size_t last, size_t hashes_count)
{
    struct hash32 *hashes = arena_alloc_array(step->arena, hashes_count, sizeof *hashes);
    struct chain_receipt *receipts = arena_alloc_array(step->arena, hashes_count, sizeof *receipts);
    if (hashes == NULL || receipts == NULL)
        return STATUS_NO_MEMORY;
    const struct lane_slots *slots = &step->lane->slots;
    size_t at = 0;
    for (size_t i = first; i < last; i++) {
        if (!needs_receipts(slots->items[i], &step->facts))
            continue;
        step->receipts[i] = receipts + at;
        for (size_t a = 0; a < slots->items[i]->attempts_count; a++)
            hashes[at++] = slots->items[i]->attempts[a].row.hash;
    }
    struct chain *chain = step->lane->options.chain;
    enum status status = chain->ops->receipts(chain, receipts, hashes, hashes_count, step->arena);
    if (status == STATUS_OK && !are_ours(step, first, last)) {
        if (chain->ops->distrust != NULL)
            chain->ops->distrust(chain, CHAIN_LAST_ANSWER, "a receipt to another contract");
        status = STATUS_UNAVAILABLE;
    }
    for (size_t i = first; i < last && status != STATUS_OK; i++)
        step->receipts[i] = NULL;
    return status;
}

static enum status ask_all_receipts(struct step *step)
{
    const struct lane_slots *slots = &step->lane->slots;
    size_t first = 0, hashes = 0, jobs = 0;
    for (size_t i = 0; i < slots->count; i++) {
        const struct lane_slot *slot = slots->items[i];
        if (!needs_receipts(slot, &step->facts))
            continue;
        if (hashes > 0 && (hashes + slot->attempts_count > LANE_RECEIPTS_MAX ||
                           jobs + slot->jobs_count > LANE_RECEIPT_JOBS_MAX)) {
            enum status status = ask_receipts(step, first, i, hashes);
            if (status != STATUS_OK)
                return status;
            first = i;
            hashes = jobs = 0;
        }
        hashes += slot->attempts_count;
        jobs += slot->jobs_count;
    }
    return hashes == 0 ? STATUS_OK : ask_receipts(step, first, slots->count, hashes);
}

static void add_receipt_blocks(struct step *step, struct block_list *list)
{
    const struct lane_slots *slots = &step->lane->slots;
    for (size_t i = 0; i < slots->count; i++)
        for (size_t a = 0; step->receipts[i] != NULL && a < slots->items[i]->attempts_count; a++)
            if (step->receipts[i][a].found)
                add_number(list, step->receipts[i][a].block_number);
}

static size_t numbers_max(const struct lane_slots *slots)
{
    size_t most = 1;
    for (size_t i = 0; i < slots->count; i++)
        most += 1 + slots->items[i]->attempts_count;
    return most;
}

enum status look_at_slots(struct step *step)
{
    const struct lane_slots *slots = &step->lane->slots;
    step->receipts = arena_alloc_array(step->arena, slots->count, sizeof *step->receipts);
    struct block_list list = {0};
    list.items = arena_alloc_array(step->arena, numbers_max(slots), sizeof *list.items);
    if (step->receipts == NULL || list.items == NULL)
        return STATUS_NO_MEMORY;
    // The head itself is canonical: on a chain that mines at once no further question is needed.
    list.items[list.count++] =
        (struct block_fact){step->facts.head.number, true, step->facts.head.hash};
    for (size_t i = 0; i < slots->count; i++)
        if (slots->items[i]->row.state == SLOT_MINED)
            add_number(&list, slots->items[i]->row.inclusion.block_number);
    enum status status = ask_blocks(step, &list, 1);
    step->facts.blocks = list.items;
    step->facts.blocks_count = list.count;
    if (status == STATUS_OK)
        status = ask_all_receipts(step);
    size_t known = list.count;
    add_receipt_blocks(step, &list);
    if (status == STATUS_OK)
        status = ask_blocks(step, &list, known);
    step->facts.blocks_count = list.count;
    return status;
}

// ---------------------------------------------------------------- money

enum status look_at_money(struct step *step)
{
    struct relay_lane *lane = step->lane;
    struct chain *chain = lane->options.chain;
    enum status status = STATUS_OK;
    if (!lane->fees_known) {
        status = chain->ops->fees(chain, &lane->fees);
        lane->fees_known = status == STATUS_OK;
    }
    bool old = step->facts.now_ms - lane->balance_at_ms >= BALANCE_AGE_MS_MAX;
    if (status == STATUS_OK && (!lane->balance_known || old)) {
        status = chain->ops->balance(chain, &lane->balance, &lane->options.address);
        lane->balance_known = status == STATUS_OK;
        lane->balance_at_ms = step->facts.now_ms;
        if (lane->balance_known)
            relay_metrics_balance(lane->options.index, lane->balance);
    }
    step->facts.fees_known = lane->fees_known;
    step->facts.fees = lane->fees;
    return status;
}
