// SPDX-License-Identifier: Apache-2.0
// Webhook signatures: nothing passes without a right HMAC over the raw bytes, computed here a
// second time; and a signature made here passes.
#include "fuzz.h"

#include "net/webhook_signature.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW_S             1614265330
#define STANDARD_TEXT     "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define TEXT_SECRET       "whsec_test_secret"
#define SECOND_SECRET     "another_test_secret"
#define MESSAGE_BYTES_MAX 8192
#define HEADER_SIZE       512

struct digest_text {
    char hex[65];
    char base64[45];
};

static struct digest_text hmac_text(struct bytes key, struct bytes message)
{
    struct digest_text text;
    uint8_t digest[32];
    unsigned size = sizeof digest;
    MUST(HMAC(EVP_sha256(), key.data, (int)key.size, message.data, message.size, digest, &size));
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(text.hex + 2 * i, 3, "%02x", digest[i]);
    EVP_EncodeBlock((uint8_t *)text.base64, digest, sizeof digest);
    return text;
}

// "id.timestamp.body" with what is NULL left out.
static struct bytes join(uint8_t out[MESSAGE_BYTES_MAX], const char *id, const char *timestamp,
                         struct bytes body)
{
    int size = snprintf((char *)out, MESSAGE_BYTES_MAX, "%s%s%s%s", id ? id : "", id ? "." : "",
                        timestamp ? timestamp : "", timestamp ? "." : "");
    if (body.size > 0)
        memcpy(out + size, body.data, body.size);
    return (struct bytes){out, (size_t)size + body.size};
}

// Every text after "t=" of a Stripe header may be the timestamp that was signed.
static bool stripe_holds(const struct webhook_secrets *secrets, const char *header,
                         struct bytes body)
{
    uint8_t message[MESSAGE_BYTES_MAX];
    for (const char *at = strstr(header, "t="); at; at = strstr(at + 1, "t=")) {
        char *timestamp = strndup(at + 2, strcspn(at + 2, ","));
        struct bytes joined = join(message, NULL, timestamp, body);
        bool right = false;
        for (size_t i = 0; i < secrets->count; i++) {
            struct bytes key = {secrets->bytes[i], secrets->sizes[i]};
            right |= strcasestr(header, hmac_text(key, joined).hex) != NULL;
        }
        long long age_s = NOW_S - strtoll(timestamp, NULL, 10);
        free(timestamp);
        if (right && age_s <= WEBHOOK_TOLERANCE_S && age_s >= -WEBHOOK_TOLERANCE_S)
            return true;
    }
    return false;
}

static bool holds(const struct webhook_secrets *secrets, enum webhook_form form,
                  const struct webhook_headers *headers, struct bytes body)
{
    uint8_t message[MESSAGE_BYTES_MAX];
    if (form == WEBHOOK_STRIPE)
        return stripe_holds(secrets, headers->signature, body);
    bool standard = form == WEBHOOK_STANDARD;
    struct bytes joined =
        join(message, standard ? headers->id : NULL, standard ? headers->timestamp : NULL, body);
    for (size_t i = 0; i < secrets->count; i++) {
        struct bytes key = {secrets->bytes[i], secrets->sizes[i]};
        struct digest_text text = hmac_text(key, joined);
        if (strstr(headers->signature, text.base64) || strcasestr(headers->signature, text.hex))
            return true;
    }
    return false;
}

static struct webhook_secrets secrets_of(enum webhook_form form)
{
    struct webhook_secrets secrets;
    MUST(webhook_secrets_parse(
        &secrets, form, form == WEBHOOK_STANDARD ? STANDARD_TEXT : TEXT_SECRET " " SECOND_SECRET));
    return secrets;
}

// The headers are the input's: what passes must hold a right HMAC.
static void check_arbitrary(struct fuzz_input input, enum webhook_form form)
{
    struct webhook_secrets secrets = secrets_of(form);
    char *id = fuzz_line(&input);
    char *timestamp = fuzz_line(&input);
    char *signature = fuzz_line(&input);
    struct webhook_headers headers = {id, timestamp, signature};
    enum webhook_fault fault = webhook_verify(&secrets, form, &headers, input.rest, NOW_S);
    MUST(fault <= WEBHOOK_MISMATCH);
    if (fault == WEBHOOK_FINE) {
        MUST(holds(&secrets, form, &headers, input.rest));
        MUST(form != WEBHOOK_STANDARD || !(strchr(id, '.') || strchr(timestamp, '.')));
    }
    free(id);
    free(timestamp);
    free(signature);
}

static void write_header(char out[HEADER_SIZE], enum webhook_form form,
                         const struct digest_text *text, const char *timestamp)
{
    if (form == WEBHOOK_STANDARD)
        snprintf(out, HEADER_SIZE, "v1a,x v1,%s", text->base64);
    else if (form == WEBHOOK_STRIPE)
        snprintf(out, HEADER_SIZE, "t=%s,v0=1,v1=%s", timestamp, text->hex);
    else
        snprintf(out, HEADER_SIZE, "%s", text->hex);
}

// The signature is right: it passes inside the tolerance only, and no byte may differ.
static void check_signed(struct fuzz_input input, enum webhook_form form)
{
    struct webhook_secrets secrets = secrets_of(form);
    uint8_t message[MESSAGE_BYTES_MAX];
    char timestamp[24], header[HEADER_SIZE];
    int age_s = (int)(fuzz_u64(&input) % 700) - 350;
    size_t place = fuzz_u64(&input);
    snprintf(timestamp, sizeof timestamp, "%d", NOW_S - age_s);
    struct bytes body = input.rest;
    const char *id = form == WEBHOOK_STANDARD ? "msg_1" : NULL;
    struct bytes joined =
        join(message, id, form == WEBHOOK_COINBASE_COMMERCE ? NULL : timestamp, body);
    size_t key = secrets.count - 1;
    struct digest_text text =
        hmac_text((struct bytes){secrets.bytes[key], secrets.sizes[key]}, joined);
    write_header(header, form, &text, timestamp);
    struct webhook_headers headers = {id, timestamp, header};
    bool in_time = form == WEBHOOK_COINBASE_COMMERCE || abs(age_s) <= WEBHOOK_TOLERANCE_S;
    MUST(webhook_verify(&secrets, form, &headers, body, NOW_S) ==
         (in_time ? WEBHOOK_FINE : WEBHOOK_STALE));
    if (body.size == 0 || !in_time)
        return;
    message[joined.size - body.size + place % body.size] ^= 1;
    body = (struct bytes){message + joined.size - body.size, body.size};
    MUST(webhook_verify(&secrets, form, &headers, body, NOW_S) == WEBHOOK_MISMATCH);
    body.size--;
    MUST(webhook_verify(&secrets, form, &headers, body, NOW_S) == WEBHOOK_MISMATCH);
}

// What we send ourselves passes our own check, and any secret text is taken or refused whole.
static void check_own(struct fuzz_input input)
{
    char signature[WEBHOOK_SIGNATURE_SIZE];
    struct webhook_secrets secrets;
    char *text = fuzz_line(&input);
    enum webhook_form form = (enum webhook_form)(fuzz_byte(&input) % 3);
    if (webhook_secrets_parse(&secrets, form, text)) {
        MUST(secrets.count >= 1 && secrets.count <= WEBHOOK_SECRETS_MAX);
        struct webhook_headers headers = {"msg_1", "1614265330", signature};
        MUST(webhook_sign(signature, &secrets, "msg_1", NOW_S, input.rest));
        MUST(webhook_verify(&secrets, WEBHOOK_STANDARD, &headers, input.rest, NOW_S) ==
             WEBHOOK_FINE);
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = fuzz_input(data, size < 4096 ? size : 4096);
    uint8_t which = fuzz_byte(&input);
    enum webhook_form form = (enum webhook_form)(which % 3);
    if (which / 3 % 3 == 0)
        check_arbitrary(input, form);
    else if (which / 3 % 3 == 1)
        check_signed(input, form);
    else
        check_own(input);
    return 0;
}
