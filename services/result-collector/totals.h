/* SPDX-License-Identifier: Apache-2.0 */
/* What a batch changes in the totals of one run. Totals count each case once, by its deciding try, which
 * is the highest: a case's first try adds, a higher one moves it. Only rows that an INSERT returned count. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/states.h"

struct totals {
    int64_t by_status[RESULT_STATUS_COUNT];
    int64_t duration_ms;
};

/* One try of a case, as it stands in the ledger. */
struct totals_try {
    int64_t number;
    int status; /* enum result_status */
    int64_t duration_ms;
    bool is_fresh; /* inserted by this transaction */
};

/* A case of which nothing was there before. */
void totals_add(struct totals *totals, int status, int64_t duration_ms);

/* All tries of one case, by rising number; at least one. */
void totals_decide(struct totals *totals, const struct totals_try *tries, size_t count);

int64_t totals_cases(const struct totals *totals);
