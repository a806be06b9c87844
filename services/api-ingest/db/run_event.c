/* SPDX-License-Identifier: Apache-2.0 */
#include "db/run_event.h"

#include "base/memory.h"
#include "db/columns.h"

static const char list_sql[] =
    "SELECT e.run_id, e.version, e.type, json_build_object('type', e.type, 'timestamp',"
    " api.utc(e.at), 'id', e.id, 'version', e.version, 'data', e.data)"
    " FROM unnest($1::uuid[], $2::bigint[]) AS w (run_id, after)"
    " JOIN scheduling.run_event e ON e.run_id = w.run_id AND e.version > w.after"
    " ORDER BY e.run_id, e.version LIMIT $3";

int run_event_db_list(struct store *store, const struct run_position *positions, int count,
                      struct rows **rows_r, struct error *error)
{
    AUTO(array_param_free) struct array_param *ids = array_param_new();
    AUTO(array_param_free) struct array_param *versions = array_param_new();
    for (int i = 0; i < count; i++) {
        array_param_add(ids, positions[i].run_id.text);
        array_param_add_int(versions, positions[i].after_version);
    }
    return store_query(
        store, list_sql,
        PARAMS(array_param_get(ids), array_param_get(versions), param_int(RUN_EVENTS_MAX)), rows_r,
        error);
}

static const char last_sql[] =
    "SELECT coalesce(max(version), 0) FROM scheduling.run_event WHERE run_id = $1";

int run_event_db_last(struct store *store, const struct uuid *run_id, int64_t *version_r,
                      struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store, last_sql, PARAMS(param_uuid(run_id)), &rows, error) < 0)
        return -1;
    *version_r = rows_int(rows, 0, 0);
    return 0;
}
