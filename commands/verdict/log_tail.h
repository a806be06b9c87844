/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of a run write, as it comes, on stdout. */
#pragma once

#include "cli.h"

/* Until the run is over, however often the stream breaks. task: NULL for all. Exit status, or -1. */
int log_tail(struct cli *cli, const char *run, const char *task, struct error *error);
