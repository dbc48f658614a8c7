// SPDX-License-Identifier: Apache-2.0
// Readers of Standard, Stripe and Coinbase Commerce events.
#include "api/webhook_event.h"

#include "job/program.h"

#include <string.h>

static const struct fault fine = {PROBLEM_NONE, NULL};

enum provider webhook_provider(enum webhook_form form)
{
    switch (form) {
    case WEBHOOK_STANDARD:
        return PROVIDER_STANDARD;
    case WEBHOOK_STRIPE:
        return PROVIDER_STRIPE;
    case WEBHOOK_COINBASE_COMMERCE:
        return PROVIDER_COINBASE_COMMERCE;
    }
    return PROVIDER_STANDARD;
}

static struct fault ignore(struct webhook_event *event, const char *why)
{
    event->type = WEBHOOK_EVENT_IGNORED;
    event->ignored = why;
    return fine;
}

// The text at `name`; a fault where it is missing or no text. field is its name for people.
static struct fault read_text(const char **ret_text, const json_t *object, const char *name,
                              const char *field)
{
    const json_t *value = json_object_get(object, name);
    if (!value || json_is_null(value))
        return (struct fault){PROBLEM_FIELD_MISSING, field};
    if (!json_is_string(value))
        return (struct fault){PROBLEM_FIELD_TYPE, field};
    *ret_text = json_string_value(value);
    return fine;
}

static struct fault read_payment_key(struct webhook_event *event, const json_t *object,
                                     const char *name, const char *field)
{
    struct fault fault = read_text(&event->payment_key, object, name, field);
    if (fault.problem == PROBLEM_NONE && !input_is_id(event->payment_key, PAYMENT_KEY_SIZE - 1))
        return (struct fault){PROBLEM_PAYMENT_ID, field};
    return fault;
}

static struct fault read_event_id(struct webhook_event *event, const json_t *object,
                                  const char *field)
{
    struct fault fault = read_text(&event->event_id, object, "id", field);
    if (fault.problem == PROBLEM_NONE && !input_is_id(event->event_id, EVENT_ID_SIZE - 1))
        return (struct fault){PROBLEM_EVENT_ID, field};
    return fault;
}

static struct fault read_wallet(struct webhook_event *event, const json_t *object, const char *name,
                                const char *field, const struct refused *refused)
{
    const char *text;
    struct fault fault = read_text(&text, object, name, field);
    if (fault.problem != PROBLEM_NONE)
        return fault;
    return (struct fault){input_wallet(&event->wallet, text, refused), field};
}

static struct fault read_program(struct webhook_event *event, const json_t *object,
                                 const char *name, const char *field)
{
    const json_t *value = json_object_get(object, name);
    if (!value || json_is_null(value))
        return fine;
    if (!json_is_string(value))
        return (struct fault){PROBLEM_FIELD_TYPE, field};
    event->program = json_string_value(value);
    if (!program_name_is_valid(event->program))
        return (struct fault){PROBLEM_PROGRAM_NAME, field};
    return fine;
}

// Runs the steps of a reader until the first fault.
#define TRY(step)                                                                                  \
    do {                                                                                           \
        struct fault fault_ = (step);                                                              \
        if (fault_.problem != PROBLEM_NONE)                                                        \
            return fault_;                                                                         \
    } while (0)

static struct fault read_refund(struct webhook_event *event, enum refund_kind kind)
{
    event->type = WEBHOOK_EVENT_REFUND;
    event->refund = kind;
    return fine;
}

// ---- Standard Webhooks

static struct fault read_standard_payment(struct webhook_event *event, const json_t *data,
                                          const struct refused *refused)
{
    const json_t *amount = json_object_get(data, "amount");
    TRY(read_wallet(event, data, "wallet", "data.wallet", refused));
    TRY(read_program(event, data, "program", "data.program"));
    if (!amount || json_is_null(amount))
        return (struct fault){PROBLEM_FIELD_MISSING, "data.amount"};
    TRY(((struct fault){input_amount(&event->amount, amount), "data.amount"}));
    event->type = WEBHOOK_EVENT_PAYMENT;
    return fine;
}

static struct fault read_standard(struct webhook_event *event, json_t *body, const char *header_id,
                                  const struct refused *refused)
{
    const char *type;
    const json_t *data = json_object_get(body, "data");
    event->event_id = header_id;
    if (!input_is_id(header_id, EVENT_ID_SIZE - 1))
        return (struct fault){PROBLEM_EVENT_ID, "webhook-id"};
    TRY(read_text(&type, body, "type", "type"));
    if (strncmp(type, "payment.", 8) != 0)
        return ignore(event, "event type");
    if (!json_is_object(data))
        return (struct fault){data ? PROBLEM_FIELD_TYPE : PROBLEM_FIELD_MISSING, "data"};
    TRY(read_payment_key(event, data, "payment_id", "data.payment_id"));
    if (strcmp(type, "payment.confirmed") == 0)
        return read_standard_payment(event, data, refused);
    if (strcmp(type, "payment.refunded") == 0)
        return read_refund(event, REFUND_FULL);
    if (strcmp(type, "payment.disputed") == 0)
        return read_refund(event, REFUND_CHARGEBACK);
    if (strcmp(type, "payment.dispute_won") == 0)
        return read_refund(event, REFUND_REVERSED);
    return ignore(event, "event type");
}

// ---- Stripe

static struct fault read_stripe_payment(struct webhook_event *event, const json_t *object,
                                        const struct refused *refused)
{
    const json_t *metadata = json_object_get(object, "metadata");
    const json_t *amount = json_object_get(object, "amount_received");
    const char *currency;
    if (!json_object_get(metadata, "sluice_wallet"))
        return ignore(event, "no metadata.sluice_wallet");
    TRY(read_payment_key(event, object, "id", "data.object.id"));
    TRY(read_wallet(event, metadata, "sluice_wallet", "data.object.metadata.sluice_wallet",
                    refused));
    TRY(read_program(event, metadata, "sluice_program", "data.object.metadata.sluice_program"));
    TRY(read_text(&currency, object, "currency", "data.object.currency"));
    if (strcmp(currency, "usd") != 0)
        return (struct fault){PROBLEM_CURRENCY, "data.object.currency"};
    if (!amount)
        return (struct fault){PROBLEM_FIELD_MISSING, "data.object.amount_received"};
    TRY((
        (struct fault){input_amount_cents(&event->amount, amount), "data.object.amount_received"}));
    event->type = WEBHOOK_EVENT_PAYMENT;
    return fine;
}

static struct fault read_stripe_refund(struct webhook_event *event, const json_t *object,
                                       enum refund_kind kind)
{
    const json_t *intent = json_object_get(object, "payment_intent");
    if (!intent || json_is_null(intent))
        return ignore(event, "no payment_intent");
    TRY(read_payment_key(event, object, "payment_intent", "data.object.payment_intent"));
    return read_refund(event, kind);
}

static struct fault read_stripe_closed_dispute(struct webhook_event *event, const json_t *object)
{
    const char *status = json_string_value(json_object_get(object, "status"));
    // An inquiry opens as a dispute too, and closes so where it never became one.
    if (!status || (strcmp(status, "won") != 0 && strcmp(status, "warning_closed") != 0))
        return ignore(event, "dispute not won");
    return read_stripe_refund(event, object, REFUND_REVERSED);
}

static struct fault read_stripe(struct webhook_event *event, json_t *body,
                                const struct refused *refused)
{
    const char *type;
    const json_t *object = json_object_get(json_object_get(body, "data"), "object");
    TRY(read_text(&type, body, "type", "type"));
    TRY(read_event_id(event, body, "id"));
    if (!json_is_object(object))
        return (struct fault){object ? PROBLEM_FIELD_TYPE : PROBLEM_FIELD_MISSING, "data.object"};
    if (strcmp(type, "payment_intent.succeeded") == 0)
        return read_stripe_payment(event, object, refused);
    if (strcmp(type, "charge.refunded") == 0)
        // Sent for partial refunds too; the commission stays until the whole charge is refunded.
        return json_is_true(json_object_get(object, "refunded"))
                   ? read_stripe_refund(event, object, REFUND_FULL)
                   : ignore(event, "partial refund");
    if (strcmp(type, "charge.dispute.created") == 0)
        return read_stripe_refund(event, object, REFUND_CHARGEBACK);
    if (strcmp(type, "charge.dispute.closed") == 0)
        return read_stripe_closed_dispute(event, object);
    return ignore(event, "event type");
}

// ---- Coinbase Commerce

static struct fault read_coinbase_payment(struct webhook_event *event, const json_t *data,
                                          const struct refused *refused)
{
    const json_t *metadata = json_object_get(data, "metadata");
    const json_t *price = json_object_get(json_object_get(data, "pricing"), "local");
    const char *amount;
    const char *currency;
    if (!json_object_get(metadata, "sluice_wallet"))
        return ignore(event, "no metadata.sluice_wallet");
    TRY(read_wallet(event, metadata, "sluice_wallet", "event.data.metadata.sluice_wallet",
                    refused));
    TRY(read_program(event, metadata, "sluice_program", "event.data.metadata.sluice_program"));
    TRY(read_text(&currency, price, "currency", "event.data.pricing.local.currency"));
    if (strcmp(currency, "USD") != 0 && strcmp(currency, "USDC") != 0)
        return (struct fault){PROBLEM_CURRENCY, "event.data.pricing.local.currency"};
    TRY(read_text(&amount, price, "amount", "event.data.pricing.local.amount"));
    TRY(((struct fault){input_amount_text(&event->amount, amount),
                        "event.data.pricing.local.amount"}));
    event->type = WEBHOOK_EVENT_PAYMENT;
    return fine;
}

static struct fault read_coinbase(struct webhook_event *event, json_t *body,
                                  const struct refused *refused)
{
    const char *type;
    const json_t *inner = json_object_get(body, "event");
    const json_t *data = json_object_get(inner, "data");
    if (!json_is_object(inner))
        return (struct fault){inner ? PROBLEM_FIELD_TYPE : PROBLEM_FIELD_MISSING, "event"};
    TRY(read_text(&type, inner, "type", "event.type"));
    TRY(read_event_id(event, inner, "event.id"));
    if (strcmp(type, "charge:confirmed") != 0 && strcmp(type, "charge:refunded") != 0)
        return ignore(event, "event type");
    if (!json_is_object(data))
        return (struct fault){data ? PROBLEM_FIELD_TYPE : PROBLEM_FIELD_MISSING, "event.data"};
    // A charge has an id and a short code; older events carry only the code.
    const char *key = json_object_get(data, "id") ? "id" : "code";
    TRY(read_payment_key(event, data, key, "event.data.id"));
    if (strcmp(type, "charge:refunded") == 0)
        return read_refund(event, REFUND_FULL);
    return read_coinbase_payment(event, data, refused);
}

struct fault webhook_event_read(struct webhook_event *ret_event, enum webhook_form form,
                                json_t *body, const char *header_id, const struct refused *refused)
{
    struct webhook_event event = {0};
    struct fault fault = fine;
    switch (form) {
    case WEBHOOK_STANDARD:
        fault = read_standard(&event, body, header_id, refused);
        break;
    case WEBHOOK_STRIPE:
        fault = read_stripe(&event, body, refused);
        break;
    case WEBHOOK_COINBASE_COMMERCE:
        fault = read_coinbase(&event, body, refused);
        break;
    }
    if (fault.problem == PROBLEM_NONE)
        *ret_event = event;
    return fault;
}
