// SPDX-License-Identifier: Apache-2.0
// The verdicts that end a slot or take it back are shared with the witnesses before they count.
#include "relay/lane_state.h"

#include "base/log.h"

struct panel lane_panel(const struct relay_lane *lane)
{
    const struct lane_options *options = &lane->options;
    return (struct panel){.own = options->chain,
                          .witnesses = options->witnesses,
                          .count = options->witnesses_count,
                          .needed = options->witnesses_needed,
                          .confirmations = options->confirmations,
                          .finality = options->finality};
}

// What is asked in one step, and of which slots.
struct agenda {
    struct panel_question *questions;
    size_t *slots; // their indices
    size_t count;
    size_t jobs;
};

static bool is_asked(enum track_verdict verdict)
{
    return verdict == TRACK_FINAL || verdict == TRACK_UNMINED || verdict == TRACK_FREED;
}

static bool has_room(const struct agenda *agenda, const struct lane_slot *slot)
{
    return agenda->count == 0 || (agenda->count < LANE_RECEIPTS_MAX &&
                                  agenda->jobs + slot->jobs_count <= LANE_RECEIPT_JOBS_MAX);
}

static void add_question(struct agenda *agenda, const struct step *step, size_t index,
                         const struct track *track)
{
    const struct lane_slot *slot = step->lane->slots.items[index];
    const struct inclusion *inclusion = &slot->row.inclusion;
    bool final = track->verdict == TRACK_FINAL;
    agenda->slots[agenda->count] = index;
    agenda->questions[agenda->count++] = (struct panel_question){
        .block_number = inclusion->block_number,
        .block_hash = inclusion->block_hash,
        .receipt = final ? &step->receipts[index][track->attempt] : NULL,
    };
    agenda->jobs += slot->jobs_count;
}

// A nonce that is free again is a question of its own: no block is named.
static bool nonce_is_free(const struct step *step, const struct lane_slot *slot,
                          const struct panel *panel)
{
    return panel_nonce_is_free(panel, &step->lane->options.address, slot->row.nonce);
}

// Whatever is not settled by the end of this step is looked at again, though no new head comes.
static void gather(struct agenda *agenda, struct step *step, struct track *tracks,
                   const struct panel *panel)
{
    const struct lane_slots *slots = &step->lane->slots;
    for (size_t i = 0; i < slots->count; i++) {
        struct lane_slot *slot = slots->items[i];
        if (!is_asked(tracks[i].verdict))
            continue;
        bool due = step->facts.now_ms >= slot->mood.agree_next_ms && has_room(agenda, slot);
        if (due)
            slot->mood.agree_next_ms = step->facts.now_ms + LANE_AGREE_MS;
        if (due && tracks[i].verdict == TRACK_FREED && nonce_is_free(step, slot, panel))
            continue;
        if (due && tracks[i].verdict != TRACK_FREED) {
            add_question(agenda, step, i, &tracks[i]);
            continue;
        }
        tracks[i].verdict = TRACK_NOTHING;
        step->lane->settled = false;
    }
}

static void tell_contradiction(struct lane_slot *slot)
{
    if (!slot->mood.agree_told)
        log_error("endpoints contradict each other about a block of ours; its jobs stay as they "
                  "are until enough agree",
                  {"slot", LOG_INT(slot->row.id)}, {"nonce", LOG_INT(slot->row.nonce)},
                  {"block", LOG_INT(slot->row.inclusion.block_number)});
    slot->mood.agree_told = true;
}

static void distrust(const struct relay_lane *lane, uint32_t liars)
{
    struct chain *chain = lane->options.chain;
    for (size_t i = 0; i < lane->options.witnesses_count && chain->ops->distrust != NULL; i++)
        if ((liars & UINT32_C(1) << i) != 0)
            chain->ops->distrust(chain, i, "the others contradict it about a final block");
}

static enum status ask(struct step *step, struct track *tracks, const struct agenda *agenda,
                       const struct panel *panel)
{
    uint32_t liars = 0;
    struct panel_answer *answers = arena_alloc_array(step->arena, agenda->count, sizeof *answers);
    if (answers == NULL)
        return STATUS_NO_MEMORY;
    enum status status =
        panel_ask(answers, &liars, panel, agenda->questions, agenda->count, step->arena);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < agenda->count; i++) {
        struct lane_slot *slot = step->lane->slots.items[agenda->slots[i]];
        if (answers[i].agreed)
            continue;
        tracks[agenda->slots[i]].verdict = TRACK_NOTHING;
        step->lane->settled = false;
        if (answers[i].denied)
            tell_contradiction(slot);
    }
    distrust(step->lane, liars);
    return STATUS_OK;
}

enum status agree_on_tracks(struct step *step, struct track *tracks)
{
    struct panel panel = lane_panel(step->lane);
    size_t count = step->lane->slots.count;
    if (panel_is_off(&panel) || count == 0)
        return STATUS_OK;
    struct agenda agenda = {0};
    agenda.questions = arena_alloc_array(step->arena, count, sizeof *agenda.questions);
    agenda.slots = arena_alloc_array(step->arena, count, sizeof *agenda.slots);
    if (agenda.questions == NULL || agenda.slots == NULL)
        return STATUS_NO_MEMORY;
    gather(&agenda, step, tracks, &panel);
    return agenda.count == 0 ? STATUS_OK : ask(step, tracks, &agenda, &panel);
}
