/* SPDX-License-Identifier: Apache-2.0 */
/* Who runs what: the next task, and the worker for it. Pure. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/labels.h"
#include "model/wait.h"

struct match_worker {
    const json_t *labels;
    int free;       /* slots that it announced, less what was sent since */
    bool available; /* heard since the take-over, not draining, not suspect */
};

/* Best fit: of those that can run it and have a free slot the one with the fewest labels (the least to
 * spare), then the one with the most free slots. -1: none, and *why_r says which class of waiting. */
int match_worker(const struct requirements *requirements, const struct match_worker *workers,
                 int count, enum wait_class *why_r);

/* The first requirement that no available worker meets; NULL when one meets all. */
const char *match_unmet(const struct requirements *requirements, const struct match_worker *workers,
                        int count);

struct match_candidate {
    int priority;
    int project_running; /* slots that its project holds: fewer goes first */
    int64_t expected_ms; /* longest first */
    int64_t order;       /* then the older one */
};

/* Whether a goes before b. */
bool match_before(const struct match_candidate *a, const struct match_candidate *b);
