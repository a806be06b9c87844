/* SPDX-License-Identifier: Apache-2.0 */
#include "api/run_list.h"

#include <stdlib.h>
#include <string.h>

#include "api/share.h"
#include "auth/link.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "db/audit.h"
#include "db/project.h"
#include "db/run.h"
#include "http/cursor.h"
#include "ingest.h"
#include "model/limits.h"
#include "model/states.h"
#include "report/run_list.h"
#include "runs/run_links.h"

/* ["runs", project, unix time of its end in seconds, the project's generation of links] */
#define PURPOSE "runs"

static char *make_url(const struct ingest *ingest, const struct uuid *project_id,
                      int64_t expires_ms, int64_t generation)
{
    AUTO(json_free)
    json_t *named = json_pack("[s, s, I, I]", PURPOSE, project_id->text,
                              (json_int_t)(expires_ms / 1000), (json_int_t)generation);
    AUTO(text_free) char *text = json_text(named);
    AUTO(text_free) char *link = link_text_make(ingest->key, text);
    AUTO(text_free) char *path = xasprintf("/v1/shared-runs/%s", link);
    return ingest_url(ingest, path);
}

int projects_share(struct request *request, struct response *response, struct error *error)
{
    const struct uuid *project_id = &request_project(request)->id;
    struct store *store;
    int64_t expires_ms = 0, generation;
    char expires_at[TIME_TEXT_SIZE];
    if (share_read_expiry(request, &expires_ms, error) < 0 ||
        request_begin(request, &store, error) < 0)
        return -1;
    time_format(expires_ms, expires_at);
    if (project_db_share_generation(store, project_id, &generation, error) < 0 ||
        audit_add(store, request, project_id, "project.share", project_id,
                  json_pack("{s:s}", "expires_at", expires_at), error) < 0 ||
        request_commit(request, error) < 0)
        return -1;
    AUTO(text_free)
    char *url = make_url(request_ingest(request), project_id, expires_ms, generation);
    response_json(response, 201, json_pack("{s:s, s:s}", "url", url, "expires_at", expires_at));
    return 0;
}

int projects_unshare(struct request *request, struct response *response, struct error *error)
{
    const struct uuid *project_id = &request_project(request)->id;
    struct store *store;
    if (request_begin(request, &store, error) < 0 ||
        project_db_end_shares(store, project_id, error) < 0 ||
        audit_add(store, request, project_id, "project.unshare", project_id, NULL, error) < 0 ||
        request_commit(request, error) < 0)
        return -1;
    response_empty(response, 204);
    return 0;
}

/* ---- what it opens ---------------------------------------------------------------------------------- */

static int read_link(struct request *request, struct store *store, struct uuid *project_id_r,
                     int64_t *expires_ms_r, struct error *error)
{
    AUTO(json_free) json_t *named = NULL;
    int64_t generation;
    if (share_read_link(request, PURPOSE, &named, error) < 0 ||
        uuid_parse(json_string_value(json_array_get(named, 1)), project_id_r, error) < 0)
        return -1;
    int64_t expires_s = json_integer_value(json_array_get(named, 2));
    if (wall_ms() / 1000 >= expires_s)
        return error_set(error, "gone", "this link has expired");
    if (project_db_share_generation(store, project_id_r, &generation, error) < 0)
        return -1;
    /* Links of earlier versions name none: that is 0, as their projects have. */
    if (generation >= 0 && json_integer_value(json_array_get(named, 3)) != generation)
        return error_set(error, "gone", "this link was taken back");
    *expires_ms_r = expires_s * 1000;
    return 0;
}

/* A form sends what was left empty, too. */
static const char *or_null(const char *text)
{
    return text == NULL || text[0] == '\0' ? NULL : text;
}

static int read_filter(const struct request *request, struct run_list *list, struct error *error)
{
    int state;
    list->state = or_null(request_query(request, "state"));
    list->suite = or_null(request_query(request, "suite"));
    list->branch = or_null(request_query(request, "branch"));
    if (list->state != NULL && names_parse(&run_state_names, list->state, &state, error) < 0)
        return error_field(error, "state", "%s", error->text);
    return 0;
}

/* Each with the address of its page, which opens no longer than the list does. */
static void add_pages(const struct ingest *ingest, json_t *runs, int64_t expires_ms)
{
    size_t i;
    json_t *run;
    json_array_foreach (runs, i, run) {
        struct uuid id;
        if (uuid_parse(json_find_text(run, "id"), &id, NULL) < 0)
            continue;
        AUTO(text_free) char *url = run_link_signed(ingest, &id, expires_ms);
        json_object_set_new(run, "page", json_string(url));
    }
}

static void answer(struct response *response, const struct run_list *list)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    if (out == NULL)
        abort();
    run_list_write(list, out);
    fclose(out);
    response_bytes(response, 200, "text/html; charset=utf-8", text, length);
    share_page_policy(response, list->nonce);
}

int shared_runs(struct request *request, struct response *response, struct error *error)
{
    AUTO(json_free) json_t *project = NULL, *runs = NULL;
    AUTO(text_free) char *next = NULL;
    char nonce[SHARE_NONCE_SIZE];
    struct run_list list = {.nonce = nonce};
    struct run_filter filter = {.state = NULL};
    struct store *store;
    struct page page;
    int64_t expires_ms = 0;
    if (request_store(request, &store, error) < 0 ||
        read_link(request, store, &filter.only, &expires_ms, error) < 0 ||
        page_read(request, &page, error) < 0 || read_filter(request, &list, error) < 0 ||
        project_db_get(store, &filter.only, &project, error) < 0)
        return -1;
    if (project == NULL)
        return error_set(error, "not_found", "this project is there no more");
    filter.state = list.state;
    filter.suite = list.suite;
    filter.branch = list.branch;
    if (run_db_nth(store, &filter.only, &page.after, LIMIT_LINK_RUNS, &filter.floor, error) < 0 ||
        run_db_list(store, &filter, &page, &runs, error) < 0)
        return -1;
    next = page_cut(&page, runs);
    list.is_bounded = next == NULL && !uuid_is_null(&filter.floor);
    if (list.is_bounded)
        next = cursor_encode(filter.floor.text);
    add_pages(request_ingest(request), runs, expires_ms);
    share_new_nonce(nonce);
    list.project = project;
    list.runs = runs;
    list.next_cursor = next;
    answer(response, &list);
    return 0;
}
