// SPDX-License-Identifier: Apache-2.0
// Answers, reads, writes with idempotency, and the reading of bodies.
#include "api/call.h"

#include "api/route.h"
#include "base/log.h"

#include <stdlib.h>
#include <string.h>

#define OVERLOAD_RETRY_S 1
#define STORE_RETRY_S    2

// ---- answers

static void add_header(struct http_response *response, const char *name, const char *value)
{
    if (value && response->headers_count < HTTP_RESPONSE_HEADERS_MAX)
        response->headers[response->headers_count++] = (struct http_header){name, value};
}

static void send_response(struct call *call, struct http_response *response)
{
    add_header(response, "X-Request-Id", call->trace_text);
    if (call->retry_s > 0)
        add_header(response, "Retry-After",
                   arena_printf(call->arena, "%lld", (long long)call->retry_s));
    route_count(call->route, response->status);
    http_reply(call->request, response);
}

void call_answer_text(struct call *call, int status, const char *content_type, struct bytes text)
{
    struct http_response response = {.status = status, .content_type = content_type, .body = text};
    if (call->answer.replayed)
        add_header(&response, "Idempotent-Replayed", "true");
    send_response(call, &response);
}

void call_answer_owned(struct call *call, int status, const char *content_type, char *text,
                       size_t size)
{
    struct http_response response = {.status = status,
                                     .content_type = content_type,
                                     .body = {(const uint8_t *)text, size},
                                     .owned = text};
    send_response(call, &response);
}

void call_answer(struct call *call, int status, struct out *out)
{
    struct bytes text;
    if (out_finish(&text, out))
        call_answer_text(call, status, "application/json", text);
    else
        call_refuse(call, PROBLEM_NO_MEMORY, NULL);
}

static struct bytes problem_text(struct call *call, const struct problem_facts *facts,
                                 const char *detail)
{
    static const char bare[] = "{\"code\":\"no_memory\",\"status\":503}";
    struct out out;
    struct bytes text;
    out_start(&out, call->arena);
    out_object(&out, NULL);
    out_text(&out, "type", arena_printf(call->arena, "urn:sluice:problem:%s", facts->code));
    out_text(&out, "title", facts->title);
    out_integer(&out, "status", facts->status);
    out_text(&out, "code", facts->code);
    if (detail)
        out_text(&out, "detail", detail);
    out_text(&out, "hint", facts->hint);
    out_text(&out, "trace_id", call->trace_text);
    out_object_end(&out);
    return out_finish(&text, &out) ? text : bytes_of_text(bare);
}

void call_refuse(struct call *call, enum problem problem, const char *detail)
{
    const struct problem_facts *facts = problem_facts(problem);
    struct http_response response = {.status = facts->status,
                                     .content_type = "application/problem+json",
                                     .body = problem_text(call, facts, detail)};
    problem_count(problem);
    if (facts->status == 503 && call->retry_s == 0)
        call->retry_s = STORE_RETRY_S;
    if (facts->status == 401)
        add_header(&response, "WWW-Authenticate", "Bearer");
    if (problem == PROBLEM_METHOD_NOT_ALLOWED)
        add_header(&response, "Allow", detail);
    send_response(call, &response);
}

void call_refuse_fault(struct call *call, struct fault fault)
{
    call_refuse(call, fault.problem,
                fault.field ? arena_printf(call->arena, "field %s", fault.field) : NULL);
}

enum status call_set_answer(struct call *call, int status, struct out *out)
{
    if (!out_finish(&call->answer.body, out))
        return STATUS_NO_MEMORY;
    call->answer.problem = PROBLEM_NONE;
    call->answer.status = status;
    return STATUS_OK;
}

enum status call_set_problem(struct call *call, enum problem problem, const char *detail)
{
    call->answer.problem = problem;
    call->answer.detail = detail;
    return STATUS_OK;
}

static void send_answer(struct call *call)
{
    if (call->answer.problem != PROBLEM_NONE)
        call_refuse(call, call->answer.problem, call->answer.detail);
    else
        call_answer_text(call, call->answer.status, "application/json", call->answer.body);
}

static void refuse_status(struct call *call, enum status status)
{
    if (status == STATUS_LIMIT) {
        call->retry_s = OVERLOAD_RETRY_S;
        call_refuse(call, PROBLEM_OVERLOADED, NULL);
    } else {
        call_refuse(call, status == STATUS_NO_MEMORY ? PROBLEM_NO_MEMORY : PROBLEM_STORE_DOWN,
                    status_text(status));
    }
}

// ---- reads

void call_read(struct call *call, call_apply apply)
{
    struct store_tx *snapshot;
    enum status status = store_read(&snapshot, call->api->store);
    if (status == STATUS_OK) {
        status = apply(call, snapshot);
        store_read_end(snapshot);
    }
    if (status == STATUS_OK)
        send_answer(call);
    else
        refuse_status(call, status);
}

// ---- writes

// The same key with the same request: what was answered then.
static enum status apply_known(struct call *call, const struct idempotent_response *known)
{
    if (!hash32_equal(&known->request_digest, &call->digest))
        return call_set_problem(call, PROBLEM_IDEMPOTENCY_REUSED, NULL);
    call->answer.status = known->http_status;
    call->answer.body = known->body;
    call->answer.replayed = true;
    return STATUS_OK;
}

// Refusals have stored nothing and are not kept: the same key may be used again.
static enum status apply_keyed(struct call *call, struct store_tx *tx)
{
    struct idempotent_response response;
    enum status status =
        idempotency_read(tx, &response, call->key.id, call->idempotency_key, call->arena);
    if (status == STATUS_OK)
        return apply_known(call, &response);
    if (status == STATUS_NOT_FOUND)
        status = call->apply(call, tx);
    if (status != STATUS_OK || call->answer.problem != PROBLEM_NONE)
        return status;
    response = (struct idempotent_response){.request_digest = call->digest,
                                            .http_status = call->answer.status,
                                            .body = call->answer.body};
    return idempotency_write(tx, call->key.id, call->idempotency_key, &response);
}

static enum status run_works(struct store_tx *tx, struct store_work **works, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct call *call = (struct call *)works[i];
        call->answer = (struct answer){.problem = PROBLEM_NONE}; // a group may run again
        enum status status = call->idempotency_key ? apply_keyed(call, tx) : call->apply(call, tx);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static const struct store_work_kind write_kind = {"api", run_works};

static void answer_write(struct http_request *request, void *context)
{
    struct call *call = context;
    (void)request;
    if (call->committed != STATUS_OK) {
        refuse_status(call, call->committed);
        return;
    }
    if (call->after)
        call->after(call);
    send_answer(call);
}

// On the writer thread: nothing but handing back.
static void write_done(struct store_work *work, enum status committed)
{
    struct call *call = (struct call *)work;
    call->committed = committed;
    if (call->idempotency_key)
        running_leave(call->api->running, &call->running);
    http_wake(call->request, answer_write, call);
}

void call_write(struct call *call, call_apply apply)
{
    if (call->idempotency_key && !running_enter(call->api->running, &call->running)) {
        call->retry_s = OVERLOAD_RETRY_S;
        call_refuse(call, PROBLEM_IDEMPOTENCY_RUNNING, NULL);
        return;
    }
    call->apply = apply;
    call->work.kind = &write_kind;
    call->work.done = write_done;
    http_suspend(call->request); // the commit may come before store_submit returns
    enum status status = store_submit(call->api->store, &call->work);
    if (status != STATUS_OK)
        write_done(&call->work, status);
}

enum status call_audit(struct call *call, struct store_tx *tx, const char *action,
                       const char *detail)
{
    const char *actor = arena_printf(call->arena, "key:%s", call->key.name);
    return actor && detail ? audit_append(tx, actor, action, detail) : STATUS_NO_MEMORY;
}

// ---- input

void *call_new_input(struct call *call, size_t size)
{
    call->input = arena_alloc(call->arena, size);
    if (!call->input)
        call_refuse(call, PROBLEM_NO_MEMORY, NULL);
    return call->input;
}

bool call_take_body(struct call *call, const char *const *fields, bool optional)
{
    if (optional && call->request->body.size == 0)
        return true;
    enum problem problem = input_object(&call->body, call->request->body);
    if (problem != PROBLEM_NONE) {
        call_refuse(call, problem, NULL);
        return false;
    }
    const char *unknown = input_unknown_field(call->body, fields);
    if (unknown)
        call_refuse_fault(call, (struct fault){PROBLEM_FIELD_UNKNOWN, unknown});
    return !unknown;
}

bool call_take_text(struct call *call, const char **ret_text, const char *field, bool required)
{
    const json_t *value = json_object_get(call->body, field);
    bool absent = !value || json_is_null(value);
    enum problem problem = PROBLEM_NONE;
    if (absent && required)
        problem = PROBLEM_FIELD_MISSING;
    else if (!absent && !json_is_string(value))
        problem = PROBLEM_FIELD_TYPE;
    if (problem != PROBLEM_NONE) {
        call_refuse_fault(call, (struct fault){problem, field});
        return false;
    }
    *ret_text = absent ? NULL : json_string_value(value);
    return true;
}

bool call_take_wallet(struct call *call, struct address *ret_wallet, const char *field,
                      bool required)
{
    const char *text;
    if (!call_take_text(call, &text, field, required))
        return false;
    if (!text)
        return true;
    enum problem problem = input_wallet(ret_wallet, text, &call->api->refused);
    if (problem != PROBLEM_NONE)
        call_refuse_fault(call, (struct fault){problem, field});
    return problem == PROBLEM_NONE;
}

bool call_path_wallet(struct call *call, struct address *ret_wallet)
{
    static const struct refused none = {NULL, 0};
    enum problem problem = input_wallet(ret_wallet, call->path_value, &none);
    if (problem != PROBLEM_NONE)
        call_refuse_fault(call, (struct fault){problem, "wallet"});
    return problem == PROBLEM_NONE;
}
