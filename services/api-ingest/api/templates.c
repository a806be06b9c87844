/* SPDX-License-Identifier: Apache-2.0 */
#include "api/templates.h"

#include "api/checks.h"
#include "base/json.h"
#include "base/memory.h"
#include "db/audit.h"
#include "db/environment.h"
#include "db/suite.h"
#include "db/template.h"
#include "http/request.h"
#include "http/response.h"
#include "model/labels.h"
#include "model/limits.h"
#include "model/policy.h"
#include "precondition.h"
#include "tenancy.h"

#define NO_PRIORITY (-1)

struct template_body {
    char *slug, *title, *suite, *environment, *pool, *run_title;
    json_t *requirements, *parameters, *policy;
    int64_t priority;
};

#define OFFSET(member) offsetof(struct template_body, member)
static const struct field body_list[] = {
    {.name = "slug", .type = FIELD_TEXT, .offset = OFFSET(slug), .optional = true, .max = 63},
    {.name = "title",
     .type = FIELD_TEXT,
     .offset = OFFSET(title),
     .optional = true,
     .max = LIMIT_TITLE_BYTES},
    {.name = "suite", .type = FIELD_TEXT, .offset = OFFSET(suite), .max = 63},
    {.name = "environment",
     .type = FIELD_TEXT,
     .offset = OFFSET(environment),
     .optional = true,
     .max = 63},
    {.name = "pool", .type = FIELD_TEXT, .offset = OFFSET(pool), .optional = true, .max = 63},
    {.name = "run_title",
     .type = FIELD_TEXT,
     .offset = OFFSET(run_title),
     .optional = true,
     .max = LIMIT_TITLE_BYTES},
    {.name = "requirements", .type = FIELD_JSON, .offset = OFFSET(requirements), .optional = true},
    {.name = "parameters", .type = FIELD_OBJECT, .offset = OFFSET(parameters), .optional = true},
    {.name = "policy", .type = FIELD_OBJECT, .offset = OFFSET(policy), .optional = true},
    {.name = "priority",
     .type = FIELD_INT,
     .offset = OFFSET(priority),
     .optional = true,
     .min = 0,
     .max = 100,
     .fallback = NO_PRIORITY},
};
const struct fields template_fields = FIELDS(struct template_body, body_list);

int templates_list(struct request *request, struct response *response, struct error *error)
{
    struct store *store;
    struct page page;
    json_t *items;
    if (page_read(request, &page, error) < 0 || request_store(request, &store, error) < 0 ||
        template_db_list(store, &request_project(request)->id, &page, &items, error) < 0)
        return -1;
    page_answer(response, &page, items);
    return 0;
}

static int answer_template(struct request *request, struct response *response, int status,
                           const char *name, struct error *error)
{
    const struct project_ref *project = request_project(request);
    struct store *store;
    json_t *template;
    if (request_store(request, &store, error) < 0 ||
        template_db_get(store, &project->id, name, &template, error) < 0)
        return -1;
    if (template == NULL)
        return no_such("template", name, error);
    response_json(response, status, template);
    if (status == 201)
        response_headerf(response, "Location", "/v1/projects/%s/templates/%s", project->slug, name);
    return 0;
}

static int check_policy(const json_t *json, struct error *error)
{
    struct policy policy;
    if (json == NULL)
        return 0;
    if (fields_decode(&policy_fields, json, &policy, error) < 0)
        return error_in(error, "policy");
    fields_free(&policy_fields, &policy);
    return 0;
}

static int check_body(const struct template_body *body, struct error *error)
{
    struct requirements *requirements = NULL;
    if (check_slug("slug", body->slug, error) < 0 ||
        (body->title != NULL && check_title("title", body->title, error) < 0) ||
        check_parameters("parameters", body->parameters, error) < 0)
        return -1;
    if (body->requirements != NULL &&
        requirements_parse(body->requirements, &requirements, error) < 0)
        return error->field[0] == '\0' ? error_field(error, "requirements", "%s", error->text) : -1;
    requirements_free(&requirements);
    return check_policy(body->policy, error);
}

static json_t *defaults_of(const struct template_body *body)
{
    json_t *defaults =
        json_pack("{s:O*, s:O*, s:O*, s:s*}", "requirements", body->requirements, "parameters",
                  body->parameters, "policy", body->policy, "title", body->run_title);
    if (body->priority != NO_PRIORITY)
        json_object_set_new(defaults, "priority", json_integer(body->priority));
    return defaults;
}

static int id_of(const json_t *object, const char *what, const char *name, struct uuid *id_r,
                 struct error *error)
{
    if (object == NULL)
        return error_field(error, what, "there is no %s %.100s", what, name);
    return uuid_parse(json_find_text(object, "id"), id_r, error);
}

/* What a template is made of, by slug or id. */
static int find_parts(struct request *request, struct store *store,
                      const struct template_body *body, struct template_row *row,
                      struct error *error)
{
    const struct uuid *project_id = &request_project(request)->id;
    AUTO(json_free) json_t *suite = NULL;
    AUTO(json_free) json_t *environment = NULL;
    if (suite_db_get(store, project_id, body->suite, &suite, error) < 0 ||
        id_of(suite, "suite", body->suite, &row->suite_id, error) < 0 ||
        tenancy_pool(request, body->pool == NULL ? "default" : body->pool, project_id,
                     &row->pool_id, error) < 0)
        return -1;
    if (body->environment == NULL)
        return 0;
    if (environment_db_get(store, project_id, body->environment, &environment, error) < 0)
        return -1;
    return id_of(environment, "environment", body->environment, &row->environment_id, error);
}

static int save(struct request *request, const struct template_body *body, bool must_be_new,
                int *status_r, struct error *error)
{
    AUTO(json_free) json_t *defaults = defaults_of(body);
    struct template_row row = {.project_id = &request_project(request)->id,
                               .slug = body->slug,
                               .title = body->title,
                               .defaults = defaults,
                               .created_by = &request_principal(request)->id};
    struct store *store;
    struct uuid id;
    bool is_new;
    if (check_body(body, error) < 0 || request_begin(request, &store, error) < 0 ||
        find_parts(request, store, body, &row, error) < 0 ||
        template_db_save(store, &row, &id, &is_new, error) < 0 ||
        precondition_check_new(request, is_new, error) < 0)
        return -1;
    if (must_be_new && !is_new)
        return error_set(error, "conflict", "there is a template %s already: PUT changes it",
                         body->slug);
    *status_r = is_new ? 201 : 200;
    if (audit_add(store, request, row.project_id, is_new ? "template.create" : "template.update",
                  &id, fields_encode(&template_fields, body), error) < 0)
        return -1;
    return request_commit(request, error);
}

int templates_create(struct request *request, struct response *response, struct error *error)
{
    struct template_body body;
    int http_status;
    if (request_decode(request, &template_fields, &body, error) < 0)
        return -1;
    int status = body.slug == NULL ? error_field(error, "slug", "slug is missing")
                                   : save(request, &body, true, &http_status, error);
    if (status == 0)
        status = answer_template(request, response, 201, body.slug, error);
    fields_free(&template_fields, &body);
    return status;
}

int templates_get(struct request *request, struct response *response, struct error *error)
{
    return answer_template(request, response, 200, request_param(request, "template"), error);
}

int templates_put(struct request *request, struct response *response, struct error *error)
{
    const char *name = request_param(request, "template");
    AUTO(json_free) json_t *there = NULL;
    AUTO(text_free) char *slug = NULL;
    struct template_body body;
    struct store *store;
    int http_status;
    if (request_store(request, &store, error) < 0 ||
        template_db_get(store, &request_project(request)->id, name, &there, error) < 0 ||
        put_slug("template", there, name, &slug, error) < 0 ||
        request_decode(request, &template_fields, &body, error) < 0)
        return -1;
    int status = take_slug(&body.slug, &slug, error);
    if (status == 0)
        status = save(request, &body, false, &http_status, error);
    if (status == 0)
        status = answer_template(request, response, http_status, body.slug, error);
    fields_free(&template_fields, &body);
    return status;
}

int templates_remove(struct request *request, struct response *response, struct error *error)
{
    const struct uuid *project_id = &request_project(request)->id;
    const char *name = request_param(request, "template");
    AUTO(json_free) json_t *template = NULL;
    struct store *store;
    struct uuid id;
    if (request_begin(request, &store, error) < 0 ||
        template_db_get(store, project_id, name, &template, error) < 0)
        return -1;
    if (template == NULL)
        return no_such("template", name, error);
    if (uuid_parse(json_find_text(template, "id"), &id, error) < 0 ||
        template_db_remove(store, &id, error) < 0 ||
        audit_add(store, request, project_id, "template.remove", &id, NULL, error) < 0 ||
        request_commit(request, error) < 0)
        return -1;
    response_empty(response, 204);
    return 0;
}
