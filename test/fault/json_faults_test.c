// SPDX-License-Identifier: Apache-2.0
// Memory runs out at any allocation of the JSON reader: the text is read whole or not at all.
#include "fault/points.h"
#include "support/fail_alloc.h"

#include "base/json.h"

#include <string.h>

struct reading {
    const char *text;
    bool stays;
};

static bool read_at(void *context, int64_t k)
{
    const struct reading *reading = context;
    json_error_t error;
    json_t *root = NULL;
    fail_alloc_count_thread(true);
    fail_alloc_arm(k, reading->stays);
    enum status status = json_read(&root, &error, bytes_of_text(reading->text));
    bool fired = fail_alloc_disarm() > 0;
    fail_alloc_count_thread(false);
    assert_string_equal(status_text(status), fired ? "no_memory" : "ok");
    if (status == STATUS_OK) {
        char *again = json_dumps(root, JSON_COMPACT);
        assert_string_equal(again, reading->text);
        free(again);
        json_decref(root);
    }
    return fired;
}

// fault 69: memory fails while a webhook's body or a node's reply is read
static void no_byte_is_lost_when_memory_is_out(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"data\":{\"amount\":\"123456789012345678.50\"},\"type\":\"payment.confirmed\"}",
        "{\"id\":1,\"jsonrpc\":\"2.0\",\"result\":\"0x123456789abcdef0123456789abcdef0\"}",
        "[12345678901234567,1.5,true,{\"a\":[[[\"012345678901234567890123456789012345\"]]]}]",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct reading reading = {texts[i], false};
        points_loop("JSON text", "allocation fails once", 1, read_at, &reading);
        reading.stays = true;
        points_loop("JSON text", "allocation fails from then on", 1, read_at, &reading);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_byte_is_lost_when_memory_is_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
