// SPDX-License-Identifier: Apache-2.0
// Texts and numbers of slots and attempts, from the tables in slot.h.
#include "job/slot.h"

#include <assert.h>

// These numbers are on disk.
static_assert(SLOT_OPEN == 1 && SLOT_MINED == 2 && SLOT_FINAL == 3 && SLOT_FOREIGN == 4, "on disk");
static_assert(SLOT_WORK == 1 && SLOT_FILLER == 2, "on disk");
static_assert(ATTEMPT_SIGNED == 1 && ATTEMPT_SENT == 2 && ATTEMPT_MINED == 3, "on disk");
static_assert(ATTEMPT_REPLACED == 4 && ATTEMPT_DROPPED == 5, "on disk");

#define TEXT_ROW(number, name, text, help) [number] = (text),

static const char *const slot_states[] = {SLOT_STATE_TABLE(TEXT_ROW)};
static const char *const slot_kinds[] = {SLOT_KIND_TABLE(TEXT_ROW)};
static const char *const attempt_states[] = {ATTEMPT_STATE_TABLE(TEXT_ROW)};

#define COUNT(array) ((int64_t)(sizeof(array) / sizeof((array)[0])))

const char *slot_state_text(enum slot_state state)
{
    return slot_states[state];
}

bool slot_state_from_number(enum slot_state *ret_state, int64_t number)
{
    if (number < 1 || number >= COUNT(slot_states))
        return false;
    *ret_state = (enum slot_state)number;
    return true;
}

const char *slot_kind_text(enum slot_kind kind)
{
    return slot_kinds[kind];
}

bool slot_kind_from_number(enum slot_kind *ret_kind, int64_t number)
{
    if (number < 1 || number >= COUNT(slot_kinds))
        return false;
    *ret_kind = (enum slot_kind)number;
    return true;
}

const char *attempt_state_text(enum attempt_state state)
{
    return attempt_states[state];
}

bool attempt_state_from_number(enum attempt_state *ret_state, int64_t number)
{
    if (number < 1 || number >= COUNT(attempt_states))
        return false;
    *ret_state = (enum attempt_state)number;
    return true;
}
