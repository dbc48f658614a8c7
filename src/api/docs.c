// SPDX-License-Identifier: Apache-2.0
// Prints docs/api.md: prose about what the tables do not say, and the tables.
#include "api/docs.h"

#include "api/problem.h"
#include "api/route.h"
#include "job/hold.h"
#include "job/job.h"
#include "store/payments.h"

static const char introduction[] =
    "# API\n\n"
    "Printed from the tables in `src/api/`; do not edit by hand.\n\n"
    "JSON over HTTP/1.1. The whole of it, with every field, is in `/openapi.json` (OpenAPI "
    "3.1).\n\n"
    "- **Amounts** are exact: decimal text of USDC (`\"12.50\"`, at most 6 decimals) or a JSON "
    "integer of base units (`12500000`). The integer `12` is twelve millionths of a USDC. "
    "Floating-point numbers are refused. Answers carry decimal text.\n"
    "- **Addresses** are `0x` and 40 digits; mixed case must match its EIP-55 checksum. Zero, the "
    "tokens, our contracts and, where the relayer runs in the same process, its wallets are "
    "refused.\n"
    "- **Ids** of rows are texts; **times** are RFC 3339 in UTC.\n"
    "- **Unknown fields and parameters** are refused, so that a misspelt one is noticed. "
    "The bodies of webhooks may carry more than we read: they are the providers' to extend.\n"
    "- **An answer of 2xx is durable**: it is sent after the commit that stored it.\n"
    "- `X-Request-Id` in every answer is the trace id: that of the request's `traceparent`, or a "
    "new one. It is stored with the jobs of the request.\n";

static const char authentication[] =
    "\n## Keys\n\n"
    "`Authorization: Bearer sk_...`, made and revoked with `sluice keys`. Scopes are `read`, "
    "`write` and `admin`; `admin` implies all, `write` does not imply `read`. A revoked key may "
    "be taken for another %d s. Webhooks need no key but a signature.\n";

static const char idempotency[] =
    "\n## Idempotency-Key\n\n"
    "Routes marked so take an `Idempotency-Key` of 1 to 255 printable ASCII characters, kept per "
    "API key. The same key with the same request gives the stored answer again, with "
    "`Idempotent-Replayed: true`; with another request 422; while the first one is running 409. "
    "Refusals have stored nothing and are not kept. Payments are safe without it: the same `id` "
    "is the same payment for ever.\n";

static const char webhooks[] =
    "\n## Webhooks\n\n"
    "The signature is checked over the raw bytes before anything is parsed. The same event again "
    "is answered 200 and changes nothing. An unknown wallet is answered 404, so that the provider "
    "delivers again after the user is registered. Events of other types, and events without our "
    "metadata, are answered 200 with `ignored`.\n\n"
    "| Form | Signature | Payment | Taken back |\n"
    "|---|---|---|---|\n"
    "| `standard` | `webhook-id`, `webhook-timestamp`, `webhook-signature` (Standard Webhooks "
    "1.0.0, 300 s either way) | `payment.confirmed` with `data.payment_id`, `data.wallet`, "
    "`data.amount` as above, `data.program` (optional) | `payment.refunded`, `payment.disputed`; "
    "`payment.dispute_won` restores. Each with `data.payment_id` |\n"
    "| `stripe` | `Stripe-Signature` (300 s either way) | `payment_intent.succeeded` with "
    "`metadata.sluice_wallet`, `metadata.sluice_program` (optional); `amount_received` in cents, "
    "`currency` only `usd`, 1:1; the payment is the intent's id | `charge.refunded` when the whole "
    "charge is refunded, `charge.dispute.created`; `charge.dispute.closed` with status `won` "
    "restores |\n"
    "| `coinbase-commerce` | `X-CC-Webhook-Signature` (no time in it: events are remembered for "
    "ever) | `charge:confirmed` with `metadata.sluice_wallet`, `metadata.sluice_program` "
    "(optional); `pricing.local` in USD or USDC as decimal text; the payment is the charge's `id` "
    "| `charge:refunded` |\n\n"
    "A refund before the payout is signed cancels it, also when the refund comes first. After "
    "that the affiliate owes it back: `receivable_usdc` and `receivable_sge` of "
    "`GET /v1/affiliates/{wallet}`, taken off the next payouts, oldest first, each token against "
    "itself, never transferred back. A payout says what it pays (`usdc`, `sge`) and what it was "
    "netted by (`netted_usdc`, `netted_sge`); where nothing is left it is confirmed at once, with "
    "outcome `netted` and no transaction. A payout that is cancelled gives back what it had "
    "netted. A chargeback that was won leaves things as if it had never come, whichever of the two "
    "is delivered first: a cancelled payout is queued again, what is still owed back is cleared, "
    "and what was netted meanwhile becomes a payout of its own. At rest, what an affiliate was "
    "paid and is owed, less `receivable`, is the commission of its payments that stand.\n";

#define TEXT_ROW(text, help) fprintf(out, "| `%s` | %s |\n", text, help);

static void print_words(FILE *out)
{
    fputs("\n## Payment states\n\nThe `state` of a payment.\n\n"
          "| State | What it means |\n|---|---|\n",
          out);
#define ROW(number, name, text, help) TEXT_ROW(text, help)
    PAYMENT_STATE_TABLE(ROW)
#undef ROW
    fputs("\n## Refund outcomes\n\nThe `refund` in the answer to a webhook that takes a payment "
          "back, or restores it.\n\n| Outcome | What it means |\n|---|---|\n",
          out);
#define ROW(name, text, help) TEXT_ROW(text, help)
    REFUND_OUTCOME_TABLE(ROW)
#undef ROW
    fputs(
        "\n## Hold reasons\n\nThe `reason` of a hold: nothing of that kind of job is signed while "
        "one stands.\n\n| Reason | What it means, and until when |\n|---|---|\n",
        out);
    HOLD_REASON_TABLE(TEXT_ROW)
}

static void print_limits(FILE *out)
{
    fprintf(out,
            "\n## Limits\n\n"
            "| What | Limit | Answer |\n|---|---|---|\n"
            "| Request line and headers | %d bytes, %d headers, %d s in all | 431, 408 |\n"
            "| URI | %d bytes | 414 |\n"
            "| Body | %d bytes, %d s in all | 413, 408 |\n"
            "| Nesting of JSON | %d levels | 400 |\n"
            "| Connections | %d, of one address %d | not accepted |\n"
            "| Time between requests of a connection | %d s | closed |\n"
            "| Requests per key | `API_KEY_RATE_MAX` per second | 429 |\n"
            "| Failed authentications per address | `API_FAILED_AUTH_RATE_MAX` per second | 429 |\n"
            "| Requests waiting for the store | %d | 503 |\n",
            HTTP_HEADER_BYTES_MAX, HTTP_HEADERS_MAX, HTTP_HEADER_MS_MAX / 1000, HTTP_URI_BYTES_MAX,
            HTTP_BODY_BYTES_MAX, HTTP_BODY_MS_MAX / 1000, JSON_DEPTH_MAX, HTTP_CONNECTIONS_MAX,
            HTTP_ADDRESS_CONNECTIONS_MAX, HTTP_IDLE_MS_MAX / 1000, STORE_QUEUE_WORKS_MAX);
    fputs("\n429 and 503 carry `Retry-After`. Ambiguous framing (two lengths, a length beside "
          "`Transfer-Encoding`, bare line feeds, folded lines) is answered 400 and the connection "
          "closed. `/metrics` and `/readyz` need no key: keep them inside.\n",
          out);
}

static const char *scope_word(enum scope scope)
{
    switch (scope) {
    case SCOPE_READ:
        return "read";
    case SCOPE_WRITE:
        return "write";
    case SCOPE_ADMIN:
        return "admin";
    }
    return "";
}

static void print_routes(FILE *out)
{
    size_t count;
    const struct route *routes = route_table(&count);
    fputs("\n## Routes\n\n| Route | Scope | Idempotency-Key | What it does |\n|---|---|---|---|\n",
          out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "| `%s %s` | %s | %s | %s |\n", routes[i].method, routes[i].path,
                scope_word(routes[i].scope), routes[i].idempotent ? "yes" : "", routes[i].help);
}

static void print_problems(FILE *out)
{
    fputs("\n## Problems\n\n"
          "Every refusal is an RFC 9457 problem document with a stable `code`, a `hint`, where it "
          "helps a `detail`, and the `trace_id`. Its `type` is `urn:sluice:problem:` and the "
          "code.\n\n"
          "| Code | Status | Meaning | Hint |\n|---|---|---|---|\n",
          out);
    for (int i = PROBLEM_NONE + 1; i < PROBLEM_COUNT; i++) {
        const struct problem_facts *facts = problem_facts((enum problem)i);
        fprintf(out, "| `%s` | %d | %s | %s |\n", facts->code, facts->status, facts->title,
                facts->hint);
    }
}

void api_print_markdown(FILE *out)
{
    fputs(introduction, out);
    fprintf(out, authentication, AUTH_CACHE_MS_MAX / 1000);
    print_routes(out);
    fputs(idempotency, out);
    fputs(webhooks, out);
    print_words(out);
    print_limits(out);
    print_problems(out);
}
