// SPDX-License-Identifier: Apache-2.0
// A signed webhook while memory or the disk fails under the API and the store: it is answered 2xx
// and stored, or it gets a clean refusal and the next delivery is taken, once.
#include "fault/points.h"
#include "support/fail_alloc.h"
#include "support/fail_socket.h"
#include "support/sim_disk.h"
#include "unit/store/fixture.h"

#include "api/api.h"
#include "base/hex.h"
#include "base/log.h"
#include "net/webhook_signature.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <nettle/sha2.h>
#include <sys/socket.h>
#include <time.h>

#define SECRET      "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define ANSWER_S    20
#define STOP_MS     5000
#define TEXT_SIZE   2048
#define ANSWER_SIZE 65536
#define TRIES_MAX   50 // until the store is back after a fault
#define PAUSE_US    2000
#define CHILD       1
#define NOT_STORED  0

struct api_world {
    struct fixture fixture;
    struct api *api;
    struct webhook_secrets secrets;
    int64_t number; // of the next payment
    int wrong;      // points
    bool stays;
    const struct request *request;
    struct sim_disk *disk;
    struct sim_disk_image *image;
    struct sim_disk_fault fault;
};

// ---------------------------------------------------------------- the provider

static int dial(const struct api_world *world)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)api_port(world->api))};
    struct timeval limit = {.tv_sec = ANSWER_S};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void write_request(char text[TEXT_SIZE], const struct api_world *world, int64_t number)
{
    char body[512], wallet[ADDRESS_TEXT_SIZE], id[32], signature[WEBHOOK_SIGNATURE_SIZE];
    struct address child = wallet_of(CHILD);
    int64_t now_s = (int64_t)time(NULL);
    address_format(wallet, &child);
    snprintf(id, sizeof id, "event-%lld", (long long)number);
    snprintf(body, sizeof body,
             "{\"type\":\"payment.confirmed\",\"data\":{\"payment_id\":\"p%lld\","
             "\"wallet\":\"%s\",\"amount\":\"12.50\"}}",
             (long long)number, wallet);
    assert_true(webhook_sign(signature, &world->secrets, id, now_s, bytes_of_text(body)));
    snprintf(text, TEXT_SIZE,
             "POST /v1/webhooks/standard HTTP/1.1\r\nHost: api\r\nConnection: close\r\n"
             "Content-Type: application/json\r\nContent-Length: %zu\r\nwebhook-id: %s\r\n"
             "webhook-timestamp: %lld\r\nwebhook-signature: %s\r\n\r\n%s",
             strlen(body), id, (long long)now_s, signature, body);
}

// The status of the answer; 0: the connection ended without one.
static int exchange(const struct api_world *world, const char *request)
{
    char answer[ANSWER_SIZE];
    size_t have = 0;
    int fd = dial(world);
    (void)!send(fd, request, strlen(request), MSG_NOSIGNAL);
    for (;;) {
        ssize_t got = recv(fd, answer + have, sizeof answer - 1 - have, 0);
        assert_false(got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)); // it hangs
        if (got <= 0 || have + (size_t)got == sizeof answer - 1)
            break;
        have += (size_t)got;
    }
    close(fd);
    answer[have] = '\0';
    const char prefix[] = "HTTP/1.1 ";
    return strncmp(answer, prefix, strlen(prefix)) == 0
               ? (int)strtol(answer + strlen(prefix), NULL, 10)
               : 0;
}

static int deliver(const struct api_world *world, int64_t number)
{
    char request[TEXT_SIZE];
    write_request(request, world, number);
    return exchange(world, request);
}

// ---------------------------------------------------------------- the service

static struct user register_child(struct fixture *fixture)
{
    struct program program = program_usdc("usdc");
    struct store_tx *tx = begin(fixture);
    add_program(tx, &program);
    struct user user = add_user(tx, CHILD, 100, "usdc");
    OK(tx_commit(tx));
    return user;
}

static void start(struct api_world *world)
{
    struct fixture *fixture = &world->fixture;
    fixture->options.in_caller = false;
    OK(store_open(&fixture->store, &fixture->options));
    struct api_options options = {.store = fixture->store,
                                  .clock = clock_system(),
                                  .random = random_system(),
                                  .listen = "127.0.0.1:0",
                                  .threads = 2,
                                  .key_rate_max = 1000000,
                                  .failed_auth_rate_max = 1000000,
                                  .standard_secrets = SECRET};
    OK(api_start(&world->api, &options));
}

static void stop(struct api_world *world)
{
    api_stop(world->api, STOP_MS);
    store_close(world->fixture.store);
    world->fixture.store = NULL;
}

static void world_open(struct api_world *world, bool on_sim_disk)
{
    int applied;
    struct fixture *fixture = &world->fixture;
    memset(world, 0, sizeof *world);
    log_setup(LOG_ERROR, LOG_FORMAT_TEXT);
    assert_true(webhook_secrets_parse(&world->secrets, WEBHOOK_STANDARD, SECRET));
    fixture_paths(fixture);
    if (on_sim_disk)
        world->disk = sim_disk_new(fixture->directory);
    fixture->options.clock = clock_system();
    OK(store_migrate(&applied, &fixture->options));
    OK(store_open(&fixture->store, &fixture->options));
    register_child(fixture);
    store_close(fixture->store);
    if (on_sim_disk)
        world->image = sim_disk_image(world->disk);
}

static void world_close(struct api_world *world)
{
    sim_disk_image_free(world->image);
    sim_disk_free(world->disk);
    fixture_close(&world->fixture);
}

// How many payments and payouts stand under the number.
static int64_t stored(const struct api_world *world, int64_t number)
{
    char sql[200];
    snprintf(sql, sizeof sql,
             "SELECT COUNT(*) FROM payments p JOIN jobs j ON j.id = p.job_id "
             "WHERE p.payment_key = 'p%lld'",
             (long long)number);
    return scan_number(&world->fixture, sql);
}

// All that is wrong at any point is told, not only the first.
static bool is_clean(int status, int64_t stored_now, int64_t k)
{
    bool taken = status / 100 == 2, refused = status == 503 || status == 0;
    if ((taken && stored_now == 1) || (refused && stored_now >= 0 && stored_now <= 1))
        return true;
    printf("point %lld: answered %d, stored %lld\n", (long long)k, status, (long long)stored_now);
    return false;
}

// ---------------------------------------------------------------- memory

static bool run_memory_point(void *context, int64_t k)
{
    struct api_world *world = context;
    int64_t number = ++world->number;
    fail_alloc_arm(k, world->stays);
    int status = deliver(world, number);
    bool fired = fail_alloc_disarm() > 0;
    assert_true(store_is_healthy(world->fixture.store));
    world->wrong += !is_clean(status, stored(world, number), k);
    assert_int_equal(deliver(world, number), 200);
    assert_int_equal(stored(world, number), 1);
    return fired;
}

// A process that has just started, whose statements are not prepared yet, at every point.
static bool run_cold_memory_point(void *context, int64_t k)
{
    struct api_world *world = context;
    start(world);
    bool fired = run_memory_point(world, k);
    stop(world);
    return fired;
}

// fault 49, 69: the k-th allocation of one webhook's handling fails, in any library and thread
static void no_allocation_that_fails_loses_or_doubles_a_payment(void **state)
{
    (void)state;
    struct api_world world;
    world_open(&world, false);
    points_loop("webhook, cold", "allocation fails once", 7, run_cold_memory_point, &world);
    start(&world);
    assert_int_equal(deliver(&world, ++world.number), 200);
    points_loop("webhook, warm", "allocation fails once", 1, run_memory_point, &world);
    world.stays = true;
    points_loop("webhook, warm", "allocation fails from then on", 1, run_memory_point, &world);
    stop(&world);
    world_close(&world);
    assert_int_equal(world.wrong, 0);
}

// ---- every other kind of request

#define TOKEN     "sk_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define WALLET    "0x1000000000000000000000000000000000000001"
#define AFFILIATE "0x1000000000000000000000000000000000000064"

static const struct request {
    const char *name, *line, *before, *after; // around the number; before NULL: no body
} requests[] = {
    {"POST payment", "POST /v1/payments",
     "{\"wallet\":\"" WALLET "\",\"amount\":\"1.5\",\"id\":\"q", "\"}"},
    {"POST user", "POST /v1/users", "{\"wallet\":\"0x20000000000000000000000000000000", "\"}"},
    {"GET payment", "GET /v1/payments/p1", NULL, NULL},
    {"GET jobs", "GET /v1/jobs?limit=2", NULL, NULL},
    {"GET affiliate", "GET /v1/affiliates/" AFFILIATE, NULL, NULL},
    {"GET programs", "GET /v1/programs", NULL, NULL},
    {"GET readyz", "GET /readyz", NULL, NULL},
    {"GET metrics", "GET /metrics", NULL, NULL},
};

static void add_key(struct fixture *fixture)
{
    struct hash32 digest;
    struct sha256_ctx context;
    int64_t id;
    sha256_init(&context);
    sha256_update(&context, strlen(TOKEN), (const uint8_t *)TOKEN);
    sha256_digest(&context, sizeof digest.bytes, digest.bytes);
    struct store_tx *tx = begin(fixture);
    OK(api_key_insert(tx, &id, &digest, "all", SCOPE_READ | SCOPE_WRITE | SCOPE_ADMIN));
    OK(tx_commit(tx));
}

static int ask(const struct api_world *world, int64_t number)
{
    const struct request *request = world->request;
    char text[TEXT_SIZE], body[512] = "", key[64] = "";
    if (request->before != NULL) {
        snprintf(body, sizeof body, "%s%08lld%s", request->before, (long long)number,
                 request->after);
        snprintf(key, sizeof key, "Idempotency-Key: %s-%lld\r\n", request->line + 9,
                 (long long)number);
    }
    snprintf(text, sizeof text,
             "%s HTTP/1.1\r\nHost: api\r\nConnection: close\r\nAuthorization: Bearer %s\r\n"
             "Content-Type: application/json\r\nContent-Length: %zu\r\n%s\r\n%s",
             request->line, TOKEN, strlen(body), key, body);
    return exchange(world, text);
}

static bool run_request_point(void *context, int64_t k)
{
    struct api_world *world = context;
    int64_t number = ++world->number;
    fail_alloc_arm(k, world->stays);
    int status = ask(world, number);
    bool fired = fail_alloc_disarm() > 0;
    bool fine = status / 100 == 2 || status == 503 || status == 0;
    if (!fine)
        printf("%s, point %lld: answered %d\n", world->request->name, (long long)k, status);
    world->wrong += !fine;
    assert_int_equal(ask(world, number) / 100, 2);
    return fired;
}

// fault 69: the k-th allocation of any other request's handling fails
static void no_allocation_that_fails_is_blamed_on_the_caller(void **state)
{
    (void)state;
    struct api_world world;
    world_open(&world, false);
    OK(store_open(&world.fixture.store, &world.fixture.options));
    add_key(&world.fixture);
    store_close(world.fixture.store);
    start(&world);
    assert_int_equal(deliver(&world, ++world.number), 200); // payment p1
    for (size_t i = 0; i < 2 * (sizeof requests / sizeof requests[0]); i++) {
        world.request = &requests[i / 2];
        world.stays = i % 2 == 1;
        assert_int_equal(ask(&world, ++world.number) / 100, 2);
        points_loop(world.request->name,
                    world.stays ? "allocation fails from then on" : "allocation fails once", 7,
                    run_request_point, &world);
    }
    stop(&world);
    world_close(&world);
    assert_int_equal(world.wrong, 0);
}

// ---------------------------------------------------------------- sockets

static bool run_socket_point(void *context, int64_t k)
{
    struct api_world *world = context;
    int64_t number = ++world->number;
    fail_socket_arm(k);
    int status = deliver(world, number);
    bool fired = fail_socket_disarm() > 0;
    world->wrong += !is_clean(status, stored(world, number), k);
    assert_int_equal(deliver(world, number), 200);
    assert_int_equal(stored(world, number), 1);
    return fired;
}

// fault 49: the provider's connection breaks at any accept, recv or send; it delivers again
static void no_connection_that_breaks_loses_or_doubles_a_payment(void **state)
{
    (void)state;
    struct api_world world;
    fail_socket_exempt(true);
    world_open(&world, false);
    start(&world);
    points_loop("webhook", "socket breaks", 1, run_socket_point, &world);
    stop(&world);
    world_close(&world);
    assert_int_equal(world.wrong, 0);
}

// ---------------------------------------------------------------- disk

static bool run_disk_point(void *context, int64_t k)
{
    struct api_world *world = context;
    int64_t number = ++world->number;
    sim_disk_restore(world->disk, world->image, (uint64_t)k, false);
    start(world);
    struct sim_disk_fault fault = world->fault;
    fault.at = k;
    sim_disk_set_fault(world->disk, &fault);
    int status = deliver(world, number);
    bool fired = sim_disk_fired(world->disk) > 0;
    // Failed for good: no 2xx although the disk works again.
    if (!store_is_healthy(world->fixture.store)) {
        sim_disk_set_fault(world->disk, NULL);
        assert_int_not_equal(status, 200);
        assert_int_equal(deliver(world, number), 503);
    }
    sim_disk_set_fault(world->disk, NULL);
    sim_disk_crash(world->disk, (uint64_t)k);
    stop(world);
    sim_disk_start(world->disk);
    world->wrong += !is_clean(status, stored(world, number), k);
    start(world);
    assert_int_equal(deliver(world, number), 200);
    stop(world);
    assert_int_equal(stored(world, number), 1);
    return fired;
}

// fault 63: the disk fails under a webhook, or is full: 503, no 2xx, and never a second flush
static void no_disk_failure_is_answered_as_success(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct sim_disk_fault fault;
    } ways[] = {
        {"sync fails once", {1u << SIM_DISK_SYNC, 0, false, false, SQLITE_IOERR_FSYNC}},
        {"write fails once", {1u << SIM_DISK_WRITE, 0, false, true, SQLITE_IOERR_WRITE}},
        {"disk full from then on", {1u << SIM_DISK_WRITE, 0, true, true, SQLITE_FULL}},
        {"read fails once", {1u << SIM_DISK_READ, 0, false, false, SQLITE_IOERR_READ}},
    };
    struct api_world world;
    world_open(&world, true);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        world.fault = ways[i].fault;
        points_loop("webhook", ways[i].name, 5, run_disk_point, &world);
    }
    world_close(&world);
    assert_int_equal(world.wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_allocation_that_fails_loses_or_doubles_a_payment),
        cmocka_unit_test(no_allocation_that_fails_is_blamed_on_the_caller),
        cmocka_unit_test(no_connection_that_breaks_loses_or_doubles_a_payment),
        cmocka_unit_test(no_disk_failure_is_answered_as_success),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
