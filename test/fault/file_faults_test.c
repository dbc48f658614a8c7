// SPDX-License-Identifier: Apache-2.0
// Keystores, key files and settings files while any operation on them fails: whole or not at all,
// said in words, and no secret in the words.
#include "fault/points.h"
#include "support/fail_file.h"

#include "secret/keystore.h"
#include "secret/secret.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY       "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
#define SECRET    "a-webhook-secret-of-some-length"
#define JSON      "{\"version\":3,\"a keystore\":\"written whole\"}"
#define PATH_SIZE 96

struct file_world {
    char directory[64], path[PATH_SIZE];
};

static void world_open(struct file_world *world)
{
    snprintf(world->directory, sizeof world->directory, "/tmp/sluice_test_XXXXXX");
    assert_non_null(mkdtemp(world->directory));
    snprintf(world->path, sizeof world->path, "%s/file", world->directory);
}

static void world_close(struct file_world *world)
{
    (void)unlink(world->path);
    assert_int_equal(rmdir(world->directory), 0); // nothing half-written was left
}

static void put_file(const struct file_world *world, const char *text)
{
    FILE *file = fopen(world->path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(world->path, 0600), 0);
}

// The file's text; "" where there is none.
static void get_file(const struct file_world *world, char *ret_text, size_t size)
{
    FILE *file = fopen(world->path, "r");
    size_t got = file == NULL ? 0 : fread(ret_text, 1, size - 1, file);
    ret_text[got] = '\0';
    if (file != NULL)
        fclose(file);
}

static bool write_keystore_at(void *context, int64_t k)
{
    struct file_world *world = context;
    char text[256];
    (void)unlink(world->path);
    fail_file_arm(k, ENOSPC);
    enum status status = keystore_write(world->path, JSON);
    bool fired = fail_file_disarm() > 0;
    get_file(world, text, sizeof text);
    if (status == STATUS_OK)
        assert_string_equal(text, JSON);
    else
        assert_true(text[0] == '\0' || strcmp(text, JSON) == 0);
    assert_true(fired == (status != STATUS_OK));
    status = keystore_write(world->path, JSON);
    assert_string_equal(status_text(status), text[0] == '\0' ? "ok" : "exists");
    return fired;
}

static void a_keystore_is_written_whole_or_not_at_all(void **state)
{
    (void)state;
    struct file_world world;
    world_open(&world);
    points_loop("keystore, write", "file operation fails", 1, write_keystore_at, &world);
    world_close(&world);
}

static bool read_key_at(void *context, int64_t k)
{
    struct file_world *world = context;
    struct eth_key key, untouched;
    char error[256] = "", reference[PATH_SIZE + 8];
    memset(&key, 0x5a, sizeof key);
    untouched = key;
    snprintf(reference, sizeof reference, "file:%s", world->path);
    fail_file_arm(k, EIO);
    enum status status = secret_private_key(&key, error, sizeof error, reference, NULL);
    bool fired = fail_file_disarm() > 0;
    assert_true(fired == (status != STATUS_OK));
    if (!fired)
        return false;
    assert_string_equal(status_text(status), "io");
    assert_memory_equal(&key, &untouched, sizeof key);
    assert_int_not_equal(strlen(error), 0);
    assert_null(strstr(error, "ac0974"));
    return true;
}

static void a_key_file_is_read_whole_or_not_at_all(void **state)
{
    (void)state;
    struct file_world world;
    world_open(&world);
    put_file(&world, KEY "\n");
    points_loop("key file, read", "file operation fails", 1, read_key_at, &world);
    world_close(&world);
}

static bool read_setting_at(void *context, int64_t k)
{
    (void)context;
    char error[256] = "";
    fail_file_arm(k, EIO);
    struct settings *settings = settings_load(error, sizeof error);
    bool fired = fail_file_disarm() > 0;
    if (settings != NULL) {
        assert_false(fired);
        assert_string_equal(settings_text(settings, "STRIPE_WEBHOOK_SECRET"), SECRET);
    } else {
        assert_true(fired);
        assert_non_null(strstr(error, "STRIPE_WEBHOOK_SECRET"));
        assert_null(strstr(error, SECRET));
    }
    settings_free(settings);
    return fired;
}

static void a_setting_in_a_file_is_read_whole_or_not_at_all(void **state)
{
    (void)state;
    struct file_world world;
    world_open(&world);
    put_file(&world, SECRET "\n");
    assert_int_equal(setenv("STRIPE_WEBHOOK_SECRET_FILE", world.path, 1), 0);
    points_loop("settings file, read", "file operation fails", 1, read_setting_at, &world);
    unsetenv("STRIPE_WEBHOOK_SECRET_FILE");
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_keystore_is_written_whole_or_not_at_all),
        cmocka_unit_test(a_key_file_is_read_whole_or_not_at_all),
        cmocka_unit_test(a_setting_in_a_file_is_read_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
