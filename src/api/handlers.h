// SPDX-License-Identifier: Apache-2.0
// The handlers named by the route table. Each answers, reads or writes exactly once.
#pragma once

struct call;

// users.c
void api_users_create(struct call *call);
void api_users_get(struct call *call);
void api_mints_create(struct call *call);
void api_affiliates_get(struct call *call);

// payments.c
void api_payments_create(struct call *call);
void api_payments_get(struct call *call);

// webhooks.c
void api_webhooks_standard(struct call *call);
void api_webhooks_stripe(struct call *call);
void api_webhooks_coinbase_commerce(struct call *call);

// jobs.c
void api_jobs_get_many(struct call *call);
void api_jobs_get(struct call *call);

// programs.c
void api_programs_create(struct call *call);
void api_programs_get_many(struct call *call);
void api_programs_get(struct call *call);
void api_programs_change(struct call *call);
void api_programs_delete(struct call *call);

// admin.c
void api_admin_pause(struct call *call);
void api_admin_resume(struct call *call);
void api_admin_holds(struct call *call);
void api_admin_retry(struct call *call);
void api_admin_cancel(struct call *call);

// service.c
void api_service_root(struct call *call);
void api_service_health(struct call *call);
void api_service_ready(struct call *call);
void api_service_metrics(struct call *call);
void api_service_openapi(struct call *call);
