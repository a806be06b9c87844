/* SPDX-License-Identifier: Apache-2.0 */
#include "db/retention.h"

#include "base/memory.h"
#include "db/run_remove.h"
#include "model/limits.h"
#include "service/removed_runs.h"

#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)

static const char keys_sql[] =
    "DELETE FROM api.idempotency_key WHERE (project_id, key) IN"
    " (SELECT project_id, key FROM api.idempotency_key WHERE created_at < $1::timestamptz"
    "  ORDER BY created_at LIMIT $2::integer)";

/* Where runs are kept for less than keys, a key goes just before its run does, and not before: who repeats it
 * gets that run or a new one, not the trace of one. */
static const char keys_of_old_runs_sql[] =
    "DELETE FROM api.idempotency_key WHERE (project_id, key) IN"
    " (SELECT k.project_id, k.key FROM api.idempotency_key k"
    "  LEFT JOIN scheduling.run_state s ON s.run_id = k.run_id"
    "  WHERE k.created_at < $1::timestamptz AND (s.finished_at < $1::timestamptz"
    "   OR NOT EXISTS (SELECT FROM api.run r WHERE r.id = k.run_id))"
    "  ORDER BY k.created_at LIMIT $2::integer)";

/* The run itself goes first of all that there is of it: from then on nobody finds it, and the owners of the
 * other tables remove what was of it. One that is not final stays, however old. */
static const char runs_sql[] =
    "WITH old AS (SELECT r.id FROM api.run r JOIN scheduling.run_state s ON s.run_id = r.id"
    "  WHERE r.id < $1::uuid AND s.finished_at < $2::timestamptz"
    "  ORDER BY r.id LIMIT $3::integer FOR UPDATE OF r SKIP LOCKED)," REMOVE_PARTS_OF(
        "SELECT id FROM old") " DELETE FROM api.run WHERE id IN (SELECT id FROM old)";

/* When nothing is left of them; an event may wait for a delivery, and goes by its age then. The note itself stays for
 * as long as runs are kept: who was away may still come with results of it. */
#define NONE_IN(table) " AND NOT EXISTS (SELECT FROM " table " t WHERE t.run_id = x.run_id)"
#define NO_RESULTS                                                                                 \
    NONE_IN("results.run_totals")                                                                  \
    NONE_IN("results.task_record")                                                                 \
    NONE_IN("results.result")                                                                      \
    NONE_IN("results.late_result")                                                                 \
    NONE_IN("results.stale_result")                                                                \
    NONE_IN("results.log_chunk")
static const char emptied_runs_sql[] =
    "UPDATE api.removed_run SET emptied_at = now() WHERE run_id IN (SELECT x.run_id"
    " FROM " REMOVED_RUNS " WHERE true" NONE_IN("scheduling.run_state") NO_RESULTS
    " AND (x.removed_at < now() - interval '1 day'"
    "  OR NOT EXISTS (SELECT FROM notify.event e WHERE e.run_id = x.run_id)) LIMIT $3::integer)";
static const char removed_runs_sql[] =
    "DELETE FROM api.removed_run WHERE run_id IN (SELECT run_id FROM api.removed_run"
    " WHERE emptied_at < $1::timestamptz ORDER BY emptied_at LIMIT $2::integer)";

/* Versions that nothing refers to. Nothing leads to them: a sample of pages is looked at each time. They may have more
 * cases than one statement should remove, so each is given to a project of its own, which is noted as removed: nobody
 * finds it from then on, and the steps behind this one remove it (in the same pass: it is noted with a time of old). */
static const char unused_versions_sql[] =
    "WITH old AS MATERIALIZED (SELECT v.id FROM api.suite_version v TABLESAMPLE SYSTEM (least(100,"
    "  100.0 * 100 * 8192 / greatest(pg_relation_size('api.suite_version'), 1)))"
    "  WHERE v.created_at < $1::timestamptz AND v.project_id <> v.id"
    "  AND NOT api.version_is_used(v.id) LIMIT $2::integer),"
    " held AS MATERIALIZED (SELECT v.id FROM api.suite_version v WHERE v.id IN (SELECT id FROM old)"
    "  FOR UPDATE SKIP LOCKED),"
    " unused AS MATERIALIZED (SELECT id FROM held WHERE NOT api.version_is_used(id)),"
    " notes AS (INSERT INTO api.removed_project (project_id, removed_at)"
    "  SELECT id, $1::timestamptz FROM unused)"
    " UPDATE api.suite_version SET project_id = id WHERE id IN (SELECT id FROM unused)";
#define UNUSED_KEPT_MS DAY_MS /* whoever stores one names it soon */

/* Of projects that somebody removed. */
static const char cases_sql[] = "DELETE FROM api.declared_case WHERE (suite_version_id, ordinal) IN"
                                " (SELECT c.suite_version_id, c.ordinal FROM api.removed_project x"
                                "  JOIN api.suite_version v ON v.project_id = x.project_id"
                                "  JOIN api.declared_case c ON c.suite_version_id = v.id"
                                "  WHERE x.removed_at < $1::timestamptz LIMIT $2::integer)";
static const char versions_sql[] =
    "DELETE FROM api.suite_version WHERE id IN (SELECT v.id FROM api.removed_project x"
    " JOIN api.suite_version v ON v.project_id = x.project_id WHERE x.removed_at < $1::timestamptz"
    " AND NOT EXISTS (SELECT FROM api.declared_case c WHERE c.suite_version_id = v.id)"
    " LIMIT $2::integer)";
static const char removed_projects_sql[] =
    "DELETE FROM api.removed_project WHERE project_id IN (SELECT x.project_id"
    " FROM api.removed_project x WHERE x.removed_at < $1::timestamptz AND NOT EXISTS"
    "  (SELECT FROM api.suite_version v WHERE v.project_id = x.project_id) AND NOT EXISTS"
    "  (SELECT FROM results.known_case c WHERE c.project_id = x.project_id) LIMIT $2::integer)";

#define OF_REMOVED_PROJECTS(table_, sql_)                                                          \
    {                                                                                              \
        .table = (table_), .key = RETENTION_BY_TIME, .kept_ms = REMOVED_KEPT_MS, .sql = (sql_)     \
    }

static const char delivery_requests_sql[] =
    "DELETE FROM api.delivery_request WHERE id IN"
    " (SELECT id FROM api.delivery_request WHERE id < $1::uuid AND created_at < $2::timestamptz"
    "  ORDER BY id LIMIT $3::integer)";

static const char dead_letters_sql[] =
    "DELETE FROM api.dead_letter WHERE id IN (SELECT id FROM api.dead_letter"
    " WHERE at < $1::timestamptz ORDER BY at LIMIT $2::integer)";

static const struct retention_step steps[] = {
    {.table = "api.idempotency_key",
     .key = RETENTION_BY_TIME,
     .kept_ms = LIMIT_IDEMPOTENCY_KEY_DAYS * DAY_MS,
     .sql = keys_sql},
    {.table = "api.idempotency_key", .key = RETENTION_BY_TIME, .sql = keys_of_old_runs_sql},
    {.table = "api.run", .key = RETENTION_BY_ID_AND_TIME, .sql = runs_sql},
    {.table = "api.removed_run",
     .key = RETENTION_OF_REMOVED_RUNS,
     .kept_ms = REMOVED_KEPT_MS,
     .sql = emptied_runs_sql},
    {.table = "api.removed_run", .key = RETENTION_BY_TIME, .sql = removed_runs_sql},
    {.table = "api.suite_version",
     .key = RETENTION_BY_TIME,
     .kept_ms = UNUSED_KEPT_MS,
     .sql = unused_versions_sql},
    OF_REMOVED_PROJECTS("api.declared_case", cases_sql),
    OF_REMOVED_PROJECTS("api.suite_version", versions_sql),
    OF_REMOVED_PROJECTS("api.removed_project", removed_projects_sql),
    {.table = "api.delivery_request",
     .key = RETENTION_BY_ID_AND_TIME,
     .sql = delivery_requests_sql},
    {.table = "api.dead_letter", .key = RETENTION_BY_TIME, .sql = dead_letters_sql},
};
const struct retention_plan api_retention = {steps, ARRAY_SIZE(steps)};
