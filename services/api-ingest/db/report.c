/* SPDX-License-Identifier: Apache-2.0 */
#include "db/report.h"

#include "base/memory.h"
#include "db/result.h"

static const char by_name_sql[] =
    "SELECT encode(r.case_key, 'hex'), r.variant, r.try FROM results.result r"
    " WHERE r.run_id = $1 AND " RESULT_DECIDES
    " ORDER BY r.file, r.class, r.name, r.parameters, r.variant";

static const char failures_sql[] =
    "SELECT encode(r.case_key, 'hex'), r.variant, r.try FROM results.result r"
    " WHERE r.run_id = $1 AND ($2 OR r.status NOT IN ('passed', 'skipped')) AND " RESULT_DECIDES
    " ORDER BY array_position(ARRAY['failed', 'errored', 'blocked'], r.status) NULLS LAST,"
    " r.file, r.class, r.name, r.parameters, r.variant";

int report_db_keys(struct store *store, const struct uuid *run_id, enum report_rows which,
                   struct rows **rows_r, struct error *error)
{
    if (which == REPORT_ROWS_BY_NAME)
        return store_query(store, by_name_sql, PARAMS(param_uuid(run_id)), rows_r, error);
    return store_query(store, failures_sql,
                       PARAMS(param_uuid(run_id), param_bool(which == REPORT_ROWS_FAILURES_FIRST)),
                       rows_r, error);
}

static const char page_sql[] =
    "SELECT " RESULT_COLUMNS " FROM unnest($2::text[], $3::text[], $4::integer[])"
    " WITH ORDINALITY AS k (key, variant, try, place)"
    " JOIN results.result r ON r.run_id = $1 AND r.case_key = decode(k.key, 'hex')"
    " AND r.variant = k.variant AND r.try = k.try ORDER BY k.place";

int report_db_page(struct store *store, const struct uuid *run_id, const struct rows *keys,
                   int from, int count, json_t **results_r, struct error *error)
{
    AUTO(array_param_free) struct array_param *case_keys = array_param_new();
    AUTO(array_param_free) struct array_param *variants = array_param_new();
    AUTO(array_param_free) struct array_param *tries = array_param_new();
    for (int row = from; row < from + count; row++) {
        array_param_add(case_keys, rows_text(keys, row, 0));
        array_param_add(variants, rows_text(keys, row, 1));
        array_param_add(tries, rows_text(keys, row, 2));
    }
    return columns_list(store, page_sql,
                        PARAMS(param_uuid(run_id), array_param_get(case_keys),
                               array_param_get(variants), array_param_get(tries)),
                        &result_columns, results_r, error);
}

static const char counts_sql[] =
    "SELECT r.status, count(*), coalesce(sum(r.duration_ms), 0)::bigint FROM results.result r"
    " WHERE r.run_id = $1 AND " RESULT_DECIDES " GROUP BY r.status";

int report_db_counts(struct store *store, const struct uuid *run_id, struct rows **rows_r,
                     struct error *error)
{
    return store_query(store, counts_sql, PARAMS(param_uuid(run_id)), rows_r, error);
}
