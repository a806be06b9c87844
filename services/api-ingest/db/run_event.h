/* SPDX-License-Identifier: Apache-2.0 */
/* scheduling.run_event: what was told of a run, in the order of its version, written in the transaction that
 * made it so. A run's own stream is read from here: it goes on whether Kafka and the notifier do or not. */
#pragma once

#include "store/store.h"

struct run_position {
    struct uuid run_id;
    int64_t after_version;
};

/* Columns: run id, version, type, and the event as webhooks say it (JSON text). By run and version, at most
 * RUN_EVENTS_MAX. */
#define RUN_EVENTS_MAX 2000
int run_event_db_list(struct store *store, const struct run_position *positions, int count,
                      struct rows **rows_r, struct error *error) WARN_UNUSED;
int run_event_db_last(struct store *store, const struct uuid *run_id, int64_t *version_r,
                      struct error *error) WARN_UNUSED;
