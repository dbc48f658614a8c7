// SPDX-License-Identifier: Apache-2.0
// The command `sluice rpc classify`: what Sluice makes of a node's error, as an operator's help.
#include "cli/rpc.h"

#include "base/hex.h"
#include "chain/rpc_error.h"
#include "cli/console.h"
#include "cli/number.h"

#include <stdlib.h>

#define DATA_BYTES_MAX (64 * 1024)

static bool read_code(int64_t *ret_code, const char *text)
{
    bool negative = text[0] == '-';
    int64_t number;
    if (!number_parse(&number, text + negative, 0, INT64_MAX))
        return false;
    *ret_code = negative ? -number : number;
    return true;
}

static enum exit_code print_class(const struct arguments *arguments, int64_t code,
                                  struct bytes data)
{
    enum rpc_class class = rpc_classify(code, arguments->words[0], data);
    if (argument_json(arguments))
        print_json(
            json_pack("{s:s,s:s}", "class", rpc_class_text(class), "help", rpc_class_help(class)));
    else
        printf("%s\n%s\n", rpc_class_text(class), rpc_class_help(class));
    return EXIT_FINE;
}

enum exit_code rpc_classify_run(const struct arguments *arguments)
{
    const char *code_text = argument(arguments, "code"), *hex = argument(arguments, "data");
    int64_t code = 0;
    if (code_text && !read_code(&code, code_text))
        return console_fail(EXIT_USAGE, "--code takes a whole number such as -32000");
    uint8_t *data = malloc(DATA_BYTES_MAX);
    size_t size = 0;
    if (!data)
        return console_fail(EXIT_SOFTWARE, "out of memory");
    enum exit_code ended =
        hex && !hex_decode_any(data, &size, DATA_BYTES_MAX, hex)
            ? console_fail(EXIT_USAGE,
                           "--data takes an even number of hex digits, with or without 0x, of at "
                           "most %d bytes",
                           DATA_BYTES_MAX)
            : print_class(arguments, code, (struct bytes){data, size});
    free(data);
    return ended;
}
