/* SPDX-License-Identifier: Apache-2.0 */
/* Matching. */
#include "match.h"

#include <stddef.h>

static bool fits_better(const struct match_worker *a, const struct match_worker *b)
{
    size_t labels_a = json_object_size(a->labels), labels_b = json_object_size(b->labels);
    return labels_a != labels_b ? labels_a < labels_b : a->free > b->free;
}

int match_worker(const struct requirements *requirements, const struct match_worker *workers,
                 int count, enum wait_class *why_r)
{
    int best = -1;
    enum wait_class why = WAIT_NO_WORKER;
    for (int i = 0; i < count; i++) {
        if (!workers[i].available)
            continue;
        if (!requirements_hold(requirements, workers[i].labels)) {
            why = why == WAIT_NO_WORKER ? WAIT_NO_CAPABLE : why;
            continue;
        }
        why = WAIT_BUSY;
        if (workers[i].free > 0 && (best < 0 || fits_better(&workers[i], &workers[best])))
            best = i;
    }
    if (best < 0)
        *why_r = why;
    return best;
}

const char *match_unmet(const struct requirements *requirements, const struct match_worker *workers,
                        int count)
{
    const char *first = NULL;
    for (int i = 0; i < count; i++) {
        if (!workers[i].available)
            continue;
        const char *unmet = requirements_unmet(requirements, workers[i].labels);
        if (unmet == NULL)
            return NULL;
        first = first == NULL ? unmet : first;
    }
    return first;
}

bool match_before(const struct match_candidate *a, const struct match_candidate *b)
{
    if (a->priority != b->priority)
        return a->priority > b->priority;
    if (a->project_running != b->project_running)
        return a->project_running < b->project_running;
    if (a->expected_ms != b->expected_ms)
        return a->expected_ms > b->expected_ms;
    return a->order < b->order;
}
