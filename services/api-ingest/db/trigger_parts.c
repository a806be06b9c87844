/* SPDX-License-Identifier: Apache-2.0 */
#include "db/trigger_parts.h"

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "db/name.h"

/* A name that is not given falls back to the template's; the pool to "default". `named` stands by itself, so
 * that a run is found by what is unique: as long as nothing is known of the table, an index of a project's
 * runs looks as good. */
static const char find_parts_sql[] =
    "WITH template AS (SELECT * FROM api.template WHERE project_id = $1 AND (slug = $2 OR id = "
    "$3)),"
    " suite AS (SELECT s.id, s.slug, s.title, v.id AS version_id, v.cases,"
    "  v.spec->'requirements' AS requirements, v.spec->'source'->>'kind' AS source,"
    "  v.spec->>'framework' AS framework FROM api.suite s"
    "  JOIN api.suite_version v ON v.id = s.current_version_id WHERE s.project_id = $1"
    "  AND (s.slug = $4 OR s.id = coalesce($5, (SELECT suite_id FROM template)))),"
    " environment AS (SELECT id FROM api.environment WHERE project_id = $1"
    "  AND (slug = $6 OR id = coalesce($7, (SELECT environment_id FROM template"
    "   WHERE $6::text IS NULL)))),"
    " pool AS (SELECT id FROM api.pool p WHERE (slug = coalesce($8,"
    "   CASE WHEN $9::uuid IS NULL AND NOT EXISTS (SELECT FROM template) THEN 'default' END)"
    "   OR id = coalesce($9, (SELECT pool_id FROM template WHERE $8::text IS NULL)))"
    "  AND (p.all_projects OR EXISTS (SELECT FROM api.pool_project g"
    "   WHERE g.pool_id = p.id AND g.project_id = $1))),"
    " named AS MATERIALIZED (SELECT id, project_id FROM api.run WHERE id = $10"
    "  UNION SELECT id, project_id FROM api.run WHERE number = $11),"
    " parent AS (SELECT id FROM named WHERE project_id = $1)"
    " SELECT t.id, s.id, s.version_id, e.id, p.id, r.id, s.slug, s.title, s.cases, s.requirements,"
    " t.defaults, s.source, s.framework FROM (VALUES (1)) AS one"
    " LEFT JOIN template t ON true LEFT JOIN suite s ON true"
    " LEFT JOIN environment e ON true LEFT JOIN pool p ON true LEFT JOIN parent r ON true";

/* The same where only a suite and a pool are named, as most triggers do: with so little to plan and to set up
 * it costs a third. */
static const char find_few_sql[] =
    "SELECT NULL::uuid, s.id, v.id, NULL::uuid, p.id, NULL::uuid, s.slug, s.title, v.cases,"
    " v.spec->'requirements', NULL::jsonb, v.spec->'source'->>'kind', v.spec->>'framework'"
    " FROM (VALUES (1)) AS one"
    " LEFT JOIN (api.suite s JOIN api.suite_version v ON v.id = s.current_version_id)"
    "  ON s.project_id = $1 AND s.slug = $2"
    " LEFT JOIN api.pool p ON p.slug = $3 AND (p.all_projects OR EXISTS"
    "  (SELECT FROM api.pool_project g WHERE g.pool_id = p.id AND g.project_id = $1))";

static bool are_few(const struct trigger_names *names, const struct name *suite,
                    const struct name *pool)
{
    return names->template == NULL && names->environment == NULL && names->parent == NULL &&
           suite->slug != NULL && (names->pool == NULL || pool->slug != NULL);
}

static struct param param_number(const char *text)
{
    int64_t number;
    if (text == NULL || int_parse(text, 1, INT64_MAX, &number, NULL) < 0)
        return param_null();
    return param_int(number);
}

int trigger_parts_db_find(struct store *store, const struct uuid *project_id,
                          const struct trigger_names *names, struct trigger_parts *parts_r,
                          struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    const struct name template = name_read(names->template), suite = name_read(names->suite),
                      environment = name_read(names->environment), pool = name_read(names->pool),
                      parent = name_read(names->parent);
    int status;
    if (are_few(names, &suite, &pool))
        status = store_query(store, find_few_sql,
                             PARAMS(param_uuid(project_id), param_text(suite.slug),
                                    param_text(pool.slug == NULL ? "default" : pool.slug)),
                             &rows, error);
    else
        status = store_query(
            store, find_parts_sql,
            PARAMS(param_uuid(project_id), param_text(template.slug), param_uuid(&template.id),
                   param_text(suite.slug), param_uuid(&suite.id), param_text(environment.slug),
                   param_uuid(&environment.id), param_text(pool.slug), param_uuid(&pool.id),
                   param_uuid(&parent.id), param_number(names->parent)),
            &rows, error);
    if (status < 0)
        return -1;
    *parts_r = (struct trigger_parts){.template_id = rows_uuid(rows, 0, 0),
                                      .suite_id = rows_uuid(rows, 0, 1),
                                      .suite_version_id = rows_uuid(rows, 0, 2),
                                      .environment_id = rows_uuid(rows, 0, 3),
                                      .pool_id = rows_uuid(rows, 0, 4),
                                      .parent_id = rows_uuid(rows, 0, 5),
                                      .suite_slug = rows_copy(rows, 0, 6),
                                      .suite_title = rows_copy(rows, 0, 7),
                                      .cases = rows_int(rows, 0, 8),
                                      .requirements = rows_json(rows, 0, 9),
                                      .defaults = rows_json(rows, 0, 10),
                                      .source = rows_copy(rows, 0, 11),
                                      .framework = rows_copy(rows, 0, 12)};
    return 0;
}

void trigger_parts_deinit(struct trigger_parts *parts)
{
    text_free(&parts->suite_slug);
    text_free(&parts->suite_title);
    text_free(&parts->source);
    text_free(&parts->framework);
    json_free(&parts->requirements);
    json_free(&parts->defaults);
}
