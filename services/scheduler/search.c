/* SPDX-License-Identifier: Apache-2.0 */
#include "search.h"

#include <string.h>

#include "aside.h"
#include "base/clock.h"
#include "base/memory.h"
#include "bus/topics.h"
#include "db.h"
#include "handlers.h"
#include "model/limits.h"
#include "scheduler.h"

#define UNSEEN_RECENT_MS (5 * 60 * 1000)
#define PAST_PAGE        10000
#define ADOPT_MAX        1000 /* runs in one transaction */

/* *looked_at_r: the first so many rows need no other look. */
static int adopt_unseen(struct brain *brain, struct store *store, const struct rows *rows,
                        int *looked_at_r, struct error *error)
{
    AUTO(array_param_free) struct array_param *ids = array_param_new();
    int count = 0;
    int most = aside_is_careful(brain->scheduler) ? 1 : ADOPT_MAX;
    int i = 0;
    for (; i < rows_count(rows) && count < most; i++) {
        struct uuid id = rows_uuid(rows, i, 0);
        if (!rows_bool(rows, i, 1) || aside_has(brain->scheduler, &id))
            continue;
        array_param_add(ids, rows_text(rows, i, 0));
        count++;
    }
    *looked_at_r = i;
    return count == 0 ? 0 : handlers_adopt(brain, store, ids, error);
}

/* A page of the past. What of it was not adopted is read again. */
static int search_past(struct brain *brain, struct store *store, struct array_param *pools,
                       const struct uuid *until, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    int looked_at;
    struct uuid from = uuid_is_null(&brain->searched_to) ? uuid_v7_least(0) : brain->searched_to;
    if (strcmp(from.text, until->text) >= 0)
        return 0;
    if (db_find_unseen_runs(store, pools, &from, PAST_PAGE, &rows, error) < 0 ||
        adopt_unseen(brain, store, rows, &looked_at, error) < 0)
        return -1;
    brain->searched_to = looked_at == 0 ? *until : rows_uuid(rows, looked_at - 1, 0);
    return 0;
}

/* Runs that were asked for and that no message has told us of: those of the last minutes each time, and
 * once after a take-over all of the past, a page at a time, however long the history is. */
static int find_unseen(struct brain *brain, struct store *store, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(array_param_free) struct array_param *pools = array_param_new();
    struct uuid since = uuid_v7_least(wall_ms() - UNSEEN_RECENT_MS);
    struct pool *pool, *next;
    int looked_at;
    HASH_ITER (hh, brain->pools, pool, next) {
        array_param_add(pools, pool->id.text);
    }
    if (db_find_unseen_runs(store, pools, &since, 0, &rows, error) < 0 ||
        adopt_unseen(brain, store, rows, &looked_at, error) < 0)
        return -1;
    return search_past(brain, store, pools, &since, error);
}

static int find_pools(struct brain *brain, struct store *store, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    int partitions = ledger_installation(brain->scheduler->ledger, "scheduling_partitions");
    if (db_load_pools(store, &rows, error) < 0)
        return -1;
    for (int i = 0; i < rows_count(rows); i++) {
        struct uuid id = rows_uuid(rows, i, 0);
        if (topic_partition(id.text, partitions) == ledger_partition_number(brain->partition))
            brain_pool(brain, &id);
    }
    return 0;
}

static int fill_window(struct brain *brain, struct store *store, struct error *error)
{
    if (!brain->more_runs || HASH_COUNT(brain->runs) > LIMIT_OPEN_RUNS_WINDOW / 4 * 3)
        return 0;
    if (db_load_runs(brain, store, NULL, error) < 0)
        return -1;
    return db_load_tasks(brain, store, error);
}

int search_untold(struct brain *brain, struct store *store, struct error *error)
{
    if (find_pools(brain, store, error) < 0 || find_unseen(brain, store, error) < 0)
        return -1;
    return fill_window(brain, store, error);
}
