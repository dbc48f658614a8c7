// SPDX-License-Identifier: Apache-2.0
// Programs: create, list, change, deactivate.
#include "store/programs.h"
#include "api/call.h"
#include "api/handlers.h"
#include "api/render.h"

#include <stdio.h>

#define HOLD_SECONDS_MAX 31536000 // a year

#define WORD(number, name, text, help) " " text
#define RATE_RANGE                                                                                 \
    "sge_rate: none for usdc; for hybrid above 0, and small enough for the largest payment"

// What a body says; the has_ members tell which rules it names.
struct program_input {
    struct program program;
    bool has_trigger, has_bps, has_sge_rate, has_payout_max, has_hold, has_active;
};

static enum status answer_program(struct call *call, int http_status, const struct program *program)
{
    struct out out;
    out_start(&out, call->arena);
    render_program(&out, NULL, program);
    return call_set_answer(call, http_status, &out);
}

// ---- reading a body

static struct fault read_integer(struct call *call, bool *ret_has, int64_t *ret_value,
                                 const char *field, int64_t minimum, int64_t maximum)
{
    const json_t *value = json_object_get(call->body, field);
    if (!value)
        return (struct fault){PROBLEM_NONE, NULL};
    if (!json_is_integer(value))
        return (struct fault){PROBLEM_FIELD_TYPE, field};
    if (json_integer_value(value) < minimum || json_integer_value(value) > maximum)
        return (struct fault){PROBLEM_PROGRAM_RULE,
                              arena_printf(call->arena, "%s: %lld to %lld", field,
                                           (long long)minimum, (long long)maximum)};
    *ret_value = json_integer_value(value);
    *ret_has = true;
    return (struct fault){PROBLEM_NONE, NULL};
}

static struct fault read_trigger(struct program_input *input, const json_t *body)
{
    const json_t *value = json_object_get(body, "trigger");
    if (!value)
        return (struct fault){PROBLEM_NONE, NULL};
    if (!json_is_string(value))
        return (struct fault){PROBLEM_FIELD_TYPE, "trigger"};
    input->has_trigger = program_trigger_parse(&input->program.trigger, json_string_value(value));
    return (struct fault){input->has_trigger ? PROBLEM_NONE : PROBLEM_PROGRAM_RULE,
                          "trigger: one of" PROGRAM_TRIGGER_TABLE(WORD)};
}

// null takes the limit away.
static struct fault read_payout_max(struct program_input *input, const json_t *body)
{
    const json_t *value = json_object_get(body, "payout_max");
    if (!value)
        return (struct fault){PROBLEM_NONE, NULL};
    input->has_payout_max = true;
    if (json_is_null(value))
        return (struct fault){PROBLEM_NONE, NULL};
    return (struct fault){input_amount(&input->program.payout_max, value), "payout_max"};
}

static struct fault read_sge_rate(struct program_input *input, const json_t *body)
{
    const json_t *value = json_object_get(body, "sge_rate");
    if (!value)
        return (struct fault){PROBLEM_NONE, NULL};
    input->has_sge_rate = true;
    return (struct fault){input_sge(&input->program.sge_rate, value), "sge_rate"};
}

static struct fault read_active(struct program_input *input, const json_t *body)
{
    const json_t *value = json_object_get(body, "active");
    if (!value)
        return (struct fault){PROBLEM_NONE, NULL};
    if (!json_is_boolean(value))
        return (struct fault){PROBLEM_FIELD_TYPE, "active"};
    input->has_active = true;
    input->program.active = json_is_true(value);
    return (struct fault){PROBLEM_NONE, NULL};
}

static struct fault read_rules(struct call *call, struct program_input *input)
{
    const json_t *body = call->body;
    int64_t bps = 0;
    int64_t hold = 0;
    struct fault faults[] = {
        read_trigger(input, body),
        read_integer(call, &input->has_bps, &bps, "commission_bps", 1, BPS_PER_WHOLE),
        read_sge_rate(input, body),
        read_payout_max(input, body),
        read_integer(call, &input->has_hold, &hold, "hold_seconds", 0, HOLD_SECONDS_MAX),
        read_active(input, body),
    };
    input->program.commission_bps = (uint32_t)bps;
    input->program.hold_seconds = (int32_t)hold;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        if (faults[i].problem != PROBLEM_NONE)
            return faults[i];
    return (struct fault){PROBLEM_NONE, NULL};
}

static struct fault read_identity(struct program_input *input, const json_t *body)
{
    const char *name = json_string_value(json_object_get(body, "name"));
    const char *kind = json_string_value(json_object_get(body, "kind"));
    if (!name)
        return (struct fault){PROBLEM_FIELD_MISSING, "name"};
    if (!program_name_is_valid(name))
        return (struct fault){PROBLEM_PROGRAM_NAME, "name"};
    if (!kind)
        return (struct fault){PROBLEM_FIELD_MISSING, "kind"};
    if (!program_kind_parse(&input->program.kind, kind))
        return (struct fault){PROBLEM_PROGRAM_RULE, "kind: one of" PROGRAM_KIND_TABLE(WORD)};
    snprintf(input->program.name, sizeof input->program.name, "%s", name);
    return (struct fault){PROBLEM_NONE, NULL};
}

// A hybrid program pays SGE, a USDC program none; and the largest payment must earn an amount that
// fits, which the store insists on.
static bool rate_fits(const struct program *program)
{
    struct usdc largest, usdc;
    struct sge sge;
    return (program->kind == PROGRAM_HYBRID) != sge_is_zero(program->sge_rate) &&
           usdc_from_units(&largest, INT64_MAX) &&
           program_commission(&usdc, &sge, program, largest);
}

// ---- create

static enum status is_full(struct call *call, struct store_tx *tx, bool *ret_full)
{
    struct program *programs;
    size_t count;
    enum status status = program_list(tx, &programs, &count, call->arena);
    *ret_full = status == STATUS_OK && count >= PROGRAMS_MAX;
    return status;
}

static enum status apply_create(struct call *call, struct store_tx *tx)
{
    const struct program_input *input = call->input;
    int64_t id;
    bool created;
    bool full;
    struct program program;
    enum status status = is_full(call, tx, &full);
    if (status != STATUS_OK)
        return status;
    if (full)
        return call_set_problem(call, PROBLEM_PROGRAMS_FULL, NULL);
    status = program_insert(tx, &id, &created, &input->program);
    if (status != STATUS_OK)
        return status;
    if (!created)
        return call_set_problem(call, PROBLEM_PROGRAM_EXISTS, NULL);
    status = call_audit(call, tx, "programs.create", input->program.name);
    if (status == STATUS_OK)
        status = program_by_id(tx, &program, id);
    return status == STATUS_OK ? answer_program(call, 201, &program) : status;
}

static struct fault read_new(struct call *call, struct program_input *input)
{
    struct fault fault = read_identity(input, call->body);
    if (fault.problem == PROBLEM_NONE)
        fault = read_rules(call, input);
    if (fault.problem != PROBLEM_NONE)
        return fault;
    if (!input->has_bps)
        return (struct fault){PROBLEM_FIELD_MISSING, "commission_bps"};
    if (!input->has_trigger)
        input->program.trigger = PROGRAM_EVERY_PAYMENT;
    if (!input->has_active)
        input->program.active = true;
    if (!rate_fits(&input->program))
        return (struct fault){PROBLEM_PROGRAM_RULE, RATE_RANGE};
    return (struct fault){PROBLEM_NONE, NULL};
}

void api_programs_create(struct call *call)
{
    static const char *const fields[] = {"name",           "kind",     "trigger",
                                         "commission_bps", "sge_rate", "payout_max",
                                         "hold_seconds",   "active",   NULL};
    struct program_input *input = call_new_input(call, sizeof *input);
    if (!input || !call_take_body(call, fields, false))
        return;
    struct fault fault = read_new(call, input);
    if (fault.problem != PROBLEM_NONE)
        call_refuse_fault(call, fault);
    else
        call_write(call, apply_create);
}

// ---- look up

static enum status apply_list(struct call *call, struct store_tx *tx)
{
    struct program *programs;
    size_t count;
    struct out out;
    enum status status = program_list(tx, &programs, &count, call->arena);
    if (status != STATUS_OK)
        return status;
    out_start(&out, call->arena);
    out_object(&out, NULL);
    out_array(&out, "programs");
    for (size_t i = 0; i < count; i++)
        render_program(&out, NULL, &programs[i]);
    out_array_end(&out);
    out_object_end(&out);
    return call_set_answer(call, 200, &out);
}

void api_programs_get_many(struct call *call)
{
    call_read(call, apply_list);
}

static enum status apply_get(struct call *call, struct store_tx *tx)
{
    struct program program;
    enum status status = program_by_name(tx, &program, call->path_value);
    if (status == STATUS_NOT_FOUND)
        return call_set_problem(call, PROBLEM_PROGRAM_NOT_FOUND, NULL);
    return status == STATUS_OK ? answer_program(call, 200, &program) : status;
}

void api_programs_get(struct call *call)
{
    call_read(call, apply_get);
}

// ---- change

static void overlay(struct program *program, const struct program_input *input)
{
    if (input->has_trigger)
        program->trigger = input->program.trigger;
    if (input->has_bps)
        program->commission_bps = input->program.commission_bps;
    if (input->has_sge_rate)
        program->sge_rate = input->program.sge_rate;
    if (input->has_payout_max)
        program->payout_max = input->program.payout_max;
    if (input->has_hold)
        program->hold_seconds = input->program.hold_seconds;
    if (input->has_active)
        program->active = input->program.active;
}

static enum status apply_change(struct call *call, struct store_tx *tx)
{
    const struct program_input *input = call->input;
    struct program program;
    enum status status = program_by_name(tx, &program, call->path_value);
    if (status == STATUS_NOT_FOUND)
        return call_set_problem(call, PROBLEM_PROGRAM_NOT_FOUND, NULL);
    if (status != STATUS_OK)
        return status;
    overlay(&program, input);
    if (!rate_fits(&program))
        return call_set_problem(call, PROBLEM_PROGRAM_RULE, "field " RATE_RANGE);
    status = program_update(tx, &program);
    if (status == STATUS_OK)
        status = call_audit(call, tx, "programs.change", program.name);
    return status == STATUS_OK ? answer_program(call, 200, &program) : status;
}

void api_programs_change(struct call *call)
{
    static const char *const fields[] = {"trigger",      "commission_bps", "sge_rate", "payout_max",
                                         "hold_seconds", "active",         NULL};
    struct program_input *input = call_new_input(call, sizeof *input);
    if (!input || !call_take_body(call, fields, false))
        return;
    struct fault fault = read_rules(call, input);
    if (fault.problem != PROBLEM_NONE)
        call_refuse_fault(call, fault);
    else
        call_write(call, apply_change);
}

void api_programs_delete(struct call *call)
{
    struct program_input *input = call_new_input(call, sizeof *input);
    if (!input)
        return;
    input->has_active = true; // and active is false
    call_write(call, apply_change);
}
