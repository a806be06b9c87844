/* SPDX-License-Identifier: Apache-2.0 */
#include "write.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "db/facts.h"
#include "db/records.h"
#include "db/results.h"
#include "message/task_recorded.h"
#include "trace/trace.h"

/* Of one message; what is more goes into the next. */
#define RECORDED_TASKS_MAX 2000

void outcome_deinit(struct outcome *outcome)
{
    free(outcome->totals);
    free(outcome->spans);
    *outcome = (struct outcome){0};
}

int write_lock(struct store *store, struct batch *batch, struct error *error)
{
    if (batch->dispatches == NULL)
        return 0;
    if (db_lock_runs(store, batch, error) < 0 || db_find_removed(store, batch, error) < 0 ||
        db_lock_tasks(store, batch, error) < 0)
        return -1;
    return db_load_dispatches(store, batch, error);
}

/* ---- totals ----------------------------------------------------------------------------------- */

static bool touch_runs(struct batch *batch)
{
    bool any = false;
    for (size_t i = 0; i < batch->item_count; i++)
        if (batch->items[i].is_inserted)
            batch->items[i].dispatch->run->is_touched = true;
    for (const struct batch_run *run = batch->runs; run != NULL; run = run->hh.next)
        any = any || run->is_touched;
    return any;
}

static void add_first_tries(struct batch *batch)
{
    for (size_t i = 0; i < batch->item_count; i++) {
        const struct batch_item *item = &batch->items[i];
        struct batch_run *run = item->dispatch->run;
        if (item->is_inserted && !run->has_retries)
            totals_add(&run->delta, item->item.result.status, item->item.result.duration_ms);
    }
}

static int write_totals(struct store *store, struct batch *batch, struct outcome *outcome,
                        struct error *error)
{
    if (!touch_runs(batch))
        return 0;
    if (db_load_retries(store, batch, error) < 0)
        return -1;
    add_first_tries(batch);
    if (db_decide_retries(store, batch, error) < 0 || db_count_unplanned(store, batch, error) < 0)
        return -1;
    return db_update_totals(store, batch, &outcome->totals, &outcome->totals_count, error);
}

/* ---- task.recorded ---------------------------------------------------------------------------- */

static bool is_to_announce(const struct batch_dispatch *dispatch, int partition)
{
    return dispatch->finished != NULL && dispatch->place == PLACE_COUNTED &&
           dispatch->task->partition == partition;
}

static int send_recorded(struct store *store, struct outbox *outbox, const char *topic,
                         const struct batch_task *task, struct task_recorded *recorded,
                         struct error *error)
{
    AUTO(text_free) char *payload = NULL;
    int encoded = message_encode(&task_recorded_message, recorded, &payload, error);
    message_free(&task_recorded_message, recorded);
    if (encoded < 0)
        return -1;
    return outbox_add(outbox, store,
                      &(struct outbox_message){.topic = topic,
                                               .partition = task->partition,
                                               .key = task->pool_id.text,
                                               .payload = payload},
                      error);
}

/* All finished streams whose scheduler reads the partition of `first`, from that one on. */
static int announce_partition(struct store *store, struct outbox *outbox, const char *topic,
                              const struct batch_dispatch *first, struct error *error)
{
    struct task_recorded recorded = {0};
    for (const struct batch_dispatch *d = first; d != NULL; d = d->hh.next) {
        if (!is_to_announce(d, first->task->partition))
            continue;
        struct recorded_task *entry = records_add(&recorded.tasks, sizeof *entry);
        *entry = (struct recorded_task){
            .run_id = d->run->id, .task_id = d->task->id, .dispatch_id = d->id};
        if (recorded.tasks.count == RECORDED_TASKS_MAX &&
            send_recorded(store, outbox, topic, first->task, &recorded, error) < 0)
            return -1;
    }
    if (recorded.tasks.count == 0)
        return 0;
    return send_recorded(store, outbox, topic, first->task, &recorded, error);
}

static bool is_announced(const struct batch *batch, const struct batch_dispatch *dispatch)
{
    for (const struct batch_dispatch *d = batch->dispatches; d != dispatch; d = d->hh.next)
        if (is_to_announce(d, dispatch->task->partition))
            return true;
    return false;
}

static int announce(struct store *store, const struct batch *batch, struct outbox *outbox,
                    const char *topic, struct error *error)
{
    for (const struct batch_dispatch *d = batch->dispatches; d != NULL; d = d->hh.next)
        if (is_to_announce(d, d->task->partition) && !is_announced(batch, d) &&
            announce_partition(store, outbox, topic, d, error) < 0)
            return -1;
    return 0;
}

/* ---- all of it -------------------------------------------------------------------------------- */

static void count(const struct batch *batch, struct outcome *outcome)
{
    outcome->duplicate = batch->duplicates;
    outcome->gaps = batch->gaps;
    outcome->rejected = batch->rejected;
    outcome->items = (int64_t)batch->item_count;
    for (size_t i = 0; i < batch->item_count; i++) {
        const struct batch_item *item = &batch->items[i];
        if (item->item.kind != ITEM_RESULT)
            continue;
        outcome->stale += item->dispatch->place == PLACE_STALE;
        outcome->late += item->dispatch->place == PLACE_LATE;
        outcome->ingested += item->is_inserted;
        outcome->duplicate += item->dispatch->place == PLACE_COUNTED && !item->is_inserted;
    }
    for (const struct batch_dispatch *d = batch->dispatches; d != NULL; d = d->hh.next) {
        outcome->finished += d->finished != NULL;
        outcome->log_bytes += d->log_bytes_new;
    }
}

/* One for each stream that has ended: from this batch's beginning to its COMMIT. */
static struct span span_of(const struct batch *batch, const struct batch_dispatch *dispatch)
{
    struct span span = span_new("record", SPAN_CONSUMER, dispatch->run->traceparent);
    span_id_of(&dispatch->id, SPAN_OF_DISPATCH, span.parent_id);
    span.start_us = batch->began_us;
    span_text(&span, "verdict.run.id", dispatch->run->id.text);
    span_text(&span, "verdict.task.id", dispatch->task->id.text);
    span_text(&span, "verdict.dispatch.id", dispatch->id.text);
    span_number(&span, "verdict.items", dispatch->stream.received);
    if (dispatch->place != PLACE_COUNTED)
        span_fail(&span, dispatch->place == PLACE_LATE ? "late" : "stale");
    return span;
}

static void note_spans(const struct batch *batch, struct outcome *outcome)
{
    for (const struct batch_dispatch *d = batch->dispatches; d != NULL; d = d->hh.next) {
        if (d->finished == NULL || !d->is_known || !trace_wants(d->run->traceparent))
            continue;
        outcome->spans =
            xrealloc(outcome->spans, (outcome->span_count + 1) * sizeof *outcome->spans);
        outcome->spans[outcome->span_count++] = span_of(batch, d);
    }
}

int write_batch(struct store *store, struct batch *batch, struct outbox *outbox, const char *topic,
                struct outcome *outcome, struct error *error)
{
    if (db_insert_results(store, batch, error) < 0 ||
        write_totals(store, batch, outcome, error) < 0)
        return -1;

    if (db_add_late_results(store, batch, error) < 0 ||
        db_add_stale_results(store, batch, error) < 0 ||
        db_add_contradicting_results(store, batch, error) < 0 ||
        db_add_log_chunks(store, batch, error) < 0 || db_add_task_records(store, batch, error) < 0)
        return -1;
    count(batch, outcome);
    note_spans(batch, outcome);
    return announce(store, batch, outbox, topic, error);
}
