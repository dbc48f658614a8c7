// SPDX-License-Identifier: Apache-2.0
// Whether an answer of the signer can be what was asked for.
#include "signer/answer.h"

static bool is_recovered(size_t index)
{
    return index < RECOVERED_FIRST || index % RECOVERED_EVERY == 0;
}

bool answer_is_right(const struct wire_signature *answer, const struct sign_request *request,
                     const struct hash32 *digest, size_t index)
{
    struct address sender;
    if (!hash32_equal(&answer->digest, digest))
        return false;
    // A wrong one that is not looked at pays nobody: its sender has neither coin nor role.
    return !is_recovered(index) || (eth_recover(&sender, &answer->signature, digest) &&
                                    address_equal(&sender, &request->lane));
}
