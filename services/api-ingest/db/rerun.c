/* SPDX-License-Identifier: Apache-2.0 */
#include "db/rerun.h"

#include "base/json.h"
#include "base/memory.h"
#include "db/result.h"
#include "db/run.h"

void rerun_facts_deinit(struct rerun_facts *facts)
{
    text_free(&facts->planned_source);
    text_free(&facts->reason);
    json_free(&facts->spec);
}

static const char source_sql[] =
    "SELECT r.pool_id, r.suite_id, r.suite_version_id, r.environment_id, r.template_id,"
    " r.suite_slug, r.title, r.build_version, r.branch, r.commit_sha, r.priority,"
    " r.requirements::text, r.parameters::text, r.trigger::text, r.policy::text,"
    " v.cases, v.spec, s.state = 'passed', s.planned_source, s.reason,"
    " coalesce(t.planned - t.passed - t.failed - t.errored - t.skipped - t.blocked, 0),"
    " encode(r.bundle, 'hex') FROM api.run r JOIN api.suite_version v ON v.id = r.suite_version_id"
    " JOIN scheduling.run_state s ON s.run_id = r.id"
    " LEFT JOIN results.run_totals t ON t.run_id = r.id WHERE r.id = $1";

static void take_source(const struct rows *rows, struct trigger *trigger)
{
    trigger->pool_id = rows_uuid(rows, 0, 0);
    trigger->suite_id = rows_uuid(rows, 0, 1);
    trigger->suite_version_id = rows_uuid(rows, 0, 2);
    trigger->environment_id = rows_uuid(rows, 0, 3);
    trigger->template_id = rows_uuid(rows, 0, 4);
    trigger->suite_slug = rows_copy(rows, 0, 5);
    trigger->title = rows_copy(rows, 0, 6);
    trigger->build_version = rows_copy(rows, 0, 7);
    trigger->branch = rows_copy(rows, 0, 8);
    trigger->commit = rows_copy(rows, 0, 9);
    trigger->priority = rows_int(rows, 0, 10);
    trigger->requirements = rows_copy(rows, 0, 11);
    trigger->parameters = rows_copy(rows, 0, 12);
    trigger->metadata = rows_copy(rows, 0, 13);
    trigger->policy = rows_copy(rows, 0, 14);
    trigger->cases = rows_int(rows, 0, 15);
    trigger->bundle = rows_copy(rows, 0, 21);
}

int rerun_db_source(struct store *store, const struct uuid *run_id, struct trigger *trigger,
                    struct rerun_facts *facts_r, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store, source_sql, PARAMS(param_uuid(run_id)), &rows, error) < 0)
        return -1;
    if (rows_count(rows) == 0)
        return error_set(error, "not_found", "this run is there no more");
    take_source(rows, trigger);
    *facts_r = (struct rerun_facts){.declared = rows_int(rows, 0, 15),
                                    .spec = rows_json(rows, 0, 16),
                                    .passed = rows_bool(rows, 0, 17),
                                    .planned_source = rows_copy(rows, 0, 18),
                                    .reason = rows_copy(rows, 0, 19),
                                    .not_run = rows_int(rows, 0, 20)};
    return 0;
}

static const char failed_sql[] =
    "SELECT encode(r.case_key, 'hex'), d.selector, r.file, r.class, r.name, r.parameters"
    " FROM api.run a JOIN results.result r ON r.run_id = a.id"
    " LEFT JOIN api.declared_case d ON d.suite_version_id = a.suite_version_id"
    "  AND d.case_key = r.case_key"
    " WHERE a.id = $1 AND r.status IN ('failed', 'errored', 'blocked') AND " RESULT_DECIDES
    " ORDER BY d.ordinal, r.file, r.class, r.name, r.parameters";

int rerun_db_failed(struct store *store, const struct uuid *run_id, struct rows **rows_r,
                    struct error *error)
{
    return store_query(store, failed_sql, PARAMS(param_uuid(run_id)), rows_r, error);
}

static const char not_run_sql[] =
    "SELECT encode(d.case_key, 'hex'), d.selector, d.file, d.class, d.name, d.parameters"
    " FROM api.run a JOIN api.declared_case d ON d.suite_version_id = a.suite_version_id"
    " WHERE a.id = $1 AND NOT EXISTS (SELECT FROM results.result r"
    "  WHERE r.run_id = a.id AND r.case_key = d.case_key) ORDER BY d.ordinal";

int rerun_db_not_run(struct store *store, const struct uuid *run_id, struct rows **rows_r,
                     struct error *error)
{
    return store_query(store, not_run_sql, PARAMS(param_uuid(run_id)), rows_r, error);
}

/* The suite's last run before it of which it is certain that it was complete: all that it had found ran, or it
 * passed. Looked for among the project's last thousand runs before it: no further than an index leads quickly. */
#define EARLIER                                                                                    \
    "WITH asked AS (SELECT id, project_id, suite_slug, branch FROM api.run WHERE id = $1),"        \
    " recent AS (SELECT r.id, r.suite_slug, r.branch, r.relation FROM asked a JOIN api.run r"      \
    "  ON r.project_id = a.project_id AND r.id < a.id ORDER BY r.id DESC LIMIT 1000),"             \
    " earlier AS (SELECT e.id FROM asked a JOIN recent e ON e.suite_slug = a.suite_slug"           \
    "  AND e.relation IS DISTINCT FROM 'rerun'"                                                    \
    "  JOIN scheduling.run_state s ON s.run_id = e.id AND (s.planned_source = 'discovered'"        \
    "   OR s.planned_source = 'reported' AND s.state = 'passed')"                                  \
    "  JOIN results.run_totals t ON t.run_id = e.id AND t.closed AND " COUNTED " > 0"              \
    "   AND coalesce(t.planned = " COUNTED ", true)"                                               \
    "  ORDER BY e.branch IS NOT DISTINCT FROM a.branch DESC, e.id DESC LIMIT 1)"
#define MISSING                                                                                    \
    " FROM earlier e JOIN results.result r ON r.run_id = e.id"                                     \
    " WHERE " RESULT_DECIDES                                                                       \
    " AND NOT EXISTS (SELECT FROM results.result m WHERE m.run_id = $1 AND m.case_key = r.case_key)"

static const char known_sql[] =
    EARLIER " SELECT encode(r.case_key, 'hex'), NULL, r.file, r.class, r.name, r.parameters" MISSING
            " ORDER BY r.file, r.class, r.name, r.parameters";

int rerun_db_known(struct store *store, const struct uuid *run_id, struct rows **rows_r,
                   struct error *error)
{
    return store_query(store, known_sql, PARAMS(param_uuid(run_id)), rows_r, error);
}

static const char tells_all_sql[] =
    EARLIER " SELECT EXISTS (SELECT FROM earlier) AND NOT EXISTS (SELECT" MISSING ")";

int rerun_db_tells_all(struct store *store, const struct uuid *run_id, bool *tells_all_r,
                       struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store, tells_all_sql, PARAMS(param_uuid(run_id)), &rows, error) < 0)
        return -1;
    *tells_all_r = rows_bool(rows, 0, 0);
    return 0;
}
