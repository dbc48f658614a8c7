// SPDX-License-Identifier: Apache-2.0
// Entry point.
#include "cli/command.h"

int main(int argc, char **argv)
{
    return (int)command_dispatch(argc, argv);
}
