/* SPDX-License-Identifier: Apache-2.0 */
/* Postgres, synchronously, with limits on every wait. Only libshared/store includes libpq. A store is one
 * connection; it belongs to one thread. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/uuid.h"

struct store;
struct rows;

struct store_settings {
    const char *url;
    const char *application_name;
    int64_t connect_timeout_ms;
    int64_t statement_timeout_ms;
    int64_t lock_timeout_ms;
    int64_t idle_in_transaction_timeout_ms;
    /* Each statement is planned once, not for every set of parameters: right where all of them look rows up
     * by their keys. Planning takes longer than executing a join of ten tables by key. */
    bool generic_plans;
    /* Rows are looked up by index, whatever the planner knows of the tables: of those that are new it knows
     * nothing, takes them for small, and keeps a plan that reads them whole while they grow. Right where no
     * statement is meant to read much of a table. */
    bool by_index;
};
extern const struct store_settings store_defaults; /* 5 s each; url NULL */

/* One parameter of a statement. Texts are borrowed for the call. */
struct param {
    const char *text; /* NULL is SQL NULL */
    size_t length;    /* for bytes */
    bool is_bytes;
    char number[24];
};
struct param param_text(const char *text);
struct param param_int(int64_t number);
struct param param_bool(bool value);
struct param param_uuid(const struct uuid *uuid); /* "" is NULL */
struct param param_bytes(const void *bytes, size_t length);
struct param param_null(void);

int store_open(const struct store_settings *settings, struct store **store_r,
               struct error *error) WARN_UNUSED;
void store_close(struct store **store);
bool store_is_broken(const struct store *store); /* the connection is gone: close and open again */
int store_fd(const struct store *store);

/* One statement, prepared on first use (the text's address and content are the key, so texts are
 * literals). *rows_r may be NULL when the rows do not matter. On failure error->sqlstate is set ("08006"
 * when the connection went). */
int store_query(struct store *store, const char *sql, const struct param *params, int count,
                struct rows **rows_r, struct error *error) WARN_UNUSED;
#define PARAMS(...)                                                                                \
    ((const struct param[]){__VA_ARGS__}),                                                         \
        (int)(sizeof((const struct param[]){__VA_ARGS__}) / sizeof(struct param))
#define NO_PARAMS NULL, 0

/* Several statements without parameters, such as a migration. */
int store_script(struct store *store, const char *sql, struct error *error) WARN_UNUSED;

int store_begin(struct store *store, struct error *error) WARN_UNUSED;
/* REPEATABLE READ: all statements see one snapshot. */
int store_begin_snapshot(struct store *store, struct error *error) WARN_UNUSED;
/* "unknown" when the answer was lost: the transaction may or may not be there. */
int store_commit(struct store *store, struct error *error) WARN_UNUSED;
/* Nothing to do outside a transaction. */
void store_rollback(struct store *store);

/* The next statement, queued or not, concerns the thing of this id (borrowed for the call; at most
 * ERROR_ABOUT_MAX - 1 bytes): when Postgres refuses it, error->about says so. */
void store_about(struct store *store, const char *id);

/* A pipeline: queued statements go out together and are answered together. Each queued statement's
 * affected rows are checked by store_pipeline_run when `expect` >= 0 (error "unexpected" otherwise). */
int store_pipeline_add(struct store *store, const char *sql, const struct param *params, int count,
                       int64_t expect, struct error *error) WARN_UNUSED;
/* BEGIN as the first statement of a pipeline, counted by store_pipeline_affected. */
int store_pipeline_begin(struct store *store, struct error *error) WARN_UNUSED;
/* Sends what was queued; with commit also COMMIT as the last one (in a second round trip when any
 * statement has an expectation, so that it is not committed unseen). Fails as a whole. */
int store_pipeline_run(struct store *store, bool commit, struct error *error) WARN_UNUSED;

/* Affected rows of the index-th statement of the last pipeline run. */
int64_t store_pipeline_affected(const struct store *store, int index);

/* Rows: columns by position, as in the SELECT right above. */
void rows_free(struct rows **rows);
int rows_count(const struct rows *rows);
int64_t rows_affected(const struct rows *rows);
bool rows_is_null(const struct rows *rows, int row, int column);
const char *rows_text(const struct rows *rows, int row, int column); /* "" when NULL; borrowed */
char *rows_copy(const struct rows *rows, int row, int column);       /* NULL when NULL; owned */
int64_t rows_int(const struct rows *rows, int row, int column);      /* 0 when NULL */
double rows_real(const struct rows *rows, int row, int column);
bool rows_bool(const struct rows *rows, int row, int column);
struct uuid rows_uuid(const struct rows *rows, int row, int column);
json_t *rows_json(const struct rows *rows, int row, int column); /* new reference; NULL when NULL */
size_t rows_bytes(const struct rows *rows, int row, int column, uint8_t *bytes,
                  size_t size); /* of bytea */

/* Array parameters for unnest($1::text[] …): built as array literals. */
struct array_param;
struct array_param *array_param_new(void);
void array_param_free(struct array_param **array);
void array_param_add(struct array_param *array, const char *text); /* NULL is an SQL NULL element */
void array_param_add_int(struct array_param *array, int64_t number);
struct param array_param_get(struct array_param *array); /* borrowed from it */
/* Its element, when there is just one text (cut to ERROR_ABOUT_MAX - 1 bytes), else ""; for store_about. */
const char *array_param_only(const struct array_param *array);

/* SQLSTATE classes 22, 54 and 23 (but not "no partition of relation found for row") are about the data:
 * trying again cannot help. Everything else is about the time or the place. */
bool store_error_is_data(const struct error *error);
