/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: one table of options, of which each command takes some. */
#pragma once

#include "cli.h"

/* argv → options. -1 with code "usage". *command_r is NULL when --help or --version was all. */
int options_parse(int argc, char **argv, struct cli_options *options,
                  const struct cli_command **command_r, struct error *error) WARN_UNUSED;
void options_deinit(struct cli_options *options);

void options_print_help(const struct cli_command *command); /* NULL: of all */

/* The tables, for completions and the manual. */
struct option_fact {
    const char *name, *value; /* value: NULL for flags; else what --help calls it */
    const char *text;
    bool is_list;
};
/* The index-th option that the command takes (NULL: that there is). false: there are no more. */
bool options_at(const struct cli_command *command, size_t index, struct option_fact *fact_r);

struct exit_fact {
    int status;
    const char *text;
};
extern const struct exit_fact exit_facts[];
extern const size_t exit_facts_count;
