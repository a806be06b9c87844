/* SPDX-License-Identifier: Apache-2.0 */
/* Equal names within one suite's report: the first has ordinal 0, the next ones 1, 2 … */
#pragma once

#include <stdint.h>

struct ordinals;

struct ordinals *ordinals_new(void);
void ordinals_free(struct ordinals **ordinals);
/* How many equal keys have been seen before. */
int64_t ordinals_next(struct ordinals *ordinals, const char *key);
