/* SPDX-License-Identifier: Apache-2.0 */
#include "db/results.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "db/columns.h"

static bool is_result_at(const struct batch_item *item, enum batch_place place)
{
    return item->item.kind == ITEM_RESULT && item->dispatch->place == place;
}

/* What all rows of a dispatch have in common is sent once, and rows refer to it by its ordinal. */
static void add_dispatches(struct columns *columns, const struct batch *batch)
{
    const struct batch_dispatch *dispatch;
    for (dispatch = batch->dispatches; dispatch != NULL; dispatch = dispatch->hh.next) {
        columns_text(columns, 0, dispatch->run->id.text);
        columns_text(columns, 1, dispatch->task->id.text);
        columns_text(columns, 2, dispatch->id.text);
        columns_int(columns, 3, dispatch->attempt);
    }
}

static void add_variants(struct columns *columns, const struct batch *batch)
{
    for (const struct batch_dispatch *d = batch->dispatches; d != NULL; d = d->hh.next)
        columns_text(columns, 4, d->task->variant == NULL ? "" : d->task->variant);
}

/* ---- results that count ----------------------------------------------------------------------- */

static void add_result(struct columns *columns, const struct batch_item *item)
{
    const struct stream_result *result = &item->item.result;
    columns_int(columns, 5, item->dispatch->ordinal);
    columns_int(columns, 6, item->item.seq);
    columns_text(columns, 7, result->key);
    columns_int(columns, 8, result->try);
    columns_text(columns, 9, names_get(&result_status_names, result->status));
    columns_text(columns, 10, result->file == NULL ? "" : result->file);
    columns_text(columns, 11, result->class == NULL ? "" : result->class);
    columns_text(columns, 12, result->name);
    columns_text(columns, 13, result->parameters == NULL ? "" : result->parameters);
    columns_int(columns, 14, result->duration_ms);
    columns_text(columns, 15, result->message);
    columns_text(columns, 16, result->trace);
    columns_int_or_null(columns, 17, result->started_at, result->started_at > 0);
}

/* $1 … $5 run, task, dispatch, attempt, variant by ordinal; $6 … $18 a row each. Rows come back in the
 * order in which they went. */
static const char insert_results[] =
    "INSERT INTO results.result (run_id, case_key, variant, try, task_id, attempt, dispatch_id, "
    "seq, "
    "status, file, class, name, parameters, duration_ms, message, trace, started_at) "
    "SELECT ($1::uuid[])[o], decode(key, 'hex'), ($5::text[])[o], try, ($2::uuid[])[o], "
    "($4::int[])[o], ($3::uuid[])[o], seq, status, file, class, name, parameters, duration_ms, "
    "message, trace, to_timestamp(started_at / 1000.0) "
    "FROM unnest($6::int[], $7::bigint[], $8::text[], $9::int[], $10::text[], $11::text[], "
    "$12::text[], $13::text[], $14::text[], $15::bigint[], $16::text[], $17::text[], "
    "$18::bigint[]) AS r (o, seq, key, try, status, file, class, name, parameters, duration_ms, "
    "message, trace, started_at) "
    "ON CONFLICT DO NOTHING RETURNING dispatch_id, seq";

static void mark_inserted(struct batch *batch, const struct rows *rows)
{
    size_t i = 0;
    for (int row = 0; row < rows_count(rows); row++) {
        struct uuid dispatch_id = rows_uuid(rows, row, 0);
        int64_t seq = rows_int(rows, row, 1);
        while (i < batch->item_count &&
               !(is_result_at(&batch->items[i], PLACE_COUNTED) && batch->items[i].item.seq == seq &&
                 uuid_equal(&batch->items[i].dispatch->id, &dispatch_id)))
            i++;
        assert(i < batch->item_count);
        batch->items[i++].is_inserted = true;
    }
}

int db_insert_results(struct store *store, struct batch *batch, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(columns_free) struct columns *columns = columns_new(18);
    struct param params[COLUMNS_MAX];
    size_t count = 0;
    add_dispatches(columns, batch);
    add_variants(columns, batch);
    for (size_t i = 0; i < batch->item_count; i++)
        if (is_result_at(&batch->items[i], PLACE_COUNTED)) {
            add_result(columns, &batch->items[i]);
            count++;
        }
    if (count == 0)
        return 0;
    columns_params(columns, params);
    if (store_query(store, insert_results, params, columns->count, &rows, error) < 0)
        return -1;
    mark_inserted(batch, rows);
    return 0;
}

/* ---- results that do not ---------------------------------------------------------------------- */

#define INSERT_APART(table)                                                                        \
    "INSERT INTO results." table                                                                   \
    " (run_id, task_id, dispatch_id, attempt, seq, case_key, status, "                             \
    "name) SELECT ($1::uuid[])[o], ($2::uuid[])[o], ($3::uuid[])[o], ($4::int[])[o], seq, "        \
    "decode(key, 'hex'), status, name "                                                            \
    "FROM unnest($5::int[], $6::bigint[], $7::text[], $8::text[], $9::text[]) "                    \
    "AS r (o, seq, key, status, name) ON CONFLICT DO NOTHING"

static int add_apart(struct store *store, const char *sql, struct batch *batch,
                     enum batch_place place, struct error *error)
{
    AUTO(columns_free) struct columns *columns = columns_new(9);
    struct param params[COLUMNS_MAX];
    size_t count = 0;
    add_dispatches(columns, batch);
    for (size_t i = 0; i < batch->item_count; i++) {
        const struct batch_item *item = &batch->items[i];
        if (!is_result_at(item, place))
            continue;
        columns_int(columns, 4, item->dispatch->ordinal);
        columns_int(columns, 5, item->item.seq);
        columns_text(columns, 6, item->item.result.key);
        columns_text(columns, 7, names_get(&result_status_names, item->item.result.status));
        columns_text(columns, 8, item->item.result.name);
        count++;
    }
    if (count == 0)
        return 0;
    columns_params(columns, params);
    return store_pipeline_add(store, sql, params, columns->count, -1, error);
}

int db_add_late_results(struct store *store, struct batch *batch, struct error *error)
{
    return add_apart(store, INSERT_APART("late_result"), batch, PLACE_LATE, error);
}

int db_add_stale_results(struct store *store, struct batch *batch, struct error *error)
{
    return add_apart(store, INSERT_APART("stale_result"), batch, PLACE_STALE, error);
}

/* What was told of a case before counts; where it is told otherwise now, that is kept as well. */
static bool is_absorbed(const struct batch_item *item)
{
    return is_result_at(item, PLACE_COUNTED) && !item->is_inserted;
}

/* $1 … $5 run, task, dispatch, attempt, variant by ordinal; $6 … $11 a row each */
static const char insert_contradicting[] =
    "INSERT INTO results.stale_result (run_id, task_id, dispatch_id, attempt, seq, case_key, "
    "status, name) SELECT ($1::uuid[])[o], ($2::uuid[])[o], ($3::uuid[])[o], ($4::int[])[o], seq, "
    "decode(key, 'hex'), status, name "
    "FROM unnest($6::int[], $7::bigint[], $8::text[], $9::int[], $10::text[], $11::text[]) "
    "AS n (o, seq, key, try, status, name) WHERE EXISTS (SELECT FROM results.result r "
    "WHERE r.run_id = ($1::uuid[])[o] AND r.case_key = decode(key, 'hex') "
    "AND r.variant = ($5::text[])[o] AND r.try = n.try AND r.status <> n.status) "
    "ON CONFLICT DO NOTHING";

int db_add_contradicting_results(struct store *store, struct batch *batch, struct error *error)
{
    AUTO(columns_free) struct columns *columns = columns_new(11);
    struct param params[COLUMNS_MAX];
    size_t count = 0;
    add_dispatches(columns, batch);
    add_variants(columns, batch);
    for (size_t i = 0; i < batch->item_count; i++) {
        const struct batch_item *item = &batch->items[i];
        if (!is_absorbed(item))
            continue;
        columns_int(columns, 5, item->dispatch->ordinal);
        columns_int(columns, 6, item->item.seq);
        columns_text(columns, 7, item->item.result.key);
        columns_int(columns, 8, item->item.result.try);
        columns_text(columns, 9, names_get(&result_status_names, item->item.result.status));
        columns_text(columns, 10, item->item.result.name);
        count++;
    }
    if (count == 0)
        return 0;
    columns_params(columns, params);
    return store_pipeline_add(store, insert_contradicting, params, columns->count, -1, error);
}

/* ---- output ----------------------------------------------------------------------------------- */

/* $1 … $4 run, task, dispatch, attempt by ordinal; $5 … $8 a chunk each */
static const char insert_log_chunks[] =
    "INSERT INTO results.log_chunk (run_id, task_id, dispatch_id, attempt, seq, stream, at, text) "
    "SELECT ($1::uuid[])[o], ($2::uuid[])[o], ($3::uuid[])[o], ($4::int[])[o], seq, stream, "
    "to_timestamp(at / 1000.0), text "
    "FROM unnest($5::int[], $6::bigint[], $7::text[], $8::bigint[], $9::text[]) "
    "AS r (o, seq, stream, at, text) ON CONFLICT DO NOTHING";

int db_add_log_chunks(struct store *store, struct batch *batch, struct error *error)
{
    AUTO(columns_free) struct columns *columns = columns_new(9);
    struct param params[COLUMNS_MAX];
    size_t count = 0;
    add_dispatches(columns, batch);
    for (size_t i = 0; i < batch->item_count; i++) {
        const struct batch_item *item = &batch->items[i];
        if (item->item.kind != ITEM_LOG)
            continue;
        columns_int(columns, 4, item->dispatch->ordinal);
        columns_int(columns, 5, item->item.seq);
        columns_text(columns, 6, names_get(&log_stream_names, item->item.log.stream));
        columns_int(columns, 7, item->item.log.at);
        columns_text(columns, 8, item->item.log.text);
        count++;
    }
    if (count == 0)
        return 0;
    columns_params(columns, params);
    return store_pipeline_add(store, insert_log_chunks, params, columns->count, -1, error);
}
