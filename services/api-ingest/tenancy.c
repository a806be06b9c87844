/* SPDX-License-Identifier: Apache-2.0 */
#include "tenancy.h"

#include "base/memory.h"
#include "db/pool.h"
#include "db/project.h"
#include "store/store.h"

int tenancy_project(struct request *request, const char *text, struct project_ref *project_r,
                    struct error *error)
{
    const struct principal *principal = request_principal(request);
    struct store *store;
    if (request_store(request, &store, error) < 0)
        return -1;
    struct project_ref project;
    if (project_db_find(store, text, &project, error) < 0)
        return -1;
    bool is_visible =
        !uuid_is_null(&project.id) && (principal == NULL || !principal_is_bound(principal) ||
                                       uuid_equal(&principal->project_id, &project.id));
    if (!is_visible)
        return error_set(error, "not_found", "there is no project %.100s", text);
    *project_r = project;
    return 0;
}

int tenancy_project_or_bound(struct request *request, const char *text,
                             struct project_ref *project_r, struct error *error)
{
    const struct principal *principal = request_principal(request);
    if (text == NULL && !principal_is_bound(principal))
        return error_field(error, "project", "project is needed, since the token is bound to none");
    return tenancy_project(request, text != NULL ? text : principal->project_id.text, project_r,
                           error);
}

int tenancy_pool(struct request *request, const char *text, const struct uuid *project_id,
                 struct uuid *pool_id_r, struct error *error)
{
    struct store *store;
    struct uuid id;
    if (request_store(request, &store, error) < 0 ||
        pool_db_find_granted(store, text, project_id, &id, error) < 0)
        return -1;
    if (uuid_is_null(&id))
        return error_set(error, "not_found", "there is no pool %.100s for this project", text);
    *pool_id_r = id;
    return 0;
}
