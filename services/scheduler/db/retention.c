/* SPDX-License-Identifier: Apache-2.0 */
#include "db/retention.h"

#include "base/memory.h"
#include "service/removed_runs.h"

/* As many of the runs that are gone as have about so many tasks. */
#define REMOVE_GONE(tasks_limit)                                                                   \
    " old AS (SELECT run_id FROM (SELECT run_id, tasks, sum(tasks) OVER (ORDER BY run_id) AS sum"  \
    "  FROM gone) AS g WHERE g.sum - g.tasks < " tasks_limit "),"                                  \
    " dispatches AS (DELETE FROM scheduling.dispatch WHERE run_id IN (SELECT run_id FROM old)),"   \
    " tasks AS (DELETE FROM scheduling.task WHERE run_id IN (SELECT run_id FROM old)),"            \
    " events AS (DELETE FROM scheduling.run_event WHERE run_id IN (SELECT run_id FROM old))"       \
    " DELETE FROM scheduling.run_state WHERE run_id IN (SELECT run_id FROM old)"

/* All that there is of some runs at once, of about as many tasks as rows are asked for. Only of runs that
 * api-ingest has removed: without its state a run that is there would be taken for a new one. */
static const char runs_sql[] =
    "WITH gone AS (SELECT s.run_id, coalesce(s.tasks, 0) AS tasks FROM scheduling.run_state s"
    "  WHERE s.run_id < $1::uuid AND s.finished_at < $2::timestamptz"
    "  AND NOT EXISTS (SELECT FROM api.run r WHERE r.id = s.run_id)"
    "  ORDER BY s.run_id LIMIT greatest($3::integer / 8, 1) FOR UPDATE SKIP LOCKED)," REMOVE_GONE(
        "$3::integer");

/* The same of those that somebody removed. */
#define STATES_OF_REMOVED OF_REMOVED_RUNS("t.run_id, t.tasks", "scheduling.run_state", "")
static const char removed_runs_sql[] =
    "WITH gone AS (SELECT t.run_id, coalesce(t.tasks, 0) AS tasks FROM " STATES_OF_REMOVED
    "  LIMIT greatest($3::integer / 8, 1) FOR UPDATE OF t SKIP LOCKED)," REMOVE_GONE("$3::integer");

static const char dead_letters_sql[] =
    "DELETE FROM scheduling.dead_letter WHERE id IN (SELECT id FROM scheduling.dead_letter"
    " WHERE at < $1::timestamptz ORDER BY at LIMIT $2::integer)";

static const struct retention_step steps[] = {
    {.table = "scheduling.run_state", .key = RETENTION_BY_ID_AND_TIME, .sql = runs_sql},
    {.table = "scheduling.run_state",
     .key = RETENTION_OF_REMOVED_RUNS,
     .kept_ms = REMOVED_KEPT_MS,
     .sql = removed_runs_sql},
    {.table = "scheduling.dead_letter", .key = RETENTION_BY_TIME, .sql = dead_letters_sql},
};
const struct retention_plan scheduling_retention = {steps, ARRAY_SIZE(steps)};
