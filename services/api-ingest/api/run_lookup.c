/* SPDX-License-Identifier: Apache-2.0 */
#include "api/run_lookup.h"

#include "api/checks.h"

int run_lookup(struct request *request, struct store *store, struct run_ref *run_r,
               struct error *error)
{
    const char *name = request_param(request, "run");
    if (run_db_find(store, &request_principal(request)->project_id, name, run_r, error) < 0)
        return -1;
    return uuid_is_null(&run_r->id) ? no_such("run", name, error) : 0;
}
