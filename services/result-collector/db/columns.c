/* SPDX-License-Identifier: Apache-2.0 */
#include "db/columns.h"

#include <assert.h>

#include "base/memory.h"

struct columns *columns_new(int count)
{
    struct columns *columns = xcalloc(1, sizeof *columns);
    assert(count <= COLUMNS_MAX);
    columns->count = count;
    for (int i = 0; i < count; i++)
        columns->list[i] = array_param_new();
    return columns;
}

void columns_free(struct columns **columns)
{
    if (*columns != NULL)
        for (int i = 0; i < (*columns)->count; i++)
            array_param_free(&(*columns)->list[i]);
    memory_free(columns);
}

void columns_text(struct columns *columns, int column, const char *text)
{
    assert(column < columns->count);
    array_param_add(columns->list[column], text);
}

void columns_int(struct columns *columns, int column, int64_t number)
{
    assert(column < columns->count);
    array_param_add_int(columns->list[column], number);
}

void columns_int_or_null(struct columns *columns, int column, int64_t number, bool is_there)
{
    if (is_there)
        columns_int(columns, column, number);
    else
        columns_text(columns, column, NULL);
}

void columns_params(struct columns *columns, struct param params[COLUMNS_MAX])
{
    for (int i = 0; i < columns->count; i++)
        params[i] = array_param_get(columns->list[i]);
}
