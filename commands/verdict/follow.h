/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for a run's end, and showing how it goes: one line that is drawn again in a terminal, a line per
 * change elsewhere. All of it on stderr. */
#pragma once

#include "cli.h"

/* Waits until the run is final, cli->deadline_ms is over or somebody interrupted; *exit_r is 0,
 * EXIT_WAIT_OVER or EXIT_INTERRUPTED. *run_r is the run as last seen, a new reference, or NULL. */
int follow_run(struct cli *cli, const char *run, json_t **run_r, int *exit_r,
               struct error *error) WARN_UNUSED;

/* "running, waits for a slot: 12 of 60, 1 failed": what is said of a run that goes on. Caller frees. */
char *progress_text(const json_t *run);
