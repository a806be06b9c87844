/* SPDX-License-Identifier: Apache-2.0 */
#include "db/pool.h"

#include "base/memory.h"
#include "db/name.h"

static const char find_granted_sql[] =
    "SELECT p.id FROM api.pool p WHERE (p.slug = $1 OR p.id = $2) AND (p.all_projects OR EXISTS"
    " (SELECT FROM api.pool_project g WHERE g.pool_id = p.id AND g.project_id = $3))";

int pool_db_find_granted(struct store *store, const char *text, const struct uuid *project_id,
                         struct uuid *id_r, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    const struct name name = name_read(text);
    if (store_query(store, find_granted_sql,
                    PARAMS(param_text(name.slug), param_uuid(&name.id), param_uuid(project_id)),
                    &rows, error) < 0)
        return -1;
    *id_r = rows_count(rows) == 1 ? rows_uuid(rows, 0, 0) : (struct uuid){.text = ""};
    return 0;
}
