/* SPDX-License-Identifier: Apache-2.0 */
/* Rows as JSON objects, by a table of columns that stands beside the SELECT. */
#pragma once

#include <jansson.h>

#include "store/store.h"

enum column_type { COLUMN_TEXT, COLUMN_INT, COLUMN_REAL, COLUMN_BOOL, COLUMN_JSON };

struct column {
    const char *name; /* "project.id" is the member id of the object project */
    enum column_type type;
};

/* Times are written by api.utc(…): RFC 3339, UTC, milliseconds. */
struct columns {
    const struct column *list;
    int count;
};
#define COLUMNS(array)                                                                             \
    {                                                                                              \
        .list = (array), .count = (int)(sizeof(array) / sizeof((array)[0]))                        \
    }

/* New references. SQL NULL is JSON null; an object all of whose members are null is null itself. */
json_t *columns_object(const struct columns *columns, const struct rows *rows, int row);

/* One statement, its first row (NULL when there is none) or all of them. */
int columns_find(struct store *store, const char *sql, const struct param *params, int count,
                 const struct columns *columns, json_t **object_r, struct error *error) WARN_UNUSED;
int columns_list(struct store *store, const char *sql, const struct param *params, int count,
                 const struct columns *columns, json_t **items_r, struct error *error) WARN_UNUSED;
