// SPDX-License-Identifier: Apache-2.0
// A relayer that dies at any point of its step: the next one goes on, and each payout is made once.
#include "world.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAYOUTS       6
#define CRASH_CODE    42
#define CRASHES_MAX   40 // more visits to one point than a run has
#define STEPS_MAX     4000
#define STEP_PAUSE_US 2000

struct crash {
    enum lane_point point;
    int visits_left;
};

static void crash_at(void *context, enum lane_point point)
{
    struct crash *crash = context;
    if (point == crash->point && --crash->visits_left == 0)
        _exit(CRASH_CODE);
}

// One life of the relayer, in a process of its own. True where it crashed at the point.
static bool live_until(struct world *world, struct crash *crash)
{
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        world->at = crash_at;
        world->at_context = crash;
        world_start(world);
        for (int i = 0; i < STEPS_MAX && world_is_busy(world); i++) {
            (void)world_step(world);
            usleep(STEP_PAUSE_US);
        }
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    int code = WEXITSTATUS(status);
    assert_true(code == 0 || code == CRASH_CODE);
    return code == CRASH_CODE;
}

static void queue_payouts(struct world *world, int64_t jobs[PAYOUTS])
{
    world_start(world);
    for (int i = 0; i < PAYOUTS; i++) {
        char key[16];
        snprintf(key, sizeof key, "p%d", i);
        world_register(world, i, i, i % 2 == 0);
        jobs[i] = world_pay(world, key, i, i % 3 == 0 ? "hybrid" : "usdc", 10 + i);
    }
    world_stop(world);
}

static void assert_all_paid_once(struct world *world, const int64_t jobs[PAYOUTS])
{
    for (int i = 0; i < PAYOUTS; i++) {
        struct job job = world_job(world, jobs[i]);
        struct address affiliate = world_affiliate(i);
        assert_string_equal(job_state_text(job.state), "confirmed");
        assert_int_equal(world_events_of(world, &job.payout_id), 1);
        assert_int_equal(world_usdc_of(world, &affiliate), usdc_units(job.usdc));
    }
}

// Every life ends at the point, a visit later than the one before, until one gets through.
static void crash_again_and_again(enum lane_point point)
{
    struct world world;
    int64_t jobs[PAYOUTS];
    world_open(&world);
    world.batch_size_max = 2;
    queue_payouts(&world, jobs);
    int lives = 1;
    struct crash crash = {point, 1};
    while (live_until(&world, &crash)) {
        lives++;
        assert_true(lives < CRASHES_MAX);
        crash.visits_left = lives;
    }
    assert_true(lives > 1); // the point is on the way
    world_start(&world);
    world_run(&world);
    assert_all_paid_once(&world, jobs);
    world_step(&world);                              // takes the lane, where nothing was left to do
    assert_int_equal(lane_look(world.lane).open, 0); // no gap, and no nonce of which we do not know
    assert_int_equal(lane_look(world.lane).next_nonce, world_lane_nonce(&world));
    world_close(&world);
}

// fault 4: receipts are read again, each payout ends once
static void a_crash_after_reading_receipts_loses_nothing(void **state)
{
    (void)state;
    crash_again_and_again(LANE_JUDGED);
}
static void a_crash_after_claiming_loses_nothing(void **state)
{
    (void)state;
    crash_again_and_again(LANE_CLAIMED);
}
// fault 1: nonces chosen and signed for, nothing written: the same nonces again, and no gap
static void a_crash_after_signing_loses_nothing(void **state)
{
    (void)state;
    crash_again_and_again(LANE_SIGNED);
}
// fault 2: written, not sent
static void a_crash_after_the_commit_sends_the_same_bytes(void **state)
{
    (void)state;
    crash_again_and_again(LANE_COMMITTED);
}
// fault 3: sent, not recorded: the node knows them already, or has mined them
static void a_crash_after_sending_pays_once(void **state)
{
    (void)state;
    crash_again_and_again(LANE_SENT);
}
static void a_crash_after_recording_pays_once(void **state)
{
    (void)state;
    crash_again_and_again(LANE_RECORDED);
}

static void count_attempts(struct world *world, int64_t job, size_t *ret_count,
                           struct hash32 *ret_hash)
{
    struct store_tx *tx;
    struct slot slot;
    struct attempt *attempts;
    OK(store_read(&tx, world->store));
    OK(job_slot(tx, &slot, &attempts, ret_count, job, world->arena));
    *ret_hash = attempts[0].hash;
    store_read_end(tx);
}

// Signed and durable, never sent.
// fault 2: what is mined in the end has the hash of before the crash
static void after_a_crash_the_bytes_are_those_of_before(void **state)
{
    (void)state;
    struct world world;
    struct hash32 before, after;
    size_t count;
    world_open(&world);
    world_start(&world);
    world_register(&world, 1, 1, false);
    world_run(&world);
    int64_t job = world_pay(&world, "p1", 1, "usdc", 50);
    world_stop(&world);
    struct crash crash = {LANE_COMMITTED, 1};
    assert_true(live_until(&world, &crash));
    world_start(&world);
    count_attempts(&world, job, &count, &before);
    assert_string_equal(world_state(&world, job), "assigned");
    assert_int_equal(world_lane_nonce(&world), 1);
    world_run(&world);
    count_attempts(&world, job, &count, &after);
    assert_int_equal(count, 1);
    assert_true(hash32_equal(&before, &after));
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crash_after_reading_receipts_loses_nothing),
        cmocka_unit_test(a_crash_after_claiming_loses_nothing),
        cmocka_unit_test(a_crash_after_signing_loses_nothing),
        cmocka_unit_test(a_crash_after_the_commit_sends_the_same_bytes),
        cmocka_unit_test(a_crash_after_sending_pays_once),
        cmocka_unit_test(a_crash_after_recording_pays_once),
        cmocka_unit_test(after_a_crash_the_bytes_are_those_of_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
