// SPDX-License-Identifier: Apache-2.0
// The error rules against what clients really say (test/vectors/rpc_errors.tsv), the numeric codes,
// the codes that clash, and texts that must not be taken for what they contain.
#include "chain/rpc_error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define VECTOR_LINES_MIN 80
#define CLASSES          (RPC_UNKNOWN + 1)

// fault 5, 10, 12, 17, 18, 19, 36: the words of every client
static void every_text_of_the_vector_file_has_its_class(void **state)
{
    (void)state;
    char line[1024];
    int lines = 0;
    FILE *file = fopen(TEST_VECTORS "/rpc_errors.tsv", "r");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file)); // names of the columns
    while (fgets(line, sizeof line, file)) {
        char *rest = line;
        const char *client = strsep(&rest, "\t");
        const char *expected = strsep(&rest, "\t");
        const char *message = strsep(&rest, "\t");
        assert_non_null(rest);
        const char *got = rpc_class_text(rpc_classify(-32000, message, (struct bytes){0}));
        if (strcmp(got, expected) != 0)
            fail_msg("%s: \"%s\" is %s, not %s", client, message, got, expected);
        lines++;
    }
    assert_true(lines >= VECTOR_LINES_MIN);
    fclose(file);
}

static const struct {
    int64_t code;
    const char *message;
    enum rpc_class expected;
} rows[] = {
    // Further texts of clients.
    {-32000, "known transaction: 0x12ab", RPC_ALREADY_KNOWN},
    {-32010, "OwnNonceAlreadyUsed", RPC_ALREADY_KNOWN},
    {-32010, "Transaction with the same hash was already imported.", RPC_ALREADY_KNOWN},
    {-32000, "alreadyknown", RPC_ALREADY_KNOWN},
    {-32000, "tx already exists in cache", RPC_ALREADY_KNOWN},
    {1010, "submit transaction to pool failed: Pool(AlreadyImported)", RPC_ALREADY_KNOWN},
    {-32000, "nonce too low. allowed nonce range: 5 - 100, actual: 3", RPC_NONCE_TOO_LOW},
    {-32010, "Transaction nonce is too low. Try incrementing the nonce.", RPC_NONCE_TOO_LOW},
    {1010, "submit transaction to pool failed: Pool(Stale)", RPC_NONCE_TOO_LOW},
    {-32000, "transaction already finalized", RPC_NONCE_TOO_LOW},
    {-32000, "could not replace existing tx", RPC_REPLACEMENT_UNDERPRICED},
    {-32000, "there is another tx which has the same nonce in the tx pool",
     RPC_REPLACEMENT_UNDERPRICED},
    {-32010, "There is another transaction with same nonce in the queue.",
     RPC_REPLACEMENT_UNDERPRICED},
    {-32000, "gapped-nonce tx from delegated accounts", RPC_NONCE_GAP},
    {-32000, "sender doesn't have enough funds to send tx. The max upfront cost is: 5",
     RPC_INSUFFICIENT_FUNDS},
    {-32000, "not enough funds for gas", RPC_INSUFFICIENT_FUNDS},
    {-32603, "Signer had insufficient balance", RPC_INSUFFICIENT_FUNDS},
    {-32000, "INSUFFICIENT_PAYER_BALANCE", RPC_INSUFFICIENT_FUNDS},
    {-32000, "transaction underpriced: gas tip cap 1, minimum needed 2", RPC_UNDERPRICED},
    {-32000, "fee cap less than base fee", RPC_UNDERPRICED},
    {-32009, "Gas price below configured minimum gas price", RPC_UNDERPRICED},
    {-32010, "FeeTooLow, EffectivePriorityFeePerGas too low 0 < 1", RPC_UNDERPRICED},
    {-32000, "gas price too low", RPC_UNDERPRICED},
    {-32000, "gas price less than block base fee", RPC_UNDERPRICED},
    {-32000, "gasprice is less than gas price minimum floor", RPC_UNDERPRICED},
    {-32000, "queued sub-pool is full", RPC_POOL_FULL},
    {-32000, "queue full", RPC_POOL_FULL},
    {-32010, "GasLimitExceeded, Gas limit: 100, gas limit of rejected tx: 200", RPC_FATAL},
    {-32000, "tx fee (1.20 ether) exceeds the configured cap (1.00 ether)", RPC_FATAL},
    {-32000, "Transaction fee cap exceeded", RPC_FATAL},
    {-32000, "sender not an eoa: address 0x12", RPC_FATAL},
    {-32005, "project ID request rate exceeded", RPC_RATE_LIMITED},
    {-32603, "request timeout expired: timeout expired", RPC_TRANSIENT},
    {-32000, "header not found", RPC_TRANSIENT},
    {-32000, "World state unavailable", RPC_TRANSIENT},
    {-32015, "VM execution error.", RPC_REVERT},
    {3, "execution reverted", RPC_REVERT},
    {-32603, "VM Exception while processing transaction: reverted with custom error 'Paused()'",
     RPC_REVERT},
    // Codes alone.
    {-38010, "", RPC_NONCE_TOO_LOW},
    {-32001, "", RPC_NONCE_TOO_LOW},
    {-32006, "", RPC_NONCE_GAP},
    {-38014, "", RPC_INSUFFICIENT_FUNDS},
    {-32004, "", RPC_INSUFFICIENT_FUNDS},
    {-38012, "", RPC_UNDERPRICED},
    {-32009, "", RPC_UNDERPRICED},
    {3, "", RPC_REVERT},
    {-32015, "", RPC_REVERT},
    {-38013, "", RPC_FATAL},
    {-32007, "", RPC_FATAL},
    {429, "", RPC_RATE_LIMITED},
    {-32005, "", RPC_RATE_LIMITED},
    {-32002, "", RPC_TRANSIENT},
    {-32008, "", RPC_TRANSIENT},
    {4444, "", RPC_TRANSIENT},
    // The codes that clash: the text decides.
    {-32002, "request timed out", RPC_TRANSIENT},
    {-32002, "Invalid signature", RPC_FATAL},
    {-32003, "response too large", RPC_UNKNOWN},
    {-32003, "Intrinsic gas exceeds gas limit", RPC_FATAL},
    {-32003, "transaction rejected", RPC_UNKNOWN},
    {-32005, "Transaction gas limit exceeds block gas limit", RPC_FATAL},
    {-32005, "daily request count exceeded, request rate limited", RPC_RATE_LIMITED},
    {-32004, "Method not supported", RPC_UNKNOWN},
    {-32001, "Resource not found", RPC_TRANSIENT},
    {-32603, "nonce too low", RPC_NONCE_TOO_LOW},
    {-32603, "txpool is full", RPC_POOL_FULL},
    {429, "nonce too low", RPC_NONCE_TOO_LOW},
    // What contains another's words, or a contract's.
    {-32000, "unknown transaction type", RPC_UNKNOWN},
    {3, "execution reverted: nonce too low", RPC_REVERT},
    {3, "execution reverted: already known, insufficient funds", RPC_REVERT},
    {-32603,
     "VM Exception while processing transaction: reverted with reason string 'already known'",
     RPC_REVERT},
    {-32000, "failed with 21000 gas: insufficient funds for gas * price + value",
     RPC_INSUFFICIENT_FUNDS},
    {-32000, "intrinsic gas too low: gas 20000, minimum needed 21000", RPC_FATAL},
    // The order of the classes decides where several match.
    {-32000, "invalid chain id for signer; already known", RPC_WRONG_CHAIN},
    {-32000, "replacement transaction underpriced", RPC_REPLACEMENT_UNDERPRICED},
    // Nothing known.
    {0, "", RPC_UNKNOWN},
    {-32000, "something else", RPC_UNKNOWN},
    {-32603, "Internal error", RPC_UNKNOWN},
    {-32601, "the method eth_sendRawTransaction does not exist/is not available", RPC_UNKNOWN},
    {INT64_MIN, "", RPC_UNKNOWN},
};

static void text_and_code_give_the_class(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum rpc_class got = rpc_classify(rows[i].code, rows[i].message, (struct bytes){0});
        if (got != rows[i].expected)
            fail_msg("%lld \"%s\" is %s, not %s", (long long)rows[i].code, rows[i].message,
                     rpc_class_text(got), rpc_class_text(rows[i].expected));
    }
}

static void revert_data_alone_is_a_revert(void **state)
{
    (void)state;
    static const uint8_t bytes[100];
    static const struct {
        size_t size;
        enum rpc_class expected;
    } sizes[] = {
        {0, RPC_UNKNOWN}, {4, RPC_REVERT},   {36, RPC_REVERT},
        {68, RPC_REVERT}, {32, RPC_UNKNOWN}, {5, RPC_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        assert_int_equal(rpc_classify(-32000, "?", (struct bytes){bytes, sizes[i].size}),
                         sizes[i].expected);
    assert_int_equal(rpc_classify(-32000, "nonce too low", (struct bytes){bytes, 4}),
                     RPC_NONCE_TOO_LOW);
}

static void a_text_of_any_length_is_read(void **state)
{
    (void)state;
    static char text[100000];
    memset(text, 'a', sizeof text - 1);
    assert_int_equal(rpc_classify(0, text, (struct bytes){0}), RPC_UNKNOWN);
    memcpy(text + 500, "NONCE TOO LOW", 13);
    assert_int_equal(rpc_classify(0, text, (struct bytes){0}), RPC_NONCE_TOO_LOW);
}

static void every_class_has_a_name_of_its_own_and_a_help(void **state)
{
    (void)state;
    for (int i = 0; i < CLASSES; i++) {
        assert_true(strlen(rpc_class_help((enum rpc_class)i)) > 0);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(rpc_class_text((enum rpc_class)i),
                                    rpc_class_text((enum rpc_class)j));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_text_of_the_vector_file_has_its_class),
        cmocka_unit_test(text_and_code_give_the_class),
        cmocka_unit_test(revert_data_alone_is_a_revert),
        cmocka_unit_test(a_text_of_any_length_is_read),
        cmocka_unit_test(every_class_has_a_name_of_its_own_and_a_help),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
