/* SPDX-License-Identifier: Apache-2.0 */
#include "db/run_why.h"

#include "base/memory.h"
#include "db/columns.h"

static const struct column columns_of_owner[] = {
    {"instance", COLUMN_TEXT},
    {"taken_at", COLUMN_TEXT},
    {"alive_at", COLUMN_TEXT},
};
static const struct columns owner_columns = COLUMNS(columns_of_owner);

static const char owner_sql[] =
    "SELECT instance, api.utc(taken_at), api.utc(alive_at), alive_at > now() - $2 *"
    " interval '1 second'"
    " FROM scheduling.partition_owner"
    " WHERE partition = $1";

int why_db_owner(struct store *store, int partition, struct why_owner *owner_r, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store, owner_sql, PARAMS(param_int(partition), param_int(WHY_OWNER_ALIVE_S)),
                    &rows, error) < 0)
        return -1;
    *owner_r = (struct why_owner){.is_known = rows_count(rows) == 1};
    if (owner_r->is_known) {
        owner_r->is_alive = rows_bool(rows, 0, 3);
        owner_r->json = columns_object(&owner_columns, rows, 0);
    }
    return 0;
}

static const char workers_sql[] =
    "SELECT w.state, w.labels, w.slots, (SELECT count(*) FROM scheduling.dispatch d"
    "  WHERE d.worker_id = w.id AND d.ended IS NULL) FROM scheduling.worker w"
    " JOIN api.enrolment e ON e.worker_id = w.id AND e.revoked_at IS NULL"
    " WHERE w.pool_id = $1 ORDER BY w.id LIMIT $2";

int why_db_workers(struct store *store, const struct uuid *pool_id, struct rows **rows_r,
                   struct error *error)
{
    return store_query(store, workers_sql, PARAMS(param_uuid(pool_id), param_int(WHY_WORKERS_MAX)),
                       rows_r, error);
}

static const char queue_sql[] =
    "SELECT count(*) FILTER (WHERE o.project_id = me.project_id AND goes_first),"
    " count(*) FILTER (WHERE o.project_id <> me.project_id AND goes_first),"
    " count(*) FILTER (WHERE o.project_id <> me.project_id)"
    " FROM api.run me CROSS JOIN LATERAL (SELECT s.project_id, s.priority > me.priority"
    "  OR (s.priority = me.priority AND s.run_id < me.id) AS goes_first"
    "  FROM scheduling.run_state s WHERE s.pool_id = $2 AND s.run_id <> me.id"
    "  AND s.state IN ('draft', 'queued', 'running')) o WHERE me.id = $1";

int why_db_queue(struct store *store, const struct uuid *run_id, const struct uuid *pool_id,
                 struct why_queue *queue_r, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store, queue_sql, PARAMS(param_uuid(run_id), param_uuid(pool_id)), &rows,
                    error) < 0)
        return -1;
    *queue_r = (struct why_queue){rows_int(rows, 0, 0), rows_int(rows, 0, 1), rows_int(rows, 0, 2)};
    return 0;
}

static const struct column columns_of_request[] = {
    {"kind", COLUMN_TEXT},
    {"by", COLUMN_TEXT},
    {"at", COLUMN_TEXT},
};
static const struct columns request_columns = COLUMNS(columns_of_request);

static const char requests_sql[] = "SELECT q.kind, p.name, api.utc(q.created_at)"
                                   " FROM api.run_request q"
                                   " LEFT JOIN api.principal p ON p.id = q.created_by"
                                   " WHERE q.run_id = $1"
                                   " ORDER BY q.created_at";

int why_db_requests(struct store *store, const struct uuid *run_id, json_t **requests_r,
                    struct error *error)
{
    return columns_list(store, requests_sql, PARAMS(param_uuid(run_id)), &request_columns,
                        requests_r, error);
}
