// SPDX-License-Identifier: Apache-2.0
// Problems: every refusal the API can give, one row each (RFC 9457).
//
// Codes are stable: clients may branch on them. docs/api.md lists them from this table.
#pragma once

#include <stdint.h>

// name, code, HTTP status, title, hint
#define PROBLEM_TABLE(X)                                                                           \
    X(BAD_FRAMING, "bad_framing", 400, "The request is framed ambiguously",                        \
      "send one Content-Length or one Transfer-Encoding: chunked, one Host, and CRLF line ends")   \
    X(BODY_TOO_LARGE, "body_too_large", 413, "The body is too large", "at most 65536 bytes")       \
    X(URI_TOO_LONG, "uri_too_long", 414, "The URI is too long", "at most 8192 bytes")              \
    X(HEADERS_TOO_LARGE, "headers_too_large", 431, "The headers are too large",                    \
      "at most 16384 bytes and 100 headers")                                                       \
    X(ROUTE_UNKNOWN, "route_unknown", 404, "There is nothing at this path",                        \
      "/openapi.json lists every path")                                                            \
    X(METHOD_NOT_ALLOWED, "method_not_allowed", 405, "This path does not take that method",        \
      "the Allow header lists the methods")                                                        \
    X(PATH_MALFORMED, "path_malformed", 400, "The path is malformed",                              \
      "percent-encode it, without NUL")                                                            \
    X(PARAMETER_UNKNOWN, "parameter_unknown", 400, "Unknown query parameter",                      \
      "/openapi.json lists the parameters of every path")                                          \
    X(PARAMETER_INVALID, "parameter_invalid", 400, "A query parameter is not valid",               \
      "see detail for the parameter")                                                              \
    X(KEY_MISSING, "key_missing", 401, "An API key is needed",                                     \
      "send Authorization: Bearer sk_...; make keys with `sluice keys create`")                    \
    X(KEY_MALFORMED, "key_malformed", 401, "The Authorization header is malformed",                \
      "send it once, as Authorization: Bearer sk_...")                                             \
    X(KEY_UNKNOWN, "key_unknown", 401, "The API key is unknown or revoked",                        \
      "`sluice keys list` shows the keys in force")                                                \
    X(SCOPE_MISSING, "scope_missing", 403, "The API key lacks a scope",                            \
      "see detail for the scope; admin implies all")                                               \
    X(KEY_RATE, "key_rate_limited", 429, "Too many requests with this key",                        \
      "API_KEY_RATE_MAX limits requests per key and second; wait for Retry-After")                 \
    X(AUTH_RATE, "failed_auth_rate_limited", 429, "Too many failed authentications",               \
      "API_FAILED_AUTH_RATE_MAX limits them per address and second; wait for Retry-After")         \
    X(BODY_MISSING, "body_missing", 400, "A body is needed", "send a JSON object")                 \
    X(NOT_JSON, "not_json", 400, "The body is not JSON", "send one JSON object as RFC 8259 says")  \
    X(NOT_UTF8, "not_utf8", 400, "The body is not UTF-8", "encode the JSON text as UTF-8")         \
    X(TOO_DEEP, "json_too_deep", 400, "The body is nested too deeply", "at most 32 levels")        \
    X(FIELD_DUPLICATE, "field_duplicate", 400, "A field stands twice in one object",               \
      "name each field once")                                                                      \
    X(NUMBER_RANGE, "number_out_of_range", 400, "A number does not fit 64 bits",                   \
      "send large amounts as decimal text")                                                        \
    X(FIELD_MISSING, "field_missing", 400, "A field is missing", "see detail for the field")       \
    X(FIELD_UNKNOWN, "field_unknown", 400, "A field is unknown",                                   \
      "see detail for the field; misspelt fields are refused, not ignored")                        \
    X(FIELD_TYPE, "field_type", 400, "A field has the wrong type or form",                         \
      "see detail for the field and /openapi.json for its form")                                   \
    X(ADDRESS_LENGTH, "address_length", 400, "An address has the wrong length",                    \
      "0x and 40 hexadecimal digits")                                                              \
    X(ADDRESS_DIGITS, "address_digits", 400, "An address has characters that are not digits",      \
      "0x and 40 hexadecimal digits")                                                              \
    X(ADDRESS_CHECKSUM, "address_checksum", 400, "An address fails its EIP-55 checksum",           \
      "copy it again; all lower case carries no checksum")                                         \
    X(ADDRESS_ZERO, "address_zero", 400, "The zero address is nobody's wallet",                    \
      "send the wallet's address")                                                                 \
    X(ADDRESS_REFUSED, "address_refused", 400, "A token, contract or lane is not a wallet",        \
      "send a person's wallet, not a token, one of our contracts or of our relayer wallets")       \
    X(SELF_REFERRAL, "self_referral", 422, "A wallet cannot refer itself",                         \
      "send another referrer or none")                                                             \
    X(REFERRAL_CYCLE, "referral_cycle", 422, "The wallet stands above its referrer",               \
      "referrals form no ring; send another referrer or none")                                     \
    X(OTHER_REFERRER, "other_referrer", 409, "The wallet is registered otherwise",                 \
      "a referrer is written once, also that there is none; nothing was changed")                  \
    X(OTHER_PROGRAM, "other_program", 409, "The wallet is registered otherwise",                   \
      "a user's program is written once, also that there is none; nothing was changed")            \
    X(PROGRAM_UNKNOWN, "program_unknown", 422, "The program is unknown or not active",             \
      "GET /v1/programs lists them; a user without a program needs one named")                     \
    X(PROGRAM_NAME, "program_name_invalid", 400, "The program name is not valid",                  \
      "1 to 64 of a-z, 0-9 and -")                                                                 \
    X(PROGRAM_RULE, "program_rule_invalid", 400, "A rule of the program is not valid",             \
      "see detail for the field and its range")                                                    \
    X(PROGRAM_EXISTS, "program_exists", 409, "A program of that name exists",                      \
      "change it with PATCH /v1/programs/{name}")                                                  \
    X(PROGRAMS_FULL, "programs_full", 409, "There are 1000 programs, which is the most",           \
      "reuse one")                                                                                 \
    X(AMOUNT_NEGATIVE, "amount_negative", 400, "An amount is negative", "send what was paid")      \
    X(AMOUNT_ZERO, "amount_zero", 400, "An amount is zero", "send what was paid")                  \
    X(AMOUNT_MALFORMED, "amount_malformed", 400, "An amount is malformed",                         \
      "decimal text such as \"12.50\": ASCII digits and one point; no sign, exponent, hex, space") \
    X(AMOUNT_PRECISION, "amount_precision", 400, "An amount has too many decimals",                \
      "at most 6 decimals")                                                                        \
    X(AMOUNT_OVERFLOW, "amount_overflow", 400, "An amount is too large",                           \
      "at most 9223372036854.775807 USDC")                                                         \
    X(AMOUNT_NOT_EXACT, "amount_not_exact", 400, "An amount is a floating-point number",           \
      "send decimal text (\"12.50\") or an integer of base units (12500000)")                      \
    X(CURRENCY, "unsupported_currency", 422, "The currency is not supported",                      \
      "only usd (and USDC with Coinbase Commerce) is taken, at 1:1")                               \
    X(PAYMENT_ID, "payment_id_invalid", 400, "The payment id is not valid",                        \
      "1 to 128 printable ASCII characters")                                                       \
    X(EVENT_ID, "event_id_invalid", 400, "The event id is not valid",                              \
      "1 to 255 printable ASCII characters")                                                       \
    X(PAYMENT_DIFFERS, "payment_differs", 409, "The payment id is taken by another payment",       \
      "the same id must always carry the same wallet, amount and program")                         \
    X(USER_UNKNOWN, "user_unknown", 404, "No user has this wallet",                                \
      "register it with POST /v1/users; providers deliver the event again")                        \
    X(PAYMENT_UNKNOWN, "payment_unknown", 404, "There is no such payment", "check the id")         \
    X(JOB_UNKNOWN, "job_unknown", 404, "There is no such job", "check the id")                     \
    X(AFFILIATE_UNKNOWN, "affiliate_unknown", 404, "This wallet has referred nobody",              \
      "check the wallet")                                                                          \
    X(PROGRAM_NOT_FOUND, "program_not_found", 404, "There is no such program",                     \
      "GET /v1/programs lists them")                                                               \
    X(JOB_STATE, "job_state", 409, "The job is not in a state that allows this",                   \
      "retry: only parked; cancel: only queued, held or parked")                                   \
    X(IDEMPOTENCY_KEY, "idempotency_key_invalid", 400, "The Idempotency-Key is not valid",         \
      "send it once, 1 to 255 printable ASCII characters")                                         \
    X(IDEMPOTENCY_REUSED, "idempotency_key_reused", 422,                                           \
      "The Idempotency-Key came with another request before", "use a new key for a new request")   \
    X(IDEMPOTENCY_RUNNING, "idempotency_key_running", 409,                                         \
      "A request with this Idempotency-Key is running", "wait for its answer, or send it again")   \
    X(SIGNATURE_MISSING, "signature_missing", 401, "A webhook signature header is missing",        \
      "see docs/api.md for the headers of each form")                                              \
    X(SIGNATURE_DUPLICATE, "signature_duplicate", 401, "A webhook header stands twice",            \
      "send each signature header once")                                                           \
    X(SIGNATURE_MALFORMED, "signature_malformed", 401, "A webhook signature header is malformed",  \
      "see docs/api.md for the headers of each form")                                              \
    X(SIGNATURE_STALE, "signature_stale", 401, "The webhook's time is too far from ours",          \
      "at most 300 s either way; check both clocks")                                               \
    X(SIGNATURE_MISMATCH, "signature_mismatch", 401, "No webhook signature matches",               \
      "check the secret, and that nothing changes the body on the way")                            \
    X(FORM_OFF, "webhook_form_off", 404, "This webhook form is not in use",                        \
      "set its secret (STANDARD_, STRIPE_ or COINBASE_COMMERCE_WEBHOOK_SECRET)")                   \
    X(OVERLOADED, "overloaded", 503, "Too many requests are waiting for the store",                \
      "wait for Retry-After and send it again; nothing was stored")                                \
    X(STORE_DOWN, "store_unavailable", 503, "The store did not take the request",                  \
      "send it again with the same Idempotency-Key or payment id")                                 \
    X(NO_MEMORY, "no_memory", 503, "Memory is out", "wait for Retry-After and send it again")      \
    X(STOPPING, "stopping", 503, "The server is stopping", "send it again")                        \
    X(NOT_READY, "not_ready", 503, "Not ready", "see detail")                                      \
    X(CHAIN_STALLED, "chain_stalled", 503, "The chain makes no blocks",                            \
      "payments are still taken; payouts go on by themselves when it does")

enum problem {
    PROBLEM_NONE,
#define PROBLEM_ENUM(name, code, status, title, hint) PROBLEM_##name,
    PROBLEM_TABLE(PROBLEM_ENUM)
#undef PROBLEM_ENUM
        PROBLEM_COUNT
};

struct problem_facts {
    const char *code;
    int status;
    const char *title;
    const char *hint;
};
// Of any problem but PROBLEM_NONE.
const struct problem_facts *problem_facts(enum problem problem);

// What is wrong and where: field is a name such as "wallet", or NULL.
struct fault {
    enum problem problem;
    const char *field;
};

// How often each was given, for /metrics.
void problem_count(enum problem problem);
int64_t problem_counted(enum problem problem);
