/* SPDX-License-Identifier: Apache-2.0 */
#include "db/columns.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"

static json_t *value_of(const struct rows *rows, int row, int column, enum column_type type)
{
    if (rows_is_null(rows, row, column))
        return json_null();
    switch (type) {
    case COLUMN_TEXT: {
        const char *text = rows_text(rows, row, column);
        return json_lossy(text, strlen(text));
    }
    case COLUMN_INT:
        return json_integer(rows_int(rows, row, column));
    case COLUMN_REAL:
        return json_real(rows_real(rows, row, column));
    case COLUMN_BOOL:
        return json_boolean(rows_bool(rows, row, column));
    case COLUMN_JSON:
        return rows_json(rows, row, column);
    }
    return json_null();
}

/* "project.id" → the object "project", made when it is new, and "id". */
static json_t *parent_of(json_t *object, const char *name, const char **member_r)
{
    const char *dot = strchr(name, '.');
    *member_r = name;
    if (dot == NULL)
        return object;
    AUTO(text_free) char *outer = xstrndup(name, (size_t)(dot - name));
    json_t *parent = json_object_get(object, outer);
    if (parent == NULL) {
        parent = json_object();
        json_object_set_new(object, outer, parent);
    }
    *member_r = dot + 1;
    return parent;
}

static bool is_all_null(const json_t *object)
{
    for (void *at = json_object_iter((json_t *)(uintptr_t)object); at != NULL;
         at = json_object_iter_next((json_t *)(uintptr_t)object, at))
        if (!json_is_null(json_object_iter_value(at)))
            return false;
    return true;
}

static void drop_empty_parents(json_t *object, const struct columns *columns)
{
    for (int i = 0; i < columns->count; i++) {
        const char *dot = strchr(columns->list[i].name, '.');
        if (dot == NULL)
            continue;
        AUTO(text_free)
        char *outer = xstrndup(columns->list[i].name, (size_t)(dot - columns->list[i].name));
        json_t *parent = json_object_get(object, outer);
        if (json_is_object(parent) && is_all_null(parent))
            json_object_set_new(object, outer, json_null());
    }
}

json_t *columns_object(const struct columns *columns, const struct rows *rows, int row)
{
    json_t *object = json_object();
    for (int i = 0; i < columns->count; i++) {
        const char *member;
        json_t *parent = parent_of(object, columns->list[i].name, &member);
        json_object_set_new(parent, member, value_of(rows, row, i, columns->list[i].type));
    }
    drop_empty_parents(object, columns);
    return object;
}

int columns_find(struct store *store, const char *sql, const struct param *params, int count,
                 const struct columns *columns, json_t **object_r, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store, sql, params, count, &rows, error) < 0)
        return -1;
    *object_r = rows_count(rows) == 0 ? NULL : columns_object(columns, rows, 0);
    return 0;
}

int columns_list(struct store *store, const char *sql, const struct param *params, int count,
                 const struct columns *columns, json_t **items_r, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store, sql, params, count, &rows, error) < 0)
        return -1;
    json_t *items = json_array();
    for (int row = 0; row < rows_count(rows); row++)
        json_array_append_new(items, columns_object(columns, rows, row));
    *items_r = items;
    return 0;
}
