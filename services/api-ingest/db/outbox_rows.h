/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of api.outbox, for the transaction that decides. */
#pragma once

#include "base/uuid.h"
#include "store/store.h"

struct outbox_rows; /* rows to be inserted by one statement */
struct outbox_rows *outbox_rows_new(void);
void outbox_rows_free(struct outbox_rows **rows);
void outbox_rows_add(struct outbox_rows *rows, const struct uuid *id, const char *topic,
                     int partition, const char *key, const char *payload, const char *traceparent);
/* Queued: goes out with the COMMIT. */
int outbox_rows_insert(struct outbox_rows *rows, struct store *store,
                       struct error *error) WARN_UNUSED;
