/* SPDX-License-Identifier: Apache-2.0 */
/* The exactly-once stage, used by scheduler, result-collector and notifier: consume a batch, begin a
 * transaction with the fence, let the handler write, commit, only then go on. docs/architecture.md §4.
 *
 * The one fence: inbox_offset(group, topic, partition) holds next_offset and epoch. Every transaction of
 * an owner, for a batch or for a timer, begins with the compare-and-set of that row. 0 rows: fenced. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bus/bus.h"
#include "bus/consumer.h"
#include "bus/producer.h"
#include "store/store.h"

enum verdict_of_handler {
    HANDLED,
    RETRY,    /* infrastructure: keep the batch, back off, not ready meanwhile */
    REJECTED, /* the message is bad: dead letter in the same transaction, go on */
};

/* What a handler says of one record: HANDLED at entry; why is for REJECTED, and names field and bound. */
struct judgement {
    enum verdict_of_handler verdict;
    struct error why;
};

struct ledger;
struct ledger_partition;

struct ledger_handlers {
    /* The partition is ours at a raised epoch that is committed: load its state from Postgres (the
     * store is inside a REPEATABLE READ transaction). -1: try again later. */
    int (*load)(void *context, struct ledger_partition *partition, struct store *store,
                struct error *error);
    /* Not ours any more, or memory cannot be trusted: forget its state (NULL or half-made when load
     * failed). load may follow. */
    void (*drop)(void *context, struct ledger_partition *partition);
    /* Writes what the batch means into the open transaction and judges each record. Returns HANDLED, or
     * RETRY with *error when anything failed for a reason that is not the messages'; a data error
     * (store_error_is_data) makes the ledger run the batch again one record at a time. Memory may be
     * changed as it goes: when the transaction fails, drop and load follow. */
    enum verdict_of_handler (*handle)(void *context, struct ledger_partition *partition,
                                      struct store *store, const struct record *const *records,
                                      struct judgement *judgements, int count, struct error *error);
    /* The transaction is committed: send what is not in the outbox, answer, count. */
    void (*committed)(void *context, struct ledger_partition *partition);
    /* The log is not the log that it was (alarm was logged, epoch raised, reading from its start): write
     * what makes others send again, into the open transaction. */
    int (*resync)(void *context, struct ledger_partition *partition, struct store *store,
                  struct error *error);
    /* A transaction of the partition was refused as data (store_error_is_data); error->about says what the
     * statement concerned, where the store was told. True: that thing is out of the way from now on, and the
     * same batch is tried again as it is. May be NULL. */
    bool (*set_aside)(void *context, struct ledger_partition *partition, const struct error *error);
    void *context;
};

struct ledger_settings {
    const char *schema; /* "scheduling": where inbox_offset, outbox and dead_letter stand */
    const char *group;
    const char *instance_id;
    const char *topic;              /* full name */
    const char *dead_letters_topic; /* full name */
    const char
        *partitions_key; /* row of api.installation that says how many partitions the topic has */
    int batch_records;   /* most records of one transaction */
    int64_t batch_bytes;
    int64_t log_check_ms; /* how often the log's identity is checked */
    struct store_settings store;
    struct bus_settings bus;
};

int ledger_open(const struct ledger_settings *settings, const struct ledger_handlers *handlers,
                struct ledger **ledger_r, struct error *error) WARN_UNUSED;
/* The first step of a stop: takes no more records, no timer begins a transaction; what is in the outbox goes
 * on being sent. */
void ledger_stop(struct ledger *ledger);
/* After it: everything is sent, or cannot be in time; then a later life's sweep sends it. */
bool ledger_is_flushed(const struct ledger *ledger);
/* Stops taking, closes consumer, flushes the outbox' producer within flush_ms. */
void ledger_close(struct ledger **ledger, int64_t flush_ms);

/* For the service's poll loop: readable when ledger_work has something to do. The same one for ever. */
int ledger_fd(const struct ledger *ledger);
/* Does what is due (records, delivery reports, sweeps, checks, retries); never blocks but on Postgres.
 * Returns ms until it wants to be called again without an event. */
int64_t ledger_work(struct ledger *ledger);
/* Progress and dependencies: false with the reason when not ready. */
bool ledger_is_ready(const struct ledger *ledger, char *reason, size_t size);

/* The partitions that we own and have loaded. */
int32_t ledger_partition_number(const struct ledger_partition *partition);
int64_t ledger_partition_epoch(const struct ledger_partition *partition);
void *ledger_partition_state(const struct ledger_partition *partition);
void ledger_partition_set_state(struct ledger_partition *partition, void *state);
/* Log end when it was taken over: what is below may be old news. */
int64_t ledger_partition_end_at_take_over(const struct ledger_partition *partition);
/* Records fetched but not yet committed, plus what the broker has beyond them. */
int64_t ledger_partition_lag(const struct ledger_partition *partition);
struct ledger_partition *ledger_next_partition(struct ledger *ledger,
                                               struct ledger_partition *after); /* NULL: first */

/* A transaction of a timer, under the same fence. begin: -1 with error code "fenced" or "unavailable" (the
 * ledger has dropped or will reload the partition; the caller stops). commit: on failure the partition is
 * dropped and loaded again. rollback: nothing was meant, memory must be unchanged. */
int ledger_begin(struct ledger_partition *partition, struct store **store_r,
                 struct error *error) WARN_UNUSED;
int ledger_commit(struct ledger_partition *partition, struct error *error) WARN_UNUSED;
void ledger_rollback(struct ledger_partition *partition);
/* Memory changed but the transaction could not be finished, for this reason: roll it back, drop and load
 * again. */
void ledger_abandon(struct ledger_partition *partition, const struct error *why);

/* The epoch must rise above `seen` (a worker has heard a higher one: an older database was put back).
 * Compare-and-set on our own; then drop and load. */
void ledger_raise_epoch(struct ledger_partition *partition, int64_t seen);

/* Partitions of any topic as stored in api.installation ("lanes", "events_partitions" …), cached by the
 * ledger when it connects; 0 while not known. Loaded before the first load handler is called. */
int ledger_installation(const struct ledger *ledger, const char *name);

struct outbox;
/* The outbox of the ledger's schema: add inside any open transaction of the ledger (or, in
 * api-ingest, of its own stores). */
struct outbox *ledger_outbox(struct ledger *ledger);
struct producer *ledger_producer(
    struct ledger *ledger); /* for messages that are not in the outbox; tag 0 */
