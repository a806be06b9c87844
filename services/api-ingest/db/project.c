/* SPDX-License-Identifier: Apache-2.0 */
#include "db/project.h"

#include <stdio.h>

#include "base/memory.h"
#include "db/name.h"

static const char find_sql[] = "SELECT id, slug FROM api.project WHERE slug = $1 OR id = $2";

int project_db_find(struct store *store, const char *text, struct project_ref *project_r,
                    struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    const struct name name = name_read(text);
    if (store_query(store, find_sql, PARAMS(param_text(name.slug), param_uuid(&name.id)), &rows,
                    error) < 0)
        return -1;
    struct project_ref project = {.slug = ""};
    if (rows_count(rows) == 1) {
        project.id = rows_uuid(rows, 0, 0);
        snprintf(project.slug, sizeof project.slug, "%s", rows_text(rows, 0, 1));
    }
    *project_r = project;
    return 0;
}
