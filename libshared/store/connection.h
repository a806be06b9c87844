/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a store: a connection, and the statements and pipelines on it. Only libshared/store includes
 * this. */
#pragma once

#include <libpq-fe.h>
#include <uthash.h>

#include "store/store.h"

#define STATEMENT_NAME_SIZE 16

struct statement {
    char *sql;
    char name[STATEMENT_NAME_SIZE];
    bool prepared;
    UT_hash_handle hh;
};

/* What the pipeline's answers belong to, in order. */
struct queued {
    struct statement *prepares; /* this answer is that of its Parse; NULL: of an execution */
    int64_t expect;
    int64_t affected;
    char about[ERROR_ABOUT_MAX];
};

struct store {
    PGconn *connection;
    struct statement *statements;
    unsigned statement_count;
    bool in_transaction;
    bool broken;
    int64_t answer_timeout_ms;
    int64_t
        patience_ms; /* after so long it is asked who holds the locks that a statement waits for */
    int64_t stalled_ms; /* for how long a session must stand still to be ended */
    struct queued *queue;
    size_t queue_length, queue_capacity;
    int64_t *affected; /* of the last run's executions */
    size_t affected_length, affected_capacity;
    char about[ERROR_ABOUT_MAX]; /* of the next statement */
};

#define PARAMS_MAX 32

struct libpq_params {
    const char *values[PARAMS_MAX];
    int lengths[PARAMS_MAX];
    int formats[PARAMS_MAX];
};

void params_to_libpq(const struct param *params, int count, struct libpq_params *out);

/* Each -1, with *error set. */
int store_lost(struct store *store, struct error *error, const char *why);
int store_refused(struct store *store, const PGresult *result, struct error *error);
int store_commit_unknown(struct store *store, struct error *error);

/* The next answer; NULL result is the end of one statement's answers. */
int store_next_result(struct store *store, PGresult **result_r, struct error *error) WARN_UNUSED;
/* COMMIT of a failed transaction succeeds, with ROLLBACK as its answer. */
int store_check_committed(const PGresult *result, struct error *error) WARN_UNUSED;

/* Ends the services' sessions that hold what this one waits for while nobody goes on with what was begun in
 * them. Blocks for as long as one more connection and one statement take. */
void store_end_stalled(struct store *store);

/* Of this text, prepared or not. */
struct statement *store_statement(struct store *store, const char *sql);
/* What was said of the next statement is used up by it. */
void store_take_about(struct store *store, char about[ERROR_ABOUT_MAX]);
void store_say_about(struct error *error, const char about[ERROR_ABOUT_MAX]);
