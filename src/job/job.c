// SPDX-License-Identifier: Apache-2.0
// Texts, parsers and allowed changes of jobs, all read from the tables in job.h.
#include "job/job.h"

#include <assert.h>
#include <string.h>

// These numbers are on disk.
static_assert(JOB_REGISTER_REFERRAL == 1 && JOB_MINT_IDENTITY == 2, "on disk");
static_assert(JOB_PAYOUT_USDC == 3 && JOB_PAYOUT_HYBRID == JOB_KIND_COUNT, "on disk");
static_assert(JOB_QUEUED == 1 && JOB_HELD == 2 && JOB_ASSIGNED == 3, "on disk");
static_assert(JOB_SENT == 4 && JOB_MINED == 5 && JOB_UNRESOLVED == 6, "on disk");
static_assert(JOB_CONFIRMED == 7 && JOB_PARKED == 8, "on disk");
static_assert(JOB_CANCELLED == JOB_STATE_COUNT, "on disk");
static_assert(JOB_OUTCOME_NONE == 0 && JOB_OUTCOME_DONE == 1, "on disk");
static_assert(JOB_OUTCOME_OWED == 2 && JOB_OUTCOME_ALREADY == 3, "on disk");
static_assert(JOB_OUTCOME_NETTED == 4, "on disk");

#define JOB_OUTCOME_COUNT 5 // none included

struct word {
    const char *text;
    const char *help;
};

static const struct word kinds[JOB_KIND_COUNT + 1] = {
#define KIND_ROW(number, name, text, help) [number] = {text, help},
    JOB_KIND_TABLE(KIND_ROW)
#undef KIND_ROW
};

static const struct word states[JOB_STATE_COUNT + 1] = {
#define STATE_ROW(number, name, text, open, help) [number] = {text, help},
    JOB_STATE_TABLE(STATE_ROW)
#undef STATE_ROW
};

static const bool states_open[JOB_STATE_COUNT + 1] = {
#define STATE_OPEN(number, name, text, open, help) [number] = (open),
    JOB_STATE_TABLE(STATE_OPEN)
#undef STATE_OPEN
};

// NULL where the change is refused, else why it happens.
static const char *const changes[JOB_STATE_COUNT + 1][JOB_STATE_COUNT + 1] = {
#define CHANGE_ROW(from, to, why) [from][to] = (why),
    JOB_CHANGE_TABLE(CHANGE_ROW)
#undef CHANGE_ROW
};

static const struct word outcomes[JOB_OUTCOME_COUNT] = {
#define OUTCOME_ROW(number, name, text, help) [number] = {text, help},
    JOB_OUTCOME_TABLE(OUTCOME_ROW)
#undef OUTCOME_ROW
};

// The number of the row with that text, 0 where there is none.
static int word_find(const struct word *words, int count, const char *text)
{
    for (int number = 1; number <= count; number++)
        if (strcmp(words[number].text, text) == 0)
            return number;
    return 0;
}

const char *job_kind_text(enum job_kind kind)
{
    return kinds[kind].text;
}

bool job_kind_parse(enum job_kind *ret_kind, const char *text)
{
    return job_kind_from_number(ret_kind, word_find(kinds, JOB_KIND_COUNT, text));
}

bool job_kind_from_number(enum job_kind *ret_kind, int64_t number)
{
    if (number < 1 || number > JOB_KIND_COUNT)
        return false;
    *ret_kind = (enum job_kind)number;
    return true;
}

bool job_kind_is_payout(enum job_kind kind)
{
    return kind == JOB_PAYOUT_USDC || kind == JOB_PAYOUT_HYBRID;
}

const char *job_state_text(enum job_state state)
{
    return states[state].text;
}

bool job_state_parse(enum job_state *ret_state, const char *text)
{
    return job_state_from_number(ret_state, word_find(states, JOB_STATE_COUNT, text));
}

bool job_state_from_number(enum job_state *ret_state, int64_t number)
{
    if (number < 1 || number > JOB_STATE_COUNT)
        return false;
    *ret_state = (enum job_state)number;
    return true;
}

bool job_state_is_open(enum job_state state)
{
    return states_open[state];
}

bool job_change_is_allowed(enum job_state from, enum job_state to)
{
    return changes[from][to] != NULL;
}

const char *job_change_why(enum job_state from, enum job_state to)
{
    return changes[from][to];
}

const char *job_outcome_text(enum job_outcome outcome)
{
    return outcomes[outcome].text;
}

bool job_outcome_from_number(enum job_outcome *ret_outcome, int64_t number)
{
    if (number < 0 || number >= JOB_OUTCOME_COUNT)
        return false;
    *ret_outcome = (enum job_outcome)number;
    return true;
}
