// SPDX-License-Identifier: Apache-2.0
// What the relayer counts, and the log line of every alert: one place for both.
#pragma once

#include "base/money.h"
#include "relay/plan.h"

struct slot_change;

// Once, at start, before threads.
void relay_metrics_register(void);

void relay_metrics_sent(const struct job *job, int64_t wall_ms);
void relay_metrics_change(const struct slot_change *change, int64_t wall_ms);
void relay_metrics_action(const struct job_action *action);
void relay_metrics_hold(enum job_kind kind, const char *reason, bool held, const char *why);
void relay_metrics_bump(void);
void relay_metrics_stall(size_t lane, bool stalled, int64_t head);
void relay_metrics_balance(size_t lane, struct wei balance);
void relay_metrics_rpc(size_t lane, const struct endpoint_health *health, size_t count);
void relay_metrics_slots(size_t lane, const struct lane_slots *slots);
