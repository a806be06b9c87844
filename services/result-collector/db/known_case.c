/* SPDX-License-Identifier: Apache-2.0 */
#include "db/known_case.h"

#include "base/memory.h"

/* More than any key. */
#define NO_KEY "ffffffffffffffffffffffffffffffffff"

/* Another instance may be at the others. */
static const char lock_uncounted_runs[] =
    "SELECT run_id, passed + failed + errored + skipped + blocked, counted_to IS NOT NULL "
    "FROM results.run_totals "
    "WHERE closed AND NOT in_statistics ORDER BY run_id LIMIT 50 FOR UPDATE SKIP LOCKED";

int db_lock_uncounted_runs(struct store *store, int64_t most_cases, struct uncounted *runs_r,
                           struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    int64_t cases = 0;
    if (store_query(store, lock_uncounted_runs, NO_PARAMS, &rows, error) < 0)
        return -1;
    *runs_r = (struct uncounted){.ids = array_param_new()};
    for (int row = 0; row < rows_count(rows) && !runs_r->is_large; row++) {
        bool is_large = rows_int(rows, row, 1) > most_cases || rows_bool(rows, row, 2);
        cases += rows_int(rows, row, 1);
        if (row > 0 && (is_large || cases > most_cases))
            break; /* the next time */
        array_param_add(runs_r->ids, rows_text(rows, row, 0));
        runs_r->count++;
        runs_r->is_large = is_large;
    }
    return 0;
}

void uncounted_deinit(struct uncounted *runs)
{
    array_param_free(&runs->ids);
}

/* $1 runs, $2 the key behind which, $3 the key up to which. One row a case, by its deciding try in each run, and ordered, so that two collectors never wait
 * for each other. What did not run says nothing of a duration: that is NULL until it has run. */
static const char upsert_known_cases[] =
    "INSERT INTO results.known_case AS k (project_id, case_key, file, class, name, parameters, "
    "runs, "
    "duration_ms, last_status, last_run_id) "
    "SELECT project_id, case_key, max(file), max(class), max(name), max(parameters), "
    "count(DISTINCT run_id), "
    "avg(duration_ms) FILTER (WHERE status NOT IN ('skipped', 'blocked')), "
    "(array_agg(status ORDER BY run_id DESC, status IN ('passed', 'skipped')))[1], "
    "(array_agg(run_id ORDER BY run_id DESC))[1] "
    "FROM (SELECT DISTINCT ON (r.run_id, r.case_key, r.variant) t.project_id, r.* "
    "FROM results.result r JOIN results.run_totals t ON t.run_id = r.run_id "
    "WHERE r.run_id = ANY ($1::uuid[]) AND r.case_key > decode($2, 'hex') "
    "AND r.case_key <= decode($3, 'hex') ORDER BY r.run_id, r.case_key, r.variant, r.try DESC) AS d "
    "GROUP BY project_id, case_key ORDER BY project_id, case_key "
    "ON CONFLICT (project_id, case_key) DO UPDATE SET runs = k.runs + excluded.runs, "
    "duration_ms = coalesce(k.duration_ms * 0.8 + excluded.duration_ms * 0.2, k.duration_ms, "
    "excluded.duration_ms), "
    "last_status = CASE WHEN excluded.last_run_id >= k.last_run_id THEN excluded.last_status "
    "ELSE k.last_status END, last_run_id = greatest(k.last_run_id, excluded.last_run_id), "
    "last_seen_at = now()";

static const char mark_counted[] =
    "UPDATE results.run_totals SET in_statistics = true WHERE run_id = ANY ($1::uuid[])";

static int count_cases(struct store *store, struct array_param *runs, const char *after,
                       const char *to, struct error *error)
{
    return store_query(store, upsert_known_cases,
                       PARAMS(array_param_get(runs), param_text(after), param_text(to)), NULL,
                       error);
}

int db_count_runs(struct store *store, const struct uncounted *runs, struct error *error)
{
    if (count_cases(store, runs->ids, "", NO_KEY, error) < 0)
        return -1;
    return store_query(store, mark_counted, PARAMS(array_param_get(runs->ids)), NULL, error);
}

/* $1 the run, as a list of one; $2 most cases. Old and new place, and whether that was the last one. */
static const char move_on[] =
    "WITH page AS (SELECT DISTINCT r.case_key FROM results.result r "
    "WHERE r.run_id = ($1::uuid[])[1] AND r.case_key > coalesce((SELECT t.counted_to "
    "FROM results.run_totals t WHERE t.run_id = ($1::uuid[])[1]), '') "
    "ORDER BY r.case_key LIMIT $2::int), "
    "place AS (SELECT count(*) < $2::int AS is_last, "
    "(SELECT case_key FROM page ORDER BY case_key DESC LIMIT 1) AS case_key FROM page), "
    "before AS (SELECT counted_to FROM results.run_totals WHERE run_id = ($1::uuid[])[1]) "
    "UPDATE results.run_totals t SET counted_to = coalesce(place.case_key, t.counted_to), "
    "in_statistics = place.is_last FROM place, before WHERE t.run_id = ($1::uuid[])[1] "
    "RETURNING encode(coalesce(before.counted_to, ''), 'hex'), encode(t.counted_to, 'hex')";

int db_count_part(struct store *store, const struct uncounted *runs, int64_t most_cases,
                  struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store, move_on, PARAMS(array_param_get(runs->ids), param_int(most_cases)),
                    &rows, error) < 0)
        return -1;
    return count_cases(store, runs->ids, rows_text(rows, 0, 0), rows_text(rows, 0, 1), error);
}
