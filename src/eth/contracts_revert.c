// SPDX-License-Identifier: Apache-2.0
// Revert data into a cause and a line a person can read.
#include "base/hex.h"
#include "eth/contracts_table.h"
#include "eth/keccak.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define ARGUMENT_TEXT_SIZE 80 // 78 digits of a uint256
#define RAW_BYTES_MAX      68 // of unknown data shown: a selector and two words

struct error_row {
    const char *signature;
    enum revert_cause cause;
};

static const struct error_row rows[] = {
#define ERROR_ROW(signature, cause) {signature, cause},
    ERROR_TABLE(ERROR_ROW)
#undef ERROR_ROW
    // The two that the language itself has.
    {"Error(string)", REVERT_MESSAGE},
    {"Panic(uint256)", REVERT_PANIC},
};

static const struct error_row messages[] = {
#define MESSAGE_ROW(text, cause) {text, cause},
    ERROR_MESSAGE_TABLE(MESSAGE_ROW)
#undef MESSAGE_ROW
};

#define ROWS_COUNT (sizeof rows / sizeof rows[0])

static uint8_t selectors[ROWS_COUNT][4];
static pthread_once_t selectors_made = PTHREAD_ONCE_INIT;

static void make_selectors(void)
{
    for (size_t i = 0; i < ROWS_COUNT; i++) {
        struct hash32 hash = keccak256_text(rows[i].signature);
        memcpy(selectors[i], hash.bytes, sizeof selectors[i]);
    }
}

static const struct error_row *find_row(const uint8_t selector[4])
{
    pthread_once(&selectors_made, make_selectors);
    for (size_t i = 0; i < ROWS_COUNT; i++) {
        if (memcmp(selectors[i], selector, sizeof selectors[i]) == 0)
            return &rows[i];
    }
    return NULL;
}

enum revert_cause revert_cause_of_selector(const uint8_t selector[4])
{
    const struct error_row *row = find_row(selector);
    return row ? row->cause : REVERT_UNKNOWN;
}

const char *revert_cause_text(enum revert_cause cause)
{
    switch (cause) {
    case REVERT_UNKNOWN:
        return "unknown";
    case REVERT_EMPTY:
        return "empty";
    case REVERT_ALREADY_PAID:
        return "already_paid";
    case REVERT_ALREADY_REFERRED:
        return "already_referred";
    case REVERT_ALREADY_MINTED:
        return "already_minted";
    case REVERT_PAUSED:
        return "paused";
    case REVERT_BLACKLISTED:
        return "blacklisted";
    case REVERT_DAILY_CAP:
        return "daily_cap";
    case REVERT_PAYOUT_CAP:
        return "payout_cap";
    case REVERT_FUNDS:
        return "funds";
    case REVERT_UNAUTHORIZED:
        return "unauthorized";
    case REVERT_REFUSED:
        return "refused";
    case REVERT_PANIC:
        return "panic";
    case REVERT_MESSAGE:
        return "message";
    }
    return "unknown";
}

// Appends within REVERT_TEXT_SIZE; what does not fit is cut.
static void append(char text[REVERT_TEXT_SIZE], const char *more)
{
    size_t length = strlen(text);
    snprintf(text + length, REVERT_TEXT_SIZE - length, "%s", more);
}

// One argument by its type's name: address, uint256 (decimal) or bytes32.
static bool format_argument(char out[ARGUMENT_TEXT_SIZE], const char *type, struct bytes arguments,
                            size_t index)
{
    struct address address;
    struct u256 value;
    if (strncmp(type, "address", 7) == 0) {
        if (!abi_read_address(&address, arguments, index))
            return false;
        address_format(out, &address);
        return true;
    }
    if (!abi_read_u256(&value, arguments, index))
        return false;
    if (strncmp(type, "uint256", 7) == 0)
        u256_format_decimal(out, value);
    else
        hex_encode(out, (struct bytes){arguments.data + 32 * index, 32});
    return true;
}

// "Name(type,type)" and words give "Name(value, value)"; false when a word does not fit its type.
static bool format_error(char text[REVERT_TEXT_SIZE], const char *signature, struct bytes arguments)
{
    size_t name = strcspn(signature, "(");
    snprintf(text, REVERT_TEXT_SIZE, "%.*s(", (int)name, signature);
    const char *type = signature + name + 1;
    for (size_t i = 0; *type != ')' && *type != '\0'; i++) {
        char argument[ARGUMENT_TEXT_SIZE];
        if (!format_argument(argument, type, arguments, i))
            return false;
        append(text, i > 0 ? ", " : "");
        append(text, argument);
        type += strcspn(type, ",)");
        type += *type == ',';
    }
    append(text, ")");
    return true;
}

static void format_raw(char text[REVERT_TEXT_SIZE], struct bytes data)
{
    char hex[HEX_TEXT_SIZE(RAW_BYTES_MAX)];
    bool cut = data.size > RAW_BYTES_MAX;
    hex_encode(hex, (struct bytes){data.data, cut ? RAW_BYTES_MAX : data.size});
    snprintf(text, REVERT_TEXT_SIZE, "%s%s", hex, cut ? "..." : "");
}

// The text comes from a contract of others: nothing of it but printable ASCII goes on.
static void format_message(char text[REVERT_TEXT_SIZE], struct bytes message)
{
    size_t length = message.size < REVERT_TEXT_SIZE - 1 ? message.size : REVERT_TEXT_SIZE - 1;
    for (size_t i = 0; i < length; i++) {
        char c = (char)message.data[i];
        text[i] = c >= ' ' && c <= '~' ? c : '?';
    }
    text[length] = '\0';
}

static enum revert_cause cause_of_message(struct bytes message)
{
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
        if (bytes_equal(message, bytes_of_text(messages[i].signature)))
            return messages[i].cause;
    }
    return REVERT_MESSAGE;
}

static void decode_arguments(struct revert *revert, const struct error_row *row, struct bytes data)
{
    struct bytes arguments = {data.data + 4, data.size - 4};
    struct bytes message;
    struct u256 code;
    char quantity[67];
    revert->cause = row->cause;
    if (row->cause == REVERT_MESSAGE) {
        if (abi_read_dynamic(&message, arguments, 0)) {
            revert->cause = cause_of_message(message);
            format_message(revert->text, message);
            return;
        }
    } else if (row->cause == REVERT_PANIC && abi_read_u256(&code, arguments, 0)) {
        // Solidity's documentation lists the codes in hex.
        u256_format_quantity(quantity, code);
        snprintf(revert->text, REVERT_TEXT_SIZE, "Panic(%s)", quantity);
        return;
    } else if (format_error(revert->text, row->signature, arguments)) {
        return;
    }
    format_raw(revert->text, data); // the selector is known, the arguments make no sense
}

struct revert revert_decode(struct bytes data)
{
    struct revert revert = {.cause = REVERT_UNKNOWN};
    if (data.size == 0) {
        revert.cause = REVERT_EMPTY;
        append(revert.text, "no revert data");
        return revert;
    }
    const struct error_row *row = NULL;
    if (data.size >= sizeof revert.selector) {
        memcpy(revert.selector, data.data, sizeof revert.selector);
        row = find_row(revert.selector);
    }
    if (row)
        decode_arguments(&revert, row, data);
    else
        format_raw(revert.text, data);
    return revert;
}
