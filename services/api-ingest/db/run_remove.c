/* SPDX-License-Identifier: Apache-2.0 */
#include "db/run_remove.h"

#include "base/memory.h"

/* A key is of the transaction of its run: their times lead from one to the other, through the index by age. */
static const char remove_sql[] =
    "WITH gone AS (DELETE FROM api.run r WHERE r.id = $1 AND EXISTS"
    "  (SELECT FROM scheduling.run_state s WHERE s.run_id = $1 AND s.finished_at IS NOT NULL)"
    "  RETURNING r.id, r.created_at),"
    " keys AS (DELETE FROM api.idempotency_key k USING gone"
    "  WHERE k.created_at = gone.created_at AND k.run_id = gone.id)," REMOVE_PARTS_OF(
        "SELECT id FROM gone") " INSERT INTO api.removed_run (run_id) SELECT id FROM gone";

int run_remove_db(struct store *store, const struct uuid *run_id, bool *is_removed_r,
                  struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store, remove_sql, PARAMS(param_uuid(run_id)), &rows, error) < 0)
        return -1;
    *is_removed_r = rows_affected(rows) == 1;
    return 0;
}
