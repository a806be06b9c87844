/* SPDX-License-Identifier: Apache-2.0 */
#include "db/suite.h"

#include "base/memory.h"
#include "db/columns.h"
#include "db/name.h"

static const struct column columns_of_suite[] = {
    {"id", COLUMN_TEXT},         {"number", COLUMN_INT},      {"slug", COLUMN_TEXT},
    {"title", COLUMN_TEXT},      {"version_id", COLUMN_TEXT}, {"digest", COLUMN_TEXT},
    {"cases", COLUMN_INT},       {"spec", COLUMN_JSON},       {"created_by", COLUMN_TEXT},
    {"created_at", COLUMN_TEXT}, {"updated_at", COLUMN_TEXT},
};
static const struct columns suite_columns = COLUMNS(columns_of_suite);
#define SUITE_SELECT                                                                               \
    "SELECT s.id, s.number, s.slug, s.title, v.id, encode(v.digest, 'hex'), v.cases,"              \
    " v.spec, s.created_by, api.utc(s.created_at), api.utc(s.updated_at)"                          \
    " FROM api.suite s"                                                                            \
    " JOIN api.suite_version v ON v.id = s.current_version_id"                                     \
    " WHERE s.project_id = $1"

static const char get_sql[] = SUITE_SELECT " AND (s.slug = $2 OR s.id = $3)";

int suite_db_get(struct store *store, const struct uuid *project_id, const char *text,
                 json_t **suite_r, struct error *error)
{
    const struct name name = name_read(text);
    return columns_find(store, get_sql,
                        PARAMS(param_uuid(project_id), param_text(name.slug), param_uuid(&name.id)),
                        &suite_columns, suite_r, error);
}

static const char list_sql[] =
    SUITE_SELECT " AND ($2::uuid IS NULL OR s.id < $2) ORDER BY s.id DESC LIMIT $3";

int suite_db_list(struct store *store, const struct uuid *project_id, const struct page *page,
                  json_t **items_r, struct error *error)
{
    return columns_list(
        store, list_sql,
        PARAMS(param_uuid(project_id), param_uuid(&page->after), param_int(page->limit + 1)),
        &suite_columns, items_r, error);
}

static const char save_sql[] =
    "INSERT INTO api.suite (id, project_id, slug, title, current_version_id, created_by)"
    " VALUES ($1, $2, $3, coalesce($4, $3), $5, $6) ON CONFLICT (project_id, slug) DO UPDATE"
    " SET title = coalesce($4, suite.title), current_version_id = $5, updated_at = now()"
    " RETURNING id";

int suite_db_save(struct store *store, const struct suite_row *row, struct uuid *id_r,
                  bool *is_new_r, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    const struct uuid id = uuid_v7();
    if (store_query(store, save_sql,
                    PARAMS(param_uuid(&id), param_uuid(row->project_id), param_text(row->slug),
                           param_text(row->title), param_uuid(row->version_id),
                           param_uuid(row->created_by)),
                    &rows, error) < 0)
        return -1;
    *id_r = rows_uuid(rows, 0, 0);
    *is_new_r = uuid_equal(id_r, &id);
    return 0;
}

static const char remove_sql[] = "DELETE FROM api.suite WHERE id = $1";

int suite_db_remove(struct store *store, const struct uuid *id, struct error *error)
{
    if (store_query(store, remove_sql, PARAMS(param_uuid(id)), NULL, error) < 0)
        return name_in_use("suite", "template", error);
    return 0;
}

static const struct column columns_of_case[] = {
    {"ordinal", COLUMN_INT},     {"case_key", COLUMN_TEXT}, {"selector", COLUMN_TEXT},
    {"file", COLUMN_TEXT},       {"class", COLUMN_TEXT},    {"name", COLUMN_TEXT},
    {"parameters", COLUMN_TEXT},
};
static const struct columns case_columns = COLUMNS(columns_of_case);

static const char cases_sql[] =
    "SELECT ordinal, encode(case_key, 'hex'), selector, file, class, name, parameters"
    " FROM api.declared_case WHERE suite_version_id = $1 AND ordinal > $2"
    " ORDER BY ordinal LIMIT $3";

int suite_db_cases(struct store *store, const struct uuid *version_id, int64_t after, int64_t limit,
                   json_t **items_r, struct error *error)
{
    return columns_list(store, cases_sql,
                        PARAMS(param_uuid(version_id), param_int(after), param_int(limit)),
                        &case_columns, items_r, error);
}
