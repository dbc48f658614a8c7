// SPDX-License-Identifier: Apache-2.0
// The lane's slots in memory: copying rows, keeping them by nonce.
#include "relay/slots.h"

#include "eth/contracts.h"
#include "eth/transaction.h"

#include <stdlib.h>
#include <string.h>

// Bytes of all attempts (a full batch is about 45 kB) and the jobs of one slot.
#define SLOT_ARENA_BYTES_MAX ((size_t)8 << 20)

static enum status decode(struct lane_attempt *ret_attempt, const struct attempt *row,
                          int64_t nonce, const struct address *lane, struct arena *arena)
{
    struct lane_attempt attempt = {.row = *row};
    uint8_t *raw = arena_copy(arena, row->raw);
    if (raw == NULL)
        return STATUS_NO_MEMORY;
    attempt.row.raw.data = raw;
    struct transaction transaction;
    struct address sender;
    if (!transaction_decode(&transaction, &sender, attempt.row.raw, arena) ||
        transaction.creates_contract || !address_equal(&sender, lane) ||
        transaction.nonce != (uint64_t)nonce)
        return STATUS_CORRUPT;
    attempt.to = transaction.to;
    attempt.data = transaction.data;
    attempt.filler = address_equal(&transaction.to, lane) && transaction.data.size == 0;
    *ret_attempt = attempt;
    return STATUS_OK;
}

enum status lane_slot_add_attempt(struct lane_slot *slot, const struct attempt *attempt,
                                  const struct address *lane)
{
    if (slot->attempts_count == SLOT_ATTEMPTS_MAX)
        return STATUS_LIMIT;
    struct lane_attempt *next = &slot->attempts[slot->attempts_count];
    enum status status = decode(next, attempt, slot->row.nonce, lane, slot->arena);
    if (status != STATUS_OK)
        return status;
    slot->attempts_count++;
    bool taken = attempt->state != ATTEMPT_SIGNED;
    slot->mood.taken = slot->mood.taken || (taken && !next->filler);
    return STATUS_OK;
}

static enum status copy_row(struct lane_slot *slot, const struct slot_row *row,
                            const struct address *lane)
{
    slot->arena = arena_new(SLOT_ARENA_BYTES_MAX);
    if (slot->arena == NULL)
        return STATUS_NO_MEMORY;
    slot->row = row->slot;
    slot->attempts = arena_alloc_array(slot->arena, SLOT_ATTEMPTS_MAX, sizeof *slot->attempts);
    slot->jobs = arena_alloc_array(slot->arena, row->jobs_count, sizeof *slot->jobs);
    if (slot->attempts == NULL || (slot->jobs == NULL && row->jobs_count > 0))
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < row->jobs_count; i++) {
        slot->jobs[i] = row->jobs[i];
        slot->mood.unresolved |= row->jobs[i].state == JOB_UNRESOLVED;
    }
    slot->jobs_count = row->jobs_count;
    for (size_t i = 0; i < row->attempts_count; i++) {
        enum status status = lane_slot_add_attempt(slot, &row->attempts[i], lane);
        if (status != STATUS_OK)
            return status;
    }
    return row->attempts_count > 0 ? STATUS_OK : STATUS_CORRUPT;
}

enum status lane_slot_new(struct lane_slot **ret_slot, const struct slot_row *row,
                          const struct address *lane)
{
    struct lane_slot *slot = calloc(1, sizeof *slot);
    if (slot == NULL)
        return STATUS_NO_MEMORY;
    enum status status = copy_row(slot, row, lane);
    if (status != STATUS_OK) {
        lane_slot_free(slot);
        return status;
    }
    *ret_slot = slot;
    return STATUS_OK;
}

void lane_slot_free(struct lane_slot *slot)
{
    if (slot == NULL)
        return;
    arena_free(slot->arena);
    free(slot);
}

struct lane_attempt *lane_slot_newest(const struct lane_slot *slot)
{
    return &slot->attempts[slot->attempts_count - 1];
}

enum status lane_slots_insert(struct lane_slots *slots, struct lane_slot *slot)
{
    if (slots->count == LANE_SLOTS_MAX)
        return STATUS_LIMIT;
    if (slots->items == NULL)
        slots->items = calloc(LANE_SLOTS_MAX, sizeof *slots->items);
    if (slots->items == NULL)
        return STATUS_NO_MEMORY;
    size_t at = slots->count;
    while (at > 0 && slots->items[at - 1]->row.nonce > slot->row.nonce) {
        slots->items[at] = slots->items[at - 1];
        at--;
    }
    slots->items[at] = slot;
    slots->count++;
    return STATUS_OK;
}

void lane_slots_remove(struct lane_slots *slots, int64_t slot_id)
{
    for (size_t i = 0; i < slots->count; i++) {
        if (slots->items[i]->row.id != slot_id)
            continue;
        lane_slot_free(slots->items[i]);
        memmove(&slots->items[i], &slots->items[i + 1],
                (slots->count - i - 1) * sizeof(struct lane_slot *));
        slots->count--;
        return;
    }
}

void lane_slots_clear(struct lane_slots *slots)
{
    for (size_t i = 0; i < slots->count; i++)
        lane_slot_free(slots->items[i]);
    free(slots->items);
    *slots = (struct lane_slots){0};
}

size_t lane_slots_open(const struct lane_slots *slots)
{
    size_t open = 0;
    for (size_t i = 0; i < slots->count; i++)
        open += slots->items[i]->row.state == SLOT_OPEN;
    return open;
}
