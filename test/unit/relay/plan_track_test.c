// SPDX-License-Identifier: Apache-2.0
// What became of a slot: one row per verdict, each changing just what makes it so.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plan_fixture.h"

static void nothing(struct fixture *f)
{
    (void)f;
}
static void in_the_head(struct fixture *f)
{
    fixture_receipt(f, 0, 100, 100);
}
static void second_attempt_mined(struct fixture *f)
{
    fixture_attempt(f, 2, false);
    fixture_receipt(f, 1, 100, 100);
}
static void first_of_two_mined(struct fixture *f)
{
    fixture_attempt(f, 2, false);
    fixture_receipt(f, 0, 100, 100);
}
static void in_a_side_block(struct fixture *f)
{
    fixture_receipt(f, 0, 100, 101);
}
static void in_a_block_nobody_confirms(struct fixture *f)
{
    fixture_receipt(f, 0, 99, 99);
}
static void in_a_block_the_node_lacks(struct fixture *f)
{
    fixture_receipt(f, 0, 100, 100);
    f->blocks[0].found = false;
}
static void of_another_transaction(struct fixture *f)
{
    fixture_receipt(f, 0, 100, 100)->transaction_hash = fixture_hash(66);
}
static void to_another_contract(struct fixture *f)
{
    fixture_receipt(f, 0, 100, 100)->to.bytes[0] = 0xdd;
}
static void known_in_the_same_block(struct fixture *f)
{
    fixture_mined(f, 0, 100, 100);
    fixture_receipt(f, 0, 100, 100);
}
static void known_and_final(struct fixture *f)
{
    known_in_the_same_block(f);
    f->facts.final_number = 100;
}
static void known_one_short_of_final(struct fixture *f)
{
    known_in_the_same_block(f);
    f->facts.final_number = 99;
}
static void moved_to_another_block(struct fixture *f)
{
    fixture_mined(f, 0, 100, 99);
    fixture_receipt(f, 0, 100, 100);
}
static void moved_to_another_attempt(struct fixture *f)
{
    fixture_attempt(f, 2, false);
    fixture_mined(f, 0, 100, 100);
    fixture_receipt(f, 1, 100, 100);
}
static void moved_into_a_final_block(struct fixture *f)
{
    moved_to_another_block(f);
    f->facts.final_number = 100;
}
static void reorganised_away(struct fixture *f)
{
    fixture_mined(f, 0, 100, 99);
}
static void mined_and_receipt_missing(struct fixture *f)
{
    fixture_mined(f, 0, 100, 100);
}
static void mined_above_the_nodes_head(struct fixture *f)
{
    fixture_mined(f, 0, 101, 101);
}
static void mined_and_block_unknown(struct fixture *f)
{
    fixture_mined(f, 0, 100, 99);
    f->blocks[0].found = false;
}
static void nonce_used(struct fixture *f)
{
    f->facts.nonce = 6;
}
static void nonce_used_within_the_grace(struct fixture *f)
{
    f->facts.nonce = 6;
    f->slot.mood.used_since_ms = f->facts.now_ms - PLAN_FOREIGN_GRACE_MS + 1;
}
static void nonce_used_past_the_grace(struct fixture *f)
{
    f->facts.nonce = 6;
    f->slot.mood.used_since_ms = f->facts.now_ms;
    f->facts.now_ms += PLAN_FOREIGN_GRACE_MS;
}
static void nonce_used_but_a_receipt_in_a_side_block(struct fixture *f)
{
    nonce_used_past_the_grace(f);
    fixture_receipt(f, 0, 100, 101);
}
static void nonce_unknown(struct fixture *f)
{
    nonce_used_past_the_grace(f);
    f->facts.nonce_known = false;
}
static void unresolved(struct fixture *f)
{
    nonce_used_past_the_grace(f);
    f->slot.mood.unresolved = true;
}
static void unresolved_asked_just_now(struct fixture *f)
{
    unresolved(f);
    f->slot.mood.proof_next_ms = f->facts.now_ms + 1;
}
static void unresolved_and_the_nonce_is_free_again(struct fixture *f)
{
    unresolved(f);
    f->facts.nonce = 5;
}
static void unresolved_and_a_hash_turned_up(struct fixture *f)
{
    unresolved(f);
    fixture_receipt(f, 0, 100, 100);
}

static const struct {
    const char *name;
    void (*change)(struct fixture *fixture);
    enum track_verdict verdict;
    size_t attempt;
} rows[] = {
    {"nothing known", nothing, TRACK_NOTHING, 0},
    {"in the head", in_the_head, TRACK_MINED, 0},
    {"the second attempt is mined", second_attempt_mined, TRACK_MINED, 1},
    {"the older attempt is mined", first_of_two_mined, TRACK_MINED, 0},
    {"in a block that is not canonical", in_a_side_block, TRACK_NOTHING, 0},
    {"in a block nobody confirms", in_a_block_nobody_confirms, TRACK_NOTHING, 0},
    {"in a block the node lacks", in_a_block_the_node_lacks, TRACK_NOTHING, 0},
    {"a receipt of another transaction", of_another_transaction, TRACK_NOTHING, 0},
    {"a receipt to another contract", to_another_contract, TRACK_NOTHING, 0},
    {"still in the same block", known_in_the_same_block, TRACK_NOTHING, 0},
    {"final", known_and_final, TRACK_FINAL, 0},
    {"one block short of final", known_one_short_of_final, TRACK_NOTHING, 0},
    {"mined again in another block", moved_to_another_block, TRACK_MINED, 0},
    {"mined again as another attempt", moved_to_another_attempt, TRACK_MINED, 1},
    {"mined again in a final block is first recorded", moved_into_a_final_block, TRACK_MINED, 0},
    {"its block is no longer canonical", reorganised_away, TRACK_UNMINED, 0},
    {"a missing receipt alone changes nothing", mined_and_receipt_missing, TRACK_NOTHING, 0},
    {"a lagging node changes nothing", mined_above_the_nodes_head, TRACK_NOTHING, 0},
    {"an unknown block changes nothing", mined_and_block_unknown, TRACK_NOTHING, 0},
    {"the nonce is used", nonce_used, TRACK_USED, 0},
    {"the grace runs", nonce_used_within_the_grace, TRACK_USED, 0},
    {"the grace is over", nonce_used_past_the_grace, TRACK_UNRESOLVED, 0},
    {"a receipt that does not count keeps it open", nonce_used_but_a_receipt_in_a_side_block,
     TRACK_NOTHING, 0},
    {"an unknown nonce decides nothing", nonce_unknown, TRACK_NOTHING, 0},
    {"unresolved looks for proof", unresolved, TRACK_PROVE, 0},
    {"but not all the time", unresolved_asked_just_now, TRACK_NOTHING, 0},
    {"the nonce is free again", unresolved_and_the_nonce_is_free_again, TRACK_FREED, 0},
    {"a hash turned up", unresolved_and_a_hash_turned_up, TRACK_MINED, 0},
};

// fault 7, 23, 24, 26, 27, 29: what receipts, blocks and nonces say of a slot
static void every_verdict_has_its_cause(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture fixture;
        fixture_setup(&fixture);
        rows[i].change(&fixture);
        struct track track = plan_track(&fixture.slot, fixture.receipts, &fixture.facts);
        if (track.verdict != rows[i].verdict || track.attempt != rows[i].attempt)
            fail_msg("%s: verdict %d attempt %zu", rows[i].name, (int)track.verdict, track.attempt);
    }
}

// No answer about receipts is not the answer "none".
static void without_receipts_asked_nothing_is_concluded(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_setup(&fixture);
    nonce_used_past_the_grace(&fixture);
    assert_int_equal(plan_track(&fixture.slot, NULL, &fixture.facts).verdict, TRACK_NOTHING);
    unresolved(&fixture);
    assert_int_equal(plan_track(&fixture.slot, NULL, &fixture.facts).verdict, TRACK_NOTHING);
}

static void the_inclusion_is_the_receipts(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_setup(&fixture);
    struct chain_receipt *receipt = fixture_receipt(&fixture, 0, 100, 100);
    receipt->succeeded = false;
    struct track track = plan_track(&fixture.slot, fixture.receipts, &fixture.facts);
    assert_false(track.inclusion.succeeded);
    assert_int_equal(track.inclusion.block_number, 100);
    assert_int_equal(track.inclusion.gas_used, 60000);
    assert_true(hash32_equal(&track.inclusion.transaction_hash, &fixture.attempts[0].row.hash));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_verdict_has_its_cause),
        cmocka_unit_test(without_receipts_asked_nothing_is_concluded),
        cmocka_unit_test(the_inclusion_is_the_receipts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
