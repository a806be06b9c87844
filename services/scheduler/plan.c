/* SPDX-License-Identifier: Apache-2.0 */
/* Cutting a run into tasks. */
#include "plan.h"

#include <stdlib.h>

#include "base/memory.h"

static void add(struct plan *plan, size_t *capacity, size_t first, size_t count)
{
    plan->list = array_reserve(plan->list, capacity, plan->count, sizeof *plan->list);
    plan->list[plan->count++] = (struct plan_piece){.first = first, .count = count};
}

struct plan plan_cut(const size_t *bytes, size_t cases, size_t wanted)
{
    struct plan plan = {0};
    size_t capacity = 0, first = 0, size = 0;
    size_t pieces = wanted < 1 ? 1 : wanted > cases ? cases : wanted;
    for (size_t i = 0; i < cases; i++) {
        /* The k-th piece ends where k/pieces of all cases are: sizes differ by one at the most. */
        size_t fair_end = pieces == 0 ? cases : (plan.count + 1) * cases / pieces;
        if (i > first &&
            (size + bytes[i] > PLAN_PIECE_BYTES_MAX || (plan.count < pieces && i >= fair_end))) {
            add(&plan, &capacity, first, i - first);
            first = i;
            size = 0;
        }
        size += bytes[i];
    }
    if (cases > first)
        add(&plan, &capacity, first, cases - first);
    return plan;
}

void plan_deinit(struct plan *plan)
{
    free(plan->list);
    *plan = (struct plan){0};
}
