/* SPDX-License-Identifier: Apache-2.0 */
/* Keys, suites and runs of a batch, each by one statement for all. */
#include "db/run_batch.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "db/matrix.h"
#include "db/suite_version.h"

/* Whoever tries a batch again looks at it: what is in the way may be our own rows. */
#define UNIQUE_VIOLATION "23505"

static_assert(TRIGGER_HASH_BYTES == COLUMN_HASH_BYTES, "hashes of bodies are columns");

/* Rows are answers about the list. */
static struct trigger *get_by_run(struct trigger *const *list, int count, const char *run_id)
{
    int i = 0;
    while (i < count && strcmp(list[i]->run_id.text, run_id) != 0)
        i++;
    assert(i < count);
    return list[i];
}

/* ---- keys ----------------------------------------------------------------------------------------- */

static const char claim_sql[] =
    "INSERT INTO api.idempotency_key (project_id, key, body_hash, run_id)"
    " SELECT project_id, key, decode(hash, 'hex'), run_id"
    " FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[]) AS k (project_id, key, hash, "
    "run_id)"
    " ON CONFLICT DO NOTHING";

/* A second statement, with a snapshot of its own: in the first one a key that was committed a moment ago
 * would be seen by neither part. */
static const char known_sql[] =
    "SELECT mine.run_id, k.body_hash = decode(mine.hash, 'hex'), r.id, r.number, v.cases,"
    " r.rerun::text"
    " FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[])"
    " AS mine (project_id, key, hash, run_id) JOIN api.idempotency_key k"
    " ON k.project_id = mine.project_id AND k.key = mine.key AND k.run_id <> mine.run_id"
    " JOIN api.run r ON r.id = k.run_id JOIN api.suite_version v ON v.id = r.suite_version_id";

/* A key whose run is not there stands for nothing. Who takes it over first has it: the other one waits, and
 * sees that it names another run than it did. */
static const char take_over_sql[] =
    "UPDATE api.idempotency_key k SET run_id = mine.run_id, body_hash = decode(mine.hash, 'hex')"
    " FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[])"
    " AS mine (project_id, key, hash, run_id) JOIN api.idempotency_key old"
    " ON old.project_id = mine.project_id AND old.key = mine.key AND old.run_id <> mine.run_id"
    " WHERE k.project_id = old.project_id AND k.key = old.key AND k.run_id = old.run_id"
    " AND NOT EXISTS (SELECT FROM api.run r WHERE r.id = old.run_id)";

static const char give_back_sql[] =
    "DELETE FROM api.idempotency_key k USING unnest($1::uuid[], $2::text[], $3::text[], "
    "$4::uuid[])"
    " AS mine (project_id, key, hash, run_id) WHERE k.project_id = mine.project_id"
    " AND k.key = mine.key AND k.run_id = mine.run_id";

static void mark_known(struct trigger *trigger, const struct rows *rows, int row)
{
    if (!rows_bool(rows, row, 1)) {
        trigger->outcome = TRIGGER_REFUSED;
        error_set(&trigger->error, "unprocessable",
                  "this Idempotency-Key was used before, with another body");
        return;
    }
    trigger->outcome = TRIGGER_REPLAYED;
    trigger->answered_id = rows_uuid(rows, row, 2);
    trigger->number = rows_int(rows, row, 3);
    trigger->answered_cases = rows_int(rows, row, 4);
    text_free(&trigger->answered_rerun); /* of an attempt that failed */
    trigger->answered_rerun = rows_copy(rows, row, 5);
}

static void add_key(struct matrix *keys, const struct trigger *trigger)
{
    column_add_uuid(keys->columns[0], &trigger->project_id);
    array_param_add(keys->columns[1], trigger->key);
    column_add_hash(keys->columns[2], trigger->body_hash);
    column_add_uuid(keys->columns[3], &trigger->run_id);
}

/* Of those still open; how many. */
static int add_keys(struct matrix *keys, struct trigger *const *list, int count)
{
    int added = 0;
    for (int i = 0; i < count; i++) {
        if (!trigger_is_open(list[i]) || list[i]->key == NULL)
            continue;
        added++;
        add_key(keys, list[i]);
    }
    return added;
}

/* Of one key alone: rows by their index whatever the planner knows of the tables, which in a fresh
 * installation is that they are empty. */
static const char known_one_sql[] =
    "SELECT k.run_id, k.body_hash = decode($3, 'hex'), r.id, r.number, v.cases, r.rerun::text"
    " FROM api.idempotency_key k JOIN api.run r ON r.id = k.run_id"
    " JOIN api.suite_version v ON v.id = r.suite_version_id"
    " WHERE k.project_id = $1 AND k.key = $2";

int run_batch_db_find_key(struct store *store, struct trigger *trigger, struct error *error)
{
    char hash[2 * TRIGGER_HASH_BYTES + 1];
    AUTO(rows_free) struct rows *known = NULL;
    sodium_bin2hex(hash, sizeof hash, trigger->body_hash, TRIGGER_HASH_BYTES);
    if (store_query(
            store, known_one_sql,
            PARAMS(param_uuid(&trigger->project_id), param_text(trigger->key), param_text(hash)),
            &known, error) < 0)
        return -1;
    if (rows_count(known) > 0)
        mark_known(trigger, known, 0);
    return 0;
}

static int take_over(struct store *store, struct matrix *keys, int wanted, struct error *error)
{
    AUTO(rows_free) struct rows *taken = NULL;
    if (matrix_query(store, take_over_sql, keys, &taken, error) < 0)
        return -1;
    if (rows_affected(taken) == wanted)
        return 0;
    error_set(error, "unavailable", "the Idempotency-Key changed hands meanwhile");
    snprintf(error->sqlstate, sizeof error->sqlstate, "%s", UNIQUE_VIOLATION);
    return -1;
}

int run_batch_db_claim_keys(struct store *store, struct trigger *const *list, int count,
                            struct error *error)
{
    AUTO(matrix_deinit) struct matrix keys = matrix_new(4);
    AUTO(rows_free) struct rows *claimed = NULL;
    AUTO(rows_free) struct rows *known = NULL;
    const int wanted = add_keys(&keys, list, count);
    if (wanted == 0)
        return 0;
    if (matrix_query(store, claim_sql, &keys, &claimed, error) < 0)
        return -1;
    if (rows_affected(claimed) == wanted)
        return 0;
    if (matrix_query(store, known_sql, &keys, &known, error) < 0)
        return -1;
    for (int row = 0; row < rows_count(known); row++)
        mark_known(get_by_run(list, count, rows_text(known, row, 0)), known, row);
    const int left = wanted - (int)rows_affected(claimed) - rows_count(known);
    return left == 0 ? 0 : take_over(store, &keys, left, error);
}

/* Whoever is refused may ask again with the same key. */
static int give_back_keys(struct store *store, struct trigger *const *list, int count,
                          struct error *error)
{
    AUTO(matrix_deinit) struct matrix keys = matrix_new(4);
    return add_keys(&keys, list, count) == 0
               ? 0
               : matrix_query(store, give_back_sql, &keys, NULL, error);
}

/* ---- suites --------------------------------------------------------------------------------------- */

/* In one order everywhere: two batches that add the same suites must not wait for each other. */
static const char add_suites_sql[] =
    "INSERT INTO api.suite_version (id, project_id, suite_slug, digest, spec, cases)"
    " SELECT id, project_id, slug, decode(digest, 'hex'), spec, cases"
    " FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::jsonb[], $6::integer[])"
    " AS mine (id, project_id, slug, digest, spec, cases) ORDER BY project_id, slug, digest"
    " ON CONFLICT (project_id, suite_slug, digest) DO NOTHING";

/* A second statement, as for keys. */
static const char find_suites_sql[] =
    "SELECT mine.run_id, v.id FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[])"
    " AS mine (run_id, project_id, slug, digest) JOIN api.suite_version v"
    " ON v.project_id = mine.project_id AND v.suite_slug = mine.slug"
    " AND v.digest = decode(mine.digest, 'hex')";

static int name_suites(struct store *store, struct trigger *const *list, int count,
                       const struct rows *found, struct error *error)
{
    for (int row = 0; row < rows_count(found); row++) {
        struct trigger *trigger = get_by_run(list, count, rows_text(found, row, 0));
        trigger->suite_version_id = rows_uuid(found, row, 1);
        if (uuid_equal(&trigger->suite_version_id, &trigger->draft->id) &&
            suite_version_db_add_cases(store, trigger->draft, error) < 0)
            return -1;
    }
    return 0;
}

int run_batch_db_add_suites(struct store *store, struct trigger *const *list, int count,
                            struct error *error)
{
    AUTO(matrix_deinit) struct matrix suites = matrix_new(6);
    AUTO(matrix_deinit) struct matrix names = matrix_new(4);
    AUTO(rows_free) struct rows *found = NULL;
    int wanted = 0;
    for (int i = 0; i < count; i++) {
        const struct suite_draft *draft = list[i]->draft;
        if (!trigger_is_open(list[i]) || draft == NULL)
            continue;
        wanted++;
        column_add_uuid(suites.columns[0], &draft->id);
        column_add_uuid(suites.columns[1], &list[i]->project_id);
        array_param_add(suites.columns[2], list[i]->suite_slug);
        column_add_hash(suites.columns[3], draft->digest);
        array_param_add(suites.columns[4], draft->spec);
        array_param_add_int(suites.columns[5], draft->cases);
        column_add_uuid(names.columns[0], &list[i]->run_id);
        column_add_uuid(names.columns[1], &list[i]->project_id);
        array_param_add(names.columns[2], list[i]->suite_slug);
        column_add_hash(names.columns[3], draft->digest);
    }
    if (wanted == 0)
        return 0;
    if (matrix_query(store, add_suites_sql, &suites, NULL, error) < 0 ||
        matrix_query(store, find_suites_sql, &names, &found, error) < 0)
        return -1;
    return name_suites(store, list, count, found, error);
}

/* ---- runs ----------------------------------------------------------------------------------------- */

/* Who names what was removed a moment ago gets no row, and what is named stays until the COMMIT: whoever removes
 * it (FOR UPDATE) waits for us, and sees our runs then, or we for him. */
#define KEPT(name, table, condition)                                                               \
    " " name " AS MATERIALIZED (SELECT id FROM " table " WHERE " condition                         \
    " ORDER BY id FOR KEY SHARE)"
#define KEEP_NAMED                                                                                 \
    "WITH" KEPT("projects", "api.project", "id = ANY ($2::uuid[])") "," KEPT(                      \
        "pools", "api.pool",                                                                       \
        "id = ANY ($3::uuid[])") "," KEPT("versions", "api.suite_version",                         \
                                          "id = ANY ($5::uuid[]) AND project_id = ANY ($2::uuid[])")
static const char add_runs_sql[] = KEEP_NAMED
    " INSERT INTO api.run (id, project_id, pool_id, suite_id, suite_version_id, suite_slug,"
    " environment_id, template_id, title, build_version, branch, commit_sha, priority, "
    "requirements,"
    " parameters, trigger, policy, traceparent, parent_run, relation, created_by,"
    " rerun, bundle)"
    " SELECT mine.* FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[],"
    " $7::uuid[], $8::uuid[], $9::text[], $10::text[], $11::text[], $12::text[], $13::smallint[],"
    " $14::jsonb[], $15::jsonb[], $16::jsonb[], $17::jsonb[], $18::text[], $19::uuid[], "
    "$20::text[],"
    " $21::uuid[], $22::jsonb[], $23::bytea[])"
    " AS mine (id, project_id, pool_id, suite_id, suite_version_id)"
    " WHERE mine.project_id IN (SELECT id FROM projects) AND mine.pool_id IN (SELECT id FROM pools)"
    " AND mine.suite_version_id IN (SELECT id FROM versions) RETURNING id, number";

static void add_run(struct matrix *runs, const struct trigger *trigger)
{
    struct array_param **column = runs->columns;
    column_add_uuid(column[0], &trigger->run_id);
    column_add_uuid(column[1], &trigger->project_id);
    column_add_uuid(column[2], &trigger->pool_id);
    column_add_uuid(column[3], &trigger->suite_id);
    column_add_uuid(column[4], &trigger->suite_version_id);
    array_param_add(column[5], trigger->suite_slug);
    column_add_uuid(column[6], &trigger->environment_id);
    column_add_uuid(column[7], &trigger->template_id);
    array_param_add(column[8], trigger->title);
    array_param_add(column[9], trigger->build_version);
    array_param_add(column[10], trigger->branch);
    array_param_add(column[11], trigger->commit);
    array_param_add_int(column[12], trigger->priority);
    array_param_add(column[13], trigger->requirements);
    array_param_add(column[14], trigger->parameters);
    array_param_add(column[15], trigger->metadata);
    array_param_add(column[16], trigger->policy);
    array_param_add(column[17], trigger->traceparent);
    column_add_uuid(column[18], &trigger->parent_id);
    array_param_add(column[19], trigger->relation);
    column_add_uuid(column[20], &trigger->created_by);
    array_param_add(column[21], trigger->rerun);
    AUTO(text_free)
    char *bundle = trigger->bundle == NULL ? NULL : xasprintf("\\x%s", trigger->bundle);
    array_param_add(column[22], bundle);
}

static void mark_created(struct trigger *const *list, int count, const struct rows *rows)
{
    for (int row = 0; row < rows_count(rows); row++) {
        struct trigger *trigger = get_by_run(list, count, rows_text(rows, row, 0));
        trigger->outcome = TRIGGER_CREATED;
        trigger->answered_id = trigger->run_id;
        trigger->answered_cases = trigger->cases;
        if (trigger->rerun != NULL && trigger->answered_rerun == NULL)
            trigger->answered_rerun = xstrdup(trigger->rerun);
        trigger->number = rows_int(rows, row, 1);
    }
}

/* Those whose project and pool are there: it is the version. */
static const char without_version_sql[] =
    "SELECT mine.id FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS mine (id, project_id, pool_id)"
    " JOIN api.project p ON p.id = mine.project_id JOIN api.pool o ON o.id = mine.pool_id";

static void refuse(struct trigger *trigger, const char *code, const char *text)
{
    trigger->outcome = TRIGGER_REFUSED;
    error_set(&trigger->error, code, "%s", text);
}

/* What they name went between their look at it and ours. */
static int refuse_open(struct store *store, struct trigger *const *list, int count,
                       struct error *error)
{
    AUTO(matrix_deinit) struct matrix left = matrix_new(3);
    AUTO(rows_free) struct rows *rows = NULL;
    for (int i = 0; i < count; i++) {
        if (!trigger_is_open(list[i]))
            continue;
        column_add_uuid(left.columns[0], &list[i]->run_id);
        column_add_uuid(left.columns[1], &list[i]->project_id);
        column_add_uuid(left.columns[2], &list[i]->pool_id);
    }
    if (matrix_query(store, without_version_sql, &left, &rows, error) < 0)
        return -1;
    for (int row = 0; row < rows_count(rows); row++)
        refuse(get_by_run(list, count, rows_text(rows, row, 0)), "unavailable", SUITE_VERSION_GONE);
    for (int i = 0; i < count; i++)
        if (trigger_is_open(list[i]))
            refuse(list[i], "not_found", "the project or the pool was removed just now");
    return 0;
}

int run_batch_db_add_runs(struct store *store, struct trigger *const *list, int count,
                          struct error *error)
{
    AUTO(matrix_deinit) struct matrix runs = matrix_new(23);
    AUTO(rows_free) struct rows *rows = NULL;
    int wanted = 0;
    for (int i = 0; i < count; i++) {
        if (!trigger_is_open(list[i]))
            continue;
        wanted++;
        add_run(&runs, list[i]);
    }
    if (wanted == 0)
        return 0;
    if (matrix_query(store, add_runs_sql, &runs, &rows, error) < 0)
        return -1;
    mark_created(list, count, rows);
    if (rows_count(rows) == wanted)
        return 0;
    if (give_back_keys(store, list, count, error) < 0)
        return -1;
    return refuse_open(store, list, count, error);
}

static const char look_up_sql[] = "SELECT id, number FROM api.run WHERE id = ANY($1::uuid[])";

int run_batch_db_look_up(struct store *store, struct trigger *const *list, int count,
                         struct error *error)
{
    AUTO(matrix_deinit) struct matrix ids = matrix_new(1);
    AUTO(rows_free) struct rows *rows = NULL;
    for (int i = 0; i < count; i++)
        column_add_uuid(ids.columns[0], &list[i]->run_id);
    if (matrix_query(store, look_up_sql, &ids, &rows, error) < 0)
        return -1;
    mark_created(list, count, rows);
    return 0;
}

/* Older ones of the same suite and branch that are not final, once each. */
static const char supersede_sql[] =
    "WITH older AS (SELECT DISTINCT ON (r.id) r.id, r.pool_id, mine.created_by"
    "  FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::uuid[])"
    "   AS mine (id, project_id, suite_slug, branch, created_by)"
    "  JOIN api.run r ON r.project_id = mine.project_id AND r.suite_slug = mine.suite_slug"
    "   AND r.branch = mine.branch AND r.id < mine.id AND r.created_at > now() - interval '15 days'"
    "  LEFT JOIN scheduling.run_state s ON s.run_id = r.id WHERE s.finished_at IS NULL"
    "   AND NOT EXISTS (SELECT FROM api.run_request q WHERE q.run_id = r.id"
    "    AND q.kind IN ('cancel', 'supersede'))),"
    " added AS (INSERT INTO api.run_request (id, run_id, kind, created_by)"
    "  SELECT gen_random_uuid(), id, 'supersede', created_by FROM older RETURNING run_id)"
    " SELECT id, pool_id FROM older";

int run_batch_db_supersede(struct store *store, struct trigger *const *list, int count,
                           struct rows **rows_r, struct error *error)
{
    AUTO(matrix_deinit) struct matrix wanting = matrix_new(5);
    int wanted = 0;
    *rows_r = NULL;
    for (int i = 0; i < count; i++) {
        if (list[i]->outcome != TRIGGER_CREATED || !list[i]->cancel_superseded ||
            list[i]->branch == NULL)
            continue;
        wanted++;
        column_add_uuid(wanting.columns[0], &list[i]->run_id);
        column_add_uuid(wanting.columns[1], &list[i]->project_id);
        array_param_add(wanting.columns[2], list[i]->suite_slug);
        array_param_add(wanting.columns[3], list[i]->branch);
        column_add_uuid(wanting.columns[4], &list[i]->created_by);
    }
    return wanted == 0 ? 0 : matrix_query(store, supersede_sql, &wanting, rows_r, error);
}
