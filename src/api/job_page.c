// SPDX-License-Identifier: Apache-2.0
// One job with all that happened to it: read in one snapshot, shown as JSON.
#include "api/job_page.h"

#include "api/render.h"

#include <string.h>

static enum status read_payment_key(struct store_tx *tx, struct job_page *page)
{
    struct payment payment;
    if (page->job.payment_id == 0)
        return STATUS_OK;
    enum status status = payment_by_id(tx, &payment, page->job.payment_id);
    if (status == STATUS_OK)
        memcpy(page->payment_key, payment.key, sizeof page->payment_key);
    return status;
}

enum status job_page_read(struct store_tx *tx, struct job_page *ret_page, int64_t id,
                          struct arena *arena)
{
    struct job_page page = {0};
    enum status status = job_by_id(tx, &page.job, id);
    if (status == STATUS_OK)
        status = read_payment_key(tx, &page);
    if (status == STATUS_OK)
        status = job_timeline(tx, &page.events, &page.events_count, id, arena);
    if (status != STATUS_OK)
        return status;
    status = job_slot(tx, &page.slot, &page.attempts, &page.attempts_count, id, arena);
    page.has_slot = status == STATUS_OK;
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    *ret_page = page;
    return STATUS_OK;
}

const struct hash32 *job_page_transaction(const struct job_page *page)
{
    if (!page->has_slot)
        return NULL;
    if (page->slot.state == SLOT_MINED || page->slot.state == SLOT_FINAL)
        return &page->slot.inclusion.transaction_hash;
    return page->attempts_count > 0 ? &page->attempts[page->attempts_count - 1].hash : NULL;
}

void job_page_render(struct out *out, const struct job_page *page)
{
    static const struct hash32 none;
    const struct hash32 *transaction = job_page_transaction(page);
    out_object(out, NULL);
    render_job_members(out, &page->job);
    out_text(out, "payment", page->payment_key[0] ? page->payment_key : NULL);
    out_hash(out, "transaction_hash", transaction ? transaction : &none);
    if (page->has_slot)
        render_slot(out, "slot", &page->slot, page->attempts, page->attempts_count);
    else
        out_text(out, "slot", NULL);
    render_timeline(out, "timeline", page->events, page->events_count);
    out_object_end(out);
}
