// SPDX-License-Identifier: Apache-2.0
// Rows as JSON.
#include "api/render.h"

#include "base/hex.h"
#include "store/programs.h"

#include <string.h>

enum status render_program_name(struct store_tx *tx, const char **ret_name, int64_t id,
                                struct arena *arena)
{
    struct program program;
    if (id == 0) {
        *ret_name = NULL;
        return STATUS_OK;
    }
    enum status status = program_by_id(tx, &program, id);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_CORRUPT : status;
    *ret_name = arena_copy_text(arena, program.name);
    return *ret_name ? STATUS_OK : STATUS_NO_MEMORY;
}

void render_user(struct out *out, const char *key, const struct user *user, const char *program)
{
    out_object(out, key);
    out_address(out, "wallet", &user->wallet);
    out_address(out, "referrer", &user->referrer);
    out_text(out, "program", program);
    out_id(out, "referral_job_id", user->referral_job_id);
    out_id(out, "mint_job_id", user->mint_job_id);
    out_time(out, "created_at", user->created_ms);
    out_object_end(out);
}

void render_payment(struct out *out, const char *key, const struct payment *payment,
                    const char *program)
{
    out_object(out, key);
    out_text(out, "id", payment->key);
    out_text(out, "provider", provider_text(payment->provider));
    out_text(out, "state", payment_state_text(payment->state));
    out_address(out, "wallet", &payment->child);
    out_address(out, "referrer", &payment->referrer);
    out_text(out, "program", program);
    out_usdc(out, "amount", payment->amount);
    out_id(out, "job_id", payment->job_id);
    out_time(out, "received_at", payment->received_ms);
    out_object_end(out);
}

void render_program(struct out *out, const char *key, const struct program *program)
{
    out_object(out, key);
    out_text(out, "name", program->name);
    out_text(out, "kind", program_kind_text(program->kind));
    out_text(out, "trigger", program_trigger_text(program->trigger));
    out_integer(out, "commission_bps", program->commission_bps);
    out_sge(out, "sge_rate", program->sge_rate);
    if (usdc_is_zero(program->payout_max))
        out_text(out, "payout_max", NULL);
    else
        out_usdc(out, "payout_max", program->payout_max);
    out_integer(out, "hold_seconds", program->hold_seconds);
    out_boolean(out, "active", program->active);
    out_time(out, "created_at", program->created_ms);
    out_object_end(out);
}

static void render_sums(struct out *out, const char *key, struct usdc usdc, struct sge sge)
{
    out_object(out, key);
    out_usdc(out, "usdc", usdc);
    out_sge(out, "sge", sge);
    out_object_end(out);
}

void render_affiliate(struct out *out, const struct affiliate *affiliate)
{
    out_object(out, NULL);
    out_address(out, "wallet", &affiliate->wallet);
    out_integer(out, "children", affiliate->children);
    out_object(out, "payouts");
    out_integer(out, "pending", affiliate->payouts_pending);
    out_integer(out, "confirmed", affiliate->payouts_confirmed);
    out_integer(out, "parked", affiliate->payouts_parked);
    out_object_end(out);
    render_sums(out, "earned", affiliate->usdc_earned, affiliate->sge_earned);
    render_sums(out, "paid", affiliate->usdc_paid, affiliate->sge_paid);
    render_sums(out, "owed", affiliate->usdc_owed, affiliate->sge_owed);
    render_sums(out, "pending", affiliate->usdc_pending, affiliate->sge_pending);
    render_sums(out, "netted", affiliate->usdc_netted, affiliate->sge_netted);
    out_usdc(out, "receivable_usdc", affiliate->usdc_receivable);
    out_sge(out, "receivable_sge", affiliate->sge_receivable);
    out_object_end(out);
}

static void out_trace(struct out *out, const char *key, const struct trace_id *trace)
{
    char text[HEX_TEXT_SIZE(16)];
    hex_encode(text, (struct bytes){trace->bytes, sizeof trace->bytes});
    out_text(out, key, text + 2);
}

void render_job_members(struct out *out, const struct job *job)
{
    out_id(out, "id", job->id);
    out_text(out, "kind", job_kind_text(job->kind));
    out_text(out, "state", job_state_text(job->state));
    out_text(out, "outcome", job_outcome_text(job->outcome));
    out_text(out, "reason", job->reason);
    out_address(out, "wallet", &job->child);
    out_address(out, "referrer", &job->referrer);
    out_usdc(out, "usdc", job->usdc);
    out_sge(out, "sge", job->sge);
    out_usdc(out, "netted_usdc", job->netted_usdc);
    out_sge(out, "netted_sge", job->netted_sge);
    out_hash(out, "payout_id", &job->payout_id);
    out_integer(out, "tries", job->tries);
    out_time(out, "due_at", job->due_ms);
    out_time(out, "created_at", job->created_ms);
    out_time(out, "updated_at", job->updated_ms);
    out_trace(out, "trace_id", &job->trace);
}

void render_job(struct out *out, const char *key, const struct job *job)
{
    out_object(out, key);
    render_job_members(out, job);
    out_object_end(out);
}

void render_timeline(struct out *out, const char *key, const struct job_event *events, size_t count)
{
    out_array(out, key);
    for (size_t i = 0; i < count; i++) {
        out_object(out, NULL);
        out_text(out, "from", events[i].from ? job_state_text(events[i].from) : NULL);
        out_text(out, "to", job_state_text(events[i].to));
        out_text(out, "cause", events[i].cause);
        out_text(out, "why", events[i].why);
        out_time(out, "at", events[i].at_ms);
        out_object_end(out);
    }
    out_array_end(out);
}

static void out_wei(struct out *out, const char *key, struct wei amount)
{
    char text[WEI_TEXT_SIZE];
    wei_format_units(text, amount);
    out_text(out, key, text);
}

static void render_attempt(struct out *out, const struct attempt *attempt)
{
    out_object(out, NULL);
    out_hash(out, "transaction_hash", &attempt->hash);
    out_text(out, "state", attempt_state_text(attempt->state));
    out_wei(out, "max_fee_wei", attempt->max_fee);
    out_wei(out, "max_priority_fee_wei", attempt->max_priority_fee);
    out_integer(out, "gas_limit", attempt->gas_limit);
    out_integer(out, "sends", attempt->sends);
    out_time(out, "created_at", attempt->created_ms);
    out_time(out, "sent_at", attempt->sent_ms);
    out_object_end(out);
}

static void render_inclusion(struct out *out, const char *key, const struct inclusion *inclusion)
{
    out_object(out, key);
    out_hash(out, "transaction_hash", &inclusion->transaction_hash);
    out_hash(out, "block_hash", &inclusion->block_hash);
    out_integer(out, "block_number", inclusion->block_number);
    out_boolean(out, "succeeded", inclusion->succeeded);
    out_integer(out, "gas_used", inclusion->gas_used);
    out_wei(out, "gas_price_wei", inclusion->gas_price);
    out_object_end(out);
}

void render_slot(struct out *out, const char *key, const struct slot *slot,
                 const struct attempt *attempts, size_t count)
{
    out_object(out, key);
    out_integer(out, "nonce", slot->nonce);
    out_text(out, "state", slot_state_text(slot->state));
    if (slot->state == SLOT_MINED || slot->state == SLOT_FINAL)
        render_inclusion(out, "inclusion", &slot->inclusion);
    else
        out_text(out, "inclusion", NULL);
    out_array(out, "attempts");
    for (size_t i = 0; i < count; i++)
        render_attempt(out, &attempts[i]);
    out_array_end(out);
    out_object_end(out);
}

void render_holds(struct out *out, const char *key, const struct hold *holds, size_t count)
{
    out_array(out, key);
    for (size_t i = 0; i < count; i++) {
        out_object(out, NULL);
        out_text(out, "kind", job_kind_text(holds[i].kind));
        out_text(out, "reason", holds[i].reason);
        out_text(out, "why", holds[i].why);
        out_time(out, "since", holds[i].since_ms);
        out_object_end(out);
    }
    out_array_end(out);
}
