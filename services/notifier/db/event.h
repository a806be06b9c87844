/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of the event log: notify.generation, notify.event, and the deliveries that an event begins. */
#pragma once

#include <stdint.h>

#include "message/event.h"
#include "store/store.h"

/* The partition's generation; 1 is written when it was never seen. */
int event_db_load_generation(struct store *store, int32_t partition, int64_t *generation_r,
                             struct error *error) WARN_UNUSED;
int event_db_raise_generation(struct store *store, int32_t partition,
                              struct error *error) WARN_UNUSED;

/* Events of one batch, to be added by one statement. */
struct event_batch;
struct event_batch *event_batch_new(void);
void event_batch_free(struct event_batch **batch);
void event_batch_add(struct event_batch *batch, const struct event *event, int64_t offset);
int event_batch_count(const struct event_batch *batch);

/* Records what is new, and makes a delivery for each enabled endpoint whose patterns cover it. An event
 * that is in the log already (emitted again after a resync) begins nothing. */
int event_db_add(struct store *store, struct event_batch *batch, int64_t generation,
                 int64_t first_wait_ms, struct error *error) WARN_UNUSED;
