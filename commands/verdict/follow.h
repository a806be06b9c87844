/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for a run's end, and showing how it goes: one line that is drawn again in a terminal, a line per
 * change elsewhere. All of it on stderr. */
#pragma once

#include "cli.h"

/* Returns the final run (a new reference), or NULL in *run_r when the wait is over or somebody interrupted:
 * then *exit_r says which. */
int follow_run(struct cli *cli, const char *run, json_t **run_r, int *exit_r,
               struct error *error) WARN_UNUSED;

/* "running, waits for a slot: 12 of 60, 1 failed": what is said of a run that goes on. Caller frees. */
char *progress_text(const json_t *run);
