/* SPDX-License-Identifier: Apache-2.0 */
/* The body of POST /v1/runs from options, CI and verdict.yaml. */
#pragma once

#include "ci.h"
#include "cli.h"

/* Without a project among the options: verdict.yaml's, else the name of COMMAND's directory; such a project
 * is made when it is not there. New reference. */
int body_make(struct cli *cli, json_t **body_r, struct error *error) WARN_UNUSED;

/* The part that asks nobody: what options and CI say. `suite` is NULL, a text or a specification. */
int body_encode(const struct cli_options *options, const struct ci *ci, const char *project,
                json_t *suite, json_t **body_r, struct error *error) WARN_UNUSED;
