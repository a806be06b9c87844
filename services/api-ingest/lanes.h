/* SPDX-License-Identifier: Apache-2.0 */
/* Each pool has a topic of lanes, one lane per worker: made when the pool is made, looked for when a
 * worker enrols (and then trusted for a minute). */
#pragma once

#include "http/request.h"
#include "store/store.h"

struct lanes;

struct lanes *lanes_new(void);
void lanes_free(struct lanes **lanes);

/* Makes the topic when it is not there. "unavailable" while Kafka does not answer; one request at a time
 * waits for Kafka, so that a fleet which enrols does not take all workers. */
int lanes_ensure(struct request *request, struct store *store, const struct uuid *pool_id,
                 struct error *error) WARN_UNUSED;
