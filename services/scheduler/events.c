/* SPDX-License-Identifier: Apache-2.0 */
/* Run events. */
#include "events.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "bus/topics.h"
#include "db.h"
#include "ledger/outbox.h"
#include "message/event.h"
#include "scheduler.h"

static int publish(struct scheduler *scheduler, struct store *store, const struct event *event,
                   const char *traceparent, struct error *error)
{
    AUTO(text_free) char *text = NULL;
    if (message_encode(&event_message, event, &text, error) < 0)
        return -1;
    const struct outbox_message message = {
        .topic = scheduler->events_topic,
        .partition = topic_partition(event->project_id.text,
                                     ledger_installation(scheduler->ledger, "events_partitions")),
        .key = event->project_id.text,
        .payload = text,
        .traceparent = traceparent};
    return outbox_add(ledger_outbox(scheduler->ledger), store, &message, error);
}

static json_t *totals_json(const struct closed_run *totals)
{
    int64_t counted =
        totals->passed + totals->failed + totals->errored + totals->skipped + totals->blocked;
    int64_t planned = totals->planned < 0 ? counted : totals->planned;
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "planned", (json_int_t)planned,
                     "passed", (json_int_t)totals->passed, "failed", (json_int_t)totals->failed,
                     "errored", (json_int_t)totals->errored, "skipped", (json_int_t)totals->skipped,
                     "blocked", (json_int_t)totals->blocked, "not_run",
                     (json_int_t)(planned - counted));
}

static json_t *make_data(const struct run *run, const struct closed_run *totals, enum reason reason,
                         const char *detail)
{
    json_t *data = json_deep_copy(run->facts);
    json_object_del(data, "environment_url");
    json_object_set_new(data, "state", json_string(names_get(&run_state_names, (int)run->state)));
    if (reason != REASON_NONE) {
        json_object_set_new(data, "reason", json_string(names_get(&reason_names, (int)reason)));
        json_object_set_new(data, "reason_text", json_string(ending_get(reason)->text));
    }
    if (detail != NULL && detail[0] != '\0')
        json_object_set_new(data, "reason_detail", json_lossy(detail, strlen(detail)));
    if (totals != NULL)
        json_object_set_new(data, "totals", totals_json(totals));
    return data;
}

int event_run(struct brain *brain, struct store *store, struct run *run, const char *type,
              const struct closed_run *totals, enum reason reason, const char *detail,
              struct error *error)
{
    AUTO(json_free) json_t *data = make_data(run, totals, reason, detail);
    AUTO(text_free) char *text = json_text(data);
    struct event event = {.id = uuid_v7(),
                          .event = (char *)(uintptr_t)type,
                          .project_id = run->project_id,
                          .run_id = run->id,
                          .run_version = run->version,
                          .at = wall_ms(),
                          .data = data};
    if (db_add_event(store, run, &event.id, type, text, error) < 0)
        return -1;
    store_about(store, run->id.text);
    return publish(brain->scheduler, store, &event, run->traceparent, error);
}

int event_worker_lost(struct brain *brain, struct store *store, const struct run *run,
                      const struct worker *worker, struct error *error)
{
    AUTO(json_free)
    json_t *data =
        json_pack("{s:s, s:I, s:s, s:s}", "run_id", run->id.text, "number", (json_int_t)run->number,
                  "worker_id", worker->id.text, "worker", worker->name);
    const struct event event = {.id = uuid_v7(),
                                .event = (char *)(uintptr_t) "worker.lost",
                                .project_id = run->project_id,
                                .run_id = run->id,
                                .at = wall_ms(),
                                .data = data};
    store_about(store, run->id.text);
    return publish(brain->scheduler, store, &event, run->traceparent, error);
}

int events_again(struct brain *brain, struct store *store, int partition, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (db_find_events(store, partition, &rows, error) < 0)
        return -1;
    for (int i = 0; i < rows_count(rows); i++) {
        AUTO(json_free) json_t *data = rows_json(rows, i, 6);
        const struct event event = {.id = rows_uuid(rows, i, 0),
                                    .event = (char *)(uintptr_t)rows_text(rows, i, 1),
                                    .project_id = rows_uuid(rows, i, 2),
                                    .run_id = rows_uuid(rows, i, 3),
                                    .run_version = rows_int(rows, i, 4),
                                    .at = rows_int(rows, i, 5),
                                    .data = data};
        if (publish(brain->scheduler, store, &event, NULL, error) < 0)
            return -1;
    }
    return 0;
}
