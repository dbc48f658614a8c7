// SPDX-License-Identifier: Apache-2.0
// Webhook events: what is read as a payment has a real wallet, an exact amount above zero and ids
// in range, and each stands in the JSON at its documented place.
#include "fuzz.h"

#include "api/webhook_event.h"
#include "job/program.h"

#include <stdlib.h>
#include <string.h>

#define CENT_UNITS 10000

static const struct address refused_addresses[] = {{{0xaa, 0xbb}}};
static const struct refused refused = {refused_addresses, 1};

static const json_t *at(const json_t *root, const char *const *path)
{
    while (root && *path)
        root = json_object_get(root, *path++);
    return root;
}

#define AT(root, ...) at(root, (const char *const[]){__VA_ARGS__, NULL})

static const json_t *amount_of(const json_t *body, enum webhook_form form)
{
    switch (form) {
    case WEBHOOK_STANDARD:
        return AT(body, "data", "amount");
    case WEBHOOK_STRIPE:
        return AT(body, "data", "object", "amount_received");
    case WEBHOOK_COINBASE_COMMERCE:
        return AT(body, "event", "data", "pricing", "local", "amount");
    }
    return NULL;
}

static const json_t *wallet_of(const json_t *body, enum webhook_form form)
{
    switch (form) {
    case WEBHOOK_STANDARD:
        return AT(body, "data", "wallet");
    case WEBHOOK_STRIPE:
        return AT(body, "data", "object", "metadata", "sluice_wallet");
    case WEBHOOK_COINBASE_COMMERCE:
        return AT(body, "event", "data", "metadata", "sluice_wallet");
    }
    return NULL;
}

static void check_amount(const struct webhook_event *event, const json_t *amount,
                         enum webhook_form form)
{
    struct usdc exact;
    MUST(!usdc_is_zero(event->amount) && amount);
    if (json_is_string(amount)) {
        MUST(usdc_parse(&exact, json_string_value(amount)));
        MUST(usdc_compare(exact, event->amount) == 0);
        return;
    }
    int64_t unit = form == WEBHOOK_STRIPE ? CENT_UNITS : 1;
    MUST(json_is_integer(amount));
    MUST(usdc_units(event->amount) / unit == json_integer_value(amount));
    MUST(usdc_units(event->amount) % unit == 0);
}

static void check_payment(const struct webhook_event *event, const json_t *body,
                          enum webhook_form form)
{
    struct address wallet;
    const char *text = json_string_value(wallet_of(body, form));
    MUST(text && address_parse(&wallet, text) == ADDRESS_FINE);
    MUST(address_equal(&wallet, &event->wallet));
    MUST(!address_equal(&wallet, &refused_addresses[0]));
    MUST(!event->program || program_name_is_valid(event->program));
    check_amount(event, amount_of(body, form), form);
}

static void check_event(const struct webhook_event *event, const json_t *body,
                        enum webhook_form form)
{
    if (event->type == WEBHOOK_EVENT_IGNORED) {
        MUST(event->ignored);
        return;
    }
    MUST(event->event_id && input_is_id(event->event_id, EVENT_ID_SIZE - 1));
    MUST(event->payment_key && input_is_id(event->payment_key, PAYMENT_KEY_SIZE - 1));
    if (event->type == WEBHOOK_EVENT_PAYMENT)
        check_payment(event, body, form);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = fuzz_input(data, size);
    enum webhook_form form = (enum webhook_form)(fuzz_byte(&input) % 3);
    char *header_id = fuzz_line(&input);
    json_t *body = NULL;
    struct webhook_event event;
    if (input_object(&body, input.rest) == PROBLEM_NONE) {
        struct fault fault = webhook_event_read(&event, form, body, header_id, &refused);
        if (fault.problem == PROBLEM_NONE)
            check_event(&event, body, form);
        else
            MUST(problem_facts(fault.problem)->status == 400 ||
                 problem_facts(fault.problem)->status == 422);
    }
    json_decref(body);
    free(header_id);
    return 0;
}
