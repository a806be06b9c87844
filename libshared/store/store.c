/* SPDX-License-Identifier: Apache-2.0 */
/* One connection to Postgres: connecting, statements, transactions. Every wait has an end, also when the
 * server is stopped and says nothing. */
#include "store/store.h"

#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include "base/clock.h"
#include "base/memory.h"
#include "store/connection.h"
#include "store/rows.h"

#define NO_PARTITION    "no_partition"
#define ANSWER_SLACK_MS 2000 /* beyond the server's own statement time-out */

const struct store_settings store_defaults = {
    .application_name = "verdict",
    .connect_timeout_ms = 5000,
    .statement_timeout_ms = 5000,
    .lock_timeout_ms = 5000,
    .idle_in_transaction_timeout_ms = 5000,
};

void params_to_libpq(const struct param *params, int count, struct libpq_params *out)
{
    assert(count <= PARAMS_MAX);
    for (int i = 0; i < count; i++) {
        bool is_number = params[i].text == NULL && params[i].number[0] != '\0';
        out->values[i] = is_number ? params[i].number : params[i].text;
        out->lengths[i] = (int)params[i].length;
        out->formats[i] = params[i].is_bytes ? 1 : 0;
    }
}

/* ---- errors ----------------------------------------------------------------------------------- */

int store_lost(struct store *store, struct error *error, const char *why)
{
    store->broken = true;
    error_set(error, "unavailable", "postgres: %s", why);
    if (error != NULL)
        memcpy(error->sqlstate, "08006", 6);
    return -1;
}

static void trim(char *text)
{
    size_t length = strlen(text);
    while (length > 0 && text[length - 1] == '\n')
        text[--length] = '\0';
    for (char *c = text; *c != '\0'; c++)
        if (*c == '\n')
            *c = ' ';
}

/* A CHECK that is violated names its constraint; texts are in the server's language. */
static bool is_without_partition(const PGresult *result)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    return strcmp(sqlstate, "23514") == 0 &&
           PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME) == NULL;
}

int store_refused(struct store *store, const PGresult *result, struct error *error)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (PQstatus(store->connection) == CONNECTION_BAD || sqlstate == NULL)
        return store_lost(store, error, PQerrorMessage(store->connection));
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    error_set(error, is_without_partition(result) ? NO_PARTITION : "refused",
              "postgres: %s (%s)%s%s", primary == NULL ? "error" : primary, sqlstate,
              detail == NULL ? "" : ": ", detail == NULL ? "" : detail);
    if (error != NULL) {
        snprintf(error->sqlstate, sizeof error->sqlstate, "%s", sqlstate);
        trim(error->text);
    }
    /* 57P01…: the server closes; 25P03: idle in transaction: the connection is gone after it. */
    if (strncmp(sqlstate, "57P", 3) == 0 || strcmp(sqlstate, "25P03") == 0 ||
        strncmp(sqlstate, "08", 2) == 0)
        store->broken = true;
    return -1;
}

bool store_error_is_data(const struct error *error)
{
    const char *state = error->sqlstate;
    return (strncmp(state, "22", 2) == 0 || strncmp(state, "54", 2) == 0 ||
            strncmp(state, "23", 2) == 0) &&
           !error_is(error, NO_PARTITION);
}

/* ---- waiting ---------------------------------------------------------------------------------- */

/* Waits until the connection has an answer, writing meanwhile what is still to be sent. */
static int await(struct store *store, struct error *error)
{
    int64_t now_ms = monotonic_ms(), deadline_ms = now_ms + store->answer_timeout_ms;
    int64_t look_ms = now_ms + store->patience_ms;
    for (;;) {
        int unsent = PQflush(store->connection);
        if (unsent < 0)
            return store_lost(store, error, PQerrorMessage(store->connection));
        if (!PQisBusy(store->connection))
            return 0;
        now_ms = monotonic_ms();
        if (now_ms >= look_ms) {
            store_end_stalled(store);
            look_ms = INT64_MAX;
            now_ms = monotonic_ms();
        }
        int64_t left_ms = MIN(deadline_ms, look_ms) - now_ms;
        struct pollfd fd = {.fd = PQsocket(store->connection),
                            .events = (short)(POLLIN | (unsent > 0 ? POLLOUT : 0))};
        if (now_ms >= deadline_ms)
            return store_lost(store, error, "no answer in time");
        if (poll(&fd, 1, (int)left_ms) > 0 && (fd.revents & ~POLLOUT) != 0 &&
            !PQconsumeInput(store->connection))
            return store_lost(store, error, PQerrorMessage(store->connection));
    }
}

int store_next_result(struct store *store, PGresult **result_r, struct error *error)
{
    if (await(store, error) < 0)
        return -1;
    *result_r = PQgetResult(store->connection);
    return 0;
}

/* The one answer of a statement outside a pipeline. */
static int single_result(struct store *store, PGresult **result_r, struct error *error)
{
    PGresult *result = NULL, *more = NULL;
    if (store_next_result(store, &result, error) < 0)
        return -1;
    if (result == NULL)
        return store_lost(store, error, "no answer");
    for (;;) {
        if (store_next_result(store, &more, error) < 0) {
            PQclear(result);
            return -1;
        }
        if (more == NULL)
            break;
        PQclear(more);
    }
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        store_refused(store, result, error);
        PQclear(result);
        return -1;
    }
    *result_r = result;
    return 0;
}

/* ---- connecting ------------------------------------------------------------------------------- */

/* What is switched off counts as costly, and what is costly would be compiled first. */
#define BY_INDEX " -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c jit=off"

static int connect_now(const struct store_settings *settings, PGconn **connection_r,
                       struct error *error)
{
    char options[400], connect_timeout[24], tcp_timeout[24];
    snprintf(options, sizeof options,
             "-c statement_timeout=%lld -c lock_timeout=%lld -c "
             "idle_in_transaction_session_timeout=%lld%s%s",
             (long long)settings->statement_timeout_ms, (long long)settings->lock_timeout_ms,
             (long long)settings->idle_in_transaction_timeout_ms,
             settings->generic_plans ? " -c plan_cache_mode=force_generic_plan" : "",
             settings->by_index ? BY_INDEX : "");
    snprintf(connect_timeout, sizeof connect_timeout, "%lld",
             (long long)(settings->connect_timeout_ms + 999) / 1000);
    snprintf(tcp_timeout, sizeof tcp_timeout, "%lld",
             (long long)settings->statement_timeout_ms + ANSWER_SLACK_MS);
    const char *const names[] = {
        "dbname",           "application_name", "options", "connect_timeout",
        "tcp_user_timeout", "client_encoding",  NULL};
    const char *const values[] = {
        settings->url, settings->application_name, options, connect_timeout, tcp_timeout, "UTF8",
        NULL};
    PGconn *connection = PQconnectdbParams(names, values, 1);
    if (PQstatus(connection) != CONNECTION_OK || PQsetnonblocking(connection, 1) != 0) {
        error_set(error, "unavailable", "postgres: %s", PQerrorMessage(connection));
        if (error != NULL) {
            memcpy(error->sqlstate, "08001", 6);
            trim(error->text);
        }
        PQfinish(connection);
        return -1;
    }
    *connection_r = connection;
    return 0;
}

static void ignore_notice(void *context, const PGresult *result)
{
    (void)context;
    (void)result;
}

/* How long an answer is waited for before somebody asks whether it is locks that hold it up: most of the time
 * after which the statement is given up. 0 is without an end, for Postgres. */
static int64_t patience_ms(const struct store_settings *settings)
{
    int64_t time_ms = settings->idle_in_transaction_timeout_ms;
    if (settings->statement_timeout_ms > 0)
        time_ms = MIN(time_ms, settings->statement_timeout_ms);
    if (settings->lock_timeout_ms > 0)
        time_ms = MIN(time_ms, settings->lock_timeout_ms);
    return time_ms * 3 / 4;
}

int store_open(const struct store_settings *settings, struct store **store_r, struct error *error)
{
    PGconn *connection;
    if (connect_now(settings, &connection, error) < 0)
        return -1;
    PQsetNoticeReceiver(connection, ignore_notice, NULL);
    struct store *store = xcalloc(1, sizeof *store);
    store->connection = connection;
    store->answer_timeout_ms = settings->statement_timeout_ms + ANSWER_SLACK_MS;
    store->stalled_ms = settings->idle_in_transaction_timeout_ms;
    store->patience_ms = patience_ms(settings);
    *store_r = store;
    return 0;
}

void store_close(struct store **store_p)
{
    struct store *store = *store_p;
    if (store == NULL)
        return;
    struct statement *statement, *next;
    HASH_ITER (hh, store->statements, statement, next) {
        HASH_DEL(store->statements, statement);
        free(statement->sql);
        free(statement);
    }
    PQfinish(store->connection);
    free(store->queue);
    free(store->affected);
    free(store);
    *store_p = NULL;
}

bool store_is_broken(const struct store *store)
{
    return store->broken;
}

int store_fd(const struct store *store)
{
    return PQsocket(store->connection);
}

/* ---- statements ------------------------------------------------------------------------------- */

struct statement *store_statement(struct store *store, const char *sql)
{
    struct statement *statement;
    HASH_FIND_STR(store->statements, sql, statement);
    if (statement != NULL)
        return statement;
    statement = xcalloc(1, sizeof *statement);
    statement->sql = xstrdup(sql);
    snprintf(statement->name, sizeof statement->name, "s%u", store->statement_count++);
    HASH_ADD_KEYPTR(hh, store->statements, statement->sql, strlen(statement->sql), statement);
    return statement;
}

static int prepare(struct store *store, struct statement *statement, struct error *error)
{
    PGresult *result;
    if (statement->prepared)
        return 0;
    if (!PQsendPrepare(store->connection, statement->name, statement->sql, 0, NULL))
        return store_lost(store, error, PQerrorMessage(store->connection));
    if (single_result(store, &result, error) < 0)
        return -1;
    PQclear(result);
    statement->prepared = true;
    return 0;
}

void store_about(struct store *store, const char *id)
{
    snprintf(store->about, sizeof store->about, "%s", id);
}

void store_take_about(struct store *store, char about[ERROR_ABOUT_MAX])
{
    memcpy(about, store->about, ERROR_ABOUT_MAX);
    store->about[0] = '\0';
}

void store_say_about(struct error *error, const char about[ERROR_ABOUT_MAX])
{
    if (error != NULL && error->sqlstate[0] != '\0')
        memcpy(error->about, about, ERROR_ABOUT_MAX);
}

int store_query(struct store *store, const char *sql, const struct param *params, int count,
                struct rows **rows_r, struct error *error)
{
    PGresult *result;
    struct libpq_params p;
    char about[ERROR_ABOUT_MAX];
    store_take_about(store, about);
    if (store->broken)
        return store_lost(store, error, "the connection is lost");
    if (store->queue_length > 0 && store_pipeline_run(store, false, error) < 0)
        return -1;
    struct statement *statement = store_statement(store, sql);
    if (prepare(store, statement, error) < 0)
        return -1;
    params_to_libpq(params, count, &p);
    if (!PQsendQueryPrepared(store->connection, statement->name, count, p.values, p.lengths,
                             p.formats, 0))
        return store_lost(store, error, PQerrorMessage(store->connection));
    if (single_result(store, &result, error) < 0) {
        store_say_about(error, about);
        return -1;
    }
    if (rows_r != NULL)
        *rows_r = rows_new(result);
    else
        PQclear(result);
    return 0;
}

/* Transaction commands go unprepared: they have no parameters and nothing to plan. */
static int command(struct store *store, const char *sql, PGresult **result_r, struct error *error)
{
    if (store->broken)
        return store_lost(store, error, "the connection is lost");
    if (!PQsendQuery(store->connection, sql))
        return store_lost(store, error, PQerrorMessage(store->connection));
    return single_result(store, result_r, error);
}

/* Answers of several statements follow one another: the first failure is the script's. */
int store_script(struct store *store, const char *sql, struct error *error)
{
    bool failed = false;
    if (store->broken || !PQsendQuery(store->connection, sql))
        return store_lost(store, error, PQerrorMessage(store->connection));
    for (;;) {
        PGresult *result;
        if (store_next_result(store, &result, error) < 0)
            return -1;
        if (result == NULL)
            return failed ? -1 : 0;
        ExecStatusType status = PQresultStatus(result);
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && !failed) {
            store_refused(store, result, error);
            failed = true;
        }
        PQclear(result);
    }
}

int store_begin(struct store *store, struct error *error)
{
    PGresult *result;
    assert(!store->in_transaction);
    if (command(store, "BEGIN", &result, error) < 0)
        return -1;
    PQclear(result);
    store->in_transaction = true;
    return 0;
}

int store_begin_snapshot(struct store *store, struct error *error)
{
    PGresult *result;
    assert(!store->in_transaction);
    if (command(store, "BEGIN ISOLATION LEVEL REPEATABLE READ", &result, error) < 0)
        return -1;
    PQclear(result);
    store->in_transaction = true;
    return 0;
}

int store_check_committed(const PGresult *result, struct error *error)
{
    if (strcmp(PQcmdStatus((PGresult *)(uintptr_t)result), "COMMIT") == 0)
        return 0;
    return error_set(error, "refused", "postgres: the transaction was rolled back");
}

int store_commit_unknown(struct store *store, struct error *error)
{
    if (store->broken && error != NULL)
        snprintf(error->code, sizeof error->code, "unknown");
    return -1;
}

int store_commit(struct store *store, struct error *error)
{
    PGresult *result;
    assert(store->in_transaction);
    if (store->queue_length > 0)
        return store_pipeline_run(store, true, error);
    store->in_transaction = false;
    if (command(store, "COMMIT", &result, error) < 0)
        return store_commit_unknown(store, error);
    int committed = store_check_committed(result, error);
    PQclear(result);
    return committed;
}

static void roll_back(struct store *store)
{
    PGresult *result;
    struct error ignored;
    if (store->queue_length > 0)
        (void)!store_pipeline_run(store, false, &ignored);
    store->in_transaction = false;
    if (!store->broken && command(store, "ROLLBACK", &result, &ignored) == 0)
        PQclear(result);
    else
        store->broken = true;
}

void store_rollback(struct store *store)
{
    if (store->in_transaction || store->queue_length > 0)
        roll_back(store);
}
