/* SPDX-License-Identifier: Apache-2.0 */
#include "statistics.h"

#include <stdlib.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/memory.h"
#include "db/known_case.h"
#include "log/log.h"

#define CASES_AT_ONCE 2000  /* some 20 ms */
#define LOOK_MS       1000  /* nobody tells us of closed runs */
#define PATIENCE_MS   30000 /* so long results may keep it waiting */

struct statistics {
    struct store_settings settings;
    struct store *store;
    int64_t due_ms, done_ms;
    struct backoff backoff;
};

struct statistics *statistics_new(const struct store_settings *store)
{
    struct statistics *statistics = xcalloc(1, sizeof *statistics);
    statistics->settings = *store;
    statistics->done_ms = monotonic_ms();
    backoff_init(&statistics->backoff, 200, 10000);
    return statistics;
}

void statistics_free(struct statistics **statistics)
{
    if (*statistics != NULL)
        store_close(&(*statistics)->store);
    memory_free(statistics);
}

static int connect(struct statistics *statistics, struct error *error)
{
    if (statistics->store != NULL && store_is_broken(statistics->store))
        store_close(&statistics->store);
    if (statistics->store != NULL)
        return 0;
    return store_open(&statistics->settings, &statistics->store, error);
}

static int count_them(struct store *store, const struct uncounted *runs, struct error *error)
{
    if (runs->count == 0)
        return 0;
    if (runs->is_large)
        return db_count_part(store, runs, CASES_AT_ONCE, error);
    return db_count_runs(store, runs, error);
}

/* *count_r: how many runs there were. */
static int count_some(struct statistics *statistics, int *count_r, struct error *error)
{
    AUTO(uncounted_deinit) struct uncounted runs = {0};
    struct store *store = statistics->store;
    if (store_begin(store, error) < 0)
        return -1;
    if (db_lock_uncounted_runs(store, CASES_AT_ONCE, &runs, error) < 0 ||
        count_them(store, &runs, error) < 0) {
        store_rollback(store);
        return -1;
    }
    *count_r = runs.count;
    return store_commit(store, error);
}

int64_t statistics_work(struct statistics *statistics, bool is_busy)
{
    struct error error;
    int count;
    int64_t now_ms = monotonic_ms();
    if (now_ms < statistics->due_ms)
        return statistics->due_ms - now_ms;
    if (!backoff_is_due(&statistics->backoff))
        return backoff_wait_ms(&statistics->backoff);
    if (is_busy && now_ms - statistics->done_ms < PATIENCE_MS)
        return LOOK_MS;
    if (connect(statistics, &error) < 0 || count_some(statistics, &count, &error) < 0) {
        log_failure(LOG_LEVEL_WARNING, "statistics of cases", &error);
        backoff_failed(&statistics->backoff);
        return backoff_wait_ms(&statistics->backoff);
    }
    backoff_succeeded(&statistics->backoff);
    statistics->done_ms = monotonic_ms();
    statistics->due_ms = count > 0 ? 0 : statistics->done_ms + LOOK_MS;
    return count > 0 ? 0 : LOOK_MS;
}
