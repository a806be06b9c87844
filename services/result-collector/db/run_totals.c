/* SPDX-License-Identifier: Apache-2.0 */
#include "db/run_totals.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "db/columns.h"

/* ---- tries ------------------------------------------------------------------------------------ */

/* $1 run ids. What this transaction has inserted is seen as well. */
static const char load_retries[] =
    "SELECT DISTINCT run_id FROM results.result WHERE run_id = ANY ($1::uuid[]) AND try > 1";

int db_load_retries(struct store *store, struct batch *batch, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(array_param_free) struct array_param *ids = array_param_new();
    for (const struct batch_run *run = batch->runs; run != NULL; run = run->hh.next)
        if (run->is_touched)
            array_param_add(ids, run->id.text);
    if (store_query(store, load_retries, PARAMS(array_param_get(ids)), &rows, error) < 0)
        return -1;
    for (int row = 0; row < rows_count(rows); row++) {
        struct uuid id = rows_uuid(rows, row, 0);
        batch_get_run(batch, &id)->has_retries = true;
    }
    return 0;
}

/* Run, key and variant of the items that were inserted, of the runs that are asked for. */
static size_t add_keys(struct columns *columns, const struct batch *batch,
                       bool (*is_wanted)(const struct batch_run *))
{
    size_t count = 0;
    for (size_t i = 0; i < batch->item_count; i++) {
        const struct batch_item *item = &batch->items[i];
        if (!item->is_inserted || !is_wanted(item->dispatch->run))
            continue;
        columns_text(columns, 0, item->dispatch->run->id.text);
        columns_text(columns, 1, item->item.result.key);
        columns_text(columns, 2, item->dispatch->task->variant);
        count++;
    }
    return count;
}

static bool has_retries(const struct batch_run *run)
{
    return run->has_retries;
}

static bool is_declared(const struct batch_run *run)
{
    return run->is_declared;
}

/* $1 runs, $2 keys, $3 variants. xmin tells what this transaction has inserted. */
static const char load_tries[] =
    "SELECT k.n, k.run_id, r.try, r.status, r.duration_ms, r.xmin = pg_current_xact_id()::xid "
    "FROM (SELECT run_id, case_key, variant, row_number() OVER () AS n FROM (SELECT DISTINCT "
    "run_id, "
    "decode(key, 'hex') AS case_key, variant FROM unnest($1::uuid[], $2::text[], $3::text[]) "
    "AS u (run_id, key, variant)) AS d) AS k "
    "JOIN results.result r USING (run_id, case_key, variant) ORDER BY k.n, r.try";

static struct totals_try row_to_try(const struct rows *rows, int row)
{
    int status = names_find(&result_status_names, rows_text(rows, row, 3));
    return (struct totals_try){.number = rows_int(rows, row, 2),
                               .status = status,
                               .duration_ms = rows_int(rows, row, 4),
                               .is_fresh = rows_bool(rows, row, 5)};
}

/* One case's rows from `first` on. Returns the row after them. */
static int decide_case(struct batch *batch, const struct rows *rows, int first)
{
    struct uuid run_id = rows_uuid(rows, first, 1);
    int64_t number = rows_int(rows, first, 0);
    int row = first;
    while (row < rows_count(rows) && rows_int(rows, row, 0) == number)
        row++;
    size_t count = (size_t)(row - first);
    struct totals_try *tries = xcalloc(count, sizeof *tries);
    for (size_t i = 0; i < count; i++)
        tries[i] = row_to_try(rows, first + (int)i);
    totals_decide(&batch_get_run(batch, &run_id)->delta, tries, count);
    free(tries);
    return row;
}

int db_decide_retries(struct store *store, struct batch *batch, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(columns_free) struct columns *columns = columns_new(3);
    struct param params[COLUMNS_MAX];
    if (add_keys(columns, batch, has_retries) == 0)
        return 0;
    columns_params(columns, params);
    if (store_query(store, load_tries, params, columns->count, &rows, error) < 0)
        return -1;
    for (int row = 0; row < rows_count(rows);)
        row = decide_case(batch, rows, row);
    return 0;
}

/* ---- what was not planned --------------------------------------------------------------------- */

/* $1 runs, $2 keys, $3 variants. A case that was there before by another try was counted then. */
static const char count_unplanned[] =
    "SELECT k.run_id, count(*) FROM (SELECT DISTINCT run_id, decode(key, 'hex') AS case_key, "
    "variant "
    "FROM unnest($1::uuid[], $2::text[], $3::text[]) AS u (run_id, key, variant)) AS k "
    "JOIN api.run r ON r.id = k.run_id "
    "WHERE NOT EXISTS (SELECT FROM api.declared_case d "
    "WHERE d.suite_version_id = r.suite_version_id AND d.case_key = k.case_key) "
    "AND NOT EXISTS (SELECT FROM results.result o WHERE o.run_id = k.run_id "
    "AND o.case_key = k.case_key AND o.variant = k.variant "
    "AND o.xmin <> pg_current_xact_id()::xid) GROUP BY k.run_id";

int db_count_unplanned(struct store *store, struct batch *batch, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(columns_free) struct columns *columns = columns_new(3);
    struct param params[COLUMNS_MAX];
    if (add_keys(columns, batch, is_declared) == 0)
        return 0;
    columns_params(columns, params);
    if (store_query(store, count_unplanned, params, columns->count, &rows, error) < 0)
        return -1;
    for (int row = 0; row < rows_count(rows); row++) {
        struct uuid id = rows_uuid(rows, row, 0);
        batch_get_run(batch, &id)->unplanned = rows_int(rows, row, 1);
    }
    return 0;
}

/* ---- the update ------------------------------------------------------------------------------- */

/* $1 runs, $2 … $6 by status, $7 durations, $8 found (NULL: nothing said), $9 unplanned. Where planned is
 * known without a list of names, what exceeds it was not planned. */
static const char update_totals[] =
    "UPDATE results.run_totals AS t SET passed = t.passed + d.passed, failed = t.failed + "
    "d.failed, "
    "errored = t.errored + d.errored, skipped = t.skipped + d.skipped, "
    "blocked = t.blocked + d.blocked, duration_ms = t.duration_ms + d.duration_ms, "
    "version = t.version + 1, "
    "planned = CASE WHEN t.planned IS NOT NULL OR d.found IS NOT NULL THEN "
    "greatest(coalesce(t.planned, d.found) + d.unplanned, t.passed + d.passed + t.failed + "
    "d.failed + "
    "t.errored + d.errored + t.skipped + d.skipped + t.blocked + d.blocked) END "
    "FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], "
    "$7::bigint[], $8::bigint[], $9::bigint[]) "
    "AS d (run_id, passed, failed, errored, skipped, blocked, duration_ms, found, unplanned) "
    "WHERE t.run_id = d.run_id AND NOT t.closed "
    "RETURNING t.run_id, t.project_id, t.planned, t.passed, t.failed, t.errored, t.skipped, "
    "t.blocked";

static struct run_totals row_to_totals(const struct rows *rows, int row)
{
    struct run_totals totals = {.run_id = rows_uuid(rows, row, 0),
                                .project_id = rows_uuid(rows, row, 1),
                                .has_planned = !rows_is_null(rows, row, 2),
                                .planned = rows_int(rows, row, 2)};
    for (int status = 0; status < RESULT_STATUS_COUNT; status++)
        totals.by_status[status] = rows_int(rows, row, 3 + status);
    return totals;
}

static void add_delta(struct columns *columns, const struct batch_run *run)
{
    columns_text(columns, 0, run->id.text);
    for (int status = 0; status < RESULT_STATUS_COUNT; status++)
        columns_int(columns, 1 + status, run->delta.by_status[status]);
    columns_int(columns, 6, run->delta.duration_ms);
    columns_int_or_null(columns, 7, run->found, run->found >= 0);
    columns_int(columns, 8, run->unplanned);
}

int db_update_totals(struct store *store, struct batch *batch, struct run_totals **list_r,
                     size_t *count_r, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(columns_free) struct columns *columns = columns_new(9);
    struct param params[COLUMNS_MAX];
    for (const struct batch_run *run = batch->runs; run != NULL; run = run->hh.next)
        if (run->is_touched)
            add_delta(columns, run);
    columns_params(columns, params);
    if (store_query(store, update_totals, params, columns->count, &rows, error) < 0)
        return -1;
    *count_r = (size_t)rows_count(rows);
    *list_r = xcalloc(*count_r + 1, sizeof **list_r);
    for (int row = 0; row < rows_count(rows); row++)
        (*list_r)[row] = row_to_totals(rows, row);
    return 0;
}
