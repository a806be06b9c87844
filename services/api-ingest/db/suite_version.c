/* SPDX-License-Identifier: Apache-2.0 */
#include "db/suite_version.h"

#include <stdlib.h>

#include "base/memory.h"

enum { KEY, SELECTOR, FILE_, CLASS, NAME, PARAMETERS, CASE_COLUMNS };

struct declared_cases {
    struct array_param *columns[CASE_COLUMNS];
};

struct declared_cases *declared_cases_new(void)
{
    struct declared_cases *cases = xcalloc(1, sizeof *cases);
    for (int i = 0; i < CASE_COLUMNS; i++)
        cases->columns[i] = array_param_new();
    return cases;
}

void declared_cases_free(struct declared_cases **cases)
{
    if (*cases == NULL)
        return;
    for (int i = 0; i < CASE_COLUMNS; i++)
        array_param_free(&(*cases)->columns[i]);
    memory_free(cases);
}

void declared_cases_add(struct declared_cases *cases, const struct case_key *key,
                        const char *selector, const char *file, const char *class, const char *name,
                        const char *parameters)
{
    array_param_add(cases->columns[KEY], key->hex);
    array_param_add(cases->columns[SELECTOR], selector);
    array_param_add(cases->columns[FILE_], file);
    array_param_add(cases->columns[CLASS], class);
    array_param_add(cases->columns[NAME], name);
    array_param_add(cases->columns[PARAMETERS], parameters);
}

void suite_draft_free(struct suite_draft **draft_)
{
    struct suite_draft *draft = TAKE(*draft_);
    if (draft == NULL)
        return;
    free(draft->spec);
    declared_cases_free(&draft->declared);
    free(draft);
}

#define FIND                                                                                       \
    "SELECT id FROM api.suite_version WHERE project_id = $1 AND suite_slug = $2 AND digest = $3"
static const char find_sql[] = FIND;
static const char hold_sql[] = FIND " FOR KEY SHARE";

static int find(struct store *store, const char *sql, const struct suite_version_row *row,
                struct uuid *id_r, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store, sql,
                    PARAMS(param_uuid(row->project_id), param_text(row->slug),
                           param_bytes(row->digest, sizeof row->digest)),
                    &rows, error) < 0)
        return -1;
    *id_r = rows_count(rows) == 1 ? rows_uuid(rows, 0, 0) : (struct uuid){.text = ""};
    return 0;
}

int suite_version_db_find(struct store *store, const struct suite_version_row *row,
                          struct uuid *id_r, struct error *error)
{
    return find(store, find_sql, row, id_r, error);
}

int suite_version_db_hold(struct store *store, const struct suite_version_row *row,
                          struct uuid *id_r, struct error *error)
{
    return find(store, hold_sql, row, id_r, error);
}

static const char add_cases_sql[] =
    "INSERT INTO api.declared_case"
    " (suite_version_id, ordinal, case_key, selector, file, class, name, parameters)"
    " SELECT $1, c.ordinal, decode(c.key, 'hex'), c.selector, c.file, c.class, c.name,"
    " c.parameters FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[],"
    " $7::text[]) WITH ORDINALITY AS c (key, selector, file, class, name, parameters, ordinal)";

int suite_version_db_add_cases(struct store *store, const struct suite_draft *draft,
                               struct error *error)
{
    struct array_param **columns = draft->declared->columns;
    if (draft->cases == 0)
        return 0;
    return store_pipeline_add(
        store, add_cases_sql,
        PARAMS(param_uuid(&draft->id), array_param_get(columns[KEY]),
               array_param_get(columns[SELECTOR]), array_param_get(columns[FILE_]),
               array_param_get(columns[CLASS]), array_param_get(columns[NAME]),
               array_param_get(columns[PARAMETERS])),
        -1, error);
}

/* Somebody else has added it. */
static int hold_added(struct store *store, const struct suite_version_row *row, struct uuid *id_r,
                      struct error *error)
{
    if (suite_version_db_hold(store, row, id_r, error) < 0)
        return -1;
    return uuid_is_null(id_r) ? error_set(error, "unavailable", SUITE_VERSION_GONE) : 0;
}

static const char add_sql[] =
    "INSERT INTO api.suite_version (id, project_id, suite_slug, digest, spec, cases)"
    " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (project_id, suite_slug, digest) DO NOTHING";

int suite_version_db_add(struct store *store, const struct suite_version_row *row,
                         const struct suite_draft *draft, struct uuid *id_r, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store, add_sql,
                    PARAMS(param_uuid(&draft->id), param_uuid(row->project_id),
                           param_text(row->slug), param_bytes(row->digest, sizeof row->digest),
                           param_text(draft->spec), param_int(draft->cases)),
                    &rows, error) < 0)
        return -1;
    if (rows_affected(rows) == 0)
        return hold_added(store, row, id_r, error);
    *id_r = draft->id;
    return suite_version_db_add_cases(store, draft, error);
}
