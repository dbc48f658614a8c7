// SPDX-License-Identifier: Apache-2.0
// One call of the API: its request, who makes it, and its way through the store to an answer.
//
// A handler reads its input and then does one of three things: it answers (call_answer,
// call_refuse), reads (call_read), or writes (call_write). A write goes to the store's writer with
// the request suspended; apply() runs in the transaction and leaves the answer in the call, and the
// answer is sent only after the commit. An answer of 2xx is durable.
#pragma once

#include "api/api.h"
#include "api/auth.h"
#include "api/input.h"
#include "api/out.h"
#include "api/problem.h"
#include "api/rate.h"
#include "api/running.h"
#include "job/job.h"
#include "net/webhook_signature.h"

#define WEBHOOK_FORMS 3

struct api {
    struct store *store;
    const struct clock *clock;
    const struct random_source *random;
    struct http_server *server;
    struct auth *auth;
    struct rate *key_rate;
    struct running *running;
    struct webhook_secrets secrets[WEBHOOK_FORMS]; // count 0: not in use
    struct address refused_addresses[API_REFUSED_MAX];
    struct refused refused; // the same
    enum api_readiness (*readiness)(void *context);
    void *readiness_context;
};

struct call;
struct route;

typedef enum status (*call_apply)(struct call *call, struct store_tx *tx);

struct answer {
    enum problem problem; // NONE: a success
    const char *detail;   // of a problem; NULL: none
    int status;           // of a success
    struct bytes body;    // JSON, in the arena
    bool replayed;        // of an Idempotency-Key
};

struct call {
    struct store_work work; // first: a piece of work is its call
    struct api *api;
    struct http_request *request;
    struct arena *arena;
    const struct route *route; // NULL: none matched
    const char *path_value;    // the decoded {part} of the path, or NULL
    struct trace_id trace;
    char trace_text[33];
    struct api_key key; // id 0: none
    json_t *body;       // NULL where the route takes none or none came
    void *input;        // the handler's
    int64_t retry_s;    // Retry-After; 0: none

    call_apply apply;
    enum status committed;
    void (*after)(struct call *call); // after a commit, on the request's thread; may be NULL
    const char *idempotency_key;      // NULL: none
    struct running_entry running;
    struct hash32 digest;
    struct answer answer;
};

// Answers: at once, or what apply() leaves to be sent after the commit.
void call_answer(struct call *call, int status, struct out *out);
void call_answer_text(struct call *call, int status, const char *content_type, struct bytes text);
void call_answer_owned(struct call *call, int status, const char *content_type, char *text,
                       size_t size);
void call_refuse(struct call *call, enum problem problem, const char *detail);
void call_refuse_fault(struct call *call, struct fault fault);

// In apply() of a read or write: sets the answer; returns STATUS_OK.
enum status call_set_answer(struct call *call, int status, struct out *out);
enum status call_set_problem(struct call *call, enum problem problem, const char *detail);

// In apply() of a write: one line of the audit trail, by this call's key. detail NULL: memory is
// out.
MUST_USE enum status call_audit(struct call *call, struct store_tx *tx, const char *action,
                                const char *detail);

// Runs apply on a snapshot and answers.
void call_read(struct call *call, call_apply apply);
// Hands apply to the store's writer and answers after the commit.
void call_write(struct call *call, call_apply apply);

// Zeroed memory for the handler's input, kept as call->input. Refuses and returns NULL where memory
// is out.
MUST_USE void *call_new_input(struct call *call, size_t size);

// Parses the body into call->body and checks its fields. Refuses and returns false on a fault.
// optional: an empty body leaves call->body NULL.
MUST_USE bool call_take_body(struct call *call, const char *const *fields, bool optional);
// A field of the body as text; *ret_text is NULL where it is absent and not required. Refuses and
// returns false on a fault. wallet: the same as an address.
MUST_USE bool call_take_text(struct call *call, const char **ret_text, const char *field,
                             bool required);
MUST_USE bool call_take_wallet(struct call *call, struct address *ret_wallet, const char *field,
                               bool required);
// The path value as an address.
MUST_USE bool call_path_wallet(struct call *call, struct address *ret_wallet);
