/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that must reach another service: a row in the transaction that decided, handed to the producer
 * after COMMIT, deleted on its delivery report. A sweeper sends what a crash left. Messages are hints;
 * rows decide; late, doubled and reordered ones are harmless. */
#pragma once

#include <stdbool.h>

#include "bus/producer.h"
#include "store/store.h"

struct outbox;

/* Opens its own producer; others may send with it too, with tag 0 (nobody is told what became of it), but
 * only on the thread that calls outbox_work. */
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

/* Queues a row for the open transaction of `store` (it goes out with its next pipeline or statement), and
 * the message for after COMMIT. Any thread; an outbox may serve several stores, each with a thread. */
int outbox_add(struct outbox *outbox, struct store *store, const struct outbox_message *message,
               struct error *error) WARN_UNUSED;

/* The transaction of `store` was committed, or not: what was added by it is produced at once, or forgotten.
 * After an unknown COMMIT call outbox_rolled_back: if the rows are there, the sweeper sends them. */
void outbox_committed(struct outbox *outbox, const struct store *store);
void outbox_rolled_back(struct outbox *outbox, const struct store *store);

/* For rows that the caller inserts by a statement of its own (api-ingest's group commit), with this id. */
void outbox_announce(struct outbox *outbox, const struct store *store, const struct uuid *row_id,
                     const struct outbox_message *message);

/* At a take-over: sends what the former owner may have left, whatever its age. */
void outbox_sweep_now(struct outbox *outbox);

/* Delivery reports, deletes in batches, sweeps when due. One thread; `store` is outside a transaction (NULL:
 * Postgres is not there just now; connecting again is the caller's, then it calls at once). Returns ms until
 * it wants to be called again, never 0 where only the database or Kafka could help. */
int64_t outbox_work(struct outbox *outbox, struct store *store);
int outbox_fd(const struct outbox *outbox); /* readable when delivery reports wait */
/* Nothing waits, is on its way, or is sent and still has its row. */
bool outbox_is_idle(struct outbox *outbox);
bool outbox_is_healthy(const struct outbox *outbox, char *reason, size_t size);
