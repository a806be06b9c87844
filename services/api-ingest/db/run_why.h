/* SPDX-License-Identifier: Apache-2.0 */
/* What is known around a run that is not further: its scheduler, the pool's workers, who else wants them. */
#pragma once

#include <stdbool.h>

#include "store/store.h"

struct why_owner {
    bool is_known; /* some scheduler has owned the partition */
    bool is_alive; /* and has said so within WHY_OWNER_ALIVE_S */
    json_t *json;  /* {instance, taken_at, alive_at}; owned, NULL when not known */
};
#define WHY_OWNER_ALIVE_S 30
int why_db_owner(struct store *store, int partition, struct why_owner *owner_r,
                 struct error *error) WARN_UNUSED;

/* Columns: state, labels (JSON), slots, open dispatches. At most WHY_WORKERS_MAX. */
#define WHY_WORKERS_MAX 5000
int why_db_workers(struct store *store, const struct uuid *pool_id, struct rows **rows_r,
                   struct error *error) WARN_UNUSED;

/* Open runs of the same pool, as counts: of the same project and of others, in front of it and behind. */
struct why_queue {
    int64_t ahead_same_project, ahead_other_projects, open_other_projects;
};
int why_db_queue(struct store *store, const struct uuid *run_id, const struct uuid *pool_id,
                 struct why_queue *queue_r, struct error *error) WARN_UNUSED;

/* [{kind, by, at}]: wishes that it end. */
int why_db_requests(struct store *store, const struct uuid *run_id, json_t **requests_r,
                    struct error *error) WARN_UNUSED;
