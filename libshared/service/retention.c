/* SPDX-License-Identifier: Apache-2.0 */
#include "service/retention.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "log/log.h"
#include "metrics/metrics.h"
#include "service/removed_runs.h"

#define EVERY_MS   60000
#define PAUSE_MS   20 /* between two statements: others come first */
#define ROWS_MOST  1000
#define ROWS_LEAST 10
#define TIMEOUT_MS 2000 /* of a statement, and of connecting: a stop waits for it */
#define CANCELED   "57014"

struct retention {
    struct store_settings settings;
    const struct retention_plan *plan;
    int64_t retention_ms;
    int64_t rows;           /* of one statement: fewer after one that took too long */
    struct uuid *positions; /* by step: the removed run that it is behind; null: at the first */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping; /* under the lock */
};

static struct metric rows_removed[] = {
    {.name = "verdict_rows_removed_total",
     .type = METRIC_COUNTER,
     .help = "Rows removed since they were older than what is kept; of a run it is the run.",
     .labels = {"table"}},
};

void retention_metrics_register(void)
{
    static bool done;
    if (!done)
        metrics_register(rows_removed, ARRAY_SIZE(rows_removed));
    done = true;
}

/* ---- waiting ---------------------------------------------------------------------------------- */

/* Is there to be more? */
static bool pause_for(struct retention *retention, int64_t ms)
{
    const struct timespec deadline = monotonic_in(ms);
    int status = 0;
    pthread_mutex_lock(&retention->lock);
    while (!retention->stopping && status == 0)
        status = pthread_cond_timedwait(&retention->wake, &retention->lock, &deadline);
    bool goes_on = !retention->stopping;
    pthread_mutex_unlock(&retention->lock);
    return goes_on;
}

/* ---- removing --------------------------------------------------------------------------------- */

static int read_clock(struct store *store, int64_t *now_ms_r, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store, "SELECT (extract(epoch FROM now()) * 1000)::bigint", NO_PARAMS, &rows,
                    error) < 0)
        return -1;
    *now_ms_r = rows_int(rows, 0, 0);
    return 0;
}

static struct uuid *position_of(const struct retention *retention,
                                const struct retention_step *step)
{
    return &retention->positions[step - retention->plan->steps];
}

static int remove_some(struct retention *retention, struct store *store,
                       const struct retention_step *step, int64_t before_ms, int64_t *removed_r,
                       struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    char time[TIME_TEXT_SIZE];
    const struct uuid id = uuid_v7_least(before_ms);
    struct param params[3];
    int count = 0;
    if (step->key == RETENTION_BY_ID || step->key == RETENTION_BY_ID_AND_TIME)
        params[count++] = param_uuid(&id);
    if (step->key != RETENTION_BY_ID)
        params[count++] = param_text(time_format(before_ms, time));
    if (step->key == RETENTION_OF_REMOVED_RUNS)
        params[count++] = param_uuid(position_of(retention, step));
    params[count++] = param_int(retention->rows);
    if (store_query(store, step->sql, params, count, &rows, error) < 0)
        return -1;
    *removed_r = rows_affected(rows);
    metric_add_labelled(rows_removed, (double)*removed_r, (const char *const[]){step->table});
    return 0;
}

static const char next_position_sql[] =
    "SELECT run_id" REMOVED_RUNS_ORDERED " OFFSET " REMOVED_RUNS_LOOKED_AT " - 1 LIMIT 1";

/* Behind those that were looked at; when they were the last ones, to the first. */
static int move_on(struct retention *retention, struct store *store,
                   const struct retention_step *step, int64_t before_ms, bool *has_more_r,
                   struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    char time[TIME_TEXT_SIZE];
    struct uuid *position = position_of(retention, step);
    if (store_query(store, next_position_sql,
                    PARAMS(param_text(time_format(before_ms, time)), param_uuid(position),
                           param_int(retention->rows)),
                    &rows, error) < 0)
        return -1;
    *has_more_r = rows_count(rows) > 0;
    *position = *has_more_r ? rows_uuid(rows, 0, 0) : (struct uuid){""};
    return 0;
}

/* 1: all is removed; 0: there is no time left for it; -1: failed. */
static int run_step(struct retention *retention, struct store *store,
                    const struct retention_step *step, int64_t now_ms, struct error *error)
{
    int64_t kept_ms = step->kept_ms > 0 ? step->kept_ms : retention->retention_ms;
    int64_t total = 0, removed;
    bool has_more;
    do {
        if (remove_some(retention, store, step, now_ms - kept_ms, &removed, error) < 0)
            return -1;
        total += removed;
        has_more = removed > 0;
        if (!has_more && step->key == RETENTION_OF_REMOVED_RUNS &&
            move_on(retention, store, step, now_ms - kept_ms, &has_more, error) < 0)
            return -1;
    } while (has_more && pause_for(retention, PAUSE_MS));
    if (total > 0)
        log_info("old rows removed", LOG_TEXT("table", step->table), LOG_INT("rows", total));
    return has_more ? 0 : 1;
}

/* Later steps rely on earlier ones: who fails ends the pass. */
static int run_steps(struct retention *retention, struct store *store, struct error *error)
{
    const struct retention_plan *plan = retention->plan;
    int64_t now_ms;
    if (read_clock(store, &now_ms, error) < 0)
        return -1;
    for (size_t i = 0; i < plan->count; i++) {
        int status = run_step(retention, store, &plan->steps[i], now_ms, error);
        if (status < 0)
            return error_wrap(error, "removing old rows of %s", plan->steps[i].table);
        if (status == 0)
            break;
    }
    return 0;
}

/* What is old is found and looked up through indexes, whatever the planner makes of its statistics: just
 * behind a removal they speak of rows that are gone, and it would read whole tables. */
static const char indexes_alone[] =
    "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_hashjoin = off; "
    "SET enable_mergejoin = off";

/* A minute of idling needs no connection. */
static void pass(struct retention *retention)
{
    AUTO(store_close) struct store *store = NULL;
    struct error error;
    if (store_open(&retention->settings, &store, &error) == 0 &&
        store_script(store, indexes_alone, &error) == 0 &&
        run_steps(retention, store, &error) == 0) {
        retention->rows = ROWS_MOST;
        return;
    }
    log_failure(LOG_LEVEL_WARNING, "old rows stay for now", &error);
    if (strcmp(error.sqlstate, CANCELED) == 0 && retention->rows / 2 >= ROWS_LEAST)
        retention->rows /= 2;
}

static void *work(void *context)
{
    struct retention *retention = context;
    do
        pass(retention);
    while (pause_for(retention, EVERY_MS));
    return NULL;
}

/* ---- the thread ------------------------------------------------------------------------------- */

static struct retention *new (void)
{
    struct retention *retention = xcalloc(1, sizeof *retention);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&retention->lock, NULL);
    pthread_cond_init(&retention->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    return retention;
}

static void destroy(struct retention **retention)
{
    pthread_cond_destroy(&(*retention)->wake);
    pthread_mutex_destroy(&(*retention)->lock);
    free((*retention)->positions);
    memory_free(retention);
}

int retention_start(const struct store_settings *store, int64_t retention_ms,
                    const struct retention_plan *plan, struct retention **retention_r,
                    struct error *error)
{
    struct retention *retention = new ();
    retention_metrics_register();
    retention->settings = *store;
    retention->settings.statement_timeout_ms = TIMEOUT_MS;
    retention->settings.connect_timeout_ms = TIMEOUT_MS;
    retention->plan = plan;
    retention->positions = xcalloc(plan->count, sizeof *retention->positions);
    retention->retention_ms = retention_ms;
    retention->rows = ROWS_MOST;
    if (pthread_create(&retention->thread, NULL, work, retention) != 0) {
        destroy(&retention);
        return error_set(error, "unavailable", "cannot start a thread");
    }
    *retention_r = retention;
    return 0;
}

void retention_stop(struct retention **retention)
{
    if (*retention == NULL)
        return;
    pthread_mutex_lock(&(*retention)->lock);
    (*retention)->stopping = true;
    pthread_cond_signal(&(*retention)->wake);
    pthread_mutex_unlock(&(*retention)->lock);
    pthread_join((*retention)->thread, NULL);
    destroy(retention);
}
