// SPDX-License-Identifier: Apache-2.0
// Error classes: total, the same for either case of the letters, and safest where texts are joined.
#include "fuzz.h"

#include "chain/rpc_error.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JOINED_SIZE 1024

static void check_case(int64_t code, const char *message, struct bytes data, enum rpc_class class)
{
    char *upper = strdup(message);
    char *lower = strdup(message);
    if (!upper || !lower)
        abort();
    for (size_t i = 0; message[i]; i++) {
        upper[i] = (char)toupper((unsigned char)message[i]);
        lower[i] = (char)tolower((unsigned char)message[i]);
    }
    MUST(rpc_classify(code, upper, data) == class);
    MUST(rpc_classify(code, lower, data) == class);
    free(upper);
    free(lower);
}

// No other text beside it turns "the node has it" or "the nonce is used" into a plain refusal,
// after which the nonce could be used again.
static void check_joined(int64_t code, const char *message, struct bytes data)
{
    static const char *const safe[] = {"already known", "nonce too low"};
    char joined[JOINED_SIZE];
    for (size_t i = 0; i < sizeof safe / sizeof safe[0]; i++) {
        snprintf(joined, sizeof joined, "%s: %s", safe[i], message);
        MUST(rpc_classify(code, joined, data) <= RPC_NONCE_TOO_LOW);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = fuzz_input(data, size);
    int64_t code = (int16_t)(fuzz_byte(&input) << 8 | fuzz_byte(&input));
    char *message = fuzz_line(&input);
    enum rpc_class class = rpc_classify(code, message, input.rest);
    MUST(class >= RPC_WRONG_CHAIN && class <= RPC_UNKNOWN);
    MUST(rpc_class_text(class)[0] != '\0' && rpc_class_help(class)[0] != '\0');
    check_case(code, message, input.rest, class);
    check_joined(code, message, input.rest);
    free(message);
    return 0;
}
