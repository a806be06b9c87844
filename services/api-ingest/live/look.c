/* SPDX-License-Identifier: Apache-2.0 */
/* What Postgres says of watched runs, with a connection that lives as long as it works. */
#include "live/look.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "cache.h"
#include "db/run.h"
#include "db/run_event.h"
#include "ingest.h"
#include "ingest_metrics.h"
#include "live/listeners.h"
#include "log/log.h"

#define READ_MAX 500 /* runs in one statement */

void look_init(struct look *look, struct ingest *ingest, struct watch **watches)
{
    *look = (struct look){.ingest = ingest, .watches = watches};
    backoff_init(&look->reconnect, 50, 2000);
}

void look_deinit(struct look *look)
{
    store_close(&look->store);
}

int64_t look_wait_ms(const struct look *look)
{
    return backoff_wait_ms(&look->reconnect);
}

static struct store *get_store(struct look *look)
{
    struct error error;
    if (look->store != NULL && store_is_broken(look->store))
        store_close(&look->store);
    if (look->store != NULL || !backoff_is_due(&look->reconnect))
        return look->store;
    struct store_settings settings = look->ingest->store;
    settings.generic_plans = true;
    if (store_open(&settings, &look->store, &error) < 0) {
        backoff_failed(&look->reconnect);
        log_failure(LOG_LEVEL_WARNING, "no connection to postgres", &error);
        return NULL;
    }
    backoff_succeeded(&look->reconnect);
    return look->store;
}

static void take_view(struct look *look, struct run_view *view, int64_t now_ms)
{
    struct watch *watch = watch_find(*look->watches, &view->id);
    char *totals = json_text(json_object_get(view->json, "totals"));
    int64_t revision = watch->text == NULL ? -1 : watch->text->revision;
    run_text_unref(&watch->text);
    text_free(&watch->totals);
    watch->totals = totals;
    watch->text = run_text_new(look->ingest, view);
    if (watch->text->revision != revision) /* before anybody is told: no older is told afterwards */
        cache_put(look->ingest->cache, watch->text, now_ms);
    watch->is_missing = false;
}

/* It was there, and is removed: what it was is told to nobody any more. */
static void forget_if_missing(struct watch *watch)
{
    if (!watch->is_missing)
        return;
    run_text_unref(&watch->text);
    text_free(&watch->totals);
}

static int read_views(struct look *look, struct store *store, const struct uuid *ids, int count,
                      struct error *error)
{
    struct run_view *views = NULL;
    int found;
    int64_t began_ms = monotonic_ms();
    if (run_db_get_many(store, ids, count, &views, &found, error) < 0)
        return -1;
    metric_add(&ingest_metrics[METRIC_LIVE_READS], 1);
    for (int i = 0; i < count; i++) {
        struct watch *watch = watch_find(*look->watches, &ids[i]);
        watch->is_missing = true;
        watch->wants_read = false;
        watch->read_ms = began_ms;
    }
    for (int i = 0; i < found; i++)
        take_view(look, &views[i], began_ms);
    free(views);
    for (int i = 0; i < count; i++)
        forget_if_missing(watch_find(*look->watches, &ids[i]));
    return 0;
}

/* A full answer may have left out what is new of any of them. Else all was told, and of a run that was read
 * as final before nothing more will come, whatever its listeners believe to have. */
static void after_events(struct watch *watch, bool was_full)
{
    watch->wants_read = watch->wants_read || was_full;
    if (was_full || (watch->text != NULL && !watch->text->is_final))
        return;
    listeners_end(watch);
}

static int read_events(struct look *look, struct store *store, const struct uuid *ids, int count,
                       struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(memory_free)
    struct run_position *positions = xcalloc((size_t)count, sizeof *positions);
    int wanted = 0;
    for (int i = 0; i < count; i++) {
        const struct watch *watch = watch_find(*look->watches, &ids[i]);
        if (!TAILQ_EMPTY(&watch->listeners))
            positions[wanted++] = (struct run_position){ids[i], listeners_least_version(watch)};
    }
    if (wanted == 0)
        return 0;
    if (run_event_db_list(store, positions, wanted, &rows, error) < 0)
        return -1;
    for (int row = 0; row < rows_count(rows); row++) {
        const struct uuid run_id = rows_uuid(rows, row, 0);
        struct watch *watch = watch_find(*look->watches, &run_id);
        listeners_tell(watch, rows_int(rows, row, 1), rows_text(rows, row, 2),
                       rows_text(rows, row, 3));
    }
    for (int i = 0; i < wanted; i++)
        after_events(watch_find(*look->watches, &positions[i].run_id),
                     rows_count(rows) == RUN_EVENTS_MAX);
    return 0;
}

int look_at(struct look *look)
{
    struct uuid ids[READ_MAX];
    struct watch *watch, *next;
    struct error error;
    int count = 0, left = 0;
    HASH_ITER (hh, *look->watches, watch, next) {
        if (watch->wants_read && count < READ_MAX)
            ids[count++] = watch->run_id;
        else if (watch->wants_read)
            left++;
    }
    struct store *store = count == 0 ? NULL : get_store(look);
    if (store == NULL)
        return 0;
    if (read_views(look, store, ids, count, &error) < 0 ||
        read_events(look, store, ids, count, &error) < 0) {
        log_failure(LOG_LEVEL_WARNING, "watched runs are not read", &error);
        backoff_failed(&look->reconnect);
        store_close(&look->store);
        for (int i = 0; i < count; i++)
            watch_find(*look->watches, &ids[i])->wants_read = true;
        return 0;
    }
    return left;
}
