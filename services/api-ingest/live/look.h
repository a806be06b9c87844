/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at Postgres: what has become of the runs that are watched. Of the live thread alone. */
#pragma once

#include "base/backoff.h"
#include "live/watch.h"
#include "store/store.h"

struct ingest;

struct look {
    struct ingest *ingest;
    struct watch **watches;
    struct store *store; /* NULL: not connected */
    struct backoff reconnect;
};

/* Borrows both. */
void look_init(struct look *look, struct ingest *ingest, struct watch **watches);
void look_deinit(struct look *look);

/* At the runs that want it, all by one statement (two when somebody listens): their texts are renewed, and
 * listeners are told. Where Postgres cannot be asked they go on wanting it. Returns how many are left that could
 * be read at once. */
int look_at(struct look *look);
/* Until it may be tried again after a failure; 0: at once. */
int64_t look_wait_ms(const struct look *look);
