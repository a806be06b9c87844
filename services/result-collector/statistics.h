/* SPDX-License-Identifier: Apache-2.0 */
/* Counts closed runs into the statistics of their cases, in transactions of its own: results come first,
 * a row of statistics per result would halve their rate. Each run is counted once, a large one a part at a
 * time. */
#pragma once

#include <stdint.h>

#include "store/store.h"

struct statistics;

struct statistics *statistics_new(const struct store_settings *store);
void statistics_free(struct statistics **statistics);

/* Does what is due, a little at a time; is_busy: results wait, so this can wait too, for a while. Returns ms
 * until it wants to be called again. */
int64_t statistics_work(struct statistics *statistics, bool is_busy);
