// SPDX-License-Identifier: Apache-2.0
// The command `sluice programs create|list|update`: commission rules.
#include "cli/programs.h"

#include "api/render.h"
#include "cli/console.h"
#include "cli/number.h"
#include "store/access.h"
#include "store/programs.h"

#include <string.h>

#define HOLD_SECONDS_MAX (366 * 24 * 3600)

// Reads the options that are given into *program; one line and false where one is wrong.
static bool read_rule(struct program *program, const struct arguments *arguments)
{
    const char *bps = argument(arguments, "commission-bps");
    const char *rate = argument(arguments, "sge-rate");
    const char *maximum = argument(arguments, "payout-max");
    const char *hold = argument(arguments, "hold-seconds");
    const char *trigger = argument(arguments, "trigger");
    int64_t number = 0;
    const char *wrong = NULL;
    if (bps && !number_parse(&number, bps, 1, BPS_PER_WHOLE))
        wrong = "--commission-bps is 1 to 10000 hundredths of a percent";
    if (bps && !wrong)
        program->commission_bps = (uint32_t)number;
    if (!wrong && rate && !sge_parse(&program->sge_rate, rate))
        wrong = "--sge-rate is SGE per whole USDC of commission, such as 2.5";
    if (!wrong && maximum && !usdc_parse(&program->payout_max, maximum))
        wrong = "--payout-max is an amount in USDC, such as 100 or 12.50";
    if (!wrong && hold && !number_parse(&number, hold, 0, HOLD_SECONDS_MAX))
        wrong = "--hold-seconds is 0 to 31622400";
    if (!wrong && hold)
        program->hold_seconds = (int32_t)number;
    if (!wrong && trigger && !program_trigger_parse(&program->trigger, trigger))
        wrong = "--trigger is every_payment or first_payment";
    if (!wrong && program->kind == PROGRAM_USDC && !sge_is_zero(program->sge_rate))
        wrong = "--sge-rate is for --kind hybrid";
    if (!wrong && program->kind == PROGRAM_HYBRID && sge_is_zero(program->sge_rate))
        wrong = "--kind hybrid needs --sge-rate";
    if (wrong)
        console_fail(EXIT_USAGE, "%s", wrong);
    return !wrong;
}

static void print_program_json(const struct program *program, struct arena *arena)
{
    struct out out;
    out_start(&out, arena);
    render_program(&out, NULL, program);
    print_json(out_take(&out));
}

struct creation {
    struct program program;
    bool created;
};

static enum status create(struct store_tx *tx, void *context)
{
    struct creation *creation = context;
    enum status status =
        program_insert(tx, &creation->program.id, &creation->created, &creation->program);
    if (status == STATUS_OK && creation->created)
        status = audit_append(tx, console_actor(), "programs.create", creation->program.name);
    return status;
}

static bool read_new(struct program *program, const struct arguments *arguments)
{
    const char *name = arguments->words[0];
    const char *kind = argument(arguments, "kind");
    if (!program_name_is_valid(name)) {
        console_fail(EXIT_USAGE, "a program's name is 1 to 64 of a-z, 0-9 and -");
        return false;
    }
    snprintf(program->name, sizeof program->name, "%s", name);
    if (!program_kind_parse(&program->kind, kind ? kind : "usdc")) {
        console_fail(EXIT_USAGE, "--kind is usdc or hybrid");
        return false;
    }
    if (!argument(arguments, "commission-bps")) {
        console_fail(EXIT_USAGE, "--commission-bps is missing: hundredths of a percent, 1000 is "
                                 "ten percent");
        return false;
    }
    return read_rule(program, arguments);
}

enum exit_code programs_create(const struct arguments *arguments)
{
    struct creation creation = {.program = {.trigger = PROGRAM_EVERY_PAYMENT, .active = true}};
    struct console console;
    if (!read_new(&creation.program, arguments))
        return EXIT_USAGE;
    if (!console_open(&console, CONSOLE_WRITES))
        return console.code;
    enum exit_code code = console_write(&console, "the program was not stored", create, &creation);
    if (code == EXIT_FINE && !creation.created)
        code = console_fail(EXIT_FAILED, "a program named %s exists: sluice programs update %s",
                            creation.program.name, creation.program.name);
    else if (code == EXIT_FINE && argument_json(arguments))
        print_program_json(&creation.program, console.arena);
    else if (code == EXIT_FINE)
        printf("program %s created\n", creation.program.name);
    return console_close(&console, code);
}

struct listing {
    struct program *programs;
    size_t count;
    struct arena *arena;
};

static enum status list(struct store_tx *tx, void *context)
{
    struct listing *listing = context;
    return program_list(tx, &listing->programs, &listing->count, listing->arena);
}

static void print_program_row(struct table *table, const struct program *program)
{
    char bps[16], rate[SGE_TEXT_SIZE], maximum[USDC_TEXT_SIZE], hold[24];
    snprintf(bps, sizeof bps, "%u", program->commission_bps);
    sge_format(rate, program->sge_rate);
    usdc_format(maximum, program->payout_max);
    snprintf(hold, sizeof hold, "%d s", program->hold_seconds);
    table_row(table, program->active ? TONE_PLAIN : TONE_DIM,
              (const char *const[]){program->name, program_kind_text(program->kind),
                                    program_trigger_text(program->trigger), bps, rate,
                                    usdc_is_zero(program->payout_max) ? "-" : maximum, hold,
                                    program->active ? "yes" : "no"});
}

static void print_list_json(const struct listing *listing)
{
    struct out out;
    out_start(&out, listing->arena);
    out_array(&out, NULL);
    for (size_t i = 0; i < listing->count; i++)
        render_program(&out, NULL, &listing->programs[i]);
    out_array_end(&out);
    print_json(out_take(&out));
}

static void print_list(const struct listing *listing)
{
    static const char *const headings[] = {"NAME",     "KIND",       "TRIGGER", "BPS",
                                           "SGE/USDC", "PAYOUT MAX", "HOLD",    "ACTIVE"};
    struct table *table = table_new(headings, sizeof headings / sizeof headings[0]);
    for (size_t i = 0; i < listing->count; i++)
        print_program_row(table, &listing->programs[i]);
    table_print(table, stdout);
}

enum exit_code programs_list(const struct arguments *arguments)
{
    struct console console;
    if (!console_open(&console, CONSOLE_READS))
        return console.code;
    struct listing listing = {.arena = console.arena};
    enum exit_code code = console_read(&console, "the programs cannot be read", list, &listing);
    if (code == EXIT_FINE && argument_json(arguments))
        print_list_json(&listing);
    else if (code == EXIT_FINE)
        print_list(&listing);
    return console_close(&console, code);
}

struct update {
    const struct arguments *arguments;
    struct program program;
    enum status found;
    bool valid;
};

static enum status update(struct store_tx *tx, void *context)
{
    struct update *change = context;
    enum status status = program_by_name(tx, &change->program, change->arguments->words[0]);
    change->found = status;
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    change->valid = read_rule(&change->program, change->arguments);
    if (!change->valid)
        return STATUS_OK;
    if (argument_flag(change->arguments, "activate"))
        change->program.active = true;
    if (argument_flag(change->arguments, "deactivate"))
        change->program.active = false;
    status = program_update(tx, &change->program);
    if (status == STATUS_OK)
        status = audit_append(tx, console_actor(), "programs.update", change->program.name);
    return status;
}

enum exit_code programs_update(const struct arguments *arguments)
{
    struct update change = {.arguments = arguments};
    struct console console;
    if (!console_open(&console, CONSOLE_WRITES))
        return console.code;
    enum exit_code code = console_write(&console, "the program was not changed", update, &change);
    if (code == EXIT_FINE && change.found == STATUS_NOT_FOUND)
        code = console_fail(EXIT_FAILED, "there is no program named %s", arguments->words[0]);
    else if (code == EXIT_FINE && !change.valid)
        code = EXIT_USAGE;
    else if (code == EXIT_FINE && argument_json(arguments))
        print_program_json(&change.program, console.arena);
    else if (code == EXIT_FINE)
        printf("program %s changed; it counts for payments from now on\n", change.program.name);
    return console_close(&console, code);
}
