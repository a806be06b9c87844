/* SPDX-License-Identifier: Apache-2.0 */
#include "api/suites.h"

#include <stdio.h>

#include "api/checks.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "db/audit.h"
#include "db/suite.h"
#include "http/cursor.h"
#include "http/request.h"
#include "http/response.h"
#include "model/limits.h"
#include "patch.h"
#include "precondition.h"
#include "suite_version.h"

/* What stands in a body beside the specification. */
struct suite_head {
    char *slug, *title;
};
static const struct field head_list[] = {
    {.name = "slug",
     .type = FIELD_TEXT,
     .offset = offsetof(struct suite_head, slug),
     .optional = true,
     .max = 63},
    {.name = "title",
     .type = FIELD_TEXT,
     .offset = offsetof(struct suite_head, title),
     .optional = true,
     .max = LIMIT_TITLE_BYTES},
};
const struct fields suite_head_fields = FIELDS(struct suite_head, head_list);

int suites_list(struct request *request, struct response *response, struct error *error)
{
    struct store *store;
    struct page page;
    json_t *items;
    if (page_read(request, &page, error) < 0 || request_store(request, &store, error) < 0 ||
        suite_db_list(store, &request_project(request)->id, &page, &items, error) < 0)
        return -1;
    page_answer(response, &page, items);
    return 0;
}

static int answer_suite(struct request *request, struct response *response, int status,
                        const char *name, struct error *error)
{
    const struct project_ref *project = request_project(request);
    struct store *store;
    json_t *suite;
    if (request_store(request, &store, error) < 0 ||
        suite_db_get(store, &project->id, name, &suite, error) < 0)
        return -1;
    if (suite == NULL)
        return no_such("suite", name, error);
    response_json(response, status, suite);
    if (status == 201)
        response_headerf(response, "Location", "/v1/projects/%s/suites/%s", project->slug, name);
    return 0;
}

static int save_in_transaction(struct request *request, struct store *store,
                               const struct suite_head *head, const struct suite_spec *spec,
                               int *status_r, struct error *error)
{
    const struct uuid *project_id = &request_project(request)->id;
    struct suite_version_ref version;
    struct uuid id;
    bool is_new;
    if (suite_version_ensure(store, project_id, head->slug, spec, &version, error) < 0 ||
        suite_db_save(store,
                      &(struct suite_row){.project_id = project_id,
                                          .slug = head->slug,
                                          .title = head->title,
                                          .version_id = &version.id,
                                          .created_by = &request_principal(request)->id},
                      &id, &is_new, error) < 0 ||
        precondition_check_new(request, is_new, error) < 0)
        return -1;
    *status_r = is_new ? 201 : 200;
    return audit_add(store, request, project_id, is_new ? "suite.create" : "suite.update", &id,
                     json_pack("{s:s, s:s}", "slug", head->slug, "version_id", version.id.text),
                     error);
}

/* It would outlive the files: those go with the last run on them. */
static int check_lasting(const struct suite_spec *spec, struct error *error)
{
    if (spec->source.kind != SOURCE_BUNDLE)
        return 0;
    return error_field(error, "source.kind", "source.kind bundle goes with a run's own suite only");
}

static int save(struct request *request, const struct suite_head *head, const json_t *json,
                bool must_be_new, int *status_r, struct error *error)
{
    AUTO(suite_deinit) struct suite_spec spec = {.framework = NULL};
    struct store *store;
    if (check_slug("slug", head->slug, error) < 0 ||
        (head->title != NULL && check_title("title", head->title, error) < 0) ||
        suite_decode(json, &spec, error) < 0 || check_lasting(&spec, error) < 0 ||
        request_begin(request, &store, error) < 0 ||
        save_in_transaction(request, store, head, &spec, status_r, error) < 0)
        return -1;
    if (must_be_new && *status_r != 201)
        return error_set(error, "conflict", "there is a suite %s already: PUT changes it",
                         head->slug);
    return request_commit(request, error);
}

int suites_create(struct request *request, struct response *response, struct error *error)
{
    AUTO(json_free) json_t *json = NULL;
    struct suite_head head;
    int http_status;
    if (request_json(request, &json, error) < 0 ||
        fields_decode(&suite_head_fields, json, &head, error) < 0)
        return -1;
    int status = head.slug == NULL ? error_field(error, "slug", "slug is missing")
                                   : save(request, &head, json, true, &http_status, error);
    if (status == 0)
        status = answer_suite(request, response, 201, head.slug, error);
    fields_free(&suite_head_fields, &head);
    return status;
}

int suites_get(struct request *request, struct response *response, struct error *error)
{
    return answer_suite(request, response, 200, request_param(request, "suite"), error);
}

int suites_put(struct request *request, struct response *response, struct error *error)
{
    const char *name = request_param(request, "suite");
    AUTO(json_free) json_t *json = NULL;
    AUTO(json_free) json_t *there = NULL;
    AUTO(text_free) char *slug = NULL;
    struct suite_head head;
    struct store *store;
    int http_status;
    if (request_store(request, &store, error) < 0 ||
        suite_db_get(store, &request_project(request)->id, name, &there, error) < 0 ||
        put_slug("suite", there, name, &slug, error) < 0 ||
        request_json(request, &json, error) < 0 ||
        fields_decode(&suite_head_fields, json, &head, error) < 0)
        return -1;
    int status = take_slug(&head.slug, &slug, error);
    if (status == 0)
        status = save(request, &head, json, false, &http_status, error);
    if (status == 0)
        status = answer_suite(request, response, http_status, head.slug, error);
    fields_free(&suite_head_fields, &head);
    return status;
}

/* Their cursor is an ordinal. */
static int read_case_cursor(const struct request *request, int64_t *after_r, struct error *error)
{
    const char *cursor = request_query(request, "cursor");
    static const int64_t max[] = {INT32_MAX};
    AUTO(text_free) char *text = NULL;
    *after_r = 0;
    if (cursor == NULL)
        return 0;
    if (cursor_decode(cursor, &text, error) < 0)
        return -1;
    return cursor_numbers(text, 0, max, 1, after_r, NULL, error);
}

static void answer_cases(struct response *response, json_t *items, int64_t limit)
{
    AUTO(text_free) char *next = NULL;
    if ((int64_t)json_array_size(items) > limit) {
        char text[24];
        json_array_remove(items, (size_t)limit);
        json_t *last = json_array_get(items, (size_t)limit - 1);
        snprintf(text, sizeof text, "%lld", (long long)json_find_int(last, "ordinal", 0));
        next = cursor_encode(text);
    }
    response_json(response, 200, json_pack("{s:o, s:s?}", "items", items, "next_cursor", next));
}

int suites_cases(struct request *request, struct response *response, struct error *error)
{
    const char *name = request_param(request, "suite");
    AUTO(json_free) json_t *suite = NULL;
    struct store *store;
    struct uuid version_id;
    int64_t limit, after;
    json_t *items;
    if (request_query_int(request, "limit", 1, LIMIT_PAGE_ENTRIES, PAGE_DEFAULT, &limit, error) <
            0 ||
        read_case_cursor(request, &after, error) < 0 || request_store(request, &store, error) < 0 ||
        suite_db_get(store, &request_project(request)->id, name, &suite, error) < 0)
        return -1;
    if (suite == NULL)
        return no_such("suite", name, error);
    if (uuid_parse(json_find_text(suite, "version_id"), &version_id, error) < 0 ||
        suite_db_cases(store, &version_id, after, limit + 1, &items, error) < 0)
        return -1;
    answer_cases(response, items, limit);
    return 0;
}

int suites_remove(struct request *request, struct response *response, struct error *error)
{
    const struct uuid *project_id = &request_project(request)->id;
    const char *name = request_param(request, "suite");
    AUTO(json_free) json_t *there = NULL;
    struct store *store;
    struct uuid id;
    if (request_begin(request, &store, error) < 0 ||
        suite_db_get(store, project_id, name, &there, error) < 0)
        return -1;
    if (there == NULL)
        return no_such("suite", name, error);
    if (uuid_parse(json_find_text(there, "id"), &id, error) < 0 ||
        suite_db_remove(store, &id, error) < 0 ||
        audit_add(store, request, project_id, "suite.remove", &id,
                  json_pack("{s:s}", "slug", json_find_text(there, "slug")), error) < 0 ||
        request_commit(request, error) < 0)
        return -1;
    response_empty(response, 204);
    return 0;
}

static json_t *selectors_of(const json_t *cases)
{
    json_t *selectors = json_array();
    size_t i;
    json_t *one;
    json_array_foreach ((json_t *)(uintptr_t)cases, i, one)
        json_array_append(selectors, json_object_get(one, "selector"));
    return selectors;
}

/* The specification, with its cases again: they are rows, and a GET tells their number alone. */
static int patched(struct request *request, const json_t *suite, json_t **body_r,
                   struct error *error)
{
    AUTO(json_free) json_t *cases = NULL;
    struct store *store;
    struct uuid version_id;
    if (request_store(request, &store, error) < 0 ||
        uuid_parse(json_find_text(suite, "version_id"), &version_id, error) < 0 ||
        suite_db_cases(store, &version_id, 0, LIMIT_CASES_PER_RUN, &cases, error) < 0)
        return -1;
    *body_r = json_copy(json_object_get(suite, "spec"));
    json_object_set_new(*body_r, "cases", selectors_of(cases));
    return 0;
}

int suites_patch(struct request *request, struct response *response, struct error *error)
{
    static const struct patch_kind kind = {.get = suites_get, .put = suites_put, .body = patched};
    return patch_apply(&kind, request, response, error);
}
