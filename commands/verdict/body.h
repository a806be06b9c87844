/* SPDX-License-Identifier: Apache-2.0 */
/* The body of POST /v1/runs from options, CI and verdict.yaml. */
#pragma once

#include "ci.h"
#include "cli.h"

/* The project is the one that was typed or is in the environment, else verdict.yaml's, else the
 * configuration's, else the token's own, else it has the name of COMMAND's directory. verdict.yaml's and the
 * directory's are made when they are not there. New reference. */
int body_make(struct cli *cli, json_t **body_r, struct error *error) WARN_UNUSED;

/* The same for a run whose results are uploaded: its suite is the template's, or one of verdict.yaml's, or has the
 * name that --suite says (default: the folder's): then it is the project's of that name, or has no more than that.
 * *otherwise_r: the suite to trigger with when the server knows none of the name (a new reference); NULL: the
 * body says all. */
int body_make_uploaded(struct cli *cli, json_t **body_r, json_t **otherwise_r,
                       struct error *error) WARN_UNUSED;

/* The part that asks nobody: what options and CI say. `suite` is NULL, a text or a specification. */
int body_encode(const struct cli_options *options, const struct ci *ci, const char *project,
                json_t *suite, json_t **body_r, struct error *error) WARN_UNUSED;
