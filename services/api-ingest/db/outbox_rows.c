/* SPDX-License-Identifier: Apache-2.0 */
#include "db/outbox_rows.h"

#include "base/memory.h"
#include "db/matrix.h"

struct outbox_rows {
    struct matrix columns;
};

struct outbox_rows *outbox_rows_new(void)
{
    struct outbox_rows *rows = xcalloc(1, sizeof *rows);
    rows->columns = matrix_new(6);
    return rows;
}

void outbox_rows_free(struct outbox_rows **rows)
{
    if (*rows != NULL)
        matrix_deinit(&(*rows)->columns);
    memory_free(rows);
}

void outbox_rows_add(struct outbox_rows *rows, const struct uuid *id, const char *topic,
                     int partition, const char *key, const char *payload, const char *traceparent)
{
    struct array_param **column = rows->columns.columns;
    column_add_uuid(column[0], id);
    array_param_add(column[1], topic);
    array_param_add_int(column[2], partition);
    array_param_add(column[3], key);
    array_param_add(column[4], payload);
    array_param_add(column[5], traceparent);
}

static const char insert_outbox_sql[] =
    "INSERT INTO api.outbox (id, topic, partition, key, payload, traceparent)"
    " SELECT * FROM unnest($1::uuid[], $2::text[], $3::integer[], $4::text[], $5::text[], "
    "$6::text[])";

int outbox_rows_insert(struct outbox_rows *rows, struct store *store, struct error *error)
{
    struct param params[6];
    for (int i = 0; i < 6; i++)
        params[i] = array_param_get(rows->columns.columns[i]);
    return store_pipeline_add(store, insert_outbox_sql, params, 6, -1, error);
}
