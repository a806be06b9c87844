/* SPDX-License-Identifier: Apache-2.0 */
#include "db/badge.h"

#include "base/memory.h"

static const char last_sql[] =
    "SELECT s.state, coalesce(t.passed, 0), coalesce(t.failed + t.errored + t.blocked, 0),"
    " coalesce(t.planned, t.passed + t.failed + t.errored + t.skipped + t.blocked, 0)"
    " FROM (SELECT * FROM api.run WHERE project_id = $1 AND suite_slug = $2"
    "  AND ($3::text IS NULL OR branch = $3) ORDER BY id DESC LIMIT 500) r"
    " JOIN scheduling.run_state s ON s.run_id = r.id AND s.finished_at IS NOT NULL"
    " LEFT JOIN results.run_totals t ON t.run_id = r.id"
    " WHERE coalesce((r.rerun->>'whole_suite')::boolean, true) AND s.state <> 'cancelled'"
    " ORDER BY r.id DESC LIMIT 1";

int badge_db_last(struct store *store, const struct uuid *project_id, const char *suite,
                  const char *branch, struct badge_facts *facts_r, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store, last_sql,
                    PARAMS(param_uuid(project_id), param_text(suite), param_text(branch)), &rows,
                    error) < 0)
        return -1;
    *facts_r = (struct badge_facts){.state = NULL};
    if (rows_count(rows) == 1)
        *facts_r = (struct badge_facts){.state = rows_copy(rows, 0, 0),
                                        .passed = rows_int(rows, 0, 1),
                                        .failed = rows_int(rows, 0, 2),
                                        .total = rows_int(rows, 0, 3)};
    return 0;
}
