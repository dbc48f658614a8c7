// SPDX-License-Identifier: Apache-2.0
// Webhook signatures: Standard Webhooks 1.0.0 (sign and verify), Stripe and Coinbase Commerce
// (verify). HMAC-SHA256 over the raw body, compared in constant time, before any parsing.
#pragma once

#include "base/bytes.h"

#define WEBHOOK_TOLERANCE_S      300 // both ways: 300 s passes, 301 s does not
#define WEBHOOK_SECRETS_MAX      4   // several during a rotation
#define WEBHOOK_SECRET_BYTES_MIN 16  // as text; a shorter one can be guessed
#define WEBHOOK_SECRET_BYTES_MAX 128
#define WEBHOOK_SIGNATURES_MAX   16 // looked at in one header; more is refused

enum webhook_form { WEBHOOK_STANDARD, WEBHOOK_STRIPE, WEBHOOK_COINBASE_COMMERCE };

// The HMAC keys of one form. Wipe when done.
struct webhook_secrets {
    uint8_t bytes[WEBHOOK_SECRETS_MAX][WEBHOOK_SECRET_BYTES_MAX];
    size_t sizes[WEBHOOK_SECRETS_MAX];
    size_t count;
};

// Parses secrets separated by spaces or commas. Standard: "whsec_" + base64 of 24..64 bytes,
// decoded; the others: the text itself, 16..128 bytes. False on any other form, none, or too many.
MUST_USE bool webhook_secrets_parse(struct webhook_secrets *ret_secrets, enum webhook_form form,
                                    const char *text);

// Each fault is its own stable API code.
enum webhook_fault {
    WEBHOOK_FINE,
    WEBHOOK_MISSING,   // a header is absent or empty
    WEBHOOK_MALFORMED, // not the form; an id or timestamp with '.' in it; too many signatures
    WEBHOOK_STALE,     // timestamp out of tolerance, either way
    WEBHOOK_MISMATCH,  // no signature matches
    WEBHOOK_NO_MEMORY, // nothing is said about the signature: the sender may come again
};

// The headers as received, NULL where absent. More than one header of a name is the caller's to
// refuse.
struct webhook_headers {
    const char *id;        // webhook-id (Standard)
    const char *timestamp; // webhook-timestamp (Standard)
    const char *signature; // webhook-signature, Stripe-Signature, X-CC-Webhook-Signature
};

enum webhook_fault webhook_verify(const struct webhook_secrets *secrets, enum webhook_form form,
                                  const struct webhook_headers *headers, struct bytes body,
                                  int64_t now_s);

// "v1,<base64>" for an outgoing Standard Webhook, with the first secret.
#define WEBHOOK_SIGNATURE_SIZE 64
MUST_USE bool webhook_sign(char ret_signature[WEBHOOK_SIGNATURE_SIZE],
                           const struct webhook_secrets *secrets, const char *id,
                           int64_t timestamp_s, struct bytes body);
