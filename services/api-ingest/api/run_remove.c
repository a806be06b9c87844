/* SPDX-License-Identifier: Apache-2.0 */
#include "api/run_remove.h"

#include "api/checks.h"
#include "api/run_lookup.h"
#include "base/memory.h"
#include "cache.h"
#include "db/audit.h"
#include "db/run_remove.h"
#include "http/response.h"
#include "ingest.h"

#define RUNS_AT_ONCE 500

/* From then on nobody finds it; the owners of the other tables remove the rest (db/retention.c). */
int runs_remove(struct request *request, struct response *response, struct error *error)
{
    struct store *store;
    struct run_ref run;
    bool is_removed;
    if (request_begin(request, &store, error) < 0 || run_lookup(request, store, &run, error) < 0)
        return -1;
    if (!run.is_final)
        return error_set(error, "conflict",
                         "run %lld goes on: cancel it first, and remove it when it has ended",
                         (long long)run.number);
    if (run_remove_db(store, &run.id, &is_removed, error) < 0)
        return -1;
    if (!is_removed) /* somebody else did it just now */
        return no_such("run", request_param(request, "run"), error);
    if (audit_add(store, request, &run.project_id, "run.remove", &run.id,
                  json_pack("{s:I}", "number", (json_int_t)run.number), error) < 0 ||
        request_commit(request, error) < 0)
        return -1;
    cache_remove(request_ingest(request)->cache, &run.id);
    response_empty(response, 204);
    return 0;
}

int projects_remove_runs(struct request *request, struct response *response, struct error *error)
{
    const struct uuid *project_id = &request_project(request)->id;
    AUTO(memory_free) struct uuid *ids = NULL;
    struct store *store;
    int count;
    bool has_more;
    if (request_begin(request, &store, error) < 0 ||
        run_remove_db_ended(store, project_id, RUNS_AT_ONCE, &ids, &count, &has_more, error) < 0)
        return -1;
    if (count > 0 && audit_add(store, request, project_id, "project.remove_runs", project_id,
                               json_pack("{s:i}", "runs", count), error) < 0)
        return -1;
    if (request_commit(request, error) < 0)
        return -1;
    for (int i = 0; i < count; i++)
        cache_remove(request_ingest(request)->cache, &ids[i]);
    response_json(response, 200, json_pack("{s:i, s:b}", "removed", count, "more", has_more));
    return 0;
}
