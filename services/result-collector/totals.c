/* SPDX-License-Identifier: Apache-2.0 */
#include "totals.h"

#include <assert.h>

static void change(struct totals *totals, int status, int64_t cases, int64_t duration_ms)
{
    assert(status >= 0 && status < RESULT_STATUS_COUNT);
    totals->by_status[status] += cases;
    totals->duration_ms += duration_ms;
}

void totals_add(struct totals *totals, int status, int64_t duration_ms)
{
    change(totals, status, 1, duration_ms);
}

void totals_decide(struct totals *totals, const struct totals_try *tries, size_t count)
{
    const struct totals_try *before = NULL, *now = &tries[count - 1];
    assert(count > 0);
    for (size_t i = 0; i < count; i++) {
        assert(i == 0 || tries[i - 1].number < tries[i].number);
        if (!tries[i].is_fresh)
            before = &tries[i];
    }
    if (before == now)
        return;
    if (before != NULL)
        change(totals, before->status, -1, -before->duration_ms);
    change(totals, now->status, 1, now->duration_ms);
}

int64_t totals_cases(const struct totals *totals)
{
    int64_t cases = 0;
    for (int status = 0; status < RESULT_STATUS_COUNT; status++)
        cases += totals->by_status[status];
    return cases;
}
