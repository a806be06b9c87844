/* SPDX-License-Identifier: Apache-2.0 */
/* What a final run tells people: its failures with their traces, and the verdict. On stderr. */
#pragma once

#include "cli.h"

/* Failures, then the verdict line. Asks the API for the failed cases. */
void verdict_print(struct cli *cli, const json_t *run);

/* "FAILED  run 12 …: 1 of 60 cases failed …, 4.2 s". Caller frees. */
char *verdict_line(const json_t *run);

/* The exit status of a final run, by the table of endings. */
int verdict_exit(const json_t *run);

/* The link to its report page, as the run has it: signed in the answer to a trigger only. Caller frees. */
char *verdict_url(struct cli *cli, const json_t *run);

/* One that opens in any browser for some days, where the token may make one. Caller frees. */
char *verdict_link(struct cli *cli, const json_t *run);
