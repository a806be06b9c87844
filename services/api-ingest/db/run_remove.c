/* SPDX-License-Identifier: Apache-2.0 */
#include "db/run_remove.h"

#include "base/memory.h"

/* A key is of the transaction of its run: their times lead from one to the other, through the index by age. */
#define REMOVE_GONE                                                                                \
    " keys AS (DELETE FROM api.idempotency_key k USING gone"                                       \
    "  WHERE k.created_at = gone.created_at AND k.run_id = gone.id)," REMOVE_PARTS_OF(             \
        "SELECT id FROM gone") " INSERT INTO api.removed_run (run_id) SELECT id FROM gone"

static const char remove_sql[] =
    "WITH gone AS (DELETE FROM api.run r WHERE r.id = $1 AND EXISTS"
    "  (SELECT FROM scheduling.run_state s WHERE s.run_id = $1 AND s.finished_at IS NOT NULL)"
    "  RETURNING r.id, r.created_at)," REMOVE_GONE;

int run_remove_db(struct store *store, const struct uuid *run_id, bool *is_removed_r,
                  struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store, remove_sql, PARAMS(param_uuid(run_id)), &rows, error) < 0)
        return -1;
    *is_removed_r = rows_affected(rows) == 1;
    return 0;
}

#define ENDED                                                                                      \
    " FROM api.run r JOIN scheduling.run_state s ON s.run_id = r.id WHERE r.project_id = $1"       \
    " AND s.finished_at IS NOT NULL"
static const char remove_ended_sql[] =
    "WITH old AS (SELECT r.id" ENDED " ORDER BY r.id LIMIT $2 FOR UPDATE OF r SKIP LOCKED),"
    " gone AS (DELETE FROM api.run WHERE id IN (SELECT id FROM old) RETURNING id, created_at)," REMOVE_GONE
    " RETURNING run_id";
static const char has_ended_sql[] = "SELECT EXISTS (SELECT" ENDED ")";

int run_remove_db_ended(struct store *store, const struct uuid *project_id, int64_t limit,
                        struct uuid **ids_r, int *count_r, bool *has_more_r, struct error *error)
{
    AUTO(rows_free) struct rows *gone = NULL;
    AUTO(rows_free) struct rows *more = NULL;
    if (store_query(store, remove_ended_sql, PARAMS(param_uuid(project_id), param_int(limit)),
                    &gone, error) < 0 ||
        store_query(store, has_ended_sql, PARAMS(param_uuid(project_id)), &more, error) < 0)
        return -1;
    *count_r = rows_count(gone);
    *ids_r = xcalloc((size_t)*count_r + 1, sizeof **ids_r);
    for (int row = 0; row < *count_r; row++)
        (*ids_r)[row] = rows_uuid(gone, row, 0);
    *has_more_r = rows_bool(more, 0, 0);
    return 0;
}
