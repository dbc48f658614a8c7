// SPDX-License-Identifier: Apache-2.0
// Tests of the signer with its real child process: what it signs, what it refuses, how it is shut
// in, and how either side's end is taken.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka.h needs the four above.
#include <cmocka.h>

#include "base/hex.h"
#include "eth/contracts.h"
#include "signer/policy.h"
#include "signer/signer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LANES             3
#define CHAIN_ID          31337
#define WAIT_MS_MAX       10000
#define MASK              0xa5
#define MAPPING_BYTES_MAX (256UL << 20) // larger ones are the sanitizer's own
#define ARENA_BYTES_MAX   (512UL << 20)

// Under Address- and ThreadSanitizer mlock(2) does nothing.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MLOCK_IS_DISABLED true
#elif defined(__has_feature)
#define MLOCK_IS_DISABLED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define MLOCK_IS_DISABLED false
#endif

// The first accounts of anvil and hardhat, known to everybody.
static const char *const secrets[LANES] = {
    "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
};
static const char *const addresses[LANES] = {
    "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
    "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
};

struct fixture {
    struct signer *signer;
    struct arena *arena;
    struct address lanes[SIGNER_LANES_MAX];
};

static struct address address_filled(uint8_t byte)
{
    struct address address;
    memset(address.bytes, byte, sizeof address.bytes);
    return address;
}

static struct wei gwei(unsigned amount)
{
    struct wei wei;
    assert_true(wei_from_units(&wei, (uint128_t)amount * 1000000000));
    return wei;
}

static struct eth_key key_of(size_t lane)
{
    struct eth_key key;
    assert_true(hex_decode(key.secret, sizeof key.secret, secrets[lane]));
    return key;
}

static struct signer_policy policy_of_tests(void)
{
    return (struct signer_policy){
        .chain_id = CHAIN_ID,
        .contracts = {address_filled(0x21), address_filled(0x22), address_filled(0x23)},
        .max_fee = gwei(100),
        .gas_limit_max = 16000000};
}

static struct signer *start_signer(void)
{
    struct eth_key keys[LANES];
    struct signer_policy policy = policy_of_tests();
    struct signer *signer;
    for (size_t i = 0; i < LANES; i++)
        keys[i] = key_of(i);
    assert_int_equal(signer_start(&signer, keys, LANES, &policy), STATUS_OK);
    for (size_t i = 0; i < sizeof keys; i++)
        assert_int_equal(((const uint8_t *)keys)[i], 0);
    return signer;
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    if (fixture == NULL)
        return -1;
    fixture->signer = start_signer();
    fixture->arena = arena_new(ARENA_BYTES_MAX);
    assert_non_null(fixture->arena);
    assert_int_equal(signer_lanes(fixture->signer, fixture->lanes), LANES);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    signer_stop(fixture->signer);
    arena_free(fixture->arena);
    free(fixture);
    return 0;
}

static struct sign_request filler(const struct fixture *fixture, size_t lane, uint64_t nonce)
{
    return (struct sign_request){.lane = fixture->lanes[lane],
                                 .transaction = {.type = TX_DYNAMIC_FEE,
                                                 .chain_id = CHAIN_ID,
                                                 .nonce = nonce,
                                                 .max_fee = gwei(50),
                                                 .max_priority_fee = gwei(2),
                                                 .gas_limit = 21000,
                                                 .to = fixture->lanes[lane]}};
}

static struct sign_request payout(const struct fixture *fixture, size_t lane, uint64_t nonce)
{
    struct sign_request request = filler(fixture, lane, nonce);
    struct payout_call call = {.child = address_filled(1), .referrer = address_filled(2)};
    call.payout_id.bytes[0] = (uint8_t)nonce;
    assert_true(usdc_from_units(&call.usdc, 1000000));
    assert_true(call_pay_affiliate(&request.transaction.data, fixture->arena, &call));
    request.transaction.to = address_filled(0x22);
    request.transaction.gas_limit = 150000;
    return request;
}

static void check_signed(const struct fixture *fixture, const struct signed_transaction *is,
                         const struct sign_request *request)
{
    struct signed_transaction expected;
    size_t lane = 0;
    while (!address_equal(&fixture->lanes[lane], &request->lane))
        lane++;
    struct eth_key key = key_of(lane);
    assert_true(transaction_sign(&expected, &request->transaction, &key, fixture->arena));
    assert_true(bytes_equal(is->raw, expected.raw));
    assert_true(hash32_equal(&is->hash, &expected.hash));
}

static void lanes_are_the_addresses_of_the_keys(void **state)
{
    const struct fixture *fixture = *state;
    for (size_t i = 0; i < LANES; i++) {
        char text[ADDRESS_TEXT_SIZE];
        address_format(text, &fixture->lanes[i]);
        assert_string_equal(text, addresses[i]);
    }
}

static void what_is_signed_equals_signing_with_the_key(void **state)
{
    const struct fixture *fixture = *state;
    struct sign_request requests[4] = {filler(fixture, 0, 0), payout(fixture, 1, 1),
                                       payout(fixture, 2, UINT64_MAX), filler(fixture, 0, 5)};
    requests[3].transaction.type = TX_LEGACY;
    requests[3].transaction.max_priority_fee = gwei(0);
    struct signed_transaction is[4];
    assert_int_equal(signer_sign(fixture->signer, is, requests, 4, fixture->arena), STATUS_OK);
    for (size_t i = 0; i < 4; i++)
        check_signed(fixture, &is[i], &requests[i]);
}

static void the_largest_batch_is_signed_in_one_call(void **state)
{
    const struct fixture *fixture = *state;
    struct sign_request *requests = calloc(SIGN_REQUESTS_MAX, sizeof *requests);
    struct signed_transaction *is = calloc(SIGN_REQUESTS_MAX, sizeof *is);
    assert_non_null(requests);
    assert_non_null(is);
    for (size_t i = 0; i < SIGN_REQUESTS_MAX; i++)
        requests[i] = payout(fixture, i % LANES, i);
    assert_int_equal(signer_sign(fixture->signer, is, requests, SIGN_REQUESTS_MAX, fixture->arena),
                     STATUS_OK);
    for (size_t i = 0; i < SIGN_REQUESTS_MAX; i++)
        check_signed(fixture, &is[i], &requests[i]);
    assert_int_equal(signer_sign(fixture->signer, is, requests, 0, fixture->arena), STATUS_OK);
    free(requests);
    free(is);
}

static void large_data_passes_and_larger_is_refused(void **state)
{
    const struct fixture *fixture = *state;
    uint8_t *data = calloc(1, SIGN_DATA_BYTES_MAX + 1);
    assert_non_null(data);
    struct sign_request requests[20];
    struct signed_transaction is[20];
    for (size_t i = 0; i < 20; i++) {
        requests[i] = payout(fixture, 0, i);
        memcpy(data, requests[i].transaction.data.data, 4);
        requests[i].transaction.data = (struct bytes){data, SIGN_DATA_BYTES_MAX};
    }
    assert_int_equal(signer_sign(fixture->signer, is, requests, 20, fixture->arena), STATUS_OK);
    check_signed(fixture, &is[19], &requests[19]);
    requests[7].transaction.data.size++;
    assert_int_equal(signer_sign(fixture->signer, is, requests, 20, fixture->arena), STATUS_DENIED);
    free(data);
}

// The policy's own rows are in policy_test.c; these are to show that the child applies it.
static void spoil(struct sign_request *request, size_t row)
{
    static const struct tx_access access;
    struct transaction *transaction = &request->transaction;
    switch (row) {
    case 0:
        transaction->chain_id = 1;
        break;
    case 1:
        transaction->value = u256_from_u64(1);
        break;
    case 2:
        transaction->value.limbs[3] = 1;
        break;
    case 3:
        transaction->max_fee = gwei(101);
        break;
    case 4:
        assert_true(wei_from_units(&transaction->max_fee, (uint128_t)1 << 100));
        break;
    case 5:
        transaction->gas_limit = 16000001;
        break;
    case 6:
        transaction->to = address_filled(0x77);
        break;
    case 7:
        transaction->to = address_filled(0x21);
        break;
    case 8:
        transaction->creates_contract = true;
        break;
    case 9:
        transaction->type = TX_ACCESS_LIST;
        break;
    case 10:
        transaction->access_list = &access;
        transaction->access_list_count = 1;
        break;
    case 11:
        transaction->data.size = 3;
        break;
    case 12:
        request->lane = address_filled(0x99);
        break;
    case 13:
        transaction->max_priority_fee = gwei(51);
        break;
    case 14: // a filler of another lane
        transaction->data.size = 0;
        assert_int_equal(address_parse(&transaction->to, addresses[2]), ADDRESS_FINE);
        break;
    default:
        abort();
    }
}
#define SPOILT_ROWS 15

static void one_refusal_refuses_the_batch_and_nothing_is_signed(void **state)
{
    const struct fixture *fixture = *state;
    for (size_t row = 0; row < SPOILT_ROWS; row++) {
        for (size_t place = 0; place < 3; place++) {
            struct sign_request requests[3] = {payout(fixture, 0, 1), payout(fixture, 0, 2),
                                               payout(fixture, 1, 3)};
            spoil(&requests[place], row);
            struct signed_transaction is[3], untouched[3];
            memset(is, 0x5c, sizeof is);
            memset(untouched, 0x5c, sizeof untouched);
            enum status status = signer_sign(fixture->signer, is, requests, 3, fixture->arena);
            if (status != STATUS_DENIED)
                fail_msg("row %zu: %s", row, status_text(status));
            assert_memory_equal(is, untouched, sizeof is);
        }
    }
    // It goes on afterwards.
    struct sign_request request = payout(fixture, 0, 1);
    struct signed_transaction is;
    assert_int_equal(signer_sign(fixture->signer, &is, &request, 1, fixture->arena), STATUS_OK);
    check_signed(fixture, &is, &request);
}

static void a_full_arena_is_no_memory_and_the_signer_goes_on(void **state)
{
    const struct fixture *fixture = *state;
    struct arena *small = arena_new(4096);
    assert_non_null(small);
    struct sign_request requests[40];
    struct signed_transaction is[40];
    for (size_t i = 0; i < 40; i++)
        requests[i] = filler(fixture, 0, i);
    assert_int_equal(signer_sign(fixture->signer, is, requests, 40, small), STATUS_NO_MEMORY);
    arena_reset(small);
    assert_int_equal(signer_sign(fixture->signer, is, requests, 1, small), STATUS_OK);
    check_signed(fixture, &is[0], &requests[0]);
    arena_free(small);
}

struct signing_thread {
    const struct fixture *fixture;
    size_t lane;
    bool fine;
};

static void *sign_much(void *context)
{
    struct signing_thread *thread = context;
    thread->fine = true;
    for (uint64_t i = 0; i < 20; i++) {
        struct arena *arena = arena_new(1 << 20);
        struct sign_request requests[5];
        struct signed_transaction is[5];
        for (size_t k = 0; k < 5; k++)
            requests[k] = filler(thread->fixture, thread->lane, i * 5 + k);
        thread->fine &= signer_sign(thread->fixture->signer, is, requests, 5, arena) == STATUS_OK;
        for (size_t k = 0; thread->fine && k < 5; k++) {
            struct transaction decoded;
            struct address sender;
            thread->fine &= transaction_decode(&decoded, &sender, is[k].raw, arena) &&
                            address_equal(&sender, &requests[k].lane) && decoded.nonce == i * 5 + k;
        }
        arena_free(arena);
    }
    return NULL;
}

static void several_threads_may_ask_at_once(void **state)
{
    pthread_t threads[LANES];
    struct signing_thread contexts[LANES];
    for (size_t i = 0; i < LANES; i++) {
        contexts[i] = (struct signing_thread){*state, i, false};
        assert_int_equal(pthread_create(&threads[i], NULL, sign_much, &contexts[i]), 0);
    }
    for (size_t i = 0; i < LANES; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(contexts[i].fine);
    }
}

// --- the process ---

// The one child of ours.
static pid_t child_pid(pid_t parent)
{
    char path[64], text[32] = "";
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)parent, (int)parent);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    fclose(file);
    return (pid_t)strtol(text, NULL, 10);
}

static bool status_has(pid_t pid, const char *line)
{
    char path[64], text[256];
    bool found = false;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return false;
    while (fgets(text, sizeof text, file) != NULL)
        found |= strncmp(text, line, strlen(line)) == 0;
    fclose(file);
    return found;
}

static void pause_ms(long ms)
{
    const struct timespec pause = {.tv_nsec = ms * 1000000};
    nanosleep(&pause, NULL);
}

// True once the process is gone or only waits to be reaped.
static bool ends_in_time(pid_t pid)
{
    for (int waited_ms = 0; waited_ms < WAIT_MS_MAX; waited_ms += 5) {
        if ((kill(pid, 0) != 0 && errno == ESRCH) || status_has(pid, "State:\tZ"))
            return true;
        pause_ms(5);
    }
    return false;
}

static size_t count_descriptors(pid_t pid)
{
    char path[64];
    size_t count = 0;
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *directory = opendir(path);
    if (directory == NULL)
        return SIZE_MAX;
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

static void the_child_holds_its_socket_and_stderr_only(void **state)
{
    (void)state;
    int extra[2];
    assert_int_equal(pipe(extra), 0); // without O_CLOEXEC, as careless code opens them
    struct signer *signer = start_signer();
    size_t count = count_descriptors(child_pid(getpid()));
    // Only root may look into a process that is not dumpable.
    assert_int_equal(count, geteuid() == 0 ? 2 : SIZE_MAX);
    signer_stop(signer);
    close(extra[0]);
    close(extra[1]);
}

// fault 70: not dumpable, locked
static void the_child_is_not_dumpable_and_its_keys_are_locked(void **state)
{
    (void)state;
    pid_t pid = child_pid(getpid());
    char path[64], text[256];
    bool core_is_zero = false;
    snprintf(path, sizeof path, "/proc/%d/limits", (int)pid);
    FILE *file = fopen(path, "r");
    if (file != NULL) { // only root may look at a process that is not dumpable
        while (fgets(text, sizeof text, file) != NULL)
            core_is_zero |=
                strncmp(text, "Max core file size        0                    0", 48) == 0;
        fclose(file);
        assert_true(core_is_zero);
    }
    if (!MLOCK_IS_DISABLED)
        assert_false(status_has(pid, "VmLck:\t       0 kB"));
    // Not dumpable: the kernel gives its /proc entries to root, whoever we are.
    if (geteuid() == 0) {
        assert_int_equal(seteuid(65534), 0);
        snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
        assert_int_equal(open(path, O_RDONLY | O_CLOEXEC), -1);
        assert_int_equal(seteuid(0), 0);
    } else {
        snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
        assert_int_equal(open(path, O_RDONLY | O_CLOEXEC), -1);
    }
}

static void signals_of_the_terminal_do_not_end_the_child(void **state)
{
    const struct fixture *fixture = *state;
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
    pid_t pid = child_pid(getpid());
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        assert_int_equal(kill(pid, numbers[i]), 0);
    struct sign_request request = filler(fixture, 0, 1);
    struct signed_transaction is;
    assert_int_equal(signer_sign(fixture->signer, &is, &request, 1, fixture->arena), STATUS_OK);
}

static void a_killed_child_is_unavailable_for_ever(void **state)
{
    const struct fixture *fixture = *state;
    pid_t pid = child_pid(getpid());
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_true(ends_in_time(pid));
    struct sign_request request = filler(fixture, 0, 1);
    struct signed_transaction is;
    for (int i = 0; i < 2; i++)
        assert_int_equal(signer_sign(fixture->signer, &is, &request, 1, fixture->arena),
                         STATUS_UNAVAILABLE);
}

static void stopping_ends_the_child_and_takes_null(void **state)
{
    signer_stop(NULL);
    pid_t pid = child_pid(getpid());
    struct fixture *fixture = *state;
    signer_stop(fixture->signer);
    assert_int_equal(kill(pid, 0), -1); // reaped
    fixture->signer = NULL;
}

// Run in a process of its own: starts a signer, tells its id, and waits to be killed.
static _Noreturn void be_a_parent(int out)
{
    (void)start_signer();
    pid_t child = child_pid(getpid());
    if (write(out, &child, sizeof child) != (ssize_t)sizeof child)
        _exit(1);
    for (;;)
        pause();
}

static void the_childs_life_ends_with_its_parents(void **state)
{
    (void)state;
    int channel[2];
    assert_int_equal(pipe2(channel, O_CLOEXEC), 0);
    pid_t parent = fork();
    if (parent == 0)
        be_a_parent(channel[1]);
    pid_t grandchild = 0;
    assert_int_equal(read(channel[0], &grandchild, sizeof grandchild), sizeof grandchild);
    // Even one that cannot run ends: it is the kernel that kills it.
    assert_int_equal(kill(grandchild, SIGSTOP), 0);
    assert_int_equal(kill(parent, SIGKILL), 0);
    assert_int_equal(waitpid(parent, NULL, 0), parent);
    assert_true(ends_in_time(grandchild));
    close(channel[0]);
    close(channel[1]);
}

// --- no key left behind in the parent ---

// The secret is never whole in this test's own memory: it is built masked.
static bool contains_secret(const uint8_t *memory, size_t size, const uint8_t masked[32])
{
    for (size_t i = 0; i + 32 <= size; i++) {
        size_t k = 0;
        while (k < 32 && (memory[i + k] ^ MASK) == masked[k])
            k++;
        if (k == 32)
            return true;
    }
    return false;
}

static bool own_memory_contains(const uint8_t masked[32])
{
    char line[512];
    bool found = false;
    FILE *maps = fopen("/proc/self/maps", "r");
    int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    assert_non_null(maps);
    assert_true(memory >= 0);
    while (!found && fgets(line, sizeof line, maps) != NULL) {
        char *end;
        unsigned long first = strtoul(line, &end, 16), last = strtoul(end + 1, &end, 16);
        if (strncmp(end, " rw", 3) != 0 || last - first > MAPPING_BYTES_MAX)
            continue;
        uint8_t *copy = malloc(last - first);
        assert_non_null(copy);
        ssize_t size = pread(memory, copy, last - first, (off_t)first);
        found = size > 0 && contains_secret(copy, (size_t)size, masked);
        free(copy);
    }
    fclose(maps);
    close(memory);
    return found;
}

// fault 70: wiped in the parent
static void no_key_is_left_in_the_parents_memory(void **state)
{
    (void)state;
    uint8_t masked[32];
    struct eth_key *keys = malloc(sizeof *keys);
    assert_non_null(keys);
    for (size_t i = 0; i < 32; i++)
        masked[i] = (uint8_t)(i * 37 + 11);
    volatile uint8_t *place = keys->secret;
    for (size_t i = 0; i < 32; i++)
        place[i] = masked[i] ^ MASK;
    assert_true(own_memory_contains(masked)); // the search finds it while it is there
    struct signer_policy policy = policy_of_tests();
    struct signer *signer;
    assert_int_equal(signer_start(&signer, keys, 1, &policy), STATUS_OK);
    assert_false(own_memory_contains(masked));
    signer_stop(signer);
    free(keys);
}

#define SIGNER_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SIGNER_TEST(lanes_are_the_addresses_of_the_keys),
        SIGNER_TEST(what_is_signed_equals_signing_with_the_key),
        SIGNER_TEST(the_largest_batch_is_signed_in_one_call),
        SIGNER_TEST(large_data_passes_and_larger_is_refused),
        SIGNER_TEST(one_refusal_refuses_the_batch_and_nothing_is_signed),
        SIGNER_TEST(a_full_arena_is_no_memory_and_the_signer_goes_on),
        SIGNER_TEST(several_threads_may_ask_at_once),
        cmocka_unit_test(the_child_holds_its_socket_and_stderr_only),
        SIGNER_TEST(the_child_is_not_dumpable_and_its_keys_are_locked),
        SIGNER_TEST(signals_of_the_terminal_do_not_end_the_child),
        SIGNER_TEST(a_killed_child_is_unavailable_for_ever),
        SIGNER_TEST(stopping_ends_the_child_and_takes_null),
        cmocka_unit_test(the_childs_life_ends_with_its_parents),
        cmocka_unit_test(no_key_is_left_in_the_parents_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
