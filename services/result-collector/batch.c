/* SPDX-License-Identifier: Apache-2.0 */
#include "batch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "log/log.h"
#include "model/limits.h"

/* The worker cuts its output and says so; a little more than that is let through. */
#define LOG_BYTES_MAX (LIMIT_LOG_BYTES_PER_TASK + 2 * LIMIT_LOG_CHUNK_BYTES)

struct batch *batch_new(size_t most_items)
{
    struct batch *batch = xcalloc(1, sizeof *batch);
    batch->began_us = monotonic_us();
    batch->items = xcalloc(most_items > 0 ? most_items : 1, sizeof *batch->items);
    return batch;
}

static void free_runs(struct batch *batch)
{
    struct batch_run *run, *next;
    HASH_ITER (hh, batch->runs, run, next) {
        HASH_DEL(batch->runs, run);
        free(run->traceparent);
        free(run);
    }
}

static void free_tasks(struct batch *batch)
{
    struct batch_task *task, *next;
    HASH_ITER (hh, batch->tasks, task, next) {
        HASH_DEL(batch->tasks, task);
        free(task->variant);
        free(task);
    }
}

static void free_dispatches(struct batch *batch)
{
    struct batch_dispatch *dispatch, *next;
    HASH_ITER (hh, batch->dispatches, dispatch, next) {
        HASH_DEL(batch->dispatches, dispatch);
        free(dispatch);
    }
}

void batch_free(struct batch **batch)
{
    struct batch *b = *batch;
    if (b == NULL)
        return;
    for (size_t i = 0; i < b->item_count; i++)
        item_free(&b->items[i].item);
    free(b->items);
    free_dispatches(b);
    free_tasks(b);
    free_runs(b);
    memory_free(batch);
}

static struct batch_run *find_or_add_run(struct batch *batch, const struct uuid *id)
{
    struct batch_run *run;
    HASH_FIND(hh, batch->runs, id, sizeof *id, run);
    if (run == NULL) {
        run = xcalloc(1, sizeof *run);
        run->id = *id;
        run->found = -1;
        HASH_ADD(hh, batch->runs, id, sizeof run->id, run);
    }
    return run;
}

static struct batch_task *find_or_add_task(struct batch *batch, const struct uuid *id)
{
    struct batch_task *task;
    HASH_FIND(hh, batch->tasks, id, sizeof *id, task);
    if (task == NULL) {
        task = xcalloc(1, sizeof *task);
        task->id = *id;
        HASH_ADD(hh, batch->tasks, id, sizeof task->id, task);
    }
    return task;
}

struct batch_run *batch_get_run(const struct batch *batch, const struct uuid *id)
{
    struct batch_run *run;
    HASH_FIND(hh, batch->runs, id, sizeof *id, run);
    assert(run != NULL);
    return run;
}

struct batch_task *batch_get_task(const struct batch *batch, const struct uuid *id)
{
    struct batch_task *task;
    HASH_FIND(hh, batch->tasks, id, sizeof *id, task);
    assert(task != NULL);
    return task;
}

static struct batch_claim claim_of(const struct task_stream *message)
{
    struct batch_claim claim;
    memset(&claim, 0, sizeof claim);
    claim.dispatch_id = message->dispatch_id;
    claim.run_id = message->run_id;
    claim.task_id = message->task_id;
    claim.worker_id = message->worker_id;
    claim.attempt = message->attempt;
    return claim;
}

struct batch_dispatch *batch_add_dispatch(struct batch *batch, const struct task_stream *message)
{
    struct batch_dispatch *dispatch;
    struct batch_claim claim = claim_of(message);
    HASH_FIND(hh, batch->dispatches, &claim, sizeof claim, dispatch);
    if (dispatch != NULL)
        return dispatch;
    dispatch = xcalloc(1, sizeof *dispatch);
    memcpy(&dispatch->claim, &claim, sizeof claim);
    dispatch->id = message->dispatch_id;
    dispatch->ordinal = (int)HASH_COUNT(batch->dispatches) + 1;
    dispatch->run = find_or_add_run(batch, &message->run_id);
    dispatch->task = find_or_add_task(batch, &message->task_id);
    dispatch->attempt = message->attempt;
    dispatch->worker_id = message->worker_id;
    HASH_ADD(hh, batch->dispatches, claim, sizeof dispatch->claim, dispatch);
    return dispatch;
}

/* ---- taking items ----------------------------------------------------------------------------- */

static enum item_fate take_result(struct batch_item *item)
{
    item->dispatch->reported++;
    return ITEM_IS_GOOD;
}

static enum item_fate take_log(struct batch_item *item)
{
    struct batch_dispatch *dispatch = item->dispatch;
    int64_t bytes = (int64_t)strlen(item->item.log.text);
    if (!dispatch->is_known || !dispatch->is_covered)
        return ITEM_IS_DROPPED;
    if (dispatch->log_bytes + bytes > LOG_BYTES_MAX) {
        dispatch->log_truncated = true;
        return ITEM_IS_DROPPED;
    }
    dispatch->log_bytes += bytes;
    dispatch->log_bytes_new += bytes;
    return ITEM_IS_GOOD;
}

static enum item_fate take_planned(struct batch_item *item)
{
    struct batch_run *run = item->dispatch->run;
    if (item->dispatch->place == PLACE_COUNTED && run->found < 0) {
        run->found = item->item.planned.count;
        run->is_touched = true;
    }
    return ITEM_IS_GOOD;
}

static enum item_fate take_finished(struct batch_item *item)
{
    struct batch_dispatch *dispatch = item->dispatch;
    dispatch->finished = &item->item.finished;
    dispatch->log_truncated = dispatch->log_truncated || dispatch->finished->log_truncated;
    return ITEM_IS_GOOD;
}

static void log_refused(const struct batch_dispatch *dispatch, int64_t seq, const struct error *why)
{
    log_warning("item refused", LOG_TEXT("run_id", dispatch->run->id.text),
                LOG_TEXT("dispatch_id", dispatch->id.text),
                LOG_TEXT("worker_id", dispatch->worker_id.text), LOG_INT("seq", seq),
                LOG_TEXT("field", why->field), LOG_TEXT("reason", why->text));
}

static void take_item(struct batch *batch, struct batch_dispatch *dispatch,
                      const struct stream_item *raw)
{
    static enum item_fate (*const takes[])(struct batch_item *) = {[ITEM_RESULT] = take_result,
                                                                   [ITEM_LOG] = take_log,
                                                                   [ITEM_PLANNED] = take_planned,
                                                                   [ITEM_FINISHED] = take_finished};
    struct error why = {0};
    struct batch_item *item = &batch->items[batch->item_count];
    int64_t seq = dispatch->stream.received + 1;

    item->dispatch = dispatch;
    enum item_fate fate = item_read(raw, dispatch->id.text, seq, &item->item, &why);
    if (fate != ITEM_IS_GOOD) {
        batch->rejected++;
        log_refused(dispatch, seq, &why);
    }
    if (fate != ITEM_IS_DROPPED)
        fate = takes[raw->kind](item);
    if (fate == ITEM_IS_DROPPED)
        item_free(&item->item);
    else
        batch->item_count++;
    stream_advance(&dispatch->stream, raw->kind == ITEM_FINISHED);
}

void batch_take_items(struct batch *batch, struct batch_dispatch *dispatch, int64_t first_seq,
                      const struct stream_item *items, size_t count)
{
    size_t known = 0;
    switch (stream_judge(&dispatch->stream, first_seq, count, &known)) {
    case STREAM_DUPLICATE:
        batch->duplicates += (int64_t)count;
        return;
    case STREAM_GAP:
        batch->gaps++;
        return;
    case STREAM_NEW:
        break;
    }
    batch->duplicates += (int64_t)known;
    dispatch->has_advanced = true;
    for (size_t i = known; i < count && !dispatch->stream.finished; i++)
        take_item(batch, dispatch, &items[i]);
}
