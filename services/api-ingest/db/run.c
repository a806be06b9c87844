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

/* By the id $1 or the number $2. Without an OR, which makes reading the whole table look cheaper while it is new,
 * and keeps each question from being planned once. */
#define RUN_IS_NAMED "r.id = coalesce($1::uuid, (SELECT id FROM api.run WHERE number = $2))"

static const char get_sql[] =
    RUN_SELECT " WHERE " RUN_IS_NAMED " AND ($3::uuid IS NULL OR r.project_id = $3)";

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

/* ---- lists: ids first, each by a way that does not lead through the whole history ------------------------ */

/* clang-format off */
/* The least id of that time; NULL of NULL. */
#define ID_OF(time)                                                                        \
    "CASE WHEN " time " IS NOT NULL THEN (lpad(to_hex(greatest("                           \
    "(extract(epoch FROM " time ") * 1000)::bigint, 0)), 12, '0')"                         \
    " || '70008000000000000000')::uuid END"
/* Between these two are ids of the page: bounds of an index, whatever plan it is. An id's time is that of the
 * server that made it, created_at is Postgres': a day lies between them at the most. */
#define BELOW                                                                              \
    "least($10::uuid, " ID_OF("($13::timestamptz + interval '1 day')") ","                 \
    " 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)"
#define FROM_ON                                                                            \
    "greatest($16::uuid, " ID_OF("($9::timestamptz - interval '1 day')") ","               \
    " '00000000-0000-0000-0000-000000000000'::uuid)"
#define IN_BOUNDS(id) id " < " BELOW " AND " id " >= " FROM_ON
#define IS_WANTED                                                                          \
    " ($1::uuid IS NULL OR r.project_id = $1)"                                             \
    " AND ($3::text IS NULL OR r.suite_slug = $3) AND ($4::uuid IS NULL OR r.suite_id = $4)" \
    " AND ($5::text IS NULL OR r.branch = $5)"                                             \
    " AND ($6::text IS NULL OR r.build_version = $6)"                                      \
    " AND ($7::uuid[] IS NULL OR r.environment_id = ANY($7))"                              \
    " AND ($8::uuid[] IS NULL OR r.template_id = ANY($8))"                                 \
    " AND ($9::timestamptz IS NULL OR r.created_at >= $9)"                                 \
    " AND ($11::uuid IS NULL OR r.parent_run = $11)"                                       \
    " AND ($12::text IS NULL OR r.commit_sha = $12)"                                       \
    " AND ($13::timestamptz IS NULL OR r.created_at < $13)"
#define IS_OF_POOL  " AND ($15::uuid IS NULL OR r.pool_id = $15)"
#define STATES      "string_to_array($2::text, ',')"
#define IS_IN_STATE " AND ($2::text IS NULL OR coalesce(s.state, 'queued') = ANY(" STATES "))"
#define WITH_STATE  " FROM api.run r LEFT JOIN scheduling.run_state s ON s.run_id = r.id WHERE"
#define LIST_OF(ids) RUN_SELECT " WHERE r.id = ANY(ARRAY(" ids ")) ORDER BY r.id DESC"

static const char list_sql[] = LIST_OF(
    "SELECT r.id" WITH_STATE IS_WANTED IS_OF_POOL IS_IN_STATE " AND " IN_BOUNDS("r.id")
    " ORDER BY r.id DESC LIMIT $14");

/* In the order of run_by_pool: no other index has it, so that a plan never goes through the runs of all pools. */
static const char list_of_pool_sql[] = LIST_OF(
    "SELECT r.id" WITH_STATE IS_WANTED IS_IN_STATE
    " AND (r.pool_id, r.id) < ($15::uuid, " BELOW ") AND (r.pool_id, r.id) >= ($15, " FROM_ON ")"
    " ORDER BY r.pool_id DESC, r.id DESC LIMIT $14");

/* Schedulers look for what no message told them of in the last five minutes each time, and further back after they
 * took a partition over. So where each partition has had its owner for a while, all that is older is seen. NULL:
 * that cannot be said, and all are looked at. */
#define SEEN_BEFORE                                                                        \
    "(SELECT CASE WHEN bool_and(o.alive_at > o.taken_at + interval '10 minutes') AND count(*) >="    \
    "  (SELECT value FROM api.installation WHERE name = 'scheduling_partitions')"          \
    "  THEN " ID_OF("(min(o.alive_at) - interval '10 minutes')")                           \
    " END FROM scheduling.partition_owner o)"
/* Those that are open, by run_state_open, and queued ones that no scheduler has seen. Their rows are looked up one by
 * one (OFFSET 0, a subquery for a value): statistics of a time when more was open make no join of it. */
static const char list_of_open_sql[] = LIST_OF(
    "WITH open AS MATERIALIZED (SELECT s.run_id FROM scheduling.run_state s"
    "  WHERE s.state IN ('draft', 'queued', 'running') AND s.state = ANY(" STATES ")"
    "  AND ($1::uuid IS NULL OR s.project_id = $1) AND " IN_BOUNDS("s.run_id") ")"
    " (SELECT r.id FROM (SELECT run_id FROM open ORDER BY run_id DESC) o"
    "  CROSS JOIN LATERAL (SELECT * FROM api.run WHERE id = o.run_id OFFSET 0) r"
    "  WHERE" IS_WANTED IS_OF_POOL " ORDER BY o.run_id DESC LIMIT $14)"
    " UNION ALL (SELECT r.id FROM api.run r WHERE 'queued' = ANY(" STATES ") AND" IS_WANTED IS_OF_POOL
    "  AND " IN_BOUNDS("r.id") " AND r.id >= coalesce(" SEEN_BEFORE ", " FROM_ON ")"
    "  AND (SELECT s.run_id FROM scheduling.run_state s WHERE s.run_id = r.id) IS NULL"
    "  ORDER BY r.id DESC LIMIT $14) ORDER BY 1 DESC LIMIT $14");
/* clang-format on */

static bool are_open(const char *states)
{
    AUTO(text_free) char *copy = states == NULL ? NULL : xstrdup(states);
    char *rest = NULL;
    int state;
    for (const char *name = copy == NULL ? NULL : strtok_r(copy, ",", &rest); name != NULL;
         name = strtok_r(NULL, ",", &rest))
        if (names_parse(&run_state_names, name, &state, NULL) < 0 ||
            run_state_is_final((enum run_state)state))
            return false;
    return states != NULL;
}

/* What the names of a filter name. */
struct named {
    struct uuid pool, parent;
    char *environments, *templates; /* ids as an array; NULL: not asked for */
    bool is_nothing;                /* one of the names names nothing: no run fits */
};

static void named_deinit(struct named *named)
{
    text_free(&named->environments);
    text_free(&named->templates);
}

static const char named_sql[] =
    "SELECT (SELECT id FROM api.pool WHERE slug = $2), (SELECT id FROM api.run WHERE number = $5),"
    " ARRAY(SELECT id FROM api.environment WHERE slug = $3"
    "  AND ($1::uuid IS NULL OR project_id = $1)),"
    " ARRAY(SELECT id FROM api.template WHERE slug = $4"
    "  AND ($1::uuid IS NULL OR project_id = $1))";

static char *take_ids(const struct name *name, const struct rows *rows, int column,
                      bool *is_nothing)
{
    if (name->slug == NULL)
        return uuid_is_null(&name->id) ? NULL : xasprintf("{%s}", name->id.text);
    char *ids = rows_copy(rows, 0, column);
    *is_nothing |= strcmp(ids, "{}") == 0;
    return ids;
}

static struct uuid take_id(const struct uuid *id, bool is_asked, const struct rows *rows,
                           int column, bool *is_nothing)
{
    if (!is_asked || !uuid_is_null(id))
        return *id;
    const struct uuid found = rows_uuid(rows, 0, column);
    *is_nothing |= uuid_is_null(&found);
    return found;
}

static int find_named(struct store *store, const struct run_filter *filter, struct named *named_r,
                      struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    const struct name environment = name_read(filter->environment), pool = name_read(filter->pool),
                      template = name_read(filter->template);
    const struct run_name parent = read_name(filter->parent == NULL ? "" : filter->parent);
    bool is_nothing = false;
    bool has_slug = environment.slug != NULL || pool.slug != NULL || template.slug != NULL;
    if ((has_slug || filter->parent != NULL) &&
        store_query(store, named_sql,
                    PARAMS(param_uuid(&filter->only), param_text(pool.slug),
                           param_text(environment.slug), param_text(template.slug), parent.number),
                    &rows, error) < 0)
        return -1;
    *named_r =
        (struct named){.pool = take_id(&pool.id, filter->pool != NULL, rows, 0, &is_nothing),
                       .parent = take_id(&parent.id, filter->parent != NULL, rows, 1, &is_nothing),
                       .environments = take_ids(&environment, rows, 2, &is_nothing),
                       .templates = take_ids(&template, rows, 3, &is_nothing)};
    named_r->is_nothing = is_nothing;
    return 0;
}

static const char *way_of(const struct run_filter *filter)
{
    if (are_open(filter->state))
        return list_of_open_sql;
    return filter->pool != NULL ? list_of_pool_sql : list_sql;
}

int run_db_list(struct store *store, const struct run_filter *filter, const struct page *page,
                json_t **items_r, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(named_deinit) struct named named = {.is_nothing = false};
    const struct name suite = name_read(filter->suite);
    if (find_named(store, filter, &named, error) < 0)
        return -1;
    if (!named.is_nothing &&
        store_query(
            store, way_of(filter),
            PARAMS(param_uuid(&filter->only), param_text(filter->state), param_text(suite.slug),
                   param_uuid(&suite.id), param_text(filter->branch),
                   param_text(filter->build_version), param_text(named.environments),
                   param_text(named.templates), param_text(filter->since), param_uuid(&page->after),
                   param_uuid(&named.parent), param_text(filter->commit), param_text(filter->until),
                   param_int(page->limit + 1), param_uuid(&named.pool), param_uuid(&filter->floor)),
            &rows, error) < 0)
        return -1;
    json_t *items = json_array();
    for (int row = 0; rows != NULL && row < rows_count(rows); row++) {
        struct run_view view = read_view(rows, row);
        json_array_append_new(items, TAKE(view.json));
    }
    *items_r = items;
    return 0;
}

static const char find_sql[] =
    "SELECT r.id, r.project_id, r.pool_id, r.number, s.finished_at IS NOT NULL FROM api.run r"
    " LEFT JOIN scheduling.run_state s ON s.run_id = r.id"
    " WHERE " RUN_IS_NAMED " AND ($3::uuid IS NULL OR r.project_id = $3)";

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
