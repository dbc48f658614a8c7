// SPDX-License-Identifier: Apache-2.0
// The parent's check of what the signer answers.
#pragma once

#include "signer/wire.h"

// Which answers of a batch have their sender recovered: it costs more than signing, so all of a
// small batch and some of a large one.
#define RECOVERED_FIRST 16
#define RECOVERED_EVERY 8

// digest is the parent's own, of request; index is the place in the batch. False: wrong digest, or
// the sender is looked at and is not the lane.
bool answer_is_right(const struct wire_signature *answer, const struct sign_request *request,
                     const struct hash32 *digest, size_t index);
