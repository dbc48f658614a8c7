// SPDX-License-Identifier: Apache-2.0
// Tests of webhook signatures: known answers, and one row per way a header can be wrong.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka.h needs the four above.
#include <cmocka.h>

#include "net/webhook_signature.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW_S            1614265330
#define ID               "msg_1"
#define BODY             "{\"amount\":5}"
#define STANDARD_SECRET  "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define STANDARD_SECRET2 "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
#define STRIPE_SECRET    "whsec_test_secret"
#define STRIPE_SECRET2   "whsec_old_secret"
#define TEXT_15          "0123456789abcde" // one short of a secret
#define COINBASE_SECRET  "cc_test_secret_16"
#define HEADER_SIZE      8192

static struct webhook_secrets parsed(enum webhook_form form, const char *text)
{
    struct webhook_secrets secrets;
    assert_true(webhook_secrets_parse(&secrets, form, text));
    return secrets;
}

// An HMAC made apart from the code under test, over a text.
static void reference_hmac(uint8_t out[32], const void *key, size_t key_size, const char *text)
{
    unsigned size = 0;
    assert_non_null(HMAC(EVP_sha256(), key, (int)key_size, (const unsigned char *)text,
                         strlen(text), out, &size));
    assert_int_equal(size, 32);
}

// "v1,<base64>" of "id.timestamp.body" under the index-th known standard secret.
static const char *standard_signature(const char *secret, const char *signed_text)
{
    static char signature[4][64];
    static size_t turn;
    char *out = signature[turn++ % 4];
    struct webhook_secrets keys = parsed(WEBHOOK_STANDARD, secret);
    uint8_t digest[32], base64[45];
    reference_hmac(digest, keys.bytes[0], keys.sizes[0], signed_text);
    EVP_EncodeBlock(base64, digest, sizeof digest);
    snprintf(out, sizeof signature[0], "v1,%s", (char *)base64);
    return out;
}

static const char *hex_signature(const char *secret, const char *signed_text)
{
    static char signature[4][65];
    static size_t turn;
    char *out = signature[turn++ % 4];
    uint8_t digest[32];
    reference_hmac(digest, secret, strlen(secret), signed_text);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
    return out;
}

static enum webhook_fault verify_at(enum webhook_form form, const char *secrets, const char *id,
                                    const char *timestamp, const char *signature, const char *body,
                                    int64_t now_s)
{
    struct webhook_secrets keys = parsed(form, secrets);
    struct webhook_headers headers = {id, timestamp, signature};
    return webhook_verify(&keys, form, &headers, bytes_of_text(body), now_s);
}

static enum webhook_fault verify_standard(const char *id, const char *timestamp,
                                          const char *signature)
{
    return verify_at(WEBHOOK_STANDARD, STANDARD_SECRET, id, timestamp, signature, BODY, NOW_S);
}

static enum webhook_fault verify_stripe(const char *signature)
{
    return verify_at(WEBHOOK_STRIPE, STRIPE_SECRET, NULL, NULL, signature, BODY, NOW_S);
}

static enum webhook_form form_of(const char *name)
{
    if (strcmp(name, "standard") == 0)
        return WEBHOOK_STANDARD;
    return strcmp(name, "stripe") == 0 ? WEBHOOK_STRIPE : WEBHOOK_COINBASE_COMMERCE;
}

static const char *or_null(const char *field)
{
    return strcmp(field, "-") == 0 ? NULL : field;
}

static void check_vector(char *line)
{
    char *fields[6];
    for (size_t i = 0; i < 6; i++) {
        fields[i] = strsep(&line, "\t\n");
        assert_non_null(fields[i]);
    }
    enum webhook_form form = form_of(fields[0]);
    const char *timestamp = or_null(fields[3]);
    int64_t now_s = timestamp == NULL ? 0 : strtoll(timestamp, NULL, 10);
    const char *id = or_null(fields[2]);
    const char *standard_timestamp = form == WEBHOOK_STANDARD ? timestamp : NULL;
    assert_int_equal(
        verify_at(form, fields[1], id, standard_timestamp, fields[5], fields[4], now_s),
        WEBHOOK_FINE);
    // Any one byte changed, or one more, and it no longer holds.
    for (size_t i = 0; fields[4][i] != '\0'; i++) {
        fields[4][i] ^= 1;
        assert_int_equal(
            verify_at(form, fields[1], id, standard_timestamp, fields[5], fields[4], now_s),
            WEBHOOK_MISMATCH);
        fields[4][i] ^= 1;
    }
    char longer[256];
    snprintf(longer, sizeof longer, "%s\n", fields[4]);
    assert_int_equal(verify_at(form, fields[1], id, standard_timestamp, fields[5], longer, now_s),
                     WEBHOOK_MISMATCH);
}

// fault 41: no changed body passes
static void known_answers_verify_and_no_changed_body_does(void **state)
{
    (void)state;
    FILE *file = fopen(TEST_VECTORS "/webhooks/known.tsv", "r");
    assert_non_null(file);
    char line[512];
    size_t count = 0;
    assert_non_null(fgets(line, sizeof line, file));
    for (; fgets(line, sizeof line, file) != NULL; count++)
        check_vector(line);
    assert_int_equal(count, 3);
    fclose(file);
}

static void signing_gives_the_known_answer(void **state)
{
    (void)state;
    struct webhook_secrets secrets = parsed(WEBHOOK_STANDARD, STANDARD_SECRET);
    char signature[WEBHOOK_SIGNATURE_SIZE];
    assert_true(webhook_sign(signature, &secrets, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
                             bytes_of_text("{\"test\": 2432232314}")));
    assert_string_equal(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

static void signing_refuses_what_would_not_verify(void **state)
{
    (void)state;
    static const struct {
        const char *id;
        int64_t timestamp_s;
    } rows[] = {{"", 1}, {"a.b", 1}, {"a b", 1}, {"a", -1}};
    struct webhook_secrets secrets = parsed(WEBHOOK_STANDARD, STANDARD_SECRET);
    struct webhook_secrets none = {.count = 0};
    char signature[WEBHOOK_SIGNATURE_SIZE] = "untouched";
    struct bytes body = bytes_of_text(BODY);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_false(webhook_sign(signature, &secrets, rows[i].id, rows[i].timestamp_s, body));
    assert_false(webhook_sign(signature, &none, "a", 1, body));
    assert_string_equal(signature, "untouched");
}

// fault 40: 300 s pass and 301 s do not, both ways
static void the_tolerance_is_300_seconds_both_ways(void **state)
{
    (void)state;
    static const struct {
        int64_t age_s;
        enum webhook_fault fault;
    } rows[] = {
        {0, WEBHOOK_FINE},
        {300, WEBHOOK_FINE},
        {-300, WEBHOOK_FINE},
        {301, WEBHOOK_STALE},
        {-301, WEBHOOK_STALE},
        {NOW_S, WEBHOOK_STALE},
        {INT64_MIN + NOW_S + 1, WEBHOOK_STALE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[128], timestamp[32], header[160];
        snprintf(timestamp, sizeof timestamp, "%lld", (long long)(NOW_S - rows[i].age_s));
        snprintf(text, sizeof text, ID ".%s." BODY, timestamp);
        const char *signature = standard_signature(STANDARD_SECRET, text);
        assert_int_equal(verify_standard(ID, timestamp, signature), rows[i].fault);
        snprintf(header, sizeof header, "t=%s,v1=%s", timestamp,
                 hex_signature(STRIPE_SECRET, text + strlen(ID ".")));
        assert_int_equal(verify_stripe(header), rows[i].fault);
    }
}

static void a_clock_before_the_epoch_is_stale_not_an_overflow(void **state)
{
    (void)state;
    assert_int_equal(verify_at(WEBHOOK_STRIPE, STRIPE_SECRET, NULL, NULL, "t=9223372036854775807",
                               BODY, INT64_MIN),
                     WEBHOOK_STALE);
}

static void standard_headers_that_are_absent_or_empty_are_missing(void **state)
{
    (void)state;
    const char *fine = standard_signature(STANDARD_SECRET, ID ".1614265330." BODY);
    static const char *const absent[] = {NULL, ""};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(verify_standard(absent[i], "1614265330", fine), WEBHOOK_MISSING);
        assert_int_equal(verify_standard(ID, absent[i], fine), WEBHOOK_MISSING);
        assert_int_equal(verify_standard(ID, "1614265330", absent[i]), WEBHOOK_MISSING);
        assert_int_equal(verify_stripe(absent[i]), WEBHOOK_MISSING);
        assert_int_equal(verify_at(WEBHOOK_COINBASE_COMMERCE, COINBASE_SECRET, NULL, NULL,
                                   absent[i], BODY, NOW_S),
                         WEBHOOK_MISSING);
    }
    assert_int_equal(verify_standard(ID, "1614265330", fine), WEBHOOK_FINE);
}

// Each is signed as it stands, so that only the form can be what is refused.
// fault 44: a timestamp with a dot
static void timestamps_of_another_form_are_malformed(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "+1614265330",
        "-1614265330",
        " 1614265330",
        "1614265330 ",
        "01614265330",
        "00",
        "1614265330.0",
        "1614265330.",
        "1.614265330",
        "0x60380000",
        "1614265330s",
        "16142653\t30",
        "1614265330\n",
        "1e9",
        "9223372036854775808",
        "18446744075323816946",
        "99999999999999999999999999999999999999999999",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[128], header[256];
        snprintf(text, sizeof text, ID ".%s." BODY, rows[i]);
        assert_int_equal(verify_standard(ID, rows[i], standard_signature(STANDARD_SECRET, text)),
                         WEBHOOK_MALFORMED);
        snprintf(header, sizeof header, "t=%s,v1=%s", rows[i],
                 hex_signature(STRIPE_SECRET, text + strlen(ID ".")));
        assert_int_equal(verify_stripe(header), WEBHOOK_MALFORMED);
    }
}

// fault 44: an id with a dot
static void ids_of_another_form_are_malformed(void **state)
{
    (void)state;
    char long_id[258];
    memset(long_id, 'a', 257);
    long_id[257] = '\0';
    const char *const rows[] = {"msg.1",   ".",       "msg_1.",      "msg 1",
                                "msg\x01", "msg\x7f", "msg\xc3\xa9", long_id};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[512];
        snprintf(text, sizeof text, "%s.1614265330." BODY, rows[i]);
        assert_int_equal(
            verify_standard(rows[i], "1614265330", standard_signature(STANDARD_SECRET, text)),
            WEBHOOK_MALFORMED);
    }
    char text[512];
    long_id[256] = '\0';
    snprintf(text, sizeof text, "%s.1614265330." BODY, long_id);
    assert_int_equal(
        verify_standard(long_id, "1614265330", standard_signature(STANDARD_SECRET, text)),
        WEBHOOK_FINE);
}

// fault 44: what the dot would allow
static void bytes_cannot_move_between_id_timestamp_and_body(void **state)
{
    (void)state;
    // "a" + "1614265330.5" + body would be the same signed bytes as id "a.1614265330".
    const char *signature = standard_signature(STANDARD_SECRET, "a.1614265330.1614265330." BODY);
    assert_int_equal(verify_standard("a.1614265330", "1614265330", signature), WEBHOOK_MALFORMED);
    assert_int_equal(verify_standard("a", "1614265330.1614265330", signature), WEBHOOK_MALFORMED);
    assert_int_equal(verify_standard("a", "1614265330", signature), WEBHOOK_MISMATCH);
}

// %s in the format is the place of the signature.
// fault 42, 43: Standard Webhooks
static void standard_signature_headers_one_row_per_outcome(void **state)
{
    (void)state;
    static const char zeros[] = "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    const char *right = standard_signature(STANDARD_SECRET, ID ".1614265330." BODY);
    const char *other = standard_signature(STANDARD_SECRET2, ID ".1614265330." BODY);
    const struct {
        const char *format;
        const char *signature;
        enum webhook_fault fault;
    } rows[] = {
        {"%s", right, WEBHOOK_FINE},
        {"%s", other, WEBHOOK_MISMATCH},
        {"%s", zeros, WEBHOOK_MISMATCH},
        {"v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= %s", right, WEBHOOK_FINE},
        {"%s v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", right, WEBHOOK_FINE},
        {"v1a,c2lnbmF0dXJl %s", right, WEBHOOK_FINE},
        {"v1a%s", right + 2, WEBHOOK_MISMATCH},
        {"v0%s", right + 2, WEBHOOK_MISMATCH},
        {"v2,what.ever %s", right, WEBHOOK_FINE},
        {"v1,%s", "", WEBHOOK_MALFORMED},
        {"v1,%.42s", right + 3, WEBHOOK_MALFORMED}, // one character short
        {"v1,%.43s", right + 3, WEBHOOK_MALFORMED}, // without padding
        {"%s=", right, WEBHOOK_MALFORMED},
        {"%sAAAA", right, WEBHOOK_MALFORMED},
        {"%s", "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=", WEBHOOK_MALFORMED}, // spare bits
        {"%s", "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA_=", WEBHOOK_MALFORMED}, // url form
        {"%s", "v1,AAAA", WEBHOOK_MALFORMED},
        {"v1,!! %s", right, WEBHOOK_MALFORMED},
        {"%s", "v1", WEBHOOK_MALFORMED},
        {",%s", right + 3, WEBHOOK_MALFORMED},
        {" %s", right, WEBHOOK_MALFORMED},
        {"%s ", right, WEBHOOK_MALFORMED},
        {"V1%s", right + 2, WEBHOOK_MISMATCH},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char header[256];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(header, sizeof header, rows[i].format, rows[i].signature);
#pragma GCC diagnostic pop
        if (verify_standard(ID, "1614265330", header) != rows[i].fault)
            fail_msg("row %zu: %s", i, header);
    }
}

// fault 42, 43: Stripe
static void stripe_signature_headers_one_row_per_outcome(void **state)
{
    (void)state;
    static const char zeros[] = "0000000000000000000000000000000000000000000000000000000000000000";
    const char *right = hex_signature(STRIPE_SECRET, "1614265330." BODY);
    const char *other = hex_signature(STRIPE_SECRET2, "1614265330." BODY);
    const struct {
        const char *before, *signature, *after;
        enum webhook_fault fault;
    } rows[] = {
        {"t=1614265330,v1=", right, "", WEBHOOK_FINE},
        {"v1=", right, ",t=1614265330", WEBHOOK_FINE},
        {"t=1614265330,v1=", other, "", WEBHOOK_MISMATCH},
        {"t=1614265330,v1=", zeros, "", WEBHOOK_MISMATCH},
        {"t=1614265330,v0=", right, "", WEBHOOK_MISMATCH},
        {"t=1614265330,v1a=", right, "", WEBHOOK_MISMATCH},
        {"t=1614265330,v0=x,scheme=,v1=", right, "", WEBHOOK_FINE},
        {"t=1614265330", "", "", WEBHOOK_MISMATCH},
        {"t=1614265330,t=1614265330,v1=", right, "", WEBHOOK_MALFORMED},
        {"t=1614265330,v1=", right, ",t=1", WEBHOOK_MALFORMED},
        {"t=,v1=", right, "", WEBHOOK_MALFORMED},
        {"v1=", right, "", WEBHOOK_MALFORMED},
        {"t=1614265330,v1=", "", "", WEBHOOK_MALFORMED},
        {"t=1614265330,v1=", right, "0", WEBHOOK_MALFORMED},
        {"t=1614265330,v1=", right + 1, "", WEBHOOK_MALFORMED},
        {"t=1614265330,v1=", right + 1, "g", WEBHOOK_MALFORMED},
        {"t=1614265330,v1=0x", right + 2, "", WEBHOOK_MALFORMED},
        {"t=1614265330,v1=0x", right, "", WEBHOOK_MALFORMED},
        {"t=1614265330, v1=", right, "", WEBHOOK_MISMATCH}, // its name is " v1"
        {"t=1614265330,,v1=", right, "", WEBHOOK_MALFORMED},
        {"t=1614265330,v1=", right, ",", WEBHOOK_MALFORMED},
        {"t=1614265330,=", right, "", WEBHOOK_MALFORMED},
        {"t=1614265330,v1", right, "", WEBHOOK_MALFORMED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char header[256];
        snprintf(header, sizeof header, "%s%s%s", rows[i].before, rows[i].signature, rows[i].after);
        if (verify_stripe(header) != rows[i].fault)
            fail_msg("row %zu: %s", i, header);
    }
}

static void coinbase_signature_headers_one_row_per_outcome(void **state)
{
    (void)state;
    const char *right = hex_signature(COINBASE_SECRET, BODY);
    char upper[65], changed[65], longer[66];
    for (size_t i = 0; i < sizeof upper; i++)
        upper[i] = right[i] >= 'a' ? (char)(right[i] - 32) : right[i];
    snprintf(changed, sizeof changed, "%s", right);
    changed[63] = changed[63] == '0' ? '1' : '0';
    snprintf(longer, sizeof longer, "%s0", right);
    const struct {
        const char *header;
        enum webhook_fault fault;
    } rows[] = {
        {right, WEBHOOK_FINE},          {upper, WEBHOOK_FINE},     {changed, WEBHOOK_MISMATCH},
        {longer, WEBHOOK_MALFORMED},    {"zz", WEBHOOK_MALFORMED}, {right + 1, WEBHOOK_MALFORMED},
        {right + 2, WEBHOOK_MALFORMED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(verify_at(WEBHOOK_COINBASE_COMMERCE, COINBASE_SECRET, NULL, NULL,
                                   rows[i].header, BODY, NOW_S),
                         rows[i].fault);
}

static char *repeated(const char *item, size_t count, const char *last)
{
    char *header = malloc(strlen(item) * count + strlen(last) + 1);
    assert_non_null(header);
    header[0] = '\0';
    for (size_t i = 0; i < count; i++)
        memcpy(header + i * strlen(item), item, strlen(item) + 1);
    memcpy(header + count * strlen(item), last, strlen(last) + 1);
    return header;
}

// fault 43: ten thousand signatures
static void sixteen_signatures_are_looked_at_and_more_are_refused(void **state)
{
    (void)state;
    static const struct {
        size_t before;
        enum webhook_fault fault;
    } rows[] = {{15, WEBHOOK_FINE}, {16, WEBHOOK_MALFORMED}, {10000, WEBHOOK_MALFORMED}};
    for (size_t i = 0; i < 3; i++) {
        const char *right = standard_signature(STANDARD_SECRET, ID ".1614265330." BODY);
        char *header =
            repeated("v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= ", rows[i].before, right);
        assert_int_equal(verify_standard(ID, "1614265330", header), rows[i].fault);
        free(header);
        header = repeated("v0,x ", rows[i].before, right); // other schemes count as well
        assert_int_equal(verify_standard(ID, "1614265330", header), rows[i].fault);
        free(header);

        char last[128];
        snprintf(last, sizeof last, "t=1614265330,v1=%s",
                 hex_signature(STRIPE_SECRET, "1614265330." BODY));
        header = repeated("v0=x,", rows[i].before, last);
        assert_int_equal(verify_stripe(header), rows[i].fault);
        free(header);
    }
}

// fault 42: two secrets in rotation
static void every_secret_of_a_rotation_is_tried(void **state)
{
    (void)state;
    const char *standard = standard_signature(STANDARD_SECRET, ID ".1614265330." BODY);
    assert_int_equal(verify_at(WEBHOOK_STANDARD, STANDARD_SECRET2 " " STANDARD_SECRET, ID,
                               "1614265330", standard, BODY, NOW_S),
                     WEBHOOK_FINE);
    char stripe[128];
    snprintf(stripe, sizeof stripe, "t=1614265330,v1=%s",
             hex_signature(STRIPE_SECRET, "1614265330." BODY));
    assert_int_equal(verify_at(WEBHOOK_STRIPE,
                               STRIPE_SECRET2 "," TEXT_15 "p," TEXT_15 "q," STRIPE_SECRET, NULL,
                               NULL, stripe, BODY, NOW_S),
                     WEBHOOK_FINE);
    assert_int_equal(verify_at(WEBHOOK_STRIPE, STRIPE_SECRET2, NULL, NULL, stripe, BODY, NOW_S),
                     WEBHOOK_MISMATCH);
}

static void a_nul_in_the_body_does_not_end_what_is_signed(void **state)
{
    (void)state;
    static const uint8_t body[] = {'a', 0, 'b'};
    struct webhook_secrets secrets = parsed(WEBHOOK_STANDARD, STANDARD_SECRET);
    char signature[WEBHOOK_SIGNATURE_SIZE];
    assert_true(webhook_sign(signature, &secrets, ID, NOW_S, (struct bytes){body, 3}));
    struct webhook_headers headers = {ID, "1614265330", signature};
    static const uint8_t changed[] = {'a', 0, 'c'};
    const struct {
        struct bytes body;
        enum webhook_fault fault;
    } rows[] = {
        {{body, 3}, WEBHOOK_FINE},     {{body, 1}, WEBHOOK_MISMATCH},
        {{body, 2}, WEBHOOK_MISMATCH}, {{changed, 3}, WEBHOOK_MISMATCH},
        {{NULL, 0}, WEBHOOK_MISMATCH},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(webhook_verify(&secrets, WEBHOOK_STANDARD, &headers, rows[i].body, NOW_S),
                         rows[i].fault);
}

static void an_empty_body_can_be_signed(void **state)
{
    (void)state;
    struct webhook_secrets secrets = parsed(WEBHOOK_STANDARD, STANDARD_SECRET);
    char signature[WEBHOOK_SIGNATURE_SIZE];
    assert_true(webhook_sign(signature, &secrets, ID, NOW_S, (struct bytes){NULL, 0}));
    assert_string_equal(signature, standard_signature(STANDARD_SECRET, ID ".1614265330."));
}

static void secrets_one_row_per_form(void **state)
{
    (void)state;
    char text_128[129], text_129[130];
    memset(text_128, 'x', 128);
    text_128[128] = '\0';
    snprintf(text_129, sizeof text_129, "%sx", text_128);
    char base64_64[128] = "whsec_", base64_66[128] = "whsec_", base64_21[64] = "whsec_";
    memset(base64_64 + 6, 'A', 86);
    memcpy(base64_64 + 92, "==", 3);
    memset(base64_66 + 6, 'A', 88);
    memset(base64_21 + 6, 'A', 28);
    const struct {
        enum webhook_form form;
        const char *text;
        size_t count, first_size; // 0: refused
    } rows[] = {
        {WEBHOOK_STANDARD, STANDARD_SECRET, 1, 24},
        {WEBHOOK_STANDARD, " " STANDARD_SECRET " , " STANDARD_SECRET2 ",", 2, 24},
        {WEBHOOK_STANDARD, base64_64, 1, 64},
        {WEBHOOK_STANDARD, base64_66, 0, 0},
        {WEBHOOK_STANDARD, base64_21, 0, 0},
        {WEBHOOK_STANDARD, "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 0, 0},
        {WEBHOOK_STANDARD, "whsec_", 0, 0},
        {WEBHOOK_STANDARD, "whsec_test_secret", 0, 0},
        {WEBHOOK_STANDARD, STANDARD_SECRET "A", 0, 0},
        {WEBHOOK_STANDARD, STANDARD_SECRET " nonsense", 0, 0},
        {WEBHOOK_STRIPE, "whsec_test_secret", 1, 17},
        {WEBHOOK_STRIPE, TEXT_15 "a " TEXT_15 "b " TEXT_15 "c " TEXT_15 "d", 4, 16},
        {WEBHOOK_STRIPE, TEXT_15 "a " TEXT_15 "b " TEXT_15 "c " TEXT_15 "d " TEXT_15 "e", 0, 0},
        {WEBHOOK_STRIPE, "x", 0, 0},
        {WEBHOOK_STRIPE, TEXT_15, 0, 0},
        {WEBHOOK_STRIPE, STRIPE_SECRET " x", 0, 0},
        {WEBHOOK_COINBASE_COMMERCE, TEXT_15, 0, 0},
        {WEBHOOK_STRIPE, "", 0, 0},
        {WEBHOOK_STRIPE, " , ", 0, 0},
        {WEBHOOK_STRIPE, NULL, 0, 0},
        {WEBHOOK_COINBASE_COMMERCE, text_128, 1, 128},
        {WEBHOOK_COINBASE_COMMERCE, text_129, 0, 0},
        {WEBHOOK_COINBASE_COMMERCE, TEXT_15 "caf\xc3\xa9", 0, 0},
        {WEBHOOK_COINBASE_COMMERCE, TEXT_15 "\tb", 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct webhook_secrets secrets = {.count = 99};
        bool fine = webhook_secrets_parse(&secrets, rows[i].form, rows[i].text);
        if (fine != (rows[i].count > 0))
            fail_msg("row %zu", i);
        assert_int_equal(secrets.count, fine ? rows[i].count : 99);
        if (fine)
            assert_int_equal(secrets.sizes[0], rows[i].first_size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers_verify_and_no_changed_body_does),
        cmocka_unit_test(signing_gives_the_known_answer),
        cmocka_unit_test(signing_refuses_what_would_not_verify),
        cmocka_unit_test(the_tolerance_is_300_seconds_both_ways),
        cmocka_unit_test(a_clock_before_the_epoch_is_stale_not_an_overflow),
        cmocka_unit_test(standard_headers_that_are_absent_or_empty_are_missing),
        cmocka_unit_test(timestamps_of_another_form_are_malformed),
        cmocka_unit_test(ids_of_another_form_are_malformed),
        cmocka_unit_test(bytes_cannot_move_between_id_timestamp_and_body),
        cmocka_unit_test(standard_signature_headers_one_row_per_outcome),
        cmocka_unit_test(stripe_signature_headers_one_row_per_outcome),
        cmocka_unit_test(coinbase_signature_headers_one_row_per_outcome),
        cmocka_unit_test(sixteen_signatures_are_looked_at_and_more_are_refused),
        cmocka_unit_test(every_secret_of_a_rotation_is_tried),
        cmocka_unit_test(a_nul_in_the_body_does_not_end_what_is_signed),
        cmocka_unit_test(an_empty_body_can_be_signed),
        cmocka_unit_test(secrets_one_row_per_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
