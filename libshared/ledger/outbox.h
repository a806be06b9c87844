/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that must reach another service: a row in the transaction that decided, handed to the producer
 * after COMMIT, deleted on its delivery report. A sweeper sends what a crash left. Messages are hints;
 * rows decide; late, doubled and reordered ones are harmless. */
#pragma once

#include <stdbool.h>

#include "bus/producer.h"
#include "store/store.h"

struct outbox;

/* The producer's on_delivery must be outbox_on_delivery with this outbox as its context for tags that the
 * outbox gave (outbox_owns_tag). */
int outbox_open(const char *schema, const struct bus_settings *bus, struct outbox **outbox_r,
                struct error *error) WARN_UNUSED;
void outbox_close(struct outbox **outbox, int64_t flush_ms);
struct producer *outbox_producer(struct outbox *outbox);

struct outbox_message {
    const char *topic;
    int32_t partition;
    const char *key;
    const char *payload; /* text */
    const char *traceparent;
};

/* Queues a row for the open transaction of `store` (it goes out with the next pipeline or at once), and
 * the message for after COMMIT. Thread: the outbox' own. */
int outbox_add(struct outbox *outbox, struct store *store, const struct outbox_message *message,
               struct error *error) WARN_UNUSED;
/* The transaction was committed, or not: what was added since the last call is produced, or forgotten. */
void outbox_committed(struct outbox *outbox);
void outbox_rolled_back(struct outbox *outbox);

/* Rows to insert by the caller's own statement (api-ingest's group commit): gives the id that the row must
 * have and produces after outbox_committed. */
void outbox_announce(struct outbox *outbox, const struct uuid *row_id,
                     const struct outbox_message *message);

/* Delivery reports, deletes in batches, sweeps when due. `store` is outside a transaction. Returns ms until
 * it wants to be called again. */
int64_t outbox_work(struct outbox *outbox, struct store *store);
int outbox_fd(const struct outbox *outbox);
