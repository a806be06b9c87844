/* SPDX-License-Identifier: Apache-2.0 */
#include "api/runs.h"

#include "api/checks.h"
#include "api/run_lookup.h"
#include "api/times.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "cache.h"
#include "db/audit.h"
#include "http/request.h"
#include "http/response.h"
#include "ingest.h"
#include "ingest_metrics.h"
#include "installation.h"
#include "live/live.h"
#include "model/limits.h"
#include "model/states.h"
#include "runs/flights.h"
#include "runs/numbers.h"
#include "runs/run_json.h"
#include "runs/run_links.h"
#include "runs/run_tell.h"
#include "runs/trigger.h"
#include "tenancy.h"

int runs_create(struct request *request, struct response *response, struct error *error)
{
    struct trigger *trigger;
    (void)response;
    if (trigger_read(request, &trigger, error) < 0)
        return -1;
    return trigger_submit(trigger, error);
}

/* ---- lists ---------------------------------------------------------------------------------------- */

static int read_filter(struct request *request, struct run_filter *filter_r, struct times *times,
                       struct error *error)
{
    const char *project = request_query(request, "project");
    struct run_filter filter = {.only = request_principal(request)->project_id,
                                .state = request_query(request, "state"),
                                .suite = request_query(request, "suite"),
                                .branch = request_query(request, "branch"),
                                .commit = request_query(request, "commit"),
                                .build_version = request_query(request, "build_version"),
                                .environment = request_query(request, "environment"),
                                .pool = request_query(request, "pool"),
                                .template = request_query(request, "template"),
                                .parent = request_query(request, "parent_run")};
    struct project_ref found;
    if (check_choices("state", filter.state, &run_state_names, error) < 0 ||
        times_read(request, times, error) < 0)
        return -1;
    filter.since = times->since;
    filter.until = times->until;
    if (project != NULL) {
        if (tenancy_project(request, project, &found, error) < 0)
            return -1;
        filter.only = found.id;
    }
    *filter_r = filter;
    return 0;
}

static void add_links(const struct ingest *ingest, json_t *items)
{
    size_t i;
    json_t *run;
    json_array_foreach (items, i, run) {
        struct uuid id;
        if (uuid_parse(json_find_text(run, "id"), &id, NULL) == 0)
            json_object_set_new(run, "links", run_links(ingest, &id));
    }
}

int runs_list(struct request *request, struct response *response, struct error *error)
{
    struct times times;
    struct run_filter filter;
    struct store *store;
    struct page page;
    json_t *items;
    if (page_read(request, &page, error) < 0 || read_filter(request, &filter, &times, error) < 0 ||
        request_store(request, &store, error) < 0 ||
        run_db_list(store, &filter, &page, &items, error) < 0)
        return -1;
    add_links(request_ingest(request), items);
    page_answer(response, &page, items);
    return 0;
}

/* ---- one ------------------------------------------------------------------------------------------ */

/* A final state that was told stands in the cache before: nobody is told an older one afterwards. */
static int read_text(struct request *request, const struct uuid *only, const char *name,
                     struct run_text **text_r, struct error *error)
{
    struct ingest *ingest = request_ingest(request);
    const int64_t read_ms = monotonic_ms();
    struct store *store;
    struct run_view view;
    if (request_store(request, &store, error) < 0 ||
        run_db_get(store, only, name, &view, error) < 0)
        return -1;
    *text_r = view.json == NULL ? NULL : run_text_new(ingest, &view);
    if (*text_r != NULL)
        cache_put(ingest->cache, *text_r, read_ms);
    return 0;
}

static int answer_from_postgres(struct request *request, struct response *response, int status,
                                struct error *error)
{
    AUTO(run_text_unref) struct run_text *text = NULL;
    if (read_text(request, &request_principal(request)->project_id, request_param(request, "run"),
                  &text, error) < 0)
        return -1;
    return run_text_answer_to(text, request, status, response, error);
}

static void count_number(const char *outcome)
{
    metric_add_labelled(&ingest_metrics[METRIC_RUN_NUMBERS], 1, (const char *const[]){outcome});
}

static int look_up_number(struct request *request, struct uuid *id_r, struct error *error)
{
    const int64_t now_ms = monotonic_ms();
    struct store *store;
    struct run_ref run;
    if (request_store(request, &store, error) < 0 || run_lookup(request, store, &run, error) < 0)
        return -1;
    numbers_add(request_ingest(request)->numbers,
                &(struct numbered_run){
                    .number = run.number, .run_id = run.id, .project_id = run.project_id},
                now_ms);
    count_number("looked_up");
    *id_r = run.id;
    return 0;
}

/* An id is believed: whoever reads the run looks whether it is there, and whose. */
static int read_run_id(struct request *request, struct uuid *id_r, struct error *error)
{
    const char *name = request_param(request, "run");
    const struct uuid *only = &request_principal(request)->project_id;
    struct numbered_run run;
    int64_t number;
    if (uuid_parse(name, id_r, NULL) == 0)
        return 0;
    if (int_parse(name, 1, INT64_MAX, &number, NULL) < 0)
        return no_such("run", name, error);
    if (!numbers_find(request_ingest(request)->numbers, number, monotonic_ms(), &run))
        return look_up_number(request, id_r, error);
    count_number("remembered");
    if (!uuid_is_null(only) && !uuid_equal(only, &run.project_id))
        return no_such("run", name, error);
    *id_r = run.run_id;
    return 0;
}

/* Who asks for the same run at the same time gets one read. */
static int answer_from_cache(struct request *request, struct response *response,
                             struct error *error)
{
    AUTO(run_text_unref) struct run_text *text = NULL;
    struct ingest *ingest = request_ingest(request);
    const struct uuid any = {""};
    struct uuid id;
    if (read_run_id(request, &id, error) < 0)
        return -1;
    text = cache_get(ingest->cache, &id);
    if (text != NULL)
        return run_text_answer_to(text, request, 200, response, error);
    if (!flights_lead(ingest->flights, &id, request))
        return 0;
    int status = read_text(request, &any, id.text, &text, error);
    flights_land(ingest->flights, &id, text, status < 0 ? error : NULL);
    return status < 0 ? -1 : run_text_answer_to(text, request, 200, response, error);
}

/* Parks the request until the run is final, or the wait is over. */
static int wait_for(struct request *request, const struct uuid *run_id, int64_t after_version,
                    int64_t wait_ms, int open_status, struct error *error)
{
    request_park(request);
    return live_wait(request_ingest(request)->live,
                     &(struct live_wait){.request = request,
                                         .run_id = *run_id,
                                         .only = request_principal(request)->project_id,
                                         .after_version = after_version,
                                         .wait_ms = wait_ms,
                                         .open_status = open_status},
                     error);
}

int runs_get(struct request *request, struct response *response, struct error *error)
{
    int64_t wait_ms, after_version;
    struct uuid id;
    if (request_query_duration(request, "wait", LIMIT_WAIT_MS, 0, &wait_ms, error) < 0 ||
        request_query_int(request, "version", 0, INT64_MAX, -1, &after_version, error) < 0)
        return -1;
    if (wait_ms == 0)
        return answer_from_cache(request, response, error);
    if (read_run_id(request, &id, error) < 0)
        return -1;
    return wait_for(request, &id, after_version, wait_ms, 200, error);
}

/* ---- cancel --------------------------------------------------------------------------------------- */

static int request_cancel(struct request *request, const struct run_ref *run, struct error *error)
{
    struct store *store;
    if (request_begin(request, &store, error) < 0 ||
        run_db_request_cancel(store, &run->id, &request_principal(request)->id, error) < 0 ||
        audit_add(store, request, &run->project_id, "run.cancel", &run->id, NULL, error) < 0 ||
        run_tell_scheduler(request_ingest(request), store, &run->id, &run->pool_id, error) < 0)
        return -1;
    return request_commit(request, error);
}

int runs_cancel(struct request *request, struct response *response, struct error *error)
{
    struct store *store;
    struct run_ref run;
    int64_t wait_ms;
    if (request_query_duration(request, "wait", LIMIT_WAIT_MS, 0, &wait_ms, error) < 0 ||
        request_store(request, &store, error) < 0 || run_lookup(request, store, &run, error) < 0)
        return -1;
    if (run.is_final)
        return answer_from_postgres(request, response, 200, error);
    if (request_cancel(request, &run, error) < 0)
        return -1;
    cache_forget(request_ingest(request)->cache, &run.id);
    if (wait_ms > 0)
        return wait_for(request, &run.id, -1, wait_ms, 202, error);
    return answer_from_postgres(request, response, 202, error);
}
