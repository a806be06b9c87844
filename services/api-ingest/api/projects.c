/* SPDX-License-Identifier: Apache-2.0 */
#include "api/projects.h"

#include "api/checks.h"
#include "api/times.h"
#include "auth.h"
#include "base/json.h"
#include "base/memory.h"
#include "db/audit.h"
#include "db/project.h"
#include "http/page.h"
#include "http/request.h"
#include "http/response.h"
#include "ingest.h"
#include "model/limits.h"
#include "patch.h"
#include "precondition.h"

struct project_body {
    char *slug, *title;
};

#define SLUG                                                                                       \
    .name = "slug", .type = FIELD_TEXT, .offset = offsetof(struct project_body, slug), .max = 63

/* The slug first, which a new project must have; last, as one that stands in the path already. */
static const struct field body_list[] = {
    {SLUG},
    {.name = "title",
     .type = FIELD_TEXT,
     .offset = offsetof(struct project_body, title),
     .optional = true,
     .max = LIMIT_TITLE_BYTES},
    {SLUG, .optional = true},
};
const struct fields project_fields = {
    .list = body_list, .count = 2, .size = sizeof(struct project_body)};
static const struct fields project_put_fields = {
    .list = &body_list[1], .count = 2, .size = sizeof(struct project_body)};

static int answer_project(struct request *request, struct response *response, int status,
                          const struct uuid *id, struct error *error)
{
    struct store *store;
    json_t *project;
    if (request_store(request, &store, error) < 0 || project_db_get(store, id, &project, error) < 0)
        return -1;
    if (project == NULL)
        return no_such("project", id->text, error);
    response_json(response, status, project);
    if (status == 201)
        response_headerf(response, "Location", "/v1/projects/%s", id->text);
    return 0;
}

int projects_list(struct request *request, struct response *response, struct error *error)
{
    struct store *store;
    struct page page;
    json_t *items;
    if (page_read(request, &page, error) < 0 || request_store(request, &store, error) < 0 ||
        project_db_list(store, &request_principal(request)->project_id, &page, &items, error) < 0)
        return -1;
    page_answer(response, &page, items);
    return 0;
}

/* Inserts the project and its audit row; id_r is "" when the slug is taken. */
static int add_project(struct request *request, const char *slug, const char *title,
                       struct uuid *id_r, struct error *error)
{
    struct store *store;
    if (check_slug("slug", slug, error) < 0 ||
        (title != NULL && check_title("title", title, error) < 0) ||
        request_begin(request, &store, error) < 0 ||
        project_db_add(store, slug, title == NULL ? slug : title, &request_principal(request)->id,
                       id_r, error) < 0 ||
        precondition_check_new(request, !uuid_is_null(id_r), error) < 0)
        return -1;
    if (!uuid_is_null(id_r) &&
        audit_add(store, request, id_r, "project.create", id_r,
                  json_pack("{s:s, s:s?}", "slug", slug, "title", title), error) < 0)
        return -1;
    return request_commit(request, error);
}

int projects_create(struct request *request, struct response *response, struct error *error)
{
    struct project_body body;
    struct uuid id;
    if (request_decode(request, &project_fields, &body, error) < 0)
        return -1;
    int status = add_project(request, body.slug, body.title, &id, error);
    if (status == 0 && uuid_is_null(&id))
        status = error_set(error, "conflict", "there is a project %s already", body.slug);
    fields_free(&project_fields, &body);
    return status < 0 ? -1 : answer_project(request, response, 201, &id, error);
}

int projects_get(struct request *request, struct response *response, struct error *error)
{
    return answer_project(request, response, 200, &request_project(request)->id, error);
}

/* Without a title nothing changes; a condition (request_begin) is one all the same. */
static int set_title(struct request *request, const struct uuid *id, const char *title,
                     struct error *error)
{
    struct store *store;
    if ((title != NULL && check_title("title", title, error) < 0) ||
        request_begin(request, &store, error) < 0)
        return -1;
    if (title != NULL && (project_db_set_title(store, id, title, error) < 0 ||
                          audit_add(store, request, id, "project.update", id,
                                    json_pack("{s:s}", "title", title), error) < 0))
        return -1;
    return request_commit(request, error);
}

/* Creates or changes: what is there is changed by whoever may see it, what is new is made by tokens of
 * the whole installation alone. */
static int put_project(struct request *request, struct project_body *body,
                       struct project_ref *project, int *status_r, struct error *error)
{
    const struct principal *principal = request_principal(request);
    const char *name = request_param(request, "project");
    AUTO(text_free) char *slug = NULL;
    struct store *store;
    if (request_store(request, &store, error) < 0 ||
        project_db_find(store, name, project, error) < 0)
        return -1;
    *status_r = 200;
    bool is_there = !uuid_is_null(&project->id);
    if (principal_is_bound(principal) &&
        (!is_there || !uuid_equal(&principal->project_id, &project->id)))
        return no_such("project", name, error);
    slug = xstrdup(is_there ? project->slug : name);
    if (take_slug(&body->slug, &slug, error) < 0)
        return -1;
    if (!is_there) {
        /* check_slug refuses a name that looks like an id */
        if (add_project(request, name, body->title, &project->id, error) < 0)
            return -1;
        if (uuid_is_null(&project->id)) /* somebody else made it just now */
            return error_set(error, "conflict", "project %s is being made, try again", name);
        *status_r = 201;
        return 0;
    }
    return set_title(request, &project->id, body->title, error);
}

int projects_put(struct request *request, struct response *response, struct error *error)
{
    struct project_body body = {NULL, NULL};
    struct project_ref project;
    int http_status;
    if (request_decode(request, &project_put_fields, &body, error) < 0)
        return -1;
    int status = put_project(request, &body, &project, &http_status, error);
    fields_free(&project_put_fields, &body);
    return status < 0 ? -1 : answer_project(request, response, http_status, &project.id, error);
}

static int check_no_runs(struct store *store, const struct project_ref *project,
                         struct error *error)
{
    bool has_runs;
    if (project_db_has_runs(store, &project->id, &has_runs, error) < 0)
        return -1;
    if (has_runs)
        return error_set(error, "conflict",
                         "the project has runs: cancel those that go on, and remove them all first"
                         " (DELETE /v1/projects/%s/runs)",
                         project->slug);
    return 0;
}

/* Triggers wait for the lock: who is refused anyway does not take it. Behind it nothing new comes. */
static int lock_without_runs(struct store *store, const struct project_ref *project,
                             struct error *error)
{
    bool is_there;
    if (check_no_runs(store, project, error) < 0 ||
        project_db_lock(store, &project->id, &is_there, error) < 0)
        return -1;
    if (!is_there)
        return no_such("project", project->slug, error);
    return check_no_runs(store, project, error);
}

/* What there is much of goes later (db/retention.c). */
int projects_remove(struct request *request, struct response *response, struct error *error)
{
    const struct project_ref *project = request_project(request);
    struct store *store;
    if (request_begin(request, &store, error) < 0 || lock_without_runs(store, project, error) < 0 ||
        project_db_remove(store, &project->id, error) < 0 ||
        audit_add(store, request, NULL, "project.remove", &project->id,
                  json_pack("{s:s}", "slug", project->slug), error) < 0 ||
        request_commit(request, error) < 0)
        return -1;
    auth_forget(request_ingest(request)->auth); /* its tokens are void */
    response_empty(response, 204);
    return 0;
}

static int answer_audit(struct request *request, struct response *response,
                        const struct uuid *project_id, struct error *error)
{
    struct audit_filter filter = {.project_id = *project_id,
                                  .action = request_query(request, "action")};
    struct store *store;
    struct times times;
    struct page page;
    json_t *items;
    if (page_read(request, &page, error) < 0 || times_read(request, &times, error) < 0 ||
        request_store(request, &store, error) < 0)
        return -1;
    filter.since = times.since;
    filter.until = times.until;
    if (audit_db_list(store, &filter, &page, &items, error) < 0)
        return -1;
    page_answer(response, &page, items);
    return 0;
}

int projects_audit(struct request *request, struct response *response, struct error *error)
{
    return answer_audit(request, response, &request_project(request)->id, error);
}

int audit_list(struct request *request, struct response *response, struct error *error)
{
    const struct uuid any = {""};
    return answer_audit(request, response, &any, error);
}

int projects_patch(struct request *request, struct response *response, struct error *error)
{
    static const struct patch_kind kind = {
        .get = projects_get, .put = projects_put, .fields = &project_put_fields};
    return patch_apply(&kind, request, response, error);
}
