// SPDX-License-Identifier: Apache-2.0
// Asking the witnesses and counting their words.
#include "relay/panel.h"

#include "eth/keccak.h"

#include <string.h>

// What one witness says of one question; equal words have equal hashes.
struct word {
    bool said;
    bool final; // it says so of a block that is final for it
    struct hash32 hash;
};

bool panel_is_off(const struct panel *panel)
{
    return panel->needed == 0 || panel->count < 2;
}

// ---------------------------------------------------------------- words

static size_t receipt_size(const struct chain_receipt *receipt)
{
    size_t size = sizeof receipt->block_hash + sizeof receipt->block_number + 1 +
                  sizeof receipt->to + sizeof receipt->gas_used;
    for (size_t i = 0; i < receipt->logs_count; i++)
        size += sizeof(struct event_log) + receipt->logs[i].data.size;
    return size;
}

static uint8_t *put(uint8_t *at, const void *data, size_t size)
{
    if (size > 0)
        memcpy(at, data, size);
    return at + size;
}

static uint8_t *put_log(uint8_t *at, const struct event_log *log)
{
    at = put(at, log->address.bytes, sizeof log->address.bytes);
    at = put(at, &log->topics_count, sizeof log->topics_count);
    at = put(at, log->topics, log->topics_count * sizeof log->topics[0]);
    at = put(at, &log->data.size, sizeof log->data.size);
    return put(at, log->data.data, log->data.size);
}

// Everything that is ever decided from a receipt.
static bool receipt_word(struct hash32 *ret_hash, const struct chain_receipt *receipt,
                         struct arena *arena)
{
    uint8_t *text = arena_alloc(arena, receipt_size(receipt));
    if (text == NULL)
        return false;
    uint8_t succeeded = receipt->succeeded;
    uint8_t *at = put(text, receipt->block_hash.bytes, sizeof receipt->block_hash.bytes);
    at = put(at, &receipt->block_number, sizeof receipt->block_number);
    at = put(at, &succeeded, 1);
    at = put(at, receipt->to.bytes, sizeof receipt->to.bytes);
    at = put(at, &receipt->gas_used, sizeof receipt->gas_used);
    for (size_t i = 0; i < receipt->logs_count; i++)
        at = put_log(at, &receipt->logs[i]);
    *ret_hash = keccak256((struct bytes){text, (size_t)(at - text)});
    return true;
}

// A missing receipt, or one in a block that the witness itself does not hold canonical, says
// nothing; the block at that height does.
static bool make_word(struct word *ret_word, const struct panel_question *question,
                      const struct hash32 *block, const struct chain_receipt *receipt, bool final,
                      struct arena *arena)
{
    struct word word = {.final = final};
    if (question->receipt == NULL || !hash32_equal(block, &question->block_hash)) {
        word.said = true;
        word.hash = *block;
    } else if (receipt->found && hash32_equal(&receipt->block_hash, block)) {
        word.said = true;
        if (!receipt_word(&word.hash, receipt, arena))
            return false;
    }
    *ret_word = word;
    return true;
}

// ---------------------------------------------------------------- one witness

enum status panel_final(int64_t *ret_number, struct chain *witness, const struct panel *panel)
{
    struct chain_head head;
    struct block_id block = {.tag = panel->finality};
    enum status status = witness->ops->head(witness, &head, block);
    if (status != STATUS_OK)
        return status;
    bool by_depth = panel->finality == BLOCK_LATEST;
    *ret_number = by_depth ? head.number - panel->confirmations + 1 : head.number;
    return STATUS_OK;
}

// A failure is silence.
static enum status no_word(enum status status)
{
    return status == STATUS_NO_MEMORY ? status : STATUS_OK;
}

struct asking {
    const struct panel *panel;
    const struct panel_question *questions;
    size_t count;
    struct arena *arena;
    int64_t *numbers;
    struct hash32 *hashes;
    bool *found;
    struct hash32 *transactions; // of the questions with a receipt, in order
    struct chain_receipt *receipts;
    size_t receipts_count;
};

static bool prepare(struct asking *asking)
{
    asking->numbers = arena_alloc_array(asking->arena, asking->count, sizeof *asking->numbers);
    asking->hashes = arena_alloc_array(asking->arena, asking->count, sizeof *asking->hashes);
    asking->found = arena_alloc_array(asking->arena, asking->count, sizeof *asking->found);
    asking->transactions =
        arena_alloc_array(asking->arena, asking->count, sizeof *asking->transactions);
    asking->receipts = arena_alloc_array(asking->arena, asking->count, sizeof *asking->receipts);
    if (asking->numbers == NULL || asking->hashes == NULL || asking->found == NULL ||
        asking->transactions == NULL || asking->receipts == NULL)
        return false;
    for (size_t i = 0; i < asking->count; i++) {
        const struct panel_question *question = &asking->questions[i];
        asking->numbers[i] = question->block_number;
        if (question->receipt != NULL)
            asking->transactions[asking->receipts_count++] = question->receipt->transaction_hash;
    }
    return true;
}

// The finality is asked first: what is read after it is at least as new.
static enum status ask_witness(struct word *words, struct asking *asking, struct chain *witness)
{
    int64_t final;
    enum status status = panel_final(&final, witness, asking->panel);
    if (status == STATUS_OK)
        status = witness->ops->block_hashes(witness, asking->hashes, asking->found, asking->numbers,
                                            asking->count);
    if (status == STATUS_OK && asking->receipts_count > 0)
        status = witness->ops->receipts(witness, asking->receipts, asking->transactions,
                                        asking->receipts_count, asking->arena);
    if (status != STATUS_OK)
        return no_word(status);
    const struct chain_receipt *receipt = asking->receipts;
    for (size_t i = 0; i < asking->count; i++) {
        const struct panel_question *question = &asking->questions[i];
        if (asking->found[i] && !make_word(&words[i], question, &asking->hashes[i], receipt,
                                           question->block_number <= final, asking->arena))
            return STATUS_NO_MEMORY;
        receipt += question->receipt != NULL;
    }
    return STATUS_OK;
}

// ---------------------------------------------------------------- counting

struct tally {
    const struct word *const *words; // by witness
    size_t witnesses;
    size_t needed;
};

static size_t votes(const struct tally *tally, size_t question, const struct hash32 *hash,
                    bool final)
{
    size_t count = 0;
    for (size_t w = 0; w < tally->witnesses; w++) {
        const struct word *word = &tally->words[w][question];
        count += word->said && (word->final || !final) && hash32_equal(&word->hash, hash);
    }
    return count;
}

// Of the final words: where so many as are needed, and more than all others, say one thing, the
// others lie, or are on a chain of their own.
static uint32_t outvoted(const struct tally *tally, size_t question)
{
    size_t said = 0, most = 0;
    const struct hash32 *winner = NULL;
    for (size_t w = 0; w < tally->witnesses; w++) {
        const struct word *word = &tally->words[w][question];
        if (!word->said || !word->final)
            continue;
        said++;
        size_t count = votes(tally, question, &word->hash, true);
        if (count > most) {
            most = count;
            winner = &word->hash;
        }
    }
    uint32_t liars = 0;
    if (winner == NULL || most < tally->needed || most <= said - most)
        return 0;
    for (size_t w = 0; w < tally->witnesses; w++) {
        const struct word *word = &tally->words[w][question];
        if (word->said && word->final && !hash32_equal(&word->hash, winner))
            liars |= UINT32_C(1) << w;
    }
    return liars;
}

static size_t words_said(const struct tally *tally, size_t question, bool final)
{
    size_t count = 0;
    for (size_t w = 0; w < tally->witnesses; w++)
        count += tally->words[w][question].said && (tally->words[w][question].final || !final);
    return count;
}

// Final: enough witnesses gave the receipt's own word of a block that is final for them too.
static struct panel_answer count_final(const struct tally *tally, size_t question,
                                       const struct hash32 *claim)
{
    size_t same = votes(tally, question, claim, true), said = words_said(tally, question, true);
    return (struct panel_answer){.agreed = same >= tally->needed && same > said - same,
                                 .denied = said > same};
}

// Gone: enough witnesses have another block at the height.
static struct panel_answer count_gone(const struct tally *tally, size_t question,
                                      const struct hash32 *claim)
{
    size_t stands = votes(tally, question, claim, false);
    size_t gone = words_said(tally, question, false) - stands;
    return (struct panel_answer){.agreed = gone >= tally->needed && gone > stands,
                                 .denied = stands > 0};
}

static enum status count_words(struct panel_answer *answers, uint32_t *ret_liars,
                               const struct asking *asking, const struct tally *tally)
{
    uint32_t liars = 0;
    for (size_t i = 0; i < asking->count; i++) {
        const struct panel_question *question = &asking->questions[i];
        struct hash32 claim = question->block_hash;
        if (question->receipt != NULL && !receipt_word(&claim, question->receipt, asking->arena))
            return STATUS_NO_MEMORY;
        answers[i] = question->receipt != NULL ? count_final(tally, i, &claim)
                                               : count_gone(tally, i, &claim);
        liars |= outvoted(tally, i);
    }
    *ret_liars = liars;
    return STATUS_OK;
}

// Then the other witnesses need not be asked.
static bool all_agreed(const struct panel_answer *answers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!answers[i].agreed || answers[i].denied)
            return false;
    return true;
}

enum status panel_ask(struct panel_answer *ret_answers, uint32_t *ret_liars,
                      const struct panel *panel, const struct panel_question *questions,
                      size_t count, struct arena *arena)
{
    struct asking asking = {.panel = panel, .questions = questions, .count = count, .arena = arena};
    const struct word *by_witness[CHAIN_ENDPOINTS_MAX];
    size_t witnesses = panel->count < CHAIN_ENDPOINTS_MAX ? panel->count : CHAIN_ENDPOINTS_MAX;
    if (!prepare(&asking))
        return STATUS_NO_MEMORY;
    for (size_t w = 0; w < witnesses; w++) {
        struct word *words = arena_alloc_array(arena, count, sizeof *words);
        if (words == NULL)
            return STATUS_NO_MEMORY;
        by_witness[w] = words;
        enum status status = ask_witness(words, &asking, panel->witnesses[w]);
        struct tally tally = {by_witness, w + 1, panel->needed};
        if (status == STATUS_OK)
            status = count_words(ret_answers, ret_liars, &asking, &tally);
        if (status != STATUS_OK || all_agreed(ret_answers, count))
            return status;
    }
    return STATUS_OK;
}

// ---------------------------------------------------------------- effects, nonces

static enum effect agreed_effect(const enum effect *const *said, size_t witnesses, size_t index,
                                 size_t needed)
{
    enum effect effect = EFFECT_UNKNOWN;
    size_t count = 0;
    for (size_t w = 0; w < witnesses; w++) {
        if (said[w][index] == EFFECT_UNKNOWN)
            continue;
        if (count > 0 && said[w][index] != effect)
            return EFFECT_UNKNOWN;
        effect = said[w][index];
        count++;
    }
    return count >= needed ? effect : EFFECT_UNKNOWN;
}

enum status panel_effects(enum effect *ret_effects, const struct panel *panel,
                          const struct relay_contracts *contracts, const struct job *const *jobs,
                          size_t count, int64_t number, struct arena *arena)
{
    const enum effect *said[CHAIN_ENDPOINTS_MAX];
    size_t witnesses = panel->count < CHAIN_ENDPOINTS_MAX ? panel->count : CHAIN_ENDPOINTS_MAX;
    struct block_id block = {BLOCK_NUMBER, number};
    if (panel_is_off(panel))
        return no_word(effects_ask(ret_effects, panel->own, contracts, jobs, count, block, arena));
    for (size_t w = 0; w < witnesses; w++) {
        struct chain *witness = panel->witnesses[w];
        enum effect *effects = arena_alloc_array(arena, count, sizeof *effects);
        int64_t final;
        if (effects == NULL)
            return STATUS_NO_MEMORY;
        said[w] = effects;
        enum status status = panel_final(&final, witness, panel);
        if (status == STATUS_OK && final >= number)
            status = effects_ask(effects, witness, contracts, jobs, count, block, arena);
        if (status == STATUS_NO_MEMORY)
            return status;
    }
    for (size_t i = 0; i < count; i++)
        ret_effects[i] = agreed_effect(said, witnesses, i, panel->needed);
    return STATUS_OK;
}

struct nonce_votes {
    size_t free, used;
};

static struct nonce_votes ask_nonce(const struct panel *panel, const struct address *account,
                                    int64_t nonce)
{
    struct block_id latest = {.tag = BLOCK_LATEST};
    struct nonce_votes votes = {0};
    for (size_t w = 0; w < panel->count; w++) {
        struct chain *witness = panel->witnesses[w];
        int64_t next;
        if (witness->ops->nonce(witness, &next, account, latest) != STATUS_OK)
            continue;
        votes.free += next <= nonce;
        votes.used += next > nonce;
    }
    return votes;
}

bool panel_nonce_is_free(const struct panel *panel, const struct address *account, int64_t nonce)
{
    if (panel_is_off(panel))
        return true;
    struct nonce_votes votes = ask_nonce(panel, account, nonce);
    return votes.free >= panel->needed && votes.free > votes.used;
}

bool panel_nonce_is_used(const struct panel *panel, const struct address *account, int64_t nonce)
{
    if (panel_is_off(panel))
        return true;
    struct nonce_votes votes = ask_nonce(panel, account, nonce);
    return votes.used >= panel->needed && votes.used > votes.free;
}

enum status panel_lowest_nonce(int64_t *ret_nonce, const struct panel *panel,
                               const struct address *account)
{
    struct block_id latest = {.tag = BLOCK_LATEST};
    int64_t lowest, next;
    enum status status = panel->own->ops->nonce(panel->own, &lowest, account, latest);
    for (size_t w = 0; w < panel->count && status == STATUS_OK && !panel_is_off(panel); w++) {
        struct chain *witness = panel->witnesses[w];
        if (witness->ops->nonce(witness, &next, account, latest) == STATUS_OK && next < lowest)
            lowest = next;
    }
    if (status == STATUS_OK)
        *ret_nonce = lowest;
    return status;
}
