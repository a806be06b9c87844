/* SPDX-License-Identifier: Apache-2.0 */
#include "db/retention.h"

#include "base/memory.h"
#include "service/removed_runs.h"

/* result and log_chunk go by whole months: see partitions.c. Totals and records go when api-ingest has
 * removed their run, and no sooner: nobody reads half a run. */
#define RUN_IS_GONE(alias) "NOT EXISTS (SELECT FROM api.run r WHERE r.id = " alias ".run_id)"

static const char records_sql[] =
    "DELETE FROM results.task_record WHERE dispatch_id IN"
    " (SELECT t.dispatch_id FROM results.task_record t WHERE t.run_id < $1::uuid"
    "  AND t.recorded_at < $2::timestamptz AND " RUN_IS_GONE(
        "t") "  ORDER BY t.run_id LIMIT $3::integer FOR UPDATE SKIP LOCKED)";

static const char totals_sql[] =
    "DELETE FROM results.run_totals WHERE run_id IN"
    " (SELECT t.run_id FROM results.run_totals t WHERE t.run_id < $1::uuid AND t.closed"
    "  AND " RUN_IS_GONE("t") "  ORDER BY t.run_id LIMIT $2::integer FOR UPDATE SKIP LOCKED)";

/* Of runs that somebody removed: results and logs row by row, since their months are kept. */
#define OF_REMOVED(table, key, columns)                                                            \
    "DELETE FROM results." table " WHERE (" key ") IN (SELECT " columns                            \
    " FROM " OF_REMOVED_RUNS(columns, "results." table, "") " LIMIT $3::integer)"
#define STEP_OF_REMOVED(table_, key_, columns_)                                                    \
    {                                                                                              \
        .table = "results." table_, .key = RETENTION_OF_REMOVED_RUNS, .kept_ms = REMOVED_KEPT_MS,  \
        .sql = OF_REMOVED(table_, key_, columns_)                                                  \
    }

#define APART(table)                                                                               \
    "DELETE FROM results." table " WHERE (dispatch_id, seq) IN (SELECT dispatch_id, seq"           \
    " FROM results." table " WHERE recorded_at < $1::timestamptz"                                  \
    " ORDER BY recorded_at LIMIT $2::integer)"

/* Nothing leads from an age to cases, and an index that each sighting changes would cost more than it gives:
 * some hundred pages are looked at each time, wherever they are. */
static const char known_cases_sql[] =
    "DELETE FROM results.known_case WHERE (project_id, case_key) IN (SELECT project_id, case_key"
    " FROM results.known_case TABLESAMPLE SYSTEM (least(100, 100.0 * 100 * 8192"
    "  / greatest(pg_relation_size('results.known_case'), 1)))"
    " WHERE last_seen_at < $1::timestamptz LIMIT $2::integer)";

/* Of projects that somebody removed. */
static const char cases_of_removed_sql[] =
    "DELETE FROM results.known_case WHERE (project_id, case_key) IN (SELECT c.project_id, c.case_key"
    " FROM api.removed_project x JOIN results.known_case c ON c.project_id = x.project_id"
    " WHERE x.removed_at < $1::timestamptz LIMIT $2::integer)";

static const char dead_letters_sql[] =
    "DELETE FROM results.dead_letter WHERE id IN (SELECT id FROM results.dead_letter"
    " WHERE at < $1::timestamptz ORDER BY at LIMIT $2::integer)";

static const struct retention_step steps[] = {
    {.table = "results.task_record", .key = RETENTION_BY_ID_AND_TIME, .sql = records_sql},
    {.table = "results.run_totals", .key = RETENTION_BY_ID, .sql = totals_sql},
    STEP_OF_REMOVED("result", "run_id, case_key, variant, try",
                    "t.run_id, t.case_key, t.variant, t.try"),
    STEP_OF_REMOVED("late_result", "dispatch_id, seq", "t.dispatch_id, t.seq"),
    STEP_OF_REMOVED("stale_result", "dispatch_id, seq", "t.dispatch_id, t.seq"),
    STEP_OF_REMOVED("log_chunk", "run_id, dispatch_id, seq", "t.run_id, t.dispatch_id, t.seq"),
    STEP_OF_REMOVED("task_record", "dispatch_id", "t.dispatch_id"),
    STEP_OF_REMOVED("run_totals", "run_id", "t.run_id"),
    {.table = "results.stale_result", .key = RETENTION_BY_TIME, .sql = APART("stale_result")},
    {.table = "results.late_result", .key = RETENTION_BY_TIME, .sql = APART("late_result")},
    {.table = "results.known_case", .key = RETENTION_BY_TIME, .sql = known_cases_sql},
    {.table = "results.known_case",
     .key = RETENTION_BY_TIME,
     .kept_ms = REMOVED_KEPT_MS,
     .sql = cases_of_removed_sql},
    {.table = "results.dead_letter", .key = RETENTION_BY_TIME, .sql = dead_letters_sql},
};
const struct retention_plan results_retention = {steps, ARRAY_SIZE(steps)};
