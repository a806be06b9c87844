/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for a run's end, and showing how it goes (progress.h). Its live stream tells of each change at once;
 * where that cannot be had, long-polls do. */
#pragma once

#include "cli.h"

/* Waits until the run is final, cli->deadline_ms is over or somebody interrupted; *exit_r is 0,
 * EXIT_WAIT_OVER or EXIT_INTERRUPTED. *run_r is the run as last seen, a new reference, or NULL. */
int follow_run(struct cli *cli, const char *run, json_t **run_r, int *exit_r,
               struct error *error) WARN_UNUSED;
