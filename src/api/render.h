// SPDX-License-Identifier: Apache-2.0
// Our rows as JSON, as docs/api.md and openapi.json describe them.
#pragma once

#include "api/out.h"
#include "store/jobs.h"
#include "store/payments.h"
#include "store/users.h"

// program: its name, or NULL where there is none.
void render_user(struct out *out, const char *key, const struct user *user, const char *program);
void render_payment(struct out *out, const char *key, const struct payment *payment,
                    const char *program);
void render_program(struct out *out, const char *key, const struct program *program);
void render_affiliate(struct out *out, const struct affiliate *affiliate);
void render_job(struct out *out, const char *key, const struct job *job);
// The members of a job's own page: leaves the job's object open.
void render_job_members(struct out *out, const struct job *job);
void render_timeline(struct out *out, const char *key, const struct job_event *events,
                     size_t count);
void render_slot(struct out *out, const char *key, const struct slot *slot,
                 const struct attempt *attempts, size_t count);
void render_holds(struct out *out, const char *key, const struct hold *holds, size_t count);

// The name of the program with that id, in the arena; NULL for id 0.
MUST_USE enum status render_program_name(struct store_tx *tx, const char **ret_name, int64_t id,
                                         struct arena *arena);
