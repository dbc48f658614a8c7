// SPDX-License-Identifier: Apache-2.0
// Webhooks in: signature over the raw bytes first, then the event, then the store.
#include "api/handlers.h"
#include "api/metrics.h"
#include "api/payments.h"
#include "api/webhook_event.h"
#include "base/log.h"

#include <string.h>

struct webhook_input {
    struct webhook_event event;
    enum provider provider;
    struct payment_input payment;
    enum refund_outcome refunded;
};

static const struct {
    const char *id, *timestamp, *signature; // NULL: the form has none
} header_names[WEBHOOK_FORMS] = {
    [WEBHOOK_STANDARD] = {"webhook-id", "webhook-timestamp", "webhook-signature"},
    [WEBHOOK_STRIPE] = {NULL, NULL, "Stripe-Signature"},
    [WEBHOOK_COINBASE_COMMERCE] = {NULL, NULL, "X-CC-Webhook-Signature"},
};

static const char *header_of(const struct call *call, const char *name, bool *duplicate)
{
    if (!name)
        return NULL;
    if (http_header_count(call->request, name) > 1)
        *duplicate = true;
    return http_header_value(call->request, name);
}

static enum problem problem_of_signature(enum webhook_fault fault)
{
    switch (fault) {
    case WEBHOOK_FINE:
        return PROBLEM_NONE;
    case WEBHOOK_MISSING:
        return PROBLEM_SIGNATURE_MISSING;
    case WEBHOOK_MALFORMED:
        return PROBLEM_SIGNATURE_MALFORMED;
    case WEBHOOK_STALE:
        return PROBLEM_SIGNATURE_STALE;
    case WEBHOOK_MISMATCH:
        return PROBLEM_SIGNATURE_MISMATCH;
    case WEBHOOK_NO_MEMORY:
        return PROBLEM_NO_MEMORY;
    }
    return PROBLEM_SIGNATURE_MISMATCH;
}

static enum problem check_signature(struct call *call, enum webhook_form form,
                                    struct webhook_headers *ret_headers)
{
    bool duplicate = false;
    struct webhook_headers headers = {
        .id = header_of(call, header_names[form].id, &duplicate),
        .timestamp = header_of(call, header_names[form].timestamp, &duplicate),
        .signature = header_of(call, header_names[form].signature, &duplicate),
    };
    if (duplicate)
        return PROBLEM_SIGNATURE_DUPLICATE;
    *ret_headers = headers;
    return problem_of_signature(webhook_verify(&call->api->secrets[form], form, &headers,
                                               call->request->body,
                                               clock_wall_ms(call->api->clock) / 1000));
}

// ---- the store's part

static const char *const refund_texts[] = {
#define REFUND_TEXT(name, text, help) [name] = text,
    REFUND_OUTCOME_TABLE(REFUND_TEXT)
#undef REFUND_TEXT
};

// Only what a provider's log may want: it goes out 30,000 times a second.
static enum status answer_payment(struct call *call, enum payment_outcome outcome,
                                  const struct payment *payment)
{
    struct out out;
    out_start(&out, call->arena);
    out_object(&out, NULL);
    out_object(&out, "payment");
    out_text(&out, "id", payment->key);
    out_text(&out, "state", payment_state_text(payment->state));
    out_id(&out, "job_id", payment->job_id);
    out_object_end(&out);
    out_boolean(&out, "duplicate", outcome == PAYMENT_DUPLICATE);
    out_object_end(&out);
    return call_set_answer(call, 200, &out);
}

static enum status apply_payment(struct call *call, struct store_tx *tx)
{
    struct webhook_input *input = call->input;
    enum payment_outcome outcome;
    struct payment payment;
    enum status status = payment_accept(tx, &outcome, &payment, &input->payment);
    if (status != STATUS_OK)
        return status;
    enum problem problem = payment_problem(outcome);
    if (problem != PROBLEM_NONE)
        return call_set_problem(call, problem, NULL);
    return answer_payment(call, outcome, &payment);
}

static enum status apply_refund(struct call *call, struct store_tx *tx)
{
    struct webhook_input *input = call->input;
    enum refund_outcome outcome;
    struct out out;
    enum status status =
        payment_refund(tx, &outcome, input->provider, input->event.event_id,
                       input->event.payment_key, input->event.refund, &call->trace);
    if (status != STATUS_OK)
        return status;
    out_start(&out, call->arena);
    out_object(&out, NULL);
    input->refunded = outcome;
    out_text(&out, "refund", refund_texts[outcome]);
    out_object_end(&out);
    return call_set_answer(call, 200, &out);
}

static void observe_durable(struct call *call)
{
    int64_t wait_ms = clock_wall_ms(call->api->clock) - call->request->received_ms;
    metrics_webhook_durable(wait_ms > 0 ? wait_ms : 0);
}

// Money that left and is to come back: somebody may want to know today.
static void observe_refund(struct call *call)
{
    const struct webhook_input *input = call->input;
    observe_durable(call);
    metrics_refund(input->refunded);
    if (input->refunded == REFUND_RECEIVABLE)
        log_warn("a payment was refunded after its payout was signed; it is netted from the next",
                 {"payment", LOG_TEXT(input->event.payment_key)});
}

// ---- the request's part

static void answer_ignored(struct call *call, const char *why)
{
    struct out out;
    out_start(&out, call->arena);
    out_object(&out, NULL);
    out_text(&out, "ignored", why);
    out_object_end(&out);
    call_answer(call, 200, &out);
}

static void write_event(struct call *call, struct webhook_input *input)
{
    const struct webhook_event *event = &input->event;
    call->after = observe_durable;
    switch (event->type) {
    case WEBHOOK_EVENT_IGNORED:
        answer_ignored(call, event->ignored);
        return;
    case WEBHOOK_EVENT_PAYMENT:
        input->payment = (struct payment_input){.provider = input->provider,
                                                .payment_key = event->payment_key,
                                                .child = event->wallet,
                                                .program_name = event->program,
                                                .amount = event->amount,
                                                .received_ms = call->request->received_ms,
                                                .trace = call->trace};
        call_write(call, apply_payment);
        return;
    case WEBHOOK_EVENT_REFUND:
        call->after = observe_refund;
        call_write(call, apply_refund);
        return;
    }
}

static void refuse_signature(struct call *call, enum problem problem)
{
    bool tolerable = auth_count_failure(call->api->auth, &call->retry_s, &call->request->peer);
    call_refuse(call, tolerable ? problem : PROBLEM_AUTH_RATE, NULL);
}

static void take_event(struct call *call, enum webhook_form form, const char *header_id)
{
    struct webhook_input *input = arena_alloc(call->arena, sizeof *input);
    enum problem problem =
        input ? input_object(&call->body, call->request->body) : PROBLEM_NO_MEMORY;
    if (problem != PROBLEM_NONE) {
        call_refuse(call, problem, NULL);
        return;
    }
    input->provider = webhook_provider(form);
    call->input = input;
    struct fault fault =
        webhook_event_read(&input->event, form, call->body, header_id, &call->api->refused);
    if (fault.problem != PROBLEM_NONE)
        call_refuse_fault(call, fault);
    else
        write_event(call, input);
}

static void handle(struct call *call, enum webhook_form form)
{
    struct webhook_headers headers;
    if (call->api->secrets[form].count == 0) {
        call_refuse(call, PROBLEM_FORM_OFF, NULL);
        return;
    }
    enum problem problem = check_signature(call, form, &headers);
    if (problem == PROBLEM_NO_MEMORY)
        call_refuse(call, problem, NULL); // our trouble, not a failed try of the sender
    else if (problem != PROBLEM_NONE)
        refuse_signature(call, problem);
    else
        take_event(call, form, headers.id);
}

void api_webhooks_standard(struct call *call)
{
    handle(call, WEBHOOK_STANDARD);
}

void api_webhooks_stripe(struct call *call)
{
    handle(call, WEBHOOK_STRIPE);
}

void api_webhooks_coinbase_commerce(struct call *call)
{
    handle(call, WEBHOOK_COINBASE_COMMERCE);
}
