/* SPDX-License-Identifier: Apache-2.0 */
#include "db/matrix.h"

void matrix_deinit(struct matrix *matrix)
{
    for (int i = 0; i < matrix->count; i++)
        array_param_free(&matrix->columns[i]);
}

struct matrix matrix_new(int count)
{
    struct matrix matrix = {.count = count};
    for (int i = 0; i < count; i++)
        matrix.columns[i] = array_param_new();
    return matrix;
}

int matrix_query(struct store *store, const char *sql, struct matrix *matrix, struct rows **rows_r,
                 struct error *error)
{
    struct param params[COLUMNS_MAX];
    for (int i = 0; i < matrix->count; i++)
        params[i] = array_param_get(matrix->columns[i]);
    return store_query(store, sql, params, matrix->count, rows_r, error);
}

void column_add_uuid(struct array_param *column, const struct uuid *id)
{
    array_param_add(column, uuid_is_null(id) ? NULL : id->text);
}

void column_add_hash(struct array_param *column, const uint8_t hash[COLUMN_HASH_BYTES])
{
    char hex[2 * COLUMN_HASH_BYTES + 1];
    for (size_t i = 0; i < COLUMN_HASH_BYTES; i++) {
        hex[2 * i] = "0123456789abcdef"[hash[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[hash[i] & 15];
    }
    hex[2 * COLUMN_HASH_BYTES] = '\0';
    array_param_add(column, hex);
}
