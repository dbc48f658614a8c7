// SPDX-License-Identifier: Apache-2.0
// Health, readiness, metrics, the OpenAPI document and the pointer at /.
#include "api/handlers.h"
#include "api/metrics.h"
#include "api/openapi.h"
#include "store/jobs.h"

#include <stdlib.h>

void api_service_root(struct call *call)
{
    static const char text[] = "Sluice. The API is described at /openapi.json; "
                               "health at /healthz and /readyz, metrics at /metrics.\n";
    call_answer_text(call, 200, "text/plain; charset=utf-8", bytes_of_text(text));
}

void api_service_health(struct call *call)
{
    call_answer_text(call, 200, "application/json", bytes_of_text("{\"status\":\"ok\"}"));
}

static enum status apply_ready(struct call *call, struct store_tx *tx)
{
    struct job_counts counts;
    enum status status = job_counts_read(tx, &counts);
    if (status == STATUS_OK) {
        call->answer.status = 200;
        call->answer.body = bytes_of_text("{\"status\":\"ready\"}");
    }
    return status;
}

static enum status apply_degraded(struct call *call, struct store_tx *tx)
{
    enum status status = apply_ready(call, tx);
    if (status == STATUS_OK)
        call->answer.body = bytes_of_text("{\"status\":\"degraded\"}");
    return status;
}

void api_service_ready(struct call *call)
{
    const struct api *api = call->api;
    if (!store_is_healthy(api->store)) {
        call_refuse(call, PROBLEM_NOT_READY, "the store has failed; restart the process");
        return;
    }
    switch (api->readiness ? api->readiness(api->readiness_context) : API_READY) {
    case API_READY:
        call_read(call, apply_ready);
        return;
    case API_DEGRADED:
        call_read(call, apply_degraded);
        return;
    case API_RELAY_STOPPED:
        call_refuse(call, PROBLEM_NOT_READY, "a lane of the relayer has stopped");
        return;
    case API_CHAIN_STALLED:
        call_refuse(call, PROBLEM_CHAIN_STALLED, NULL);
        return;
    }
}

void api_service_metrics(struct call *call)
{
    size_t size;
    char *text = metrics_text(&size, call);
    if (text)
        call_answer_owned(call, 200, "text/plain; version=0.0.4; charset=utf-8", text, size);
    else
        call_refuse(call, PROBLEM_NO_MEMORY, NULL);
}

void api_service_openapi(struct call *call)
{
    call_answer_text(call, 200, "application/json", openapi_json);
}
