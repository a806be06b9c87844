/* SPDX-License-Identifier: Apache-2.0 */
/* Which run a number names, remembered for NUMBERS_MS: many wait for one run by its number. Not for longer,
 * since a database of yesterday that is put back gives the numbers of today to other runs. Any thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/uuid.h"

#define NUMBERS_MS  10000
#define NUMBERS_MAX 10000 /* then all are forgotten */

struct numbers;
struct numbers *numbers_new(void);
void numbers_free(struct numbers **numbers);

/* A number is one installation's, so whose run it is must be asked by the caller. */
struct numbered_run {
    int64_t number;
    struct uuid run_id, project_id;
};
void numbers_add(struct numbers *numbers, const struct numbered_run *run, int64_t now_ms);
/* False: not remembered. */
bool numbers_find(struct numbers *numbers, int64_t number, int64_t now_ms,
                  struct numbered_run *run_r);
