// SPDX-License-Identifier: Apache-2.0
// API keys, idempotency keys, the audit trail.
#include "store/fixture.h"

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture_open(&fixture);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    fixture_close(*state);
    return 0;
}

static void a_key_is_found_until_it_is_revoked(void **state)
{
    struct fixture *fixture = *state;
    struct hash32 one = {{1}}, two = {{2}};
    struct api_key key, *keys;
    int64_t id, second;
    size_t count;
    bool revoked;
    struct store_tx *tx = begin(fixture);
    OK(api_key_insert(tx, &id, &one, "shop", SCOPE_READ | SCOPE_WRITE));
    OK(api_key_insert(tx, &second, &two, "shop 2", SCOPE_ADMIN));
    IS(api_key_insert(tx, &second, &(struct hash32){{4}}, "shop", SCOPE_READ), STATUS_EXISTS);
    OK(api_key_by_digest(tx, &key, &one));
    assert_int_equal(key.id, id);
    assert_string_equal(key.name, "shop");
    assert_int_equal(key.scopes, SCOPE_READ | SCOPE_WRITE);
    OK(api_key_revoke(tx, &revoked, "nobody"));
    assert_false(revoked);
    OK(api_key_revoke(tx, &revoked, "shop"));
    assert_true(revoked);
    OK(api_key_revoke(tx, &revoked, "2"));
    assert_true(revoked);
    IS(api_key_by_digest(tx, &key, &one), STATUS_NOT_FOUND);
    IS(api_key_by_digest(tx, &key, &two), STATUS_NOT_FOUND);
    OK(api_key_revoke(tx, &revoked, "shop"));
    assert_false(revoked);
    OK(api_key_list(tx, &keys, &count, fixture->arena));
    assert_int_equal(count, 2);
    assert_int_equal(keys[1].revoked_ms, START_MS);
    OK(api_key_insert(tx, &id, &(struct hash32){{4}}, "shop", SCOPE_READ)); // revoked: free again
    IS(api_key_insert(tx, &id, &(struct hash32){{3}}, "", SCOPE_READ), STATUS_INVALID);
    IS(api_key_insert(tx, &id, &(struct hash32){{3}}, "x", 8), STATUS_INVALID);
    OK(tx_commit(tx));
}

static void a_response_is_kept_for_each_key_of_each_principal(void **state)
{
    struct fixture *fixture = *state;
    struct idempotent_response response = {
        .request_digest = {{9}}, .http_status = 201, .body = bytes_of_text("{}")};
    struct idempotent_response read;
    size_t pruned;
    struct store_tx *tx = begin(fixture);
    IS(idempotency_read(tx, &read, 1, "k", fixture->arena), STATUS_NOT_FOUND);
    OK(idempotency_write(tx, 1, "k", &response));
    IS(idempotency_read(tx, &read, 2, "k", fixture->arena), STATUS_NOT_FOUND);
    OK(idempotency_read(tx, &read, 1, "k", fixture->arena));
    assert_int_equal(read.http_status, 201);
    assert_true(hash32_equal(&read.request_digest, &response.request_digest));
    assert_true(bytes_equal(read.body, response.body));
    IS(idempotency_write(tx, 1, "k", &response), STATUS_EXISTS);
    OK(idempotency_prune(tx, &pruned, 1000, 10));
    assert_int_equal(pruned, 0);
    OK(tx_commit(tx));
    fixture->now_ms += 1001;
    tx = begin(fixture);
    OK(idempotency_write(tx, 1, "fresh", &response));
    OK(idempotency_prune(tx, &pruned, 1000, 10));
    assert_int_equal(pruned, 1);
    IS(idempotency_read(tx, &read, 1, "k", fixture->arena), STATUS_NOT_FOUND);
    OK(idempotency_read(tx, &read, 1, "fresh", fixture->arena));
    OK(tx_commit(tx));
}

static void the_audit_trail_keeps_who_did_what(void **state)
{
    struct fixture *fixture = *state;
    struct store_tx *tx = begin(fixture);
    OK(audit_append(tx, "cli:root", "pause", "{}"));
    OK(tx_commit(tx));
    assert_int_equal(scan_number(fixture, "SELECT COUNT(*) FROM audit WHERE actor = 'cli:root'"
                                          " AND action = 'pause' AND detail = '{}'"),
                     1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_key_is_found_until_it_is_revoked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_response_is_kept_for_each_key_of_each_principal, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_audit_trail_keeps_who_did_what, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
