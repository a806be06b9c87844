/* SPDX-License-Identifier: Apache-2.0 */
#include "db/run.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "db/columns.h"
#include "db/name.h"
#include "model/endings.h"
#include "model/states.h"
#include "model/wait.h"

/* Behind what is shown: what the server needs to know of it. */
enum {
    HIDDEN_PROJECT,
    HIDDEN_VERSION,
    HIDDEN_REVISION,
    HIDDEN_COUNT,
};

static const struct column columns_of_run[] = {
    {"id", COLUMN_TEXT},
    {"number", COLUMN_INT},
    {"state", COLUMN_TEXT},
    {"reason", COLUMN_TEXT},
    {"reason_detail", COLUMN_TEXT},
    {"version", COLUMN_INT},
    {"project.id", COLUMN_TEXT},
    {"project.slug", COLUMN_TEXT},
    {"suite.slug", COLUMN_TEXT},
    {"suite.version_id", COLUMN_TEXT},
    {"environment", COLUMN_TEXT},
    {"pool", COLUMN_TEXT},
    {"template", COLUMN_TEXT},
    {"title", COLUMN_TEXT},
    {"build_version", COLUMN_TEXT},
    {"branch", COLUMN_TEXT},
    {"commit", COLUMN_TEXT},
    {"priority", COLUMN_INT},
    {"requirements", COLUMN_JSON},
    {"parameters", COLUMN_JSON},
    {"trigger", COLUMN_JSON},
    {"policy", COLUMN_JSON},
    {"planned_source", COLUMN_TEXT},
    {"tasks", COLUMN_INT},
    {"totals.planned", COLUMN_INT},
    {"totals.passed", COLUMN_INT},
    {"totals.failed", COLUMN_INT},
    {"totals.errored", COLUMN_INT},
    {"totals.skipped", COLUMN_INT},
    {"totals.blocked", COLUMN_INT},
    {"totals.not_run", COLUMN_INT},
    {"totals.duration_ms", COLUMN_INT},
    {"wait.class", COLUMN_TEXT},
    {"wait.text", COLUMN_TEXT},
    {"wait.since", COLUMN_TEXT},
    {"actor.id", COLUMN_TEXT},
    {"actor.name", COLUMN_TEXT},
    {"created_by.id", COLUMN_TEXT},
    {"created_by.name", COLUMN_TEXT},
    {"created_at", COLUMN_TEXT},
    {"queued_at", COLUMN_TEXT},
    {"started_at", COLUMN_TEXT},
    {"finished_at", COLUMN_TEXT},
    {"queue_deadline", COLUMN_TEXT},
    {"run_deadline", COLUMN_TEXT},
    {"parent_run", COLUMN_TEXT},
    {"relation", COLUMN_TEXT},
    {"rerun", COLUMN_JSON},
};
static const struct columns run_columns = COLUMNS(columns_of_run);

/* What no scheduler has seen yet has its deadlines all the same, and says so. A scheduler that is gone is
 * told apart from one that is only slow. */
/* clang-format off */
#define COUNTED "(t.passed + t.failed + t.errored + t.skipped + t.blocked)"
#define PLANNED                                                                  \
    "coalesce(t.planned, nullif(v.cases, 0),"                                    \
    " CASE WHEN s.finished_at IS NOT NULL THEN coalesce(" COUNTED ", 0) END)"
#define WAIT_SINCE                                                               \
    "CASE WHEN s.run_id IS NULL THEN r.created_at"                               \
    " WHEN s.finished_at IS NULL THEN s.wait_since END"
#define DEADLINE(column, policy)                                                 \
    "coalesce(s." column ", r.created_at"                                        \
    " + (r.policy->>'" policy "')::bigint * interval '1 millisecond')"
#define RUN_SELECT                                                               \
    "SELECT r.id, r.number, coalesce(s.state, 'queued'), s.reason,"              \
    " s.reason_detail, coalesce(s.version, 0),"                                  \
    " p.id, p.slug, r.suite_slug, r.suite_version_id, e.slug, o.slug, m.slug,"   \
    " r.title, r.build_version, r.branch, r.commit_sha, r.priority,"             \
    " r.requirements, r.parameters, r.trigger, r.policy,"                        \
    " s.planned_source, s.tasks, " PLANNED ","                                   \
    " coalesce(t.passed, 0), coalesce(t.failed, 0), coalesce(t.errored, 0),"     \
    " coalesce(t.skipped, 0), coalesce(t.blocked, 0),"                           \
    " " PLANNED " - coalesce(" COUNTED ", 0), coalesce(t.duration_ms, 0),"       \
    " CASE WHEN s.run_id IS NULL THEN 'not_seen'"                                \
    "  WHEN s.finished_at IS NULL THEN s.wait_class END,"                        \
    " CASE WHEN s.run_id IS NULL THEN 'no scheduler has read it yet'"            \
    "  WHEN s.finished_at IS NULL THEN s.wait_text END,"                         \
    " api.utc(" WAIT_SINCE "), s.actor, a.name, r.created_by, c.name,"           \
    " api.utc(r.created_at), api.utc(s.queued_at),"                              \
    " api.utc(s.started_at), api.utc(s.finished_at),"                            \
    " api.utc(" DEADLINE("queue_deadline", "queue_timeout_ms") "),"              \
    " api.utc(" DEADLINE("run_deadline", "run_timeout_ms") "),"                  \
    " r.parent_run, r.relation, r.rerun,"                                        \
    " r.project_id, coalesce(s.version, 0),"                                     \
    " coalesce(s.version, 0) + coalesce(t.version, 0)"                           \
    " FROM api.run r"                                                            \
    " JOIN api.project p ON p.id = r.project_id"                                 \
    " JOIN api.pool o ON o.id = r.pool_id"                                       \
    " JOIN api.suite_version v ON v.id = r.suite_version_id"                     \
    " LEFT JOIN api.environment e ON e.id = r.environment_id"                    \
    " LEFT JOIN api.template m ON m.id = r.template_id"                          \
    " LEFT JOIN scheduling.run_state s ON s.run_id = r.id"                       \
    " LEFT JOIN results.run_totals t ON t.run_id = r.id"                         \
    " LEFT JOIN api.principal a ON a.id = s.actor"                               \
    " LEFT JOIN api.principal c ON c.id = r.created_by"
/* clang-format on */

void run_view_deinit(struct run_view *view)
{
    json_free(&view->json);
}

/* The sentence for its reason and the exit code come from the table of endings. */
static void add_ending(json_t *run, bool *is_final_r)
{
    const char *name = json_find_text(run, "reason");
    int state, reason = REASON_NONE;
    *is_final_r = names_parse(&run_state_names, json_find_text(run, "state"), &state, NULL) == 0 &&
                  run_state_is_final((enum run_state)state);
    if (name != NULL && name[0] != '\0' && names_parse(&reason_names, name, &reason, NULL) < 0)
        reason = REASON_NONE;
    const struct ending *ending = ending_get((enum reason)reason);
    json_object_set_new(run, "reason_text",
                        reason == REASON_NONE ? json_null() : json_string(ending->text));
    json_object_set_new(run, "exit_code",
                        *is_final_r ? json_integer(ending->exit_code) : json_null());
}

static struct run_view read_view(const struct rows *rows, int row)
{
    const int hidden = run_columns.count;
    struct run_view view = {.id = rows_uuid(rows, row, 0),
                            .project_id = rows_uuid(rows, row, hidden + HIDDEN_PROJECT),
                            .version = rows_int(rows, row, hidden + HIDDEN_VERSION),
                            .revision = rows_int(rows, row, hidden + HIDDEN_REVISION),
                            .json = columns_object(&run_columns, rows, row)};
    add_ending(view.json, &view.is_final);
    return view;
}

/* A name of a run: its id or its number. */
struct run_name {
    struct uuid id;
    struct param number;
};

static struct run_name read_name(const char *text)
{
    struct run_name name = {.id = {""}, .number = param_null()};
    int64_t number;
    if (uuid_parse(text, &name.id, NULL) < 0 && int_parse(text, 1, INT64_MAX, &number, NULL) == 0)
        name.number = param_int(number);
    return name;
}

static const char get_sql[] =
    RUN_SELECT " WHERE (r.id = $1 OR r.number = $2) AND ($3::uuid IS NULL OR r.project_id = $3)";

int run_db_get(struct store *store, const struct uuid *only, const char *text,
               struct run_view *view_r, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    const struct run_name name = read_name(text);
    if (store_query(store, get_sql, PARAMS(param_uuid(&name.id), name.number, param_uuid(only)),
                    &rows, error) < 0)
        return -1;
    *view_r = rows_count(rows) == 1 ? read_view(rows, 0) : (struct run_view){.json = NULL};
    return 0;
}

static const char get_many_sql[] = RUN_SELECT " WHERE r.id = ANY($1::uuid[])";

int run_db_get_many(struct store *store, const struct uuid *ids, int count,
                    struct run_view **views_r, int *count_r, struct error *error)
{
    AUTO(array_param_free) struct array_param *list = array_param_new();
    AUTO(rows_free) struct rows *rows = NULL;
    for (int i = 0; i < count; i++)
        array_param_add(list, ids[i].text);
    if (store_query(store, get_many_sql, PARAMS(array_param_get(list)), &rows, error) < 0)
        return -1;
    *count_r = rows_count(rows);
    *views_r = xcalloc((size_t)*count_r + 1, sizeof **views_r);
    for (int row = 0; row < *count_r; row++)
        (*views_r)[row] = read_view(rows, row);
    return 0;
}

static const char nth_sql[] = "SELECT id FROM api.run WHERE project_id = $1"
                              " AND id < coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')"
                              " ORDER BY id DESC OFFSET $3 LIMIT 1";

int run_db_nth(struct store *store, const struct uuid *project_id, const struct uuid *after,
               int64_t count, struct uuid *id_r, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store, nth_sql,
                    PARAMS(param_uuid(project_id), param_uuid(after), param_int(count - 1)), &rows,
                    error) < 0)
        return -1;
    *id_r = rows_count(rows) == 1 ? rows_uuid(rows, 0, 0) : (struct uuid){.text = ""};
    return 0;
}

static const char list_sql[] = RUN_SELECT
    " WHERE ($1::uuid IS NULL OR r.project_id = $1)"
    " AND ($2::text IS NULL OR coalesce(s.state, 'queued') = ANY(string_to_array($2, ',')))"
    " AND (coalesce($3::text, $4::uuid::text) IS NULL OR r.suite_slug = $3"
    "  OR r.suite_id = $4)"
    " AND ($5::text IS NULL OR r.branch = $5)"
    " AND ($6::text IS NULL OR r.build_version = $6)"
    " AND (coalesce($7::text, $8::uuid::text) IS NULL OR e.slug = $7"
    "  OR r.environment_id = $8)"
    " AND ($9::timestamptz IS NULL OR r.created_at >= $9)"
    " AND r.id < coalesce($10::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')"
    " AND ($11::text IS NULL OR r.parent_run = $12"
    "  OR r.parent_run = (SELECT id FROM api.run WHERE number = $13))"
    " AND ($14::text IS NULL OR r.commit_sha = $14)"
    " AND ($15::timestamptz IS NULL OR r.created_at < $15)"
    " AND (coalesce($17::text, $18::uuid::text) IS NULL OR o.slug = $17"
    "  OR r.pool_id = $18)"
    " AND (coalesce($19::text, $20::uuid::text) IS NULL OR m.slug = $19"
    "  OR r.template_id = $20)"
    /* A bound of an index, whatever plan it is. */
    " AND r.id >= coalesce($21::uuid, '00000000-0000-0000-0000-000000000000')"
    " ORDER BY r.id DESC LIMIT $16";

int run_db_list(struct store *store, const struct run_filter *filter, const struct page *page,
                json_t **items_r, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    const struct name suite = name_read(filter->suite),
                      environment = name_read(filter->environment), pool = name_read(filter->pool),
                      template = name_read(filter->template);
    const struct run_name parent = read_name(filter->parent == NULL ? "" : filter->parent);
    if (store_query(
            store, list_sql,
            PARAMS(param_uuid(&filter->only), param_text(filter->state), param_text(suite.slug),
                   param_uuid(&suite.id), param_text(filter->branch),
                   param_text(filter->build_version), param_text(environment.slug),
                   param_uuid(&environment.id), param_text(filter->since), param_uuid(&page->after),
                   param_text(filter->parent), param_uuid(&parent.id), parent.number,
                   param_text(filter->commit), param_text(filter->until),
                   param_int(page->limit + 1), param_text(pool.slug), param_uuid(&pool.id),
                   param_text(template.slug), param_uuid(&template.id), param_uuid(&filter->floor)),
            &rows, error) < 0)
        return -1;
    json_t *items = json_array();
    for (int row = 0; row < rows_count(rows); row++) {
        struct run_view view = read_view(rows, row);
        json_array_append_new(items, TAKE(view.json));
    }
    *items_r = items;
    return 0;
}

static const char find_sql[] =
    "SELECT r.id, r.project_id, r.pool_id, r.number, s.finished_at IS NOT NULL FROM api.run r"
    " LEFT JOIN scheduling.run_state s ON s.run_id = r.id"
    " WHERE (r.id = $1 OR r.number = $2) AND ($3::uuid IS NULL OR r.project_id = $3)";

int run_db_find(struct store *store, const struct uuid *only, const char *text,
                struct run_ref *run_r, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    const struct run_name name = read_name(text);
    if (store_query(store, find_sql, PARAMS(param_uuid(&name.id), name.number, param_uuid(only)),
                    &rows, error) < 0)
        return -1;
    *run_r = (struct run_ref){.number = 0};
    if (rows_count(rows) == 1)
        *run_r = (struct run_ref){.id = rows_uuid(rows, 0, 0),
                                  .project_id = rows_uuid(rows, 0, 1),
                                  .pool_id = rows_uuid(rows, 0, 2),
                                  .number = rows_int(rows, 0, 3),
                                  .is_final = rows_bool(rows, 0, 4)};
    return 0;
}

static const char request_cancel_sql[] =
    "INSERT INTO api.run_request (id, run_id, kind, created_by) SELECT $1, $2, 'cancel', $3"
    " WHERE NOT EXISTS (SELECT FROM api.run_request WHERE run_id = $2 AND kind = 'cancel')";

int run_db_request_cancel(struct store *store, const struct uuid *run_id,
                          const struct uuid *created_by, struct error *error)
{
    const struct uuid id = uuid_v7();
    return store_query(store, request_cancel_sql,
                       PARAMS(param_uuid(&id), param_uuid(run_id), param_uuid(created_by)), NULL,
                       error);
}
