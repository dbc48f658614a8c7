// SPDX-License-Identifier: Apache-2.0
// docs/api.md, printed from the tables of routes and problems.
#pragma once

#include <stdio.h>

void api_print_markdown(FILE *out);
