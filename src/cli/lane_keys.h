// SPDX-License-Identifier: Apache-2.0
// The relayer's keys as the settings name them: one per lane.
#pragma once

#include "base/settings.h"
#include "eth/key.h"
#include "signer/signer.h"

#define LANE_KEYS_ERROR_SIZE 512

// RELAYER_PRIVATE_KEY names one reference per lane, separated by commas; without it KEYSTORE_PATH
// is the one keystore. The caller wipes the keys. Otherwise one line without any secret.
MUST_USE bool lane_keys_read(struct eth_key ret_keys[SIGNER_LANES_MAX], size_t *ret_count,
                             char ret_error[LANE_KEYS_ERROR_SIZE], const struct settings *settings);
