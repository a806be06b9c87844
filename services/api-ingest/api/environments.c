/* SPDX-License-Identifier: Apache-2.0 */
#include "api/environments.h"

#include "api/checks.h"
#include "base/json.h"
#include "base/memory.h"
#include "db/audit.h"
#include "db/environment.h"
#include "http/request.h"
#include "http/response.h"
#include "http/url.h"
#include "model/limits.h"
#include "patch.h"
#include "precondition.h"

#define OFFSET(member) offsetof(struct environment_body, member)

static const struct field body_list[] = {
    {.name = "slug", .type = FIELD_TEXT, .offset = OFFSET(slug), .optional = true, .max = 63},
    {.name = "title",
     .type = FIELD_TEXT,
     .offset = OFFSET(title),
     .optional = true,
     .max = LIMIT_TITLE_BYTES},
    {.name = "url",
     .type = FIELD_TEXT,
     .offset = OFFSET(url),
     .optional = true,
     .max = LIMIT_TEXT_BYTES},
    {.name = "position",
     .type = FIELD_INT,
     .offset = OFFSET(position),
     .optional = true,
     .min = 0,
     .max = 10000},
};
const struct fields environment_fields = FIELDS(struct environment_body, body_list);

static int check_body(const struct environment_body *body, struct error *error)
{
    if (body->title != NULL && check_title("title", body->title, error) < 0)
        return -1;
    return body->url == NULL ? 0 : url_check("url", body->url, error);
}

static int answer_environment(struct request *request, struct response *response, int status,
                              const char *name, struct error *error)
{
    const struct project_ref *project = request_project(request);
    struct store *store;
    json_t *environment;
    if (request_store(request, &store, error) < 0 ||
        environment_db_get(store, &project->id, name, &environment, error) < 0)
        return -1;
    if (environment == NULL)
        return no_such("environment", name, error);
    response_json(response, status, environment);
    if (status == 201)
        response_headerf(response, "Location", "/v1/projects/%s/environments/%s", project->slug,
                         name);
    return 0;
}

int environments_list(struct request *request, struct response *response, struct error *error)
{
    struct store *store;
    struct page page;
    json_t *items;
    if (page_read(request, &page, error) < 0 || request_store(request, &store, error) < 0 ||
        environment_db_list(store, &request_project(request)->id, &page, &items, error) < 0)
        return -1;
    page_answer(response, &page, items);
    return 0;
}

/* Makes it when it is new (201); else changes it, or leaves it as it is, as wished (200). */
static int save(struct request *request, const struct environment_body *body, bool change,
                int *status_r, struct error *error)
{
    const struct project_ref *project = request_project(request);
    struct store *store;
    struct uuid id;
    if (check_slug("slug", body->slug, error) < 0 || check_body(body, error) < 0 ||
        request_begin(request, &store, error) < 0 ||
        environment_db_add(store, &project->id, body, &request_principal(request)->id, &id, error) <
            0)
        return -1;
    bool is_new = !uuid_is_null(&id);
    *status_r = is_new ? 201 : 200;
    if (precondition_check_new(request, is_new, error) < 0)
        return -1;
    if (!is_new && change) {
        AUTO(json_free) json_t *old = NULL;
        if (environment_db_get(store, &project->id, body->slug, &old, error) < 0 ||
            uuid_parse(json_find_text(old, "id"), &id, error) < 0 ||
            environment_db_set(store, &id, body, error) < 0)
            return -1;
    }
    if ((is_new || change) && audit_add(store, request, &project->id,
                                        is_new ? "environment.create" : "environment.update", &id,
                                        fields_encode(&environment_fields, body), error) < 0)
        return -1;
    return request_commit(request, error);
}

static int save_and_answer(struct request *request, struct response *response,
                           struct environment_body *body, bool change, struct error *error)
{
    int http_status;
    int status = save(request, body, change, &http_status, error);
    if (status == 0)
        status = answer_environment(request, response, http_status, body->slug, error);
    fields_free(&environment_fields, body);
    return status;
}

/* Create or get: pipelines name an environment without asking first. */
int environments_create(struct request *request, struct response *response, struct error *error)
{
    struct environment_body body;
    if (request_decode(request, &environment_fields, &body, error) < 0)
        return -1;
    if (body.slug == NULL) {
        fields_free(&environment_fields, &body);
        return error_field(error, "slug", "slug is missing");
    }
    return save_and_answer(request, response, &body, false, error);
}

int environments_get(struct request *request, struct response *response, struct error *error)
{
    return answer_environment(request, response, 200, request_param(request, "environment"), error);
}

int environments_put(struct request *request, struct response *response, struct error *error)
{
    const char *name = request_param(request, "environment");
    AUTO(json_free) json_t *there = NULL;
    AUTO(text_free) char *slug = NULL;
    struct environment_body body;
    struct store *store;
    if (request_store(request, &store, error) < 0 ||
        environment_db_get(store, &request_project(request)->id, name, &there, error) < 0 ||
        put_slug("environment", there, name, &slug, error) < 0 ||
        request_decode(request, &environment_fields, &body, error) < 0)
        return -1;
    if (take_slug(&body.slug, &slug, error) < 0) {
        fields_free(&environment_fields, &body);
        return -1;
    }
    return save_and_answer(request, response, &body, true, error);
}

int environments_remove(struct request *request, struct response *response, struct error *error)
{
    const struct uuid *project_id = &request_project(request)->id;
    const char *name = request_param(request, "environment");
    AUTO(json_free) json_t *there = NULL;
    struct store *store;
    struct uuid id;
    if (request_begin(request, &store, error) < 0 ||
        environment_db_get(store, project_id, name, &there, error) < 0)
        return -1;
    if (there == NULL)
        return no_such("environment", name, error);
    if (uuid_parse(json_find_text(there, "id"), &id, error) < 0 ||
        environment_db_remove(store, project_id, &id, error) < 0 ||
        audit_add(store, request, project_id, "environment.remove", &id,
                  json_pack("{s:s}", "slug", json_find_text(there, "slug")), error) < 0 ||
        request_commit(request, error) < 0)
        return -1;
    response_empty(response, 204);
    return 0;
}

int environments_patch(struct request *request, struct response *response, struct error *error)
{
    static const struct patch_kind kind = {
        .get = environments_get, .put = environments_put, .fields = &environment_fields};
    return patch_apply(&kind, request, response, error);
}
