/* SPDX-License-Identifier: Apache-2.0 */
/* What a badge says: how a suite's last run that is over ended. */
#pragma once

#include "store/store.h"

struct badge_facts {
    char *state; /* NULL: no run is over */
    int64_t passed, failed, total;
};

/* branch NULL: any. Reruns of a part count not: they know nothing of the rest. */
int badge_db_last(struct store *store, const struct uuid *project_id, const char *suite,
                  const char *branch, struct badge_facts *facts_r, struct error *error) WARN_UNUSED;
