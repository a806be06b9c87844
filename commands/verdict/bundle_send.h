/* SPDX-License-Identifier: Apache-2.0 */
/* --bundle DIR: the files of a directory go along with the run. */
#pragma once

#include "cli.h"

/* Packs them, sends the bundle unless the project (NULL: the token's own) has it already, and makes it the suite's
 * source. What the suite said of its source counts as far as it is a directory inside. */
int bundle_send(struct cli *cli, const char *project, json_t *suite,
                struct error *error) WARN_UNUSED;

/* The same source without its bundle: only where in it the tests lie. New reference. */
int bundle_source(const struct cli_options *options, const json_t *source, json_t **source_r,
                  struct error *error) WARN_UNUSED;
