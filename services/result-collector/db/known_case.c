/* SPDX-License-Identifier: Apache-2.0 */
#include "db/known_case.h"

#include "base/memory.h"

/* Another instance may be at the others. */
static const char lock_uncounted_runs[] =
    "SELECT run_id, passed + failed + errored + skipped + blocked FROM results.run_totals "
    "WHERE closed AND NOT in_statistics ORDER BY run_id LIMIT 50 FOR UPDATE SKIP LOCKED";

int db_lock_uncounted_runs(struct store *store, int64_t most_cases, struct array_param **runs_r,
                           int *count_r, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(array_param_free) struct array_param *runs = array_param_new();
    int64_t cases = 0;
    int count = 0;
    if (store_query(store, lock_uncounted_runs, NO_PARAMS, &rows, error) < 0)
        return -1;
    for (; count < rows_count(rows) && (count == 0 || cases < most_cases); count++) {
        array_param_add(runs, rows_text(rows, count, 0));
        cases += rows_int(rows, count, 1);
    }
    *count_r = count;
    *runs_r = TAKE(runs);
    return 0;
}

/* $1 runs. One row a case, by its deciding try in each run, and ordered, so that two collectors never wait
 * for each other. What did not run says nothing of a duration. */
static const char upsert_known_cases[] =
    "INSERT INTO results.known_case AS k (project_id, case_key, file, class, name, parameters, "
    "runs, "
    "duration_ms, last_status, last_run_id) "
    "SELECT project_id, case_key, max(file), max(class), max(name), max(parameters), "
    "count(DISTINCT run_id), "
    "coalesce(avg(duration_ms) FILTER (WHERE status NOT IN ('skipped', 'blocked')), 0), "
    "(array_agg(status ORDER BY run_id DESC))[1], (array_agg(run_id ORDER BY run_id DESC))[1] "
    "FROM (SELECT DISTINCT ON (r.run_id, r.case_key, r.variant) t.project_id, r.* "
    "FROM results.result r JOIN results.run_totals t ON t.run_id = r.run_id "
    "WHERE r.run_id = ANY ($1::uuid[]) ORDER BY r.run_id, r.case_key, r.variant, r.try DESC) AS d "
    "GROUP BY project_id, case_key ORDER BY project_id, case_key "
    "ON CONFLICT (project_id, case_key) DO UPDATE SET runs = k.runs + excluded.runs, "
    "duration_ms = CASE WHEN excluded.last_status IN ('skipped', 'blocked') THEN k.duration_ms "
    "ELSE k.duration_ms * 0.8 + excluded.duration_ms * 0.2 END, "
    "last_status = CASE WHEN excluded.last_run_id >= k.last_run_id THEN excluded.last_status "
    "ELSE k.last_status END, last_run_id = greatest(k.last_run_id, excluded.last_run_id), "
    "last_seen_at = now()";

static const char mark_counted[] =
    "UPDATE results.run_totals SET in_statistics = true WHERE run_id = ANY ($1::uuid[])";

int db_count_runs(struct store *store, struct array_param *runs, struct error *error)
{
    if (store_query(store, upsert_known_cases, PARAMS(array_param_get(runs)), NULL, error) < 0)
        return -1;
    return store_query(store, mark_counted, PARAMS(array_param_get(runs)), NULL, error);
}
