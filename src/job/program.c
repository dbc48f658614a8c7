// SPDX-License-Identifier: Apache-2.0
// What a payment earns under a program, and the words of program kinds and triggers.
#include "job/program.h"

#include <assert.h>
#include <string.h>

// These numbers are on disk.
static_assert(PROGRAM_USDC == 1 && PROGRAM_HYBRID == 2, "on disk");
static_assert(PROGRAM_EVERY_PAYMENT == 1 && PROGRAM_FIRST_PAYMENT == 2, "on disk");

#define TEXT_ROW(number, name, text, help) [number] = (text),

static const char *const kinds[] = {PROGRAM_KIND_TABLE(TEXT_ROW)};
static const char *const triggers[] = {PROGRAM_TRIGGER_TABLE(TEXT_ROW)};

#define COUNT(array) ((int64_t)(sizeof(array) / sizeof((array)[0])))

// The number of that text in words[1..count-1], 0 where there is none.
static int64_t word_find(const char *const *words, int64_t count, const char *text)
{
    for (int64_t number = 1; number < count; number++)
        if (strcmp(words[number], text) == 0)
            return number;
    return 0;
}

const char *program_kind_text(enum program_kind kind)
{
    return kinds[kind];
}

bool program_kind_parse(enum program_kind *ret_kind, const char *text)
{
    return program_kind_from_number(ret_kind, word_find(kinds, COUNT(kinds), text));
}

bool program_kind_from_number(enum program_kind *ret_kind, int64_t number)
{
    if (number < 1 || number >= COUNT(kinds))
        return false;
    *ret_kind = (enum program_kind)number;
    return true;
}

const char *program_trigger_text(enum program_trigger trigger)
{
    return triggers[trigger];
}

bool program_trigger_parse(enum program_trigger *ret_trigger, const char *text)
{
    return program_trigger_from_number(ret_trigger, word_find(triggers, COUNT(triggers), text));
}

bool program_trigger_from_number(enum program_trigger *ret_trigger, int64_t number)
{
    if (number < 1 || number >= COUNT(triggers))
        return false;
    *ret_trigger = (enum program_trigger)number;
    return true;
}

bool program_name_is_valid(const char *name)
{
    size_t length = strnlen(name, PROGRAM_NAME_SIZE);
    if (length == 0 || length >= PROGRAM_NAME_SIZE)
        return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

bool program_commission(struct usdc *ret_usdc, struct sge *ret_sge, const struct program *program,
                        struct usdc amount)
{
    struct usdc usdc;
    struct sge sge;
    if (!usdc_share(&usdc, amount, program->commission_bps) || !sge_from_units(&sge, 0))
        return false;
    if (!usdc_is_zero(program->payout_max) && usdc_compare(usdc, program->payout_max) > 0)
        usdc = program->payout_max;
    if (program->kind == PROGRAM_HYBRID && !sge_for_usdc(&sge, usdc, program->sge_rate))
        return false;
    *ret_usdc = usdc;
    *ret_sge = sge;
    return true;
}
