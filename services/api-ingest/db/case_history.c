/* SPDX-License-Identifier: Apache-2.0 */
#include "db/case_history.h"

#include "base/memory.h"
#include "db/columns.h"
#include "db/result.h"

#define SCANNED_RUNS "2000" /* for one page: a case may be in few of its suite's runs */

static const struct column columns_of_case[] = {
    {"case_key", COLUMN_TEXT},     {"number", COLUMN_INT},       {"suite", COLUMN_TEXT},
    {"file", COLUMN_TEXT},         {"class", COLUMN_TEXT},       {"name", COLUMN_TEXT},
    {"parameters", COLUMN_TEXT},   {"runs", COLUMN_INT},         {"last_status", COLUMN_TEXT},
    {"last_run_id", COLUMN_TEXT},  {"expected_ms", COLUMN_REAL}, {"first_seen_at", COLUMN_TEXT},
    {"last_seen_at", COLUMN_TEXT},
};
static const struct columns case_columns = COLUMNS(columns_of_case);

#define CASE_SELECT                                                                                \
    "SELECT encode(k.case_key, 'hex'), k.number, r.suite_slug, k.file, k.class, k.name,"           \
    " k.parameters, k.runs, k.last_status, r.id, k.duration_ms,"                                   \
    " api.utc(k.first_seen_at), api.utc(k.last_seen_at) FROM results.known_case k"

/* Its last run may have been removed: then it is looked for in the last ones that there are. */
static const char get_sql[] =
    CASE_SELECT " JOIN LATERAL (SELECT a.id, a.suite_slug FROM api.run a WHERE a.id = k.last_run_id"
                "  UNION ALL (SELECT a.id, a.suite_slug FROM (SELECT id, suite_slug FROM api.run"
                "   WHERE project_id = $1 ORDER BY id DESC LIMIT " SCANNED_RUNS ") AS a"
                "   WHERE EXISTS (SELECT FROM results.result r WHERE r.run_id = a.id"
                "    AND r.case_key = k.case_key) ORDER BY a.id DESC LIMIT 1) LIMIT 1) r ON true"
                " WHERE k.project_id = $1 AND k.case_key = decode($2, 'hex')";

int case_db_get(struct store *store, const struct uuid *project_id, const struct case_key *key,
                json_t **case_r, char **suite_r, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store, get_sql, PARAMS(param_uuid(project_id), param_text(key->hex)), &rows,
                    error) < 0)
        return -1;
    *case_r = rows_count(rows) == 0 ? NULL : columns_object(&case_columns, rows, 0);
    *suite_r = rows_count(rows) == 0 ? NULL : rows_copy(rows, 0, 2);
    return 0;
}

static const char list_sql[] =
    CASE_SELECT " LEFT JOIN api.run r ON r.id = k.last_run_id WHERE k.project_id = $1"
                " AND ($2::text IS NULL OR k.case_key > decode($2, 'hex'))"
                " AND ($3::text IS NULL OR k.last_status = ANY(string_to_array($3, ',')))"
                " AND ($4::text IS NULL OR r.suite_slug = $4)"
                " AND ($5::text IS NULL OR position(lower($5) in"
                "  lower(concat_ws(' ', k.file, k.class, k.name, k.parameters))) > 0)"
                " ORDER BY k.case_key LIMIT $6";

int case_db_list(struct store *store, const struct uuid *project_id,
                 const struct case_filter *filter, const char *after, int64_t limit,
                 json_t **items_r, struct error *error)
{
    return columns_list(store, list_sql,
                        PARAMS(param_uuid(project_id), param_text(after[0] == '\0' ? NULL : after),
                               param_text(filter->status), param_text(filter->suite),
                               param_text(filter->search), param_int(limit)),
                        &case_columns, items_r, error);
}

/* $1 project, $2 suite, $3 key, $4 branch, $5 behind which run. A probe per run, newest first. */
#define RUNS_OF_SUITE                                                                              \
    "(SELECT a.* FROM api.run a WHERE a.project_id = $1 AND a.suite_slug = $2"                     \
    " AND ($4::text IS NULL OR a.branch = $4) AND ($5::uuid IS NULL OR a.id < $5)"                 \
    " ORDER BY a.id DESC LIMIT " SCANNED_RUNS ")"
#define ITS_RESULTS                                                                                \
    "JOIN LATERAL (SELECT r.* FROM results.result r WHERE r.run_id = a.id"                         \
    " AND r.case_key = decode($3, 'hex') AND " RESULT_DECIDES " ORDER BY r.variant) r ON true"

static const char figures_sql[] =
    "WITH last AS (SELECT a.id, r.variant, r.status = 'passed' AS passed, r.try, r.duration_ms"
    "  FROM " RUNS_OF_SUITE " a " ITS_RESULTS
    "  WHERE r.status IN ('passed', 'failed', 'errored') ORDER BY a.id DESC LIMIT 100),"
    " pairs AS (SELECT *, lag(passed) OVER (PARTITION BY variant ORDER BY id) AS earlier FROM last)"
    " SELECT count(*), count(*) FILTER (WHERE passed <> earlier),"
    " count(*) FILTER (WHERE passed AND try > 1),"
    " (count(*) FILTER (WHERE passed <> earlier OR (passed AND try > 1)))::float8"
    "  / nullif(count(*), 0),"
    " avg(duration_ms)::float8, percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_ms),"
    " max(duration_ms) FROM pairs";

static const struct column columns_of_figures[] = {
    {"flakiness.runs", COLUMN_INT},     {"flakiness.changes", COLUMN_INT},
    {"flakiness.retried", COLUMN_INT},  {"flakiness.figure", COLUMN_REAL},
    {"durations.mean_ms", COLUMN_REAL}, {"durations.median_ms", COLUMN_REAL},
    {"durations.max_ms", COLUMN_INT},
};
static const struct columns figures_columns = COLUMNS(columns_of_figures);

int case_db_figures(struct store *store, const struct case_runs *of, json_t **flakiness_r,
                    json_t **durations_r, struct error *error)
{
    json_t *figures;
    if (columns_find(store, figures_sql,
                     PARAMS(param_uuid(of->project_id), param_text(of->suite),
                            param_text(of->key->hex), param_text(of->branch), param_null()),
                     &figures_columns, &figures, error) < 0)
        return -1;
    *flakiness_r = json_incref(json_object_get(figures, "flakiness"));
    *durations_r = json_incref(json_object_get(figures, "durations"));
    json_decref(figures);
    return 0;
}

static const struct column columns_of_item[] = {
    {"run.id", COLUMN_TEXT},
    {"run.number", COLUMN_INT},
    {"run.branch", COLUMN_TEXT},
    {"run.commit", COLUMN_TEXT},
    {"run.build_version", COLUMN_TEXT},
    {"run.created_at", COLUMN_TEXT},
    {"variant", COLUMN_TEXT},
    {"try", COLUMN_INT},
    {"status", COLUMN_TEXT},
    {"duration_ms", COLUMN_INT},
    {"message", COLUMN_TEXT},
};
static const struct columns item_columns = COLUMNS(columns_of_item);

/* All variants of a run stand on one page: pages are counted in runs. */
static const char history_sql[] =
    "WITH hits AS (SELECT a.id FROM " RUNS_OF_SUITE " a WHERE EXISTS (SELECT FROM results.result r"
    "  WHERE r.run_id = a.id AND r.case_key = decode($3, 'hex')) ORDER BY a.id DESC LIMIT $6)"
    " SELECT a.id, a.number, a.branch, a.commit_sha, a.build_version, api.utc(a.created_at),"
    " r.variant, r.try, r.status, r.duration_ms, r.message"
    " FROM hits JOIN api.run a ON a.id = hits.id " ITS_RESULTS " ORDER BY a.id DESC, r.variant";

/* The key is a parameter of all of these, and has to be named in each. */
static const char scanned_sql[] =
    "SELECT (array_agg(a.id ORDER BY a.id))[1] FROM " RUNS_OF_SUITE " a WHERE $3::text IS NOT NULL"
    " HAVING count(*) = " SCANNED_RUNS;

int case_db_history(struct store *store, const struct case_runs *of, const struct uuid *after,
                    int64_t limit, json_t **items_r, struct uuid *scanned_r, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (columns_list(store, history_sql,
                     PARAMS(param_uuid(of->project_id), param_text(of->suite),
                            param_text(of->key->hex), param_text(of->branch), param_uuid(after),
                            param_int(limit)),
                     &item_columns, items_r, error) < 0)
        return -1;
    if (store_query(store, scanned_sql,
                    PARAMS(param_uuid(of->project_id), param_text(of->suite),
                           param_text(of->key->hex), param_text(of->branch), param_uuid(after)),
                    &rows, error) < 0) {
        json_decref(*items_r);
        return -1;
    }
    *scanned_r = rows_count(rows) == 1 ? rows_uuid(rows, 0, 0) : (struct uuid){.text = ""};
    return 0;
}
