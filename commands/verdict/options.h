/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: one table of options, of which each command takes some. */
#pragma once

#include "cli.h"

/* argv → options. -1 with code "usage". *command_r is NULL when --help or --version was all. */
int options_parse(int argc, char **argv, struct cli_options *options,
                  const struct cli_command **command_r, struct error *error) WARN_UNUSED;
void options_deinit(struct cli_options *options);

void options_print_help(const struct cli_command *command); /* NULL: of all */
