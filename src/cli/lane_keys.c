// SPDX-License-Identifier: Apache-2.0
// The relayer's keys as the settings name them: one per lane.
#include "cli/lane_keys.h"

#include "secret/secret.h"

#include <stdio.h>
#include <string.h>

#define REFERENCE_SIZE 1024
#define REASON_SIZE    256

static bool read_one(struct eth_key *ret_key, char ret_error[LANE_KEYS_ERROR_SIZE],
                     const char *setting, char *reference, const char *passphrase)
{
    char reason[REASON_SIZE];
    enum status status = secret_private_key(ret_key, reason, sizeof reason, reference, passphrase);
    bytes_wipe(reference, REFERENCE_SIZE);
    if (status == STATUS_OK)
        return true;
    snprintf(ret_error, LANE_KEYS_ERROR_SIZE, "%s: %s", setting, reason);
    return false;
}

bool lane_keys_read(struct eth_key ret_keys[SIGNER_LANES_MAX], size_t *ret_count,
                    char ret_error[LANE_KEYS_ERROR_SIZE], const struct settings *settings)
{
    const char *list = settings_text(settings, "RELAYER_PRIVATE_KEY");
    const char *setting = list ? "RELAYER_PRIVATE_KEY" : "KEYSTORE_PATH";
    const char *at = list ? list : settings_text(settings, "KEYSTORE_PATH");
    const char *passphrase = settings_text(settings, "KEYSTORE_PASSPHRASE");
    char reference[REFERENCE_SIZE];
    size_t count = 0;
    if (!at) {
        snprintf(ret_error, LANE_KEYS_ERROR_SIZE,
                 "RELAYER_PRIVATE_KEY is missing: a reference to the relayer key, such as "
                 "keystore:PATH (or set KEYSTORE_PATH)");
        return false;
    }
    while (*at && count < SIGNER_LANES_MAX) {
        size_t length = list ? strcspn(at, ",") : strlen(at);
        snprintf(reference, sizeof reference, "%s%.*s", list ? "" : "keystore:", (int)length, at);
        at += length + (at[length] == ',');
        if (!read_one(&ret_keys[count], ret_error, setting, reference, passphrase)) {
            bytes_wipe(ret_keys, count * sizeof *ret_keys);
            return false;
        }
        count++;
    }
    *ret_count = count;
    return true;
}
