/* SPDX-License-Identifier: Apache-2.0 */
/* Slots wanted, by the class of their requirements, as a gauge. Users make classes up, so there is a place for
 * so many only: one that nobody has wanted for a while gives its place up, and what has none is counted
 * as "other". The sum over all classes is always what is wanted. */
#pragma once

#include <stdint.h>

#include "metrics/metrics.h"

#define DEMAND_CLASSES 50
#define DEMAND_IDLE_MS 300000 /* so long a 0 is shown before the place may be given up */

struct demand;

struct demand *demand_new(struct metric *metric); /* borrowed: a gauge with the label "class" */
void demand_free(struct demand **demand);

/* A count is begin, add for each, show. now_ms: monotonic. */
void demand_begin(struct demand *demand, int64_t now_ms);
void demand_add(struct demand *demand, const char *class, int wanted); /* class "": "any" */
void demand_show(struct demand *demand);
