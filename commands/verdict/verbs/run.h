/* SPDX-License-Identifier: Apache-2.0 */
/* From a trigger to the verdict: what several commands do. */
#pragma once

#include "cli.h"

/* The new run and its page, for people. */
void run_print_url(struct cli *cli, const json_t *run);
/* Its verdict, within --timeout: the exit status. */
int run_wait_for_new(struct cli *cli, const json_t *run, struct error *error);
/* Nobody waits for it: its id. */
int run_print_new(struct cli *cli, const json_t *run);
