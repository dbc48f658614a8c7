// SPDX-License-Identifier: Apache-2.0
// Webhook events: the three forms read into one, after their signature was checked.
//
// Standard:  {"type", "data": {"payment_id", "wallet", "amount", "program"?}}
//            payment.confirmed, payment.refunded, payment.disputed, payment.dispute_won
// Stripe:    payment_intent.succeeded (metadata.sluice_wallet, metadata.sluice_program?,
//            amount_received in cents, currency usd), charge.refunded (whole refunds),
//            charge.dispute.created, charge.dispute.closed (status won)
// Coinbase:  charge:confirmed (metadata.sluice_wallet, pricing.local in USD or USDC),
//            charge:refunded
#pragma once

#include "api/input.h"
#include "net/webhook_signature.h"
#include "store/payments.h"

enum webhook_event_type { WEBHOOK_EVENT_IGNORED, WEBHOOK_EVENT_PAYMENT, WEBHOOK_EVENT_REFUND };

// Texts are borrowed from the JSON, or static.
struct webhook_event {
    enum webhook_event_type type;
    const char *ignored; // why
    const char *event_id;
    const char *payment_key;
    struct address wallet; // payment only, from here on
    const char *program;   // NULL: the user's
    struct usdc amount;
    enum refund_kind refund; // refund only
};

enum provider webhook_provider(enum webhook_form form);

// header_id: webhook-id of a Standard Webhook. fault.problem is PROBLEM_NONE on success.
MUST_USE struct fault webhook_event_read(struct webhook_event *ret_event, enum webhook_form form,
                                         json_t *body, const char *header_id,
                                         const struct refused *refused);
