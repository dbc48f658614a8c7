// SPDX-License-Identifier: Apache-2.0
// Payments reported server to server, and payments looked up.
#include "api/payments.h"

#include "api/handlers.h"
#include "api/render.h"

enum problem payment_problem(enum payment_outcome outcome)
{
    switch (outcome) {
    case PAYMENT_NEW:
    case PAYMENT_DUPLICATE:
        return PROBLEM_NONE;
    case PAYMENT_DIFFERS:
        return PROBLEM_PAYMENT_DIFFERS;
    case PAYMENT_UNKNOWN_USER:
        return PROBLEM_USER_UNKNOWN;
    case PAYMENT_UNKNOWN_PROGRAM:
        return PROBLEM_PROGRAM_UNKNOWN;
    }
    return PROBLEM_STORE_DOWN;
}

static enum status answer_payment(struct call *call, struct store_tx *tx, int http_status,
                                  const struct payment *payment)
{
    struct out out;
    const char *program;
    enum status status = render_program_name(tx, &program, payment->program_id, call->arena);
    if (status != STATUS_OK)
        return status;
    out_start(&out, call->arena);
    render_payment(&out, NULL, payment, program);
    return call_set_answer(call, http_status, &out);
}

static enum status apply_create(struct call *call, struct store_tx *tx)
{
    enum payment_outcome outcome;
    struct payment payment;
    enum status status = payment_accept(tx, &outcome, &payment, call->input);
    if (status != STATUS_OK)
        return status;
    enum problem problem = payment_problem(outcome);
    if (problem != PROBLEM_NONE)
        return call_set_problem(call, problem, NULL);
    return answer_payment(call, tx, outcome == PAYMENT_NEW ? 201 : 200, &payment);
}

static struct fault read_rest(struct call *call, struct payment_input *input)
{
    const json_t *amount = json_object_get(call->body, "amount");
    if (!input_is_id(input->payment_key, PAYMENT_KEY_SIZE - 1))
        return (struct fault){PROBLEM_PAYMENT_ID, "id"};
    if (input->program_name && !program_name_is_valid(input->program_name))
        return (struct fault){PROBLEM_PROGRAM_NAME, "program"};
    if (!amount || json_is_null(amount))
        return (struct fault){PROBLEM_FIELD_MISSING, "amount"};
    return (struct fault){input_amount(&input->amount, amount), "amount"};
}

void api_payments_create(struct call *call)
{
    static const char *const fields[] = {"id", "wallet", "amount", "program", NULL};
    struct payment_input *input = call_new_input(call, sizeof *input);
    if (!input || !call_take_body(call, fields, false) ||
        !call_take_text(call, &input->payment_key, "id", true) ||
        !call_take_wallet(call, &input->child, "wallet", true) ||
        !call_take_text(call, &input->program_name, "program", false))
        return;
    struct fault fault = read_rest(call, input);
    if (fault.problem != PROBLEM_NONE) {
        call_refuse_fault(call, fault);
        return;
    }
    input->provider = PROVIDER_DIRECT;
    input->received_ms = call->request->received_ms;
    input->trace = call->trace;
    call_write(call, apply_create);
}

static enum status apply_get(struct call *call, struct store_tx *tx)
{
    struct payment payment;
    enum status status = payment_by_key(tx, &payment, call->path_value);
    if (status == STATUS_NOT_FOUND)
        return call_set_problem(call, PROBLEM_PAYMENT_UNKNOWN, NULL);
    return status == STATUS_OK ? answer_payment(call, tx, 200, &payment) : status;
}

void api_payments_get(struct call *call)
{
    if (input_is_id(call->path_value, PAYMENT_KEY_SIZE - 1))
        call_read(call, apply_get);
    else
        call_refuse_fault(call, (struct fault){PROBLEM_PAYMENT_ID, "id"});
}
