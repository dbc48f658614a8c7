// SPDX-License-Identifier: Apache-2.0
// The count of failed authentications: by address, and in memory that does not grow.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RATE_PER_SECOND 5
#define ADDRESSES       1000000
#define GROWTH_BYTES    (1 << 20)

static int64_t now_ms;

static int64_t read_now(void *context)
{
    (void)context;
    return now_ms;
}

static const struct clock clock_of_test = {read_now, read_now, NULL};

static struct auth *new_auth(void)
{
    now_ms = 1000000;
    struct auth *auth = auth_new(NULL, &clock_of_test, random_system(), RATE_PER_SECOND);
    assert_non_null(auth);
    return auth;
}

// 10.x.y.z as it is mapped into IPv6.
static struct http_peer ipv4(uint32_t number)
{
    struct http_peer peer = {{[10] = 0xff, [11] = 0xff, [12] = 10}};
    for (int i = 0; i < 3; i++)
        peer.bytes[15 - i] = (uint8_t)(number >> 8 * i);
    return peer;
}

// A /64 each.
static struct http_peer ipv6(uint32_t number)
{
    struct http_peer peer = {{0x20, 0x01}};
    memcpy(peer.bytes + 4, &number, sizeof number);
    return peer;
}

static size_t resident_bytes(void)
{
    char line[128], *resident, *end;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    fclose(file);
    resident = strchr(line, ' ');
    assert_non_null(resident);
    unsigned long pages = strtoul(resident, &end, 10);
    assert_true(end > resident && *end == ' ');
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

// fault 62: by address, with the time to wait
static void an_address_is_told_when_to_come_again_and_others_go_on(void **state)
{
    (void)state;
    struct auth *auth = new_auth();
    struct http_peer guilty = ipv4(1);
    struct http_peer other = ipv4(2);
    int64_t retry_s = 0;
    for (int i = 0; i < RATE_PER_SECOND; i++)
        assert_true(auth_count_failure(auth, &retry_s, &guilty));
    assert_false(auth_count_failure(auth, &retry_s, &guilty));
    assert_int_equal(retry_s, 1);
    assert_true(auth_count_failure(auth, &retry_s, &other));
    now_ms += 1000;
    assert_true(auth_count_failure(auth, &retry_s, &guilty));
    auth_free(auth);
}

// fault 62: an address is a /64 of IPv6, or one customer would have as many tries as it likes
static void hosts_of_one_network_share_their_tries(void **state)
{
    (void)state;
    struct auth *auth = new_auth();
    int64_t retry_s;
    int passed = 0;
    for (uint8_t host = 0; host < 100; host++) {
        struct http_peer peer = ipv6(7);
        peer.bytes[15] = host;
        passed += auth_count_failure(auth, &retry_s, &peer);
    }
    assert_int_equal(passed, RATE_PER_SECOND);
    auth_free(auth);
}

// fault 62: a million addresses at once take no memory, and a second later nobody is shut out
static void a_million_addresses_take_no_memory(void **state)
{
    (void)state;
    struct auth *auth = new_auth();
    int64_t retry_s;
    uint32_t number = 0;
    size_t counted = 0;
    for (; number < ADDRESSES / 10; number++) { // so that every page was touched
        struct http_peer peer = ipv4(number);
        counted += auth_count_failure(auth, &retry_s, &peer);
    }
    size_t before = resident_bytes();
    for (; number < ADDRESSES; number++) {
        struct http_peer peer = number % 2 ? ipv4(number) : ipv6(number);
        counted += auth_count_failure(auth, &retry_s, &peer);
    }
    assert_true(resident_bytes() < before + GROWTH_BYTES);
    assert_true(counted > 0 && counted < ADDRESSES); // they share buckets
    now_ms += 1000;
    struct http_peer late = ipv4(number);
    assert_true(auth_count_failure(auth, &retry_s, &late));
    auth_free(auth);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_told_when_to_come_again_and_others_go_on),
        cmocka_unit_test(hosts_of_one_network_share_their_tries),
        cmocka_unit_test(a_million_addresses_take_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
