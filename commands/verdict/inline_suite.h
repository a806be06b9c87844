/* SPDX-License-Identifier: Apache-2.0 */
/* `verdict run -- pytest tests/`: a suite made from a command line alone. */
#pragma once

#include "cli.h"

/* "My Shop" → "my-shop"; something valid whatever it is given. Caller frees. */
char *slug_from(const char *text);

/* How the command is understood: "pytest", "ctest" or "command". *skip_r words of it are the program. */
const char *inline_framework(char *const *words, int count, int *skip_r);

/* A suite as POST /v1/runs takes it inline. New reference. */
int inline_suite(const struct cli_options *options, json_t **suite_r,
                 struct error *error) WARN_UNUSED;

/* The project of a command without one: the directory's name. Caller frees. */
char *inline_project(const struct cli_options *options);
