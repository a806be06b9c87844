/* SPDX-License-Identifier: Apache-2.0 */
/* Statements that go out together and are answered together. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "store/connection.h"

#define PIPELINE_MAX 4096 /* statements of one pipeline */

static void enqueue(struct store *store, struct statement *prepares, int64_t expect)
{
    store->queue = array_reserve(store->queue, &store->queue_capacity, store->queue_length,
                                 sizeof *store->queue);
    store->queue[store->queue_length++] = (struct queued){.prepares = prepares, .expect = expect};
}

static int enter_pipeline(struct store *store, struct error *error)
{
    if (store->broken)
        return store_lost(store, error, "the connection is lost");
    if (store->queue_length == 0 && PQpipelineStatus(store->connection) == PQ_PIPELINE_OFF &&
        !PQenterPipelineMode(store->connection))
        return store_lost(store, error, PQerrorMessage(store->connection));
    return 0;
}

int store_pipeline_add(struct store *store, const char *sql, const struct param *params, int count,
                       int64_t expect, struct error *error)
{
    struct libpq_params p;
    char about[ERROR_ABOUT_MAX];
    store_take_about(store, about);
    if (store->queue_length >= PIPELINE_MAX && store_pipeline_run(store, false, error) < 0)
        return -1;
    if (enter_pipeline(store, error) < 0)
        return -1;
    struct statement *statement = store_statement(store, sql);
    if (!statement->prepared) {
        if (!PQsendPrepare(store->connection, statement->name, statement->sql, 0, NULL))
            return store_lost(store, error, PQerrorMessage(store->connection));
        enqueue(store, statement, -1);
        statement->prepared = true; /* taken back when the answer says otherwise */
    }
    params_to_libpq(params, count, &p);
    if (!PQsendQueryPrepared(store->connection, statement->name, count, p.values, p.lengths,
                             p.formats, 0))
        return store_lost(store, error, PQerrorMessage(store->connection));
    enqueue(store, NULL, expect);
    memcpy(store->queue[store->queue_length - 1].about, about, ERROR_ABOUT_MAX);
    return PQflush(store->connection) < 0
               ? store_lost(store, error, PQerrorMessage(store->connection))
               : 0;
}

int store_pipeline_begin(struct store *store, struct error *error)
{
    assert(!store->in_transaction);
    if (enter_pipeline(store, error) < 0)
        return -1;
    if (!PQsendQueryParams(store->connection, "BEGIN", 0, NULL, NULL, NULL, NULL, 0))
        return store_lost(store, error, PQerrorMessage(store->connection));
    enqueue(store, NULL, -1);
    store->in_transaction = true;
    return 0;
}

static bool has_expectation(const struct store *store)
{
    for (size_t i = 0; i < store->queue_length; i++)
        if (store->queue[i].expect >= 0)
            return true;
    return false;
}

/* Takes one statement's answers up to the NULL that ends them. *failed_r is set by the first failure,
 * whose reason goes to *error; later ones were only aborted by it. */
static int take_answer(struct store *store, struct queued *queued, bool is_commit, bool *failed_r,
                       struct error *error)
{
    for (;;) {
        PGresult *result;
        if (store_next_result(store, &result, error) < 0)
            return -1;
        if (result == NULL)
            return 0;
        ExecStatusType status = PQresultStatus(result);
        bool ok = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
        if (ok && queued->prepares == NULL)
            queued->affected = atoll(PQcmdTuples(result));
        if (!ok && queued->prepares != NULL)
            queued->prepares->prepared = false;
        if (!ok && !*failed_r && status != PGRES_PIPELINE_ABORTED) {
            store_refused(store, result, error);
            store_say_about(error, queued->about);
        }
        if (ok && is_commit && store_check_committed(result, *failed_r ? NULL : error) < 0)
            *failed_r = true;
        *failed_r = *failed_r || !ok;
        PQclear(result);
        if (store->broken)
            return -1;
    }
}

static int take_sync(struct store *store, struct error *error)
{
    PGresult *result;
    if (store_next_result(store, &result, error) < 0)
        return -1;
    bool synced = result != NULL && PQresultStatus(result) == PGRES_PIPELINE_SYNC;
    PQclear(result);
    if (!synced || !PQexitPipelineMode(store->connection))
        return store_lost(store, error, "the pipeline is out of step");
    return 0;
}

static void keep_affected(struct store *store)
{
    store->affected_length = 0;
    for (size_t i = 0; i < store->queue_length; i++) {
        if (store->queue[i].prepares != NULL)
            continue;
        store->affected = array_reserve(store->affected, &store->affected_capacity,
                                        store->affected_length, sizeof *store->affected);
        store->affected[store->affected_length++] = store->queue[i].affected;
    }
}

static int check_expectations(const struct store *store, struct error *error)
{
    for (size_t i = 0; i < store->queue_length; i++) {
        const struct queued *queued = &store->queue[i];
        if (queued->expect >= 0 && queued->expect != queued->affected)
            return error_set(error, "unexpected",
                             "postgres: a statement changed %lld rows where %lld belong",
                             (long long)queued->affected, (long long)queued->expect);
    }
    return 0;
}

static int send_commit(struct store *store, struct error *error)
{
    if (!PQsendQueryParams(store->connection, "COMMIT", 0, NULL, NULL, NULL, NULL, 0))
        return store_lost(store, error, PQerrorMessage(store->connection));
    enqueue(store, NULL, -1);
    return 0;
}

/* Reads all answers of what is queued; leaves the queue with its affected rows. */
static int collect(struct store *store, bool commit, struct error *error)
{
    bool failed = false;
    if (!PQpipelineSync(store->connection))
        return store_lost(store, error, PQerrorMessage(store->connection));
    for (size_t i = 0; i < store->queue_length; i++)
        if (take_answer(store, &store->queue[i], commit && i + 1 == store->queue_length, &failed,
                        error) < 0)
            return -1;
    if (take_sync(store, error) < 0)
        return -1;
    return failed ? -1 : 0;
}

int store_pipeline_run(struct store *store, bool commit, struct error *error)
{
    bool commit_along = commit && !has_expectation(store);
    if (store->queue_length == 0)
        return commit ? store_commit(store, error) : 0;
    if (store->broken) {
        store->queue_length = 0;
        return store_lost(store, error, "the connection is lost");
    }
    if (commit_along && send_commit(store, error) < 0)
        return -1;
    int status = collect(store, commit_along, error);
    keep_affected(store);
    if (status == 0)
        status = check_expectations(store, error);
    store->queue_length = 0;
    if (commit_along)
        store->in_transaction = store->in_transaction && status < 0 && !store->broken;
    if (status < 0)
        return commit_along ? store_commit_unknown(store, error) : -1;
    return commit && !commit_along ? store_commit(store, error) : 0;
}

int64_t store_pipeline_affected(const struct store *store, int index)
{
    assert(index >= 0 && (size_t)index < store->affected_length);
    return store->affected[index];
}
