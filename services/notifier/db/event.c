/* SPDX-License-Identifier: Apache-2.0 */
#include "db/event.h"

#include "base/json.h"
#include "base/memory.h"
#include "db/sql.h"

static const char get_generation_sql[] =
    "SELECT generation FROM notify.generation WHERE partition = $1";
static const char first_generation_sql[] =
    "INSERT INTO notify.generation (partition, generation) VALUES ($1, 1)";

int event_db_load_generation(struct store *store, int32_t partition, int64_t *generation_r,
                             struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store, get_generation_sql, PARAMS(param_int(partition)), &rows, error) < 0)
        return -1;
    *generation_r = rows_count(rows) == 0 ? 1 : rows_int(rows, 0, 0);
    if (rows_count(rows) > 0)
        return 0;
    return store_query(store, first_generation_sql, PARAMS(param_int(partition)), NULL, error);
}

static const char raise_generation_sql[] =
    "INSERT INTO notify.generation AS g (partition, generation) VALUES ($1, 2)"
    " ON CONFLICT (partition) DO UPDATE SET generation = g.generation + 1";

int event_db_raise_generation(struct store *store, int32_t partition, struct error *error)
{
    return store_query(store, raise_generation_sql, PARAMS(param_int(partition)), NULL, error);
}

enum event_column {
    COLUMN_ID,
    COLUMN_PROJECT,
    COLUMN_RUN,
    COLUMN_TYPE,
    COLUMN_VERSION,
    COLUMN_OFFSET,
    COLUMN_AT,
    COLUMN_DATA,
    COLUMN_COUNT
};

struct event_batch {
    struct array_param *columns[COLUMN_COUNT];
    int count;
};

struct event_batch *event_batch_new(void)
{
    struct event_batch *batch = xcalloc(1, sizeof *batch);
    for (int i = 0; i < COLUMN_COUNT; i++)
        batch->columns[i] = array_param_new();
    return batch;
}

void event_batch_free(struct event_batch **batch)
{
    for (int i = 0; *batch != NULL && i < COLUMN_COUNT; i++)
        array_param_free(&(*batch)->columns[i]);
    memory_free(batch);
}

void event_batch_add(struct event_batch *batch, const struct event *event, int64_t offset)
{
    AUTO(text_free) char *data = json_text(event->data);
    struct array_param **columns = batch->columns;
    array_param_add(columns[COLUMN_ID], event->id.text);
    array_param_add(columns[COLUMN_PROJECT], event->project_id.text);
    array_param_add(columns[COLUMN_RUN], uuid_is_null(&event->run_id) ? NULL : event->run_id.text);
    array_param_add(columns[COLUMN_TYPE], event->event);
    if (event->run_version == 0)
        array_param_add(columns[COLUMN_VERSION], NULL);
    else
        array_param_add_int(columns[COLUMN_VERSION], event->run_version);
    array_param_add_int(columns[COLUMN_OFFSET], offset);
    array_param_add_int(columns[COLUMN_AT], event->at);
    array_param_add(columns[COLUMN_DATA], data);
    batch->count++;
}

int event_batch_count(const struct event_batch *batch)
{
    return batch->count;
}

/* Patterns as in model/events.c: the type itself, "run.*" or "*". */
static const char add_sql[] =
    "WITH incoming AS ("
    " SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::bigint[],"
    "  $6::bigint[], $7::bigint[], $8::jsonb[])"
    "  AS i(id, project_id, run_id, type, run_version, \"offset\", at_ms, data)),"
    " added AS ("
    " INSERT INTO notify.event"
    "  (id, project_id, run_id, type, run_version, generation, \"offset\", at, data)"
    " SELECT id, project_id, run_id, type, run_version, $9, \"offset\","
    "  to_timestamp(at_ms / 1000.0), data FROM incoming"
    " ON CONFLICT (id) DO NOTHING RETURNING id, project_id, type)"
    " INSERT INTO notify.delivery"
    "  (id, event_id, endpoint_id, project_id, event_type, state, next_attempt_at)"
    " SELECT " SQL_UUID_V7 ", a.id, w.id, a.project_id, a.type, 'pending',"
    "  now() + $10 * interval '1 ms' FROM added a"
    " JOIN api.webhook_endpoint w ON w.project_id = a.project_id"
    " LEFT JOIN notify.endpoint_state s ON s.endpoint_id = w.id"
    " WHERE " SQL_ENDPOINT_ENABLED " AND EXISTS (SELECT FROM unnest(w.events) AS p"
    "  WHERE p IN ('*', a.type) OR (p LIKE '%.*' AND starts_with(a.type, left(p, -1))))"
    " ON CONFLICT (event_id, endpoint_id, request_id) DO NOTHING";

int event_db_add(struct store *store, struct event_batch *batch, int64_t generation,
                 int64_t first_wait_ms, struct error *error)
{
    struct param params[COLUMN_COUNT + 2];
    for (int i = 0; i < COLUMN_COUNT; i++)
        params[i] = array_param_get(batch->columns[i]);
    params[COLUMN_COUNT] = param_int(generation);
    params[COLUMN_COUNT + 1] = param_int(first_wait_ms);
    return store_query(store, add_sql, params, COLUMN_COUNT + 2, NULL, error);
}
