// SPDX-License-Identifier: Apache-2.0
// Webhook signatures: parse the headers of three forms, HMAC the raw body, compare.
#include "net/webhook_signature.h"

#include "base/hex.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdio.h>
#include <string.h>

#define DIGEST_SIZE               32 // HMAC-SHA256
#define STANDARD_SECRET_BYTES_MIN 24
#define STANDARD_SECRET_BYTES_MAX 64
#define STANDARD_SECRET_PREFIX    "whsec_"
#define ID_BYTES_MAX              256
#define SIGNED_PARTS_MAX          5

// What a header holds, taken apart.
struct claim {
    const char *timestamp; // text as signed; NULL in a form without one
    size_t timestamp_size;
    int64_t timestamp_s;
    uint8_t digests[WEBHOOK_SIGNATURES_MAX][DIGEST_SIZE];
    size_t count;      // digests of the scheme we verify
    size_t seen_count; // signatures of any scheme
};

// The bytes signed, in pieces, so that the body is not copied.
struct signed_parts {
    struct bytes parts[SIGNED_PARTS_MAX];
    size_t count;
};

static struct bytes text_part(const char *text, size_t size)
{
    return (struct bytes){(const uint8_t *)text, size};
}

// --- base64 (RFC 4648 section 4), strict ---

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

// One group of four characters to 1..3 bytes; 0 where it is not base64 or its spare bits are set.
static size_t base64_group(uint8_t out[3], const char text[4])
{
    size_t digits = text[3] != '=' ? 4 : text[2] != '=' ? 3 : 2;
    uint32_t bits = 0;
    for (size_t i = 0; i < 4; i++) {
        int value = i < digits ? base64_value(text[i]) : 0;
        if (value < 0)
            return 0;
        bits = bits << 6 | (uint32_t)value;
    }
    out[0] = (uint8_t)(bits >> 16);
    out[1] = (uint8_t)(bits >> 8);
    out[2] = (uint8_t)bits;
    if ((digits == 3 && out[2] != 0) || (digits == 2 && (out[1] != 0 || out[2] != 0)))
        return 0;
    return digits - 1;
}

// Padding is required and only at the end. ret_out is scratch until true is returned.
static bool base64_decode(uint8_t *ret_out, size_t *ret_size, size_t capacity, const char *text,
                          size_t text_size)
{
    size_t size = 0;
    if (text_size == 0 || text_size % 4 != 0)
        return false;
    for (size_t at = 0; at < text_size; at += 4) {
        uint8_t group[3];
        size_t group_size = base64_group(group, text + at);
        bool last = at + 4 == text_size;
        if (group_size == 0 || (group_size < 3 && !last) || group_size > capacity - size)
            return false;
        memcpy(ret_out + size, group, group_size);
        size += group_size;
    }
    *ret_size = size;
    return true;
}

// --- secrets ---

static bool add_standard_secret(struct webhook_secrets *secrets, const char *text, size_t size)
{
    size_t prefix_size = strlen(STANDARD_SECRET_PREFIX);
    if (size <= prefix_size || memcmp(text, STANDARD_SECRET_PREFIX, prefix_size) != 0)
        return false;
    size_t *key_size = &secrets->sizes[secrets->count];
    if (!base64_decode(secrets->bytes[secrets->count], key_size, STANDARD_SECRET_BYTES_MAX,
                       text + prefix_size, size - prefix_size) ||
        *key_size < STANDARD_SECRET_BYTES_MIN)
        return false;
    secrets->count++;
    return true;
}

static bool add_text_secret(struct webhook_secrets *secrets, const char *text, size_t size)
{
    if (size < WEBHOOK_SECRET_BYTES_MIN || size > WEBHOOK_SECRET_BYTES_MAX)
        return false;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '!' || text[i] > '~')
            return false;
    }
    memcpy(secrets->bytes[secrets->count], text, size);
    secrets->sizes[secrets->count] = size;
    secrets->count++;
    return true;
}

static bool add_secrets(struct webhook_secrets *secrets, enum webhook_form form, const char *text)
{
    static const char separators[] = " ,";
    text += strspn(text, separators);
    while (*text != '\0') {
        size_t size = strcspn(text, separators);
        if (secrets->count == WEBHOOK_SECRETS_MAX)
            return false;
        if (!(form == WEBHOOK_STANDARD ? add_standard_secret(secrets, text, size)
                                       : add_text_secret(secrets, text, size)))
            return false;
        text += size;
        text += strspn(text, separators);
    }
    return secrets->count > 0;
}

bool webhook_secrets_parse(struct webhook_secrets *ret_secrets, enum webhook_form form,
                           const char *text)
{
    struct webhook_secrets secrets = {.count = 0};
    bool fine = text != NULL && add_secrets(&secrets, form, text);
    if (fine)
        *ret_secrets = secrets;
    bytes_wipe(&secrets, sizeof secrets);
    return fine;
}

// --- headers ---

// Unix seconds as the sender must have signed them: digits only, no leading zero.
static bool parse_timestamp(struct claim *claim, const char *text, size_t size)
{
    int64_t seconds = 0;
    if (size == 0 || (text[0] == '0' && size > 1))
        return false;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow(seconds, 10, &seconds) ||
            __builtin_add_overflow(seconds, text[i] - '0', &seconds))
            return false;
    }
    claim->timestamp = text;
    claim->timestamp_size = size;
    claim->timestamp_s = seconds;
    return true;
}

static bool id_is_fine(const char *id)
{
    size_t size = strnlen(id, ID_BYTES_MAX + 1);
    if (size == 0 || size > ID_BYTES_MAX)
        return false;
    for (size_t i = 0; i < size; i++) {
        // A '.' would let bytes move between id, timestamp and body under one signature.
        if (id[i] <= ' ' || id[i] > '~' || id[i] == '.')
            return false;
    }
    return true;
}

static bool add_hex_digest(struct claim *claim, const char *text, size_t size)
{
    char digits[2 * DIGEST_SIZE + 1];
    if (size != 2 * DIGEST_SIZE)
        return false;
    memcpy(digits, text, size);
    digits[size] = '\0';
    if (!hex_decode(claim->digests[claim->count], DIGEST_SIZE, digits))
        return false;
    claim->count++;
    return true;
}

static bool add_base64_digest(struct claim *claim, const char *text, size_t size)
{
    size_t digest_size;
    if (!base64_decode(claim->digests[claim->count], &digest_size, DIGEST_SIZE, text, size) ||
        digest_size != DIGEST_SIZE)
        return false;
    claim->count++;
    return true;
}

static bool name_is(const char *name, size_t size, const char *expected)
{
    return size == strlen(expected) && memcmp(name, expected, size) == 0;
}

// "v1,<base64>" among others, which are counted and passed over.
static bool add_standard_signature(struct claim *claim, const char *text, size_t size)
{
    const char *comma = memchr(text, ',', size);
    if (comma == NULL || comma == text || claim->seen_count++ == WEBHOOK_SIGNATURES_MAX)
        return false;
    size_t name_size = (size_t)(comma - text);
    if (!name_is(text, name_size, "v1"))
        return true;
    return add_base64_digest(claim, comma + 1, size - name_size - 1);
}

// "t=<seconds>", "v1=<hex>", others counted and passed over.
static bool add_stripe_item(struct claim *claim, const char *text, size_t size)
{
    const char *equals = memchr(text, '=', size);
    if (equals == NULL || equals == text)
        return false;
    size_t name_size = (size_t)(equals - text);
    const char *value = equals + 1;
    size_t value_size = size - name_size - 1;
    if (name_is(text, name_size, "t"))
        return claim->timestamp == NULL && parse_timestamp(claim, value, value_size);
    if (claim->seen_count++ == WEBHOOK_SIGNATURES_MAX)
        return false;
    if (!name_is(text, name_size, "v1"))
        return true;
    return add_hex_digest(claim, value, value_size);
}

// Every item between separators, also empty ones, goes to `add`; the first refusal ends it, so a
// long header costs no more than WEBHOOK_SIGNATURES_MAX items.
static bool add_items(struct claim *claim, const char *text, char separator,
                      bool (*add)(struct claim *claim, const char *text, size_t size))
{
    const char separators[] = {separator, '\0'};
    for (;;) {
        size_t size = strcspn(text, separators);
        if (!add(claim, text, size))
            return false;
        if (text[size] == '\0')
            return true;
        text += size + 1;
    }
}

static bool is_absent(const char *header)
{
    return header == NULL || header[0] == '\0';
}

static enum webhook_fault read_standard(struct claim *claim, const struct webhook_headers *headers)
{
    if (is_absent(headers->id) || is_absent(headers->timestamp) || is_absent(headers->signature))
        return WEBHOOK_MISSING;
    bool fine = id_is_fine(headers->id) &&
                parse_timestamp(claim, headers->timestamp, strlen(headers->timestamp)) &&
                add_items(claim, headers->signature, ' ', add_standard_signature);
    return fine ? WEBHOOK_FINE : WEBHOOK_MALFORMED;
}

static enum webhook_fault read_stripe(struct claim *claim, const struct webhook_headers *headers)
{
    if (is_absent(headers->signature))
        return WEBHOOK_MISSING;
    bool fine =
        add_items(claim, headers->signature, ',', add_stripe_item) && claim->timestamp != NULL;
    return fine ? WEBHOOK_FINE : WEBHOOK_MALFORMED;
}

static enum webhook_fault read_coinbase(struct claim *claim, const struct webhook_headers *headers)
{
    if (is_absent(headers->signature))
        return WEBHOOK_MISSING;
    bool fine = add_hex_digest(claim, headers->signature, strlen(headers->signature));
    return fine ? WEBHOOK_FINE : WEBHOOK_MALFORMED;
}

static enum webhook_fault read_headers(struct claim *claim, enum webhook_form form,
                                       const struct webhook_headers *headers)
{
    switch (form) {
    case WEBHOOK_STANDARD:
        return read_standard(claim, headers);
    case WEBHOOK_STRIPE:
        return read_stripe(claim, headers);
    case WEBHOOK_COINBASE_COMMERCE:
        return read_coinbase(claim, headers);
    }
    return WEBHOOK_MALFORMED;
}

// --- HMAC ---

static void add_part(struct signed_parts *parts, struct bytes part)
{
    parts->parts[parts->count++] = part;
}

// id.timestamp.body, timestamp.body or body: what is NULL is left out with its dot.
static struct signed_parts signed_parts(const char *id, const char *timestamp,
                                        size_t timestamp_size, struct bytes body)
{
    static const char dot[] = ".";
    struct signed_parts parts = {.count = 0};
    if (id != NULL) {
        add_part(&parts, bytes_of_text(id));
        add_part(&parts, text_part(dot, 1));
    }
    if (timestamp != NULL) {
        add_part(&parts, text_part(timestamp, timestamp_size));
        add_part(&parts, text_part(dot, 1));
    }
    add_part(&parts, body);
    return parts;
}

static EVP_MAC_CTX *hmac_new(void)
{
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    if (mac == NULL)
        return NULL;
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);
    EVP_MAC_free(mac); // the context holds its own reference
    return context;
}

static bool hmac(uint8_t ret_digest[DIGEST_SIZE], EVP_MAC_CTX *context, struct bytes key,
                 const struct signed_parts *parts)
{
    char digest_name[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest_name, 0),
        OSSL_PARAM_construct_end(),
    };
    if (EVP_MAC_init(context, key.data, key.size, params) != 1)
        return false;
    for (size_t i = 0; i < parts->count; i++) {
        if (EVP_MAC_update(context, parts->parts[i].data, parts->parts[i].size) != 1)
            return false;
    }
    size_t size;
    return EVP_MAC_final(context, ret_digest, &size, DIGEST_SIZE) == 1 && size == DIGEST_SIZE;
}

static struct bytes secret_at(const struct webhook_secrets *secrets, size_t index)
{
    return (struct bytes){secrets->bytes[index], secrets->sizes[index]};
}

// No early end: the time tells only how many secrets and signatures there are.
static enum webhook_fault compare(const struct webhook_secrets *secrets, const struct claim *claim,
                                  const struct signed_parts *parts)
{
    EVP_MAC_CTX *context = hmac_new();
    if (context == NULL)
        return WEBHOOK_NO_MEMORY;
    bool found = false, failed = false;
    uint8_t digest[DIGEST_SIZE];
    for (size_t i = 0; i < secrets->count; i++) {
        if (!hmac(digest, context, secret_at(secrets, i), parts)) {
            failed = true;
            continue;
        }
        for (size_t k = 0; k < claim->count; k++)
            found |= bytes_equal_constant_time(digest, claim->digests[k], DIGEST_SIZE);
    }
    bytes_wipe(digest, sizeof digest);
    EVP_MAC_CTX_free(context);
    if (found)
        return WEBHOOK_FINE;
    return failed ? WEBHOOK_NO_MEMORY : WEBHOOK_MISMATCH;
}

static bool is_stale(int64_t timestamp_s, int64_t now_s)
{
    int64_t age_s;
    return __builtin_sub_overflow(now_s, timestamp_s, &age_s) || age_s > WEBHOOK_TOLERANCE_S ||
           age_s < -WEBHOOK_TOLERANCE_S;
}

enum webhook_fault webhook_verify(const struct webhook_secrets *secrets, enum webhook_form form,
                                  const struct webhook_headers *headers, struct bytes body,
                                  int64_t now_s)
{
    struct claim claim = {.timestamp = NULL};
    enum webhook_fault fault = read_headers(&claim, form, headers);
    if (fault != WEBHOOK_FINE)
        return fault;
    if (claim.timestamp != NULL && is_stale(claim.timestamp_s, now_s))
        return WEBHOOK_STALE;
    const char *id = form == WEBHOOK_STANDARD ? headers->id : NULL;
    struct signed_parts parts = signed_parts(id, claim.timestamp, claim.timestamp_size, body);
    return compare(secrets, &claim, &parts);
}

bool webhook_sign(char ret_signature[WEBHOOK_SIGNATURE_SIZE], const struct webhook_secrets *secrets,
                  const char *id, int64_t timestamp_s, struct bytes body)
{
    if (secrets->count == 0 || !id_is_fine(id) || timestamp_s < 0)
        return false;
    char timestamp[24];
    int size = snprintf(timestamp, sizeof timestamp, "%lld", (long long)timestamp_s);
    struct signed_parts parts = signed_parts(id, timestamp, (size_t)size, body);

    EVP_MAC_CTX *context = hmac_new();
    uint8_t digest[DIGEST_SIZE];
    bool fine = context != NULL && hmac(digest, context, secret_at(secrets, 0), &parts);
    EVP_MAC_CTX_free(context);
    if (!fine)
        return false;
    uint8_t base64[(DIGEST_SIZE + 2) / 3 * 4 + 1];
    EVP_EncodeBlock(base64, digest, DIGEST_SIZE);
    snprintf(ret_signature, WEBHOOK_SIGNATURE_SIZE, "v1,%s", (const char *)base64);
    return true;
}
