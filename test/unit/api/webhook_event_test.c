// SPDX-License-Identifier: Apache-2.0
// Webhook events: each form read, ignored or refused; one row per outcome.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/webhook_event.h"

#include <string.h>

static const struct address refused_addresses[] = {{{0xaa, 0xbb}}, {{0}}, {{0xcc}}};
static const struct refused refused = {refused_addresses, 3};

#define WALLET  "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045"
#define REFUSED "0xaabb000000000000000000000000000000000000"

struct row {
    const char *what;
    const char *json;
    enum problem problem;
    const char *field; // of the problem
    enum webhook_event_type type;
    const char *payment_key;
    int64_t base_units;
    const char *program;
    enum refund_kind refund;
};

#define FAULT(problem, field) PROBLEM_##problem, field, 0, NULL, 0, NULL, 0
#define IGNORED               PROBLEM_NONE, NULL, WEBHOOK_EVENT_IGNORED, NULL, 0, NULL, 0
#define PAYMENT(key, units, program)                                                               \
    PROBLEM_NONE, NULL, WEBHOOK_EVENT_PAYMENT, key, units, program, 0
#define REFUND(key, kind) PROBLEM_NONE, NULL, WEBHOOK_EVENT_REFUND, key, 0, NULL, kind

static void assert_text(const char *what, const char *text, const char *expected)
{
    bool same = text && expected ? strcmp(text, expected) == 0 : text == expected;
    if (!same)
        fail_msg("%s: %s", what, text ? text : "NULL");
}

static void assert_event(const struct row *row, const struct webhook_event *event)
{
    if (event->type != row->type)
        fail_msg("%s: type %d", row->what, event->type);
    if (event->type == WEBHOOK_EVENT_IGNORED) {
        assert_non_null(event->ignored);
        return;
    }
    assert_text(row->what, event->payment_key, row->payment_key);
    assert_non_null(event->event_id);
    if (event->type == WEBHOOK_EVENT_REFUND) {
        assert_int_equal(event->refund, row->refund);
        return;
    }
    assert_text(row->what, event->program, row->program);
    if (usdc_units(event->amount) != row->base_units || event->wallet.bytes[0] != 0xd8)
        fail_msg("%s: amount or wallet", row->what);
}

static void run_rows(enum webhook_form form, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        json_t *body = json_loads(rows[i].json, 0, NULL);
        struct webhook_event event;
        assert_non_null(body);
        struct fault fault = webhook_event_read(&event, form, body, "msg_1", &refused);
        if (fault.problem != rows[i].problem)
            fail_msg("%s: problem %d %s", rows[i].what, fault.problem, fault.field);
        if (fault.problem == PROBLEM_NONE)
            assert_event(&rows[i], &event);
        else
            assert_text(rows[i].what, fault.field, rows[i].field);
        json_decref(body);
    }
}

#define S_DATA(rest) "{\"type\":\"payment.confirmed\",\"data\":{" rest "}}"
#define S_PAID(rest) S_DATA("\"payment_id\":\"p1\"," rest)

static void standard_events_are_read(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"text amount", S_PAID("\"wallet\":\"" WALLET "\",\"amount\":\"12.50\""),
         PAYMENT("p1", 12500000, NULL)},
        {"integer amount and program",
         S_PAID("\"wallet\":\"" WALLET "\",\"amount\":7,\"program\":\"gold\",\"more\":1"),
         PAYMENT("p1", 7, "gold")},
        {"program null", S_PAID("\"wallet\":\"" WALLET "\",\"amount\":7,\"program\":null"),
         PAYMENT("p1", 7, NULL)},
        {"refund", "{\"type\":\"payment.refunded\",\"data\":{\"payment_id\":\"p1\"}}",
         REFUND("p1", REFUND_FULL)},
        {"dispute", "{\"type\":\"payment.disputed\",\"data\":{\"payment_id\":\"p1\"}}",
         REFUND("p1", REFUND_CHARGEBACK)},
        {"dispute won", "{\"type\":\"payment.dispute_won\",\"data\":{\"payment_id\":\"p1\"}}",
         REFUND("p1", REFUND_REVERSED)},
        {"another type", "{\"type\":\"invoice.paid\"}", IGNORED},
        {"another payment type", "{\"type\":\"payment.created\",\"data\":{\"payment_id\":\"p1\"}}",
         IGNORED},
        {"no type", "{\"data\":{}}", FAULT(FIELD_MISSING, "type")},
        {"type a number", "{\"type\":1}", FAULT(FIELD_TYPE, "type")},
        {"no data", "{\"type\":\"payment.confirmed\"}", FAULT(FIELD_MISSING, "data")},
        {"data a list", "{\"type\":\"payment.confirmed\",\"data\":[]}", FAULT(FIELD_TYPE, "data")},
        {"no payment id", S_DATA(""), FAULT(FIELD_MISSING, "data.payment_id")},
        {"empty payment id", S_DATA("\"payment_id\":\"\""), FAULT(PAYMENT_ID, "data.payment_id")},
        {"payment id not ASCII", S_DATA("\"payment_id\":\"caf\xc3\xa9\""),
         FAULT(PAYMENT_ID, "data.payment_id")},
        {"no wallet", S_PAID("\"amount\":1"), FAULT(FIELD_MISSING, "data.wallet")},
        {"wallet of a token", S_PAID("\"amount\":1,\"wallet\":\"" REFUSED "\""),
         FAULT(ADDRESS_REFUSED, "data.wallet")},
        {"no amount", S_PAID("\"wallet\":\"" WALLET "\""), FAULT(FIELD_MISSING, "data.amount")},
        {"float amount", S_PAID("\"wallet\":\"" WALLET "\",\"amount\":12.5"),
         FAULT(AMOUNT_NOT_EXACT, "data.amount")},
        {"bad program", S_PAID("\"wallet\":\"" WALLET "\",\"amount\":1,\"program\":\"A b\""),
         FAULT(PROGRAM_NAME, "data.program")},
        {"program a number", S_PAID("\"wallet\":\"" WALLET "\",\"amount\":1,\"program\":1"),
         FAULT(FIELD_TYPE, "data.program")},
    };
    run_rows(WEBHOOK_STANDARD, rows, sizeof rows / sizeof *rows);
}

#define T_EVENT(type, object)                                                                      \
    "{\"id\":\"evt_1\",\"type\":\"" type "\",\"data\":{\"object\":{" object "}}}"
#define T_PAID(rest) T_EVENT("payment_intent.succeeded", "\"id\":\"pi_1\"," rest)
#define T_META       "\"metadata\":{\"sluice_wallet\":\"" WALLET "\"}"

static void stripe_events_are_read(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"payment", T_PAID(T_META ",\"amount_received\":2000,\"currency\":\"usd\""),
         PAYMENT("pi_1", 20000000, NULL)},
        {"payment with program",
         T_PAID("\"metadata\":{\"sluice_wallet\":\"" WALLET "\",\"sluice_program\":\"gold\"},"
                "\"amount_received\":1,\"currency\":\"usd\""),
         PAYMENT("pi_1", 10000, "gold")},
        {"not ours", T_PAID("\"metadata\":{},\"amount_received\":2000,\"currency\":\"usd\""),
         IGNORED},
        {"no metadata", T_PAID("\"amount_received\":2000,\"currency\":\"usd\""), IGNORED},
        {"another currency", T_PAID(T_META ",\"amount_received\":2000,\"currency\":\"eur\""),
         FAULT(CURRENCY, "data.object.currency")},
        {"no currency", T_PAID(T_META ",\"amount_received\":2000"),
         FAULT(FIELD_MISSING, "data.object.currency")},
        {"no amount", T_PAID(T_META ",\"currency\":\"usd\""),
         FAULT(FIELD_MISSING, "data.object.amount_received")},
        {"float amount", T_PAID(T_META ",\"amount_received\":20.0,\"currency\":\"usd\""),
         FAULT(AMOUNT_NOT_EXACT, "data.object.amount_received")},
        {"bad wallet",
         T_PAID("\"metadata\":{\"sluice_wallet\":\"0x12\"},\"amount_received\":1,"
                "\"currency\":\"usd\""),
         FAULT(ADDRESS_LENGTH, "data.object.metadata.sluice_wallet")},
        {"whole refund",
         T_EVENT("charge.refunded",
                 "\"id\":\"ch_1\",\"payment_intent\":\"pi_1\",\"refunded\":true"),
         REFUND("pi_1", REFUND_FULL)},
        {"partial refund",
         T_EVENT("charge.refunded", "\"payment_intent\":\"pi_1\",\"refunded\":false"), IGNORED},
        {"refund without intent",
         T_EVENT("charge.refunded", "\"payment_intent\":null,\"refunded\":true"), IGNORED},
        {"dispute", T_EVENT("charge.dispute.created", "\"payment_intent\":\"pi_1\""),
         REFUND("pi_1", REFUND_CHARGEBACK)},
        {"dispute won",
         T_EVENT("charge.dispute.closed", "\"payment_intent\":\"pi_1\",\"status\":\"won\""),
         REFUND("pi_1", REFUND_REVERSED)},
        {"inquiry closed without a dispute",
         T_EVENT("charge.dispute.closed",
                 "\"payment_intent\":\"pi_1\",\"status\":\"warning_closed\""),
         REFUND("pi_1", REFUND_REVERSED)},
        {"dispute lost",
         T_EVENT("charge.dispute.closed", "\"payment_intent\":\"pi_1\",\"status\":\"lost\""),
         IGNORED},
        {"another type", T_EVENT("customer.created", ""), IGNORED},
        {"no event id", "{\"type\":\"payment_intent.succeeded\",\"data\":{\"object\":{}}}",
         FAULT(FIELD_MISSING, "id")},
        {"no object", "{\"id\":\"evt_1\",\"type\":\"payment_intent.succeeded\"}",
         FAULT(FIELD_MISSING, "data.object")},
    };
    run_rows(WEBHOOK_STRIPE, rows, sizeof rows / sizeof *rows);
}

#define C_EVENT(type, data) "{\"event\":{\"id\":\"e1\",\"type\":\"" type "\",\"data\":{" data "}}}"
#define C_PAID(rest)        C_EVENT("charge:confirmed", "\"id\":\"ch1\",\"code\":\"ABC\"," rest)
#define C_PRICE(amount, currency)                                                                  \
    "\"pricing\":{\"local\":{\"amount\":\"" amount "\",\"currency\":\"" currency "\"}}"

static void coinbase_commerce_events_are_read(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"payment", C_PAID(T_META "," C_PRICE("100.00", "USD")), PAYMENT("ch1", 100000000, NULL)},
        {"payment in USDC", C_PAID(T_META "," C_PRICE("0.5", "USDC")),
         PAYMENT("ch1", 500000, NULL)},
        {"code only",
         C_EVENT("charge:confirmed", "\"code\":\"ABC\"," T_META "," C_PRICE("1", "USD")),
         PAYMENT("ABC", 1000000, NULL)},
        {"not ours", C_PAID("\"metadata\":{}," C_PRICE("1", "USD")), IGNORED},
        {"another currency", C_PAID(T_META "," C_PRICE("1", "EUR")),
         FAULT(CURRENCY, "event.data.pricing.local.currency")},
        {"over-precise", C_PAID(T_META "," C_PRICE("1.0000001", "USD")),
         FAULT(AMOUNT_PRECISION, "event.data.pricing.local.amount")},
        {"amount a number",
         C_PAID(T_META ",\"pricing\":{\"local\":{\"amount\":1,\"currency\":\"USD\"}}"),
         FAULT(FIELD_TYPE, "event.data.pricing.local.amount")},
        {"no price", C_PAID(T_META), FAULT(FIELD_MISSING, "event.data.pricing.local.currency")},
        {"refund", C_EVENT("charge:refunded", "\"id\":\"ch1\""), REFUND("ch1", REFUND_FULL)},
        {"another type", C_EVENT("charge:pending", ""), IGNORED},
        {"no event", "{\"id\":1}", FAULT(FIELD_MISSING, "event")},
        {"no event id", "{\"event\":{\"type\":\"charge:confirmed\"}}",
         FAULT(FIELD_MISSING, "event.id")},
        {"no charge id", C_EVENT("charge:confirmed", ""), FAULT(FIELD_MISSING, "event.data.id")},
    };
    run_rows(WEBHOOK_COINBASE_COMMERCE, rows, sizeof rows / sizeof *rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(standard_events_are_read),
        cmocka_unit_test(stripe_events_are_read),
        cmocka_unit_test(coinbase_commerce_events_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
