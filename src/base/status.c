// SPDX-License-Identifier: Apache-2.0
// The texts and the transience of outcomes, from the one table.
#include "base/status.h"

struct status_row {
    const char *text;
    bool transient;
};

static const struct status_row rows[] = {
#define STATUS_ROW(name, text, transient) [name] = {text, transient},
    STATUS_TABLE(STATUS_ROW)
#undef STATUS_ROW
};

const char *status_text(enum status status)
{
    return rows[status].text;
}

bool status_is_transient(enum status status)
{
    return rows[status].transient;
}
