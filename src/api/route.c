// SPDX-License-Identifier: Apache-2.0
// The route table, matching, and counts of answers by route and status class.
#include "api/route.h"

#include "api/handlers.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#define STATUS_CLASSES 6 // 1xx..5xx by their first digit

static const char *const job_parameters[] = {"state", "kind", "wallet", "limit", "before", NULL};

static const struct route routes[] = {
    {"POST", "/v1/webhooks/standard", 0, false, NULL, api_webhooks_standard,
     "A payment event, Standard Webhooks form."},
    {"POST", "/v1/webhooks/stripe", 0, false, NULL, api_webhooks_stripe,
     "A payment event of Stripe."},
    {"POST", "/v1/webhooks/coinbase-commerce", 0, false, NULL, api_webhooks_coinbase_commerce,
     "A payment event of Coinbase Commerce."},
    {"POST", "/v1/users", SCOPE_WRITE, true, NULL, api_users_create,
     "Registers a wallet, with its referrer where it has one."},
    {"GET", "/v1/users/{wallet}", SCOPE_READ, false, NULL, api_users_get, "A user."},
    {"POST", "/v1/mints", SCOPE_WRITE, true, NULL, api_mints_create,
     "Queues the identity token of a wallet."},
    {"POST", "/v1/payments", SCOPE_WRITE, true, NULL, api_payments_create,
     "Reports a confirmed payment, server to server."},
    {"GET", "/v1/payments/{id}", SCOPE_READ, false, NULL, api_payments_get,
     "A payment by the provider's id."},
    {"GET", "/v1/jobs", SCOPE_READ, false, job_parameters, api_jobs_get_many,
     "Jobs, newest first, by state, kind or wallet."},
    {"GET", "/v1/jobs/{id}", SCOPE_READ, false, NULL, api_jobs_get,
     "A job with its timeline, slot and attempts."},
    {"GET", "/v1/affiliates/{wallet}", SCOPE_READ, false, NULL, api_affiliates_get,
     "What a referrer has earned, was paid and is owed."},
    {"POST", "/v1/programs", SCOPE_ADMIN, true, NULL, api_programs_create, "Creates a program."},
    {"GET", "/v1/programs", SCOPE_READ, false, NULL, api_programs_get_many, "All programs."},
    {"GET", "/v1/programs/{name}", SCOPE_READ, false, NULL, api_programs_get, "A program."},
    {"PATCH", "/v1/programs/{name}", SCOPE_ADMIN, false, NULL, api_programs_change,
     "Changes a program for payments from now on."},
    {"DELETE", "/v1/programs/{name}", SCOPE_ADMIN, false, NULL, api_programs_delete,
     "Deactivates a program; what it earned is still paid."},
    {"POST", "/v1/admin/pause", SCOPE_ADMIN, true, NULL, api_admin_pause,
     "Holds jobs of the given kinds, or all."},
    {"POST", "/v1/admin/resume", SCOPE_ADMIN, true, NULL, api_admin_resume,
     "Lets jobs of the given kinds, or all, go on."},
    {"GET", "/v1/admin/holds", SCOPE_ADMIN, false, NULL, api_admin_holds, "The holds in force."},
    {"POST", "/v1/admin/jobs/{id}/retry", SCOPE_ADMIN, true, NULL, api_admin_retry,
     "Queues a parked job again; a payout is first proven unpaid."},
    {"POST", "/v1/admin/jobs/{id}/cancel", SCOPE_ADMIN, true, NULL, api_admin_cancel,
     "Gives up a job that is not signed yet, or parked."},
    {"GET", "/healthz", 0, false, NULL, api_service_health, "200 while the process serves."},
    {"GET", "/readyz", 0, false, NULL, api_service_ready,
     "200 while work can be taken, else why not."},
    {"GET", "/metrics", 0, false, NULL, api_service_metrics, "Metrics, Prometheus text 0.0.4."},
    {"GET", "/openapi.json", 0, false, NULL, api_service_openapi, "This API as OpenAPI 3.1."},
    {"GET", "/", 0, false, NULL, api_service_root, "Where to go from here."},
};
#define ROUTES (sizeof routes / sizeof routes[0])

static_assert(ROUTES < ROUTES_MAX, "raise ROUTES_MAX");

static atomic_llong answers[ROUTES + 1][STATUS_CLASSES];

const struct route *route_table(size_t *ret_count)
{
    *ret_count = ROUTES;
    return routes;
}

// The {part} runs to the next slash and is not empty.
static bool matches(const char **ret_value, size_t *ret_value_size, const char *pattern,
                    const char *path)
{
    const char *open = strchr(pattern, '{');
    *ret_value = NULL;
    *ret_value_size = 0;
    if (!open)
        return strcmp(pattern, path) == 0;
    size_t prefix = (size_t)(open - pattern);
    if (strncmp(pattern, path, prefix) != 0)
        return false;
    *ret_value = path + prefix;
    *ret_value_size = strcspn(*ret_value, "/");
    return *ret_value_size > 0 && strcmp(strchr(open, '}') + 1, *ret_value + *ret_value_size) == 0;
}

static bool method_matches(const char *route_method, const char *method)
{
    return strcmp(route_method, method) == 0 ||
           (strcmp(method, "HEAD") == 0 && strcmp(route_method, "GET") == 0);
}

const struct route *route_find(const char **ret_allow, const char **ret_value,
                               size_t *ret_value_size, struct arena *arena, const char *method,
                               const char *path)
{
    *ret_allow = NULL;
    for (size_t i = 0; i < ROUTES; i++) {
        if (!matches(ret_value, ret_value_size, routes[i].path, path))
            continue;
        if (method_matches(routes[i].method, method))
            return &routes[i];
        const char *allow = *ret_allow ? arena_printf(arena, "%s, %s", *ret_allow, routes[i].method)
                                       : routes[i].method;
        *ret_allow = allow ? allow : routes[i].method;
    }
    return NULL;
}

void route_count(const struct route *route, int status)
{
    size_t index = route ? (size_t)(route - routes) : ROUTES;
    int class = status / 100;
    if (class > 0 && class < STATUS_CLASSES)
        atomic_fetch_add_explicit(&answers[index][class], 1, memory_order_relaxed);
}

void route_print_metrics(FILE *out)
{
    fputs("# HELP sluice_http_requests_total Answers by route and status class.\n"
          "# TYPE sluice_http_requests_total counter\n",
          out);
    for (size_t i = 0; i <= ROUTES; i++)
        for (int class = 1; class < STATUS_CLASSES; class ++) {
            long long count = atomic_load_explicit(&answers[i][class], memory_order_relaxed);
            if (count > 0)
                fprintf(out, "sluice_http_requests_total{route=\"%s%s%s\",status=\"%dxx\"} %lld\n",
                        i < ROUTES ? routes[i].method : "none", i < ROUTES ? " " : "",
                        i < ROUTES ? routes[i].path : "", class, count);
        }
}
