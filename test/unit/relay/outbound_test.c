// SPDX-License-Identifier: Apache-2.0
// Tests of outbound webhooks against a real HTTP server and a real store: at least once, the same
// id on every retry, signatures that verify, the schedule, and an end.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka.h needs the four above.
#include <cmocka.h>

#include "net/tcp_peer.h"
#include "net/webhook_signature.h"
#include "relay/outbound.h"
#include "store/jobs.h"
#include "store/outbox.h"
#include "store/payments.h"
#include "store/programs.h"
#include "store/users.h"

#include <jansson.h>
#include <limits.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#define SECRET      "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define START_MS    1750000000000
#define WAIT_MS_MAX 20000
#define POSTS_MAX   64
#define BODY_SIZE   1024
#define SECOND_MS   INT64_C(1000)
#define MINUTE_MS   (60 * SECOND_MS)
#define HOUR_MS     (60 * MINUTE_MS)
#define POLL_MS     60000 // long, so that only wake-ups and due times make it run

// --- a clock that the test moves ---

static atomic_llong test_now_ms;

static int64_t test_wall_ms(void *context)
{
    (void)context;
    return atomic_load(&test_now_ms);
}

static int64_t test_monotonic_ms(void *context)
{
    (void)context;
    return clock_monotonic_ms(clock_system());
}

static const struct clock test_clock = {test_wall_ms, test_monotonic_ms, NULL};

// --- the merchant ---

struct post {
    char id[64], timestamp[32], signature[80], content_type[64], body[BODY_SIZE];
};

struct merchant {
    struct tcp_peer peer;
    pthread_mutex_t mutex;
    struct post posts[POSTS_MAX];
    size_t count;
    int status;        // of every answer
    const char *extra; // further header lines
    bool holds;        // takes the request and never answers
};

static void copy_header(char *out, size_t size, const char *head, const char *name)
{
    char start[64];
    snprintf(start, sizeof start, "\r\n%s: ", name);
    const char *line = strcasestr(head, start);
    assert_non_null(line);
    line += strlen(start);
    snprintf(out, size, "%.*s", (int)strcspn(line, "\r"), line);
}

static bool take_post(struct tcp_peer *peer, int fd, const char *head, const char *body)
{
    struct merchant *merchant = peer->context;
    pthread_mutex_lock(&merchant->mutex);
    struct post *post = &merchant->posts[merchant->count++ % POSTS_MAX];
    copy_header(post->id, sizeof post->id, head, "webhook-id");
    copy_header(post->timestamp, sizeof post->timestamp, head, "webhook-timestamp");
    copy_header(post->signature, sizeof post->signature, head, "webhook-signature");
    copy_header(post->content_type, sizeof post->content_type, head, "content-type");
    snprintf(post->body, sizeof post->body, "%s", body);
    int status = merchant->status;
    const char *extra = merchant->extra;
    bool holds = merchant->holds;
    pthread_mutex_unlock(&merchant->mutex);
    if (holds)
        peer_wait_for_close(peer, fd);
    else
        peer_respond(fd, status, extra, status == 204 ? "" : "ok");
    return !holds;
}

static size_t posts_count(struct merchant *merchant)
{
    pthread_mutex_lock(&merchant->mutex);
    size_t count = merchant->count;
    pthread_mutex_unlock(&merchant->mutex);
    return count;
}

static void answer(struct merchant *merchant, int status, const char *extra)
{
    pthread_mutex_lock(&merchant->mutex);
    merchant->status = status;
    merchant->extra = extra;
    pthread_mutex_unlock(&merchant->mutex);
}

static void pause_ms(long ms)
{
    const struct timespec pause = {.tv_nsec = ms * 1000000};
    nanosleep(&pause, NULL);
}

static void wait_for_posts(struct merchant *merchant, size_t count)
{
    for (int waited_ms = 0; posts_count(merchant) < count && waited_ms < WAIT_MS_MAX;
         waited_ms += 2)
        pause_ms(2);
    assert_int_equal(posts_count(merchant), count);
}

// --- the store ---

struct fixture {
    char directory[64], path[96];
    struct store *store;
    struct wake *wake;
    struct outbound *outbound;
    struct merchant merchant;
};

struct seed_work {
    struct store_work work; // first
    uint8_t wallet;
    const struct program *program;
};

static struct address address_filled(uint8_t byte)
{
    struct address address;
    memset(address.bytes, byte, sizeof address.bytes);
    return address;
}

#define MUST(call) assert_int_equal((call), STATUS_OK)

// A referral that is confirmed: one message.
static enum status seed_referral(struct store_tx *tx, struct store_work **works, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct seed_work *seed = (const struct seed_work *)works[i];
        struct address child = address_filled(seed->wallet), referrer = address_filled(0xee);
        const struct job_change change = {.cause = "receipt", .outcome = JOB_OUTCOME_DONE};
        const struct trace_id trace = {{1}};
        enum user_outcome outcome;
        struct user user;
        MUST(user_register(tx, &outcome, &user, &child, &referrer, NULL, false, &trace));
        assert_int_equal(outcome, USER_CREATED);
        MUST(job_set_state(tx, user.referral_job_id, JOB_QUEUED, JOB_CONFIRMED, &change));
    }
    return STATUS_OK;
}

// A payout that is parked: one message, besides the referral job that stays queued.
static enum status seed_payout(struct store_tx *tx, struct store_work **works, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct seed_work *seed = (const struct seed_work *)works[i];
        struct address child = address_filled(seed->wallet), referrer = address_filled(0xee);
        const struct job_change change = {.cause = "operator", .why = "a \"reason\""};
        const struct trace_id trace = {{1}};
        struct payment_input input = {.provider = PROVIDER_DIRECT,
                                      .payment_key = "payment-1",
                                      .child = child,
                                      .received_ms = START_MS};
        enum user_outcome user_outcome;
        enum payment_outcome payment_outcome;
        struct user user;
        struct payment payment;
        int64_t program_id;
        bool created;
        MUST(program_insert(tx, &program_id, &created, seed->program));
        MUST(user_register(tx, &user_outcome, &user, &child, &referrer, seed->program->name, false,
                           &trace));
        assert_true(usdc_from_units(&input.amount, 100000000));
        MUST(payment_accept(tx, &payment_outcome, &payment, &input));
        assert_int_equal(payment_outcome, PAYMENT_NEW);
        MUST(job_set_state(tx, payment.job_id, JOB_QUEUED, JOB_PARKED, &change));
    }
    return STATUS_OK;
}

static const struct store_work_kind referral_kind = {"seed referral", seed_referral};
static const struct store_work_kind payout_kind = {"seed payout", seed_payout};

static void add_referral(struct fixture *fixture, uint8_t wallet)
{
    struct seed_work seed = {.work = {.kind = &referral_kind}, .wallet = wallet};
    MUST(store_write(fixture->store, &seed.work));
}

static struct store *open_store(const struct fixture *fixture)
{
    const struct store_options options = {
        .path = fixture->path,
        .clock = &test_clock,
        .domain = {.chain_id = 31337, .payout_contract = address_filled(0x22)},
        .outbox = true};
    struct store *store;
    int applied;
    MUST(store_migrate(&applied, &options));
    MUST(store_open(&store, &options));
    return store;
}

static enum status start_outbound(struct fixture *fixture, const char *url, const char *secret)
{
    const struct outbound_options options = {.store = fixture->store,
                                             .wake = fixture->wake,
                                             .clock = &test_clock,
                                             .stamp_clock = &test_clock,
                                             .random = random_system(),
                                             .url = url,
                                             .secret = secret,
                                             .poll_interval_ms = POLL_MS};
    return outbound_start(&fixture->outbound, &options);
}

static void start(struct fixture *fixture)
{
    MUST(start_outbound(fixture, fixture->merchant.peer.url, SECRET));
}

static int64_t next_due_ms(const struct fixture *fixture)
{
    struct store_tx *snapshot;
    int64_t due_ms;
    MUST(store_read(&snapshot, fixture->store));
    MUST(outbox_next_due_ms(snapshot, &due_ms));
    store_read_end(snapshot);
    return due_ms;
}

// Waits until what came of the posts so far is recorded: nothing is due any more.
static int64_t recorded_due_ms(const struct fixture *fixture)
{
    int64_t due_ms = 0;
    for (int waited_ms = 0; waited_ms < WAIT_MS_MAX; waited_ms += 2) {
        due_ms = next_due_ms(fixture);
        if (due_ms > atomic_load(&test_now_ms))
            return due_ms;
        pause_ms(2);
    }
    fail_msg("still due at %lld", (long long)due_ms);
    return 0;
}

static void move_to(struct fixture *fixture, int64_t now_ms)
{
    atomic_store(&test_now_ms, now_ms);
    wake_signal(fixture->wake);
}

static int make_directory(struct fixture *fixture)
{
    snprintf(fixture->directory, sizeof fixture->directory, "/tmp/sluice-outbound-XXXXXX");
    if (mkdtemp(fixture->directory) == NULL)
        return -1;
    snprintf(fixture->path, sizeof fixture->path, "%s/store.db", fixture->directory);
    return 0;
}

static void start_merchant(struct merchant *merchant)
{
    pthread_mutex_init(&merchant->mutex, NULL);
    merchant->status = 200;
    merchant->extra = "";
    peer_start(&merchant->peer, take_post, merchant);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    if (fixture == NULL || make_directory(fixture) != 0)
        return -1;
    atomic_store(&test_now_ms, START_MS);
    fixture->store = open_store(fixture);
    fixture->wake = wake_new();
    start_merchant(&fixture->merchant);
    *state = fixture;
    return 0;
}

static void end_fixture(struct fixture *fixture)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    outbound_stop(fixture->outbound);
    store_close(fixture->store);
    wake_free(fixture->wake);
    peer_stop(&fixture->merchant.peer);
    pthread_mutex_destroy(&fixture->merchant.mutex);
    for (size_t i = 0; i < 3; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s%s", fixture->path, suffixes[i]);
        unlink(path);
    }
    rmdir(fixture->directory);
    free(fixture);
}

static int tear_down(void **state)
{
    end_fixture(*state);
    return 0;
}

// --- tests ---

static void check_signature(const struct post *post)
{
    struct webhook_secrets secrets;
    const struct webhook_headers headers = {post->id, post->timestamp, post->signature};
    assert_true(webhook_secrets_parse(&secrets, WEBHOOK_STANDARD, SECRET));
    assert_int_equal(webhook_verify(&secrets, WEBHOOK_STANDARD, &headers, bytes_of_text(post->body),
                                    atomic_load(&test_now_ms) / 1000),
                     WEBHOOK_FINE);
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    assert_non_null(text);
    return text;
}

static void a_payout_arrives_signed_and_whole(void **state)
{
    struct fixture *fixture = *state;
    struct program program = {.name = "usdc",
                              .kind = PROGRAM_USDC,
                              .trigger = PROGRAM_EVERY_PAYMENT,
                              .commission_bps = 1000,
                              .active = true};
    struct seed_work seed = {.work = {.kind = &payout_kind}, .wallet = 0xcc, .program = &program};
    MUST(store_write(fixture->store, &seed.work));
    start(fixture);
    wait_for_posts(&fixture->merchant, 1);
    const struct post *post = &fixture->merchant.posts[0];
    check_signature(post);
    assert_string_equal(post->content_type, "application/json");
    assert_int_equal(strncmp(post->id, "msg_", 4), 0);

    json_t *root = json_loads(post->body, JSON_REJECT_DUPLICATES, NULL);
    const json_t *data = json_object_get(root, "data");
    assert_string_equal(text_of(root, "type"), "payout.parked");
    assert_true(json_integer_value(json_object_get(root, "seq")) > 0);
    assert_string_equal(text_of(root, "timestamp"), "2025-06-15T15:06:40.000Z");
    assert_true(strtoll(text_of(data, "job"), NULL, 10) > 0);
    assert_string_equal(text_of(data, "kind"), "payout_usdc");
    assert_int_equal(strlen(text_of(data, "payout_id")), 66);
    assert_string_equal(text_of(data, "child"), "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC");
    assert_string_equal(text_of(data, "referrer"), "0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE");
    assert_string_equal(text_of(data, "usdc"), "10000000");
    assert_string_equal(text_of(data, "sge"), "0");
    assert_string_equal(text_of(data, "state"), "parked");
    assert_string_equal(text_of(data, "outcome"), "none");
    assert_string_equal(text_of(data, "reason"), "a \"reason\"");
    assert_true(json_is_null(json_object_get(data, "transaction")));
    assert_true(json_is_null(json_object_get(data, "block")));
    assert_int_equal(json_object_size(data), 12);
    json_decref(root);
    assert_int_equal(recorded_due_ms(fixture), INT64_MAX);
}

static void answers_one_row_per_outcome(void **state)
{
    struct fixture *fixture = *state;
    char moved[160];
    snprintf(moved, sizeof moved, "Location: %s/else\r\n", fixture->merchant.peer.url);
    const struct {
        int status;
        const char *extra;
        int64_t delay_ms_min, delay_ms_max; // 0: it is over
    } rows[] = {
        {200, "", 0, 0},
        {204, "", 0, 0},
        {299, "", 0, 0},
        {200, "Retry-After: 100\r\n", 0, 0},
        {300, "", 5 * SECOND_MS, 5500},
        {302, moved, 5 * SECOND_MS, 5500}, // and is not followed
        {400, "", 5 * SECOND_MS, 5500},
        {404, "", 5 * SECOND_MS, 5500},
        {500, "", 5 * SECOND_MS, 5500},
        {429, "Retry-After: 120\r\n", 120 * SECOND_MS, 120 * SECOND_MS},
        {503, "Retry-After: 7200\r\n", 2 * HOUR_MS, 2 * HOUR_MS},
        {503, "Retry-After: 1\r\n", 5 * SECOND_MS, 5500},
        {410, "", 0, 0},
    };
    start(fixture);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        answer(&fixture->merchant, rows[i].status, rows[i].extra);
        size_t before = posts_count(&fixture->merchant);
        add_referral(fixture, (uint8_t)(i + 1));
        wake_signal(fixture->wake);
        wait_for_posts(&fixture->merchant, before + 1);
        int64_t due_ms = recorded_due_ms(fixture);
        int64_t delay_ms = due_ms == INT64_MAX ? 0 : due_ms - atomic_load(&test_now_ms);
        if (delay_ms < rows[i].delay_ms_min || delay_ms > rows[i].delay_ms_max)
            fail_msg("row %zu: %lld ms", i, (long long)delay_ms);
        if (due_ms == INT64_MAX)
            continue;
        answer(&fixture->merchant, 200, "");
        move_to(fixture, due_ms);
        wait_for_posts(&fixture->merchant, before + 2);
        assert_int_equal(recorded_due_ms(fixture), INT64_MAX);
    }
}

static void retries_keep_the_id_and_sign_anew(void **state)
{
    struct fixture *fixture = *state;
    answer(&fixture->merchant, 500, "");
    add_referral(fixture, 1);
    start(fixture);
    for (size_t i = 0; i < 3; i++) {
        wait_for_posts(&fixture->merchant, i + 1);
        check_signature(&fixture->merchant.posts[i]);
        int64_t due_ms = recorded_due_ms(fixture);
        if (i == 2)
            answer(&fixture->merchant, 200, "");
        move_to(fixture, due_ms - 1);
        pause_ms(20);
        assert_int_equal(posts_count(&fixture->merchant), i + 1); // not before it is due
        move_to(fixture, due_ms);
    }
    wait_for_posts(&fixture->merchant, 4);
    check_signature(&fixture->merchant.posts[3]);
    assert_int_equal(recorded_due_ms(fixture), INT64_MAX);
    for (size_t i = 1; i < 4; i++) {
        const struct post *before = &fixture->merchant.posts[i - 1], *post = before + 1;
        assert_string_equal(post->id, before->id);
        assert_string_equal(post->body, before->body);
        assert_string_not_equal(post->timestamp, before->timestamp);
        assert_string_not_equal(post->signature, before->signature);
    }
}

static void the_schedule_ends_after_the_tenth_try(void **state)
{
    struct fixture *fixture = *state;
    static const int64_t delays_ms[] = {5 * SECOND_MS, 5 * MINUTE_MS, 30 * MINUTE_MS,
                                        2 * HOUR_MS,   5 * HOUR_MS,   10 * HOUR_MS,
                                        14 * HOUR_MS,  20 * HOUR_MS,  24 * HOUR_MS};
    answer(&fixture->merchant, 500, "");
    add_referral(fixture, 1);
    start(fixture);
    for (size_t i = 0; i < 9; i++) {
        wait_for_posts(&fixture->merchant, i + 1);
        int64_t due_ms = recorded_due_ms(fixture);
        int64_t delay_ms = due_ms - atomic_load(&test_now_ms);
        assert_in_range(delay_ms, delays_ms[i], delays_ms[i] + delays_ms[i] / 10);
        move_to(fixture, due_ms);
    }
    wait_for_posts(&fixture->merchant, 10);
    assert_int_equal(recorded_due_ms(fixture), INT64_MAX);
    move_to(fixture, START_MS + 1000 * HOUR_MS);
    pause_ms(50);
    assert_int_equal(posts_count(&fixture->merchant), 10);
}

static void a_server_that_is_away_is_tried_again(void **state)
{
    struct fixture *fixture = *state;
    char url[64];
    int fd = peer_bind(url); // bound, not listening: connections are refused
    add_referral(fixture, 1);
    MUST(start_outbound(fixture, url, SECRET));
    assert_in_range(recorded_due_ms(fixture), START_MS + 5 * SECOND_MS, START_MS + 5500);
    close(fd);
}

static void many_go_out_at_the_same_time(void **state)
{
    struct fixture *fixture = *state;
    for (uint8_t i = 1; i <= 40; i++)
        add_referral(fixture, i);
    start(fixture);
    wait_for_posts(&fixture->merchant, 40);
    assert_int_equal(recorded_due_ms(fixture), INT64_MAX);
    assert_true(atomic_load(&fixture->merchant.peer.connections) > 1);
    for (size_t i = 0; i < 40; i++) {
        check_signature(&fixture->merchant.posts[i]);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(fixture->merchant.posts[i].id, fixture->merchant.posts[k].id);
    }
}

static void options_that_are_malformed_are_refused(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *url, *secret;
    } rows[] = {
        {"", SECRET},
        {"example.com/hook", SECRET},
        {"ftp://example.com", SECRET},
        {"http://", SECRET},
        {"http:///path", SECRET},
        {"https://?x", SECRET},
        {"http://exa mple.com", SECRET},
        {"http://example.com/\n", SECRET},
        {"http://example.com", ""},
        {"http://example.com", "whsec_short"},
        {"http://example.com", "plain text"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(start_outbound(fixture, rows[i].url, rows[i].secret), STATUS_INVALID);
    assert_null(fixture->outbound);
}

// Opens the store and posts, until it is killed.
static _Noreturn void be_a_relay(struct fixture *fixture, int in)
{
    char url[64] = "";
    if (read(in, url, sizeof url) != (ssize_t)sizeof url)
        _exit(1);
    fixture->store = open_store(fixture);
    fixture->wake = wake_new();
    MUST(start_outbound(fixture, url, SECRET));
    for (;;)
        pause();
}

// fault 4: the webhook keeps its id
static void a_kill_between_post_and_record_repeats_it_with_the_same_id(void **state)
{
    (void)state;
    struct fixture *fixture = calloc(1, sizeof *fixture);
    int channel[2];
    assert_non_null(fixture);
    assert_int_equal(make_directory(fixture), 0);
    assert_int_equal(pipe2(channel, O_CLOEXEC), 0);
    atomic_store(&test_now_ms, START_MS);
    fixture->store = open_store(fixture);
    add_referral(fixture, 1);
    store_close(fixture->store);
    pid_t relay = fork(); // no thread runs here now
    if (relay == 0)
        be_a_relay(fixture, channel[0]);

    struct merchant *merchant = &fixture->merchant;
    merchant->holds = true;
    start_merchant(merchant);
    assert_int_equal(write(channel[1], merchant->peer.url, 64), 64);
    wait_for_posts(merchant, 1);
    assert_int_equal(kill(relay, SIGKILL), 0);
    assert_int_equal(waitpid(relay, NULL, 0), relay);
    pthread_mutex_lock(&merchant->mutex);
    merchant->holds = false;
    pthread_mutex_unlock(&merchant->mutex);

    fixture->store = open_store(fixture);
    fixture->wake = wake_new();
    start(fixture);
    wait_for_posts(merchant, 2);
    assert_int_equal(recorded_due_ms(fixture), INT64_MAX);
    assert_string_equal(merchant->posts[0].id, merchant->posts[1].id);
    check_signature(&merchant->posts[1]);
    close(channel[0]);
    close(channel[1]);
    end_fixture(fixture);
}

#define OUTBOUND_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kill_between_post_and_record_repeats_it_with_the_same_id),
        OUTBOUND_TEST(a_payout_arrives_signed_and_whole),
        OUTBOUND_TEST(answers_one_row_per_outcome),
        OUTBOUND_TEST(retries_keep_the_id_and_sign_anew),
        OUTBOUND_TEST(the_schedule_ends_after_the_tenth_try),
        OUTBOUND_TEST(a_server_that_is_away_is_tried_again),
        OUTBOUND_TEST(many_go_out_at_the_same_time),
        OUTBOUND_TEST(options_that_are_malformed_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
