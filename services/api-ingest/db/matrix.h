/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters of a statement about many rows: a column is one array for unnest. */
#pragma once

#include "store/store.h"

#define COLUMNS_MAX       24
#define COLUMN_HASH_BYTES 32

struct matrix {
    int count;
    struct array_param *columns[COLUMNS_MAX];
};

struct matrix matrix_new(int count);
void matrix_deinit(struct matrix *matrix);
/* The columns as $1, $2 …; rows_r as of store_query. */
int matrix_query(struct store *store, const char *sql, struct matrix *matrix, struct rows **rows_r,
                 struct error *error) WARN_UNUSED;

void column_add_uuid(struct array_param *column, const struct uuid *id); /* "" is NULL */
void column_add_hash(struct array_param *column, const uint8_t hash[COLUMN_HASH_BYTES]); /* hex */
