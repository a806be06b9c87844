/* SPDX-License-Identifier: Apache-2.0 */
/* What the API answers, as a file or a link. */
#pragma once

#include "cli.h"

/* What is there stays until all of the answer has come. */
int report_save(struct cli *cli, const char *path, const char *accept, const char *output,
                struct error *error) WARN_UNUSED;

/* A link by a POST there, good for --share, on stdout. Exit status, or -1. */
int share_print(struct cli *cli, const char *path, struct error *error);
