/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the rows of an answer. */
#include "store/rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"

struct rows {
    PGresult *result;
};

struct rows *rows_new(PGresult *result)
{
    struct rows *rows = xcalloc(1, sizeof *rows);
    rows->result = result;
    return rows;
}

void rows_free(struct rows **rows)
{
    if (*rows != NULL)
        PQclear((*rows)->result);
    memory_free(rows);
}

int rows_count(const struct rows *rows)
{
    return PQntuples(rows->result);
}

int64_t rows_affected(const struct rows *rows)
{
    return atoll(PQcmdTuples(rows->result));
}

bool rows_is_null(const struct rows *rows, int row, int column)
{
    return PQgetisnull(rows->result, row, column) != 0;
}

const char *rows_text(const struct rows *rows, int row, int column)
{
    return PQgetvalue(rows->result, row, column);
}

char *rows_copy(const struct rows *rows, int row, int column)
{
    return rows_is_null(rows, row, column) ? NULL : xstrdup(rows_text(rows, row, column));
}

int64_t rows_int(const struct rows *rows, int row, int column)
{
    return strtoll(rows_text(rows, row, column), NULL, 10);
}

double rows_real(const struct rows *rows, int row, int column)
{
    return strtod(rows_text(rows, row, column), NULL);
}

bool rows_bool(const struct rows *rows, int row, int column)
{
    return rows_text(rows, row, column)[0] == 't';
}

struct uuid rows_uuid(const struct rows *rows, int row, int column)
{
    struct uuid uuid = {""};
    struct error ignored;
    if (!rows_is_null(rows, row, column) &&
        uuid_parse(rows_text(rows, row, column), &uuid, &ignored) < 0)
        uuid.text[0] = '\0';
    return uuid;
}

json_t *rows_json(const struct rows *rows, int row, int column)
{
    if (rows_is_null(rows, row, column))
        return NULL;
    return json_loads(rows_text(rows, row, column), JSON_DECODE_ANY, NULL);
}

size_t rows_bytes(const struct rows *rows, int row, int column, uint8_t *bytes, size_t size)
{
    size_t length;
    if (rows_is_null(rows, row, column))
        return 0;
    unsigned char *raw =
        PQunescapeBytea((const unsigned char *)rows_text(rows, row, column), &length);
    if (raw == NULL)
        abort();
    memcpy(bytes, raw, length < size ? length : size);
    PQfreemem(raw);
    return length;
}
