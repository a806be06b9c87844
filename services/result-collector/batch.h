/* SPDX-License-Identifier: Apache-2.0 */
/* One batch of messages, taken apart: the streams that they continue, the tasks and runs that these
 * belong to, and the items that are new. Everything is written from here set by set. Memory of one
 * transaction; owns all that it points to. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uthash.h>

#include "base/uuid.h"
#include "item.h"
#include "stream.h"
#include "totals.h"

/* A run as it stands in the ledger, locked, and what the batch changes. */
struct batch_run {
    struct uuid id;
    bool is_known;
    struct uuid project_id;
    bool is_closed;
    bool is_removed;  /* by somebody, wholly: nothing that comes of it is kept */
    bool is_declared; /* its cases were declared: others that it reports were not planned */
    bool has_retries; /* some case has more than one try */
    bool is_touched;
    struct totals delta;
    int64_t found;     /* what the framework says it has found; -1: it has not */
    int64_t unplanned; /* new cases that were not declared */
    char *traceparent; /* owned; NULL: none */
    UT_hash_handle hh;
};

struct batch_task {
    struct uuid id;
    bool is_known;
    struct uuid run_id;
    struct uuid pool_id;
    int64_t attempt;
    struct uuid dispatch_id; /* the current one */
    char *variant;
    int partition; /* of the scheduling topic */
    UT_hash_handle hh;
};

/* Where a dispatch's results belong. */
enum batch_place {
    PLACE_COUNTED,
    PLACE_LATE,  /* the run's verdict was told, or the run is older than what is kept, or removed */
    PLACE_STALE, /* not the task's current attempt */
};

/* What a message says of its dispatch; whether that is so, the scheduler's record tells. */
struct batch_claim {
    struct uuid dispatch_id, run_id, task_id, worker_id;
    int64_t attempt;
};

/* One claim: two messages that say different things of one dispatch are two of these, of which at most one
 * is not contradicted. */
struct batch_dispatch {
    struct batch_claim claim; /* no padding that is not zeroed: it is the key */
    struct uuid id;
    int ordinal; /* in order of arrival, from 1: how SQL refers to it */
    struct batch_run *run;
    struct batch_task *task;
    int64_t attempt;
    struct uuid worker_id;
    bool is_known;        /* the scheduler's record of it is there */
    bool is_contradicted; /* … and says something else */
    bool is_covered;      /* there is a partition for its run */
    bool is_removed;      /* neither its run nor its task is there: both were too old */
    enum batch_place place;
    struct stream stream;
    bool has_advanced;
    int64_t reported;      /* results among its new items */
    int64_t log_bytes;     /* kept, this batch's included */
    int64_t log_bytes_new; /* this batch's */
    bool log_truncated;
    const struct stream_finished *finished; /* when its end is in this batch */
    UT_hash_handle hh;
};

struct batch_item {
    struct batch_dispatch *dispatch;
    struct item item;
    bool is_inserted; /* results: the row was not there */
};

struct batch {
    struct batch_run *runs;
    struct batch_task *tasks;
    struct batch_dispatch *dispatches;
    struct batch_item *items; /* room for all; their addresses stay */
    size_t item_count;
    int64_t duplicates, gaps, rejected; /* for the metrics */
    int64_t began_us;                   /* monotonic */
};

struct batch *batch_new(size_t most_items);
void batch_free(struct batch **batch);

/* The dispatch that a message says it continues, made on first sight. */
struct batch_dispatch *batch_add_dispatch(struct batch *batch, const struct task_stream *message);

/* By an id that is in the batch. */
struct batch_run *batch_get_run(const struct batch *batch, const struct uuid *id);
struct batch_task *batch_get_task(const struct batch *batch, const struct uuid *id);

/* Takes what is new of a message's items. The facts about its dispatch must be there. */
void batch_take_items(struct batch *batch, struct batch_dispatch *dispatch, int64_t first_seq,
                      const struct stream_item *items, size_t count);
