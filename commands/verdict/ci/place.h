/* SPDX-License-Identifier: Apache-2.0 */
/* Where a case stands in the repository, as far as it can be told. */
#pragma once

#include "cli.h"

/* Its file relative to `root` (NULL: as it is known) where it is found there from here, else as the tests named
 * it; "" when they did not. Caller frees. */
char *place_of_case(const struct cli_options *options, const char *root, const json_t *result);

/* The line that its trace ends in, inside that file; 0 when none is named. */
int64_t place_line_of_case(const json_t *result);
