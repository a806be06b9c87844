/* SPDX-License-Identifier: Apache-2.0 */
#include "api/bundles.h"

#include <string.h>

#include "api/checks.h"
#include "base/memory.h"
#include "base/json.h"
#include "db/artifact.h"
#include "db/bundle.h"
#include "dispatch_token.h"
#include "http/response.h"
#include "ingest.h"
#include "tenancy.h"

/* ---- for people --------------------------------------------------------------------------------- */

/* A project's own: who knows a name alone has not got what is in it. */
static int find(struct request *request, const char **name_r, struct project_ref *project_r,
                struct error *error)
{
    *name_r = request_param(request, "bundle");
    return tenancy_project_or_bound(request, request_query(request, "project"), project_r, error);
}

int bundles_get(struct request *request, struct response *response, struct error *error)
{
    struct project_ref project;
    struct store *store;
    const char *name;
    json_t *bundle = NULL;
    if (find(request, &name, &project, error) < 0 || request_store(request, &store, error) < 0 ||
        (blob_name_is_valid(name) && bundle_db_use(store, &project.id, name, &bundle, error) < 0))
        return -1;
    if (bundle == NULL)
        return no_such("bundle", name, error);
    response_json(response, 200, bundle);
    return 0;
}

int bundles_admit(struct request *request, struct response *response, struct error *error)
{
    struct project_ref project;
    const char *name;
    (void)response;
    if (find(request, &name, &project, error) < 0)
        return -1;
    if (!blob_name_is_valid(name))
        return error_field(error, "bundle",
                           "a bundle is named by its SHA-256, in 64 lower-case hex digits");
    if (!blob_store_exists(request_ingest(request)->blobs))
        return error_set(error, "conflict", "this installation keeps no files");
    return 0;
}

int bundles_put(struct request *request, struct response *response, struct error *error)
{
    struct project_ref project;
    struct store *store;
    const char *name;
    char is[BLOB_NAME_SIZE];
    json_t *bundle = NULL;
    int64_t bytes;
    int fd = request_file(request, &bytes, is);
    if (find(request, &name, &project, error) < 0)
        return -1;
    if (strcmp(name, is) != 0)
        return error_field(error, "bundle", "the SHA-256 of what came is %s", is);
    if (request_store(request, &store, error) < 0 || blob_db_claim(store, name, bytes, error) < 0 ||
        blob_put(request_ingest(request)->blobs, name, fd, bytes, error) < 0 ||
        bundle_db_save(store, &project.id, name, bytes, error) < 0 ||
        bundle_db_use(store, &project.id, name, &bundle, error) < 0)
        return -1;
    response_json(response, 201, bundle);
    return 0;
}

/* ---- for the worker ----------------------------------------------------------------------------- */

int dispatch_bundle(struct request *request, struct response *response, struct error *error)
{
    struct open_dispatch dispatch;
    struct store *store;
    char name[BLOB_NAME_SIZE];
    int fd;
    if (request_store(request, &store, error) < 0 ||
        dispatch_of_token(request, store, &dispatch, error) < 0 ||
        bundle_db_of_run(store, &dispatch.run_id, name, error) < 0)
        return -1;
    if (name[0] == '\0')
        return error_set(error, "not_found", "the run of this dispatch has no bundle");
    if (blob_get(request_ingest(request)->blobs, name, &fd, error) < 0)
        return -1;
    response_file(response, "application/octet-stream", fd);
    response_header(response, "Content-Security-Policy", "default-src 'none'; sandbox");
    return 0;
}
