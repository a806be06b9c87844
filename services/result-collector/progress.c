/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "bus/topics.h"
#include "collector_metrics.h"
#include "log/log.h"
#include "message/event.h"
#include "model/events.h"

struct watched_run {
    struct uuid id;
    struct run_totals totals;
    bool is_dirty;  /* there is something to tell */
    int64_t due_ms; /* monotonic: not before; past it, what has nothing to tell is forgotten */
    UT_hash_handle hh;
};

struct progress {
    char *topic;
    struct watched_run *runs;
};

struct progress *progress_new(const char *events_topic)
{
    struct progress *progress = xcalloc(1, sizeof *progress);
    progress->topic = xstrdup(events_topic);
    return progress;
}

static void forget(struct progress *progress, struct watched_run *run)
{
    HASH_DEL(progress->runs, run);
    free(run);
}

void progress_free(struct progress **progress)
{
    struct watched_run *run, *next;
    if (*progress != NULL) {
        HASH_ITER (hh, (*progress)->runs, run, next) {
            forget(*progress, run);
        }
        free((*progress)->topic);
    }
    memory_free(progress);
}

void progress_note(struct progress *progress, const struct run_totals *totals)
{
    struct watched_run *run;
    HASH_FIND(hh, progress->runs, &totals->run_id, sizeof totals->run_id, run);
    if (run == NULL) {
        run = xcalloc(1, sizeof *run);
        run->id = totals->run_id;
        HASH_ADD(hh, progress->runs, id, sizeof run->id, run);
    }
    run->totals = *totals;
    run->is_dirty = true;
}

static json_t *totals_json(const struct run_totals *totals)
{
    json_t *json = json_object();
    int64_t sum = 0;
    for (int status = 0; status < RESULT_STATUS_COUNT; status++) {
        sum += totals->by_status[status];
        json_object_set_new(json, names_get(&result_status_names, status),
                            json_integer(totals->by_status[status]));
    }
    bool known = totals->has_planned;
    json_object_set_new(json, "planned", known ? json_integer(totals->planned) : json_null());
    json_object_set_new(json, "not_run", known ? json_integer(totals->planned - sum) : json_null());
    return json;
}

static int encode(const struct run_totals *totals, char **text_r, struct error *error)
{
    AUTO(text_free) char *type = xstrdup(event_types[EVENT_RUN_PROGRESS].type);
    AUTO(json_free)
    json_t *data =
        json_pack("{s:s, s:o}", "run_id", totals->run_id.text, "totals", totals_json(totals));
    const struct event event = {.id = uuid_v7(),
                                .event = type,
                                .project_id = totals->project_id,
                                .run_id = totals->run_id,
                                .at = wall_ms(),
                                .data = data};
    return message_encode(&event_message, &event, text_r, error);
}

static void send(struct progress *progress, struct producer *producer, int events_partitions,
                 const struct run_totals *totals)
{
    AUTO(text_free) char *text = NULL;
    struct error error;
    if (encode(totals, &text, &error) < 0) {
        log_failure(LOG_LEVEL_WARNING, "progress not sent", &error);
        return;
    }
    const struct outgoing message = {
        .topic = progress->topic,
        .partition = topic_partition(totals->project_id.text, events_partitions),
        .key = totals->project_id.text,
        .payload = text,
        .payload_length = strlen(text)};
    if (producer_send(producer, &message, &error) == 0)
        metric_add(&collector_metrics[PROGRESS_EVENTS], 1);
}

int64_t progress_work(struct progress *progress, struct producer *producer, int events_partitions)
{
    struct watched_run *run, *next;
    int64_t now_ms = monotonic_ms(), wait_ms = -1;
    if (events_partitions <= 0)
        return -1;
    HASH_ITER (hh, progress->runs, run, next) {
        int64_t left_ms = run->due_ms - now_ms;
        if (left_ms <= 0 && !run->is_dirty) {
            forget(progress, run);
            continue;
        }
        if (left_ms <= 0) {
            send(progress, producer, events_partitions, &run->totals);
            run->is_dirty = false;
            run->due_ms = now_ms + PROGRESS_INTERVAL_MS;
            left_ms = PROGRESS_INTERVAL_MS;
        }
        wait_ms = wait_ms < 0 || left_ms < wait_ms ? left_ms : wait_ms;
    }
    return wait_ms;
}
