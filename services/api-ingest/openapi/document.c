/* SPDX-License-Identifier: Apache-2.0 */
#include "openapi/document.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/version.h"
#include "http/problem.h"
#include "model/frameworks.h"
#include "model/policy.h"
#include "model/states.h"
#include "openapi/operation.h"
#include "openapi/schema.h"
#include "openapi/words.h"

#define JSON_TYPE    "application/json"
#define PROBLEM_TYPE "application/problem+json"

static json_t *read_words(const char *text)
{
    json_error_t error;
    json_t *words = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    assert(words != NULL && "what is written by hand is JSON");
    return words;
}

static json_t *reference_to(const char *section, const char *name)
{
    return json_pack("{s:o}", "$ref", json_sprintf("#/components/%s/%s", section, name));
}

/* ---- schemas -------------------------------------------------------------------------------------- */

/* A list of names that the code has already. */
static void set_enum(json_t *schemas, const char *name, const struct names *names)
{
    json_t *list = json_array();
    for (int i = 0; i < names->count; i++)
        json_array_append_new(list, json_string(names_get(names, i)));
    json_object_set_new(json_object_get(schemas, name), "enum", list);
}

static json_t *framework_names(void)
{
    const struct framework_facts *framework;
    json_t *list = json_array();
    for (int i = 0; (framework = framework_at(i)) != NULL; i++)
        json_array_append_new(list, json_string(framework->name));
    return list;
}

static bool is_body(const char *name)
{
    return text_ends(name, "Body");
}

/* A choice by hand stands for the type that the table says. */
static void overlay(json_t *schema, json_t *by_hand)
{
    const char *name;
    json_t *property;
    json_t *properties = json_object_get(schema, "properties");
    json_object_foreach (json_object_get(by_hand, "properties"), name, property)
        if (json_object_get(property, "anyOf") != NULL)
            json_object_set_new(properties, name, json_object());
    if (by_hand != NULL)
        json_object_update_recursive(schema, by_hand);
}

static json_t *without_slug(const json_t *like)
{
    json_t *schema = json_deep_copy(like);
    json_t *required = json_object_get(schema, "required");
    json_object_del(json_object_get(schema, "properties"), "slug");
    for (size_t i = json_array_size(required); i-- > 0;)
        if (strcmp(json_string_value(json_array_get(required, i)), "slug") == 0)
            json_array_remove(required, i);
    if (required != NULL && json_array_size(required) == 0)
        json_object_del(schema, "required");
    return schema;
}

/* What stands by hand about a body is laid over what its field tables say. */
static void add_body(json_t *schemas, const struct operation_body *body)
{
    if (body->like != NULL) {
        json_object_set_new(schemas, body->name,
                            without_slug(json_object_get(schemas, body->like)));
        return;
    }
    AUTO(json_free) json_t *by_hand = json_incref(json_object_get(schemas, body->name));
    if (body->fields[0] == NULL || json_object_get(by_hand, "type") != NULL) /* whole already */
        return;
    json_t *schema = schema_of_fields(body->fields[0]);
    if (body->fields[1] != NULL)
        schema_add_fields(schema, body->fields[1]);
    overlay(schema, by_hand);
    json_object_set_new(schemas, body->name, schema);
}

static void add_schemas(json_t *schemas)
{
    const char *name;
    json_t *schema;
    json_object_foreach (schemas, name, schema)
        if (!is_body(name))
            schema_require(schema);
    set_enum(schemas, "RunState", &run_state_names);
    set_enum(schemas, "ResultStatus", &result_status_names);
    set_enum(schemas, "Scope", &token_scope_names);
    json_object_set_new(schemas, "Policy", schema_of_fields(&policy_fields));
    for (size_t i = 0; i < operations_count; i++)
        if (operations[i].body != NULL)
            add_body(schemas, operations[i].body);
    json_t *suite = json_object_get(json_object_get(schemas, "SuiteBody"), "properties");
    json_object_set_new(json_object_get(suite, "framework"), "enum", framework_names());
}

/* ---- one operation -------------------------------------------------------------------------------- */

static json_t *page_of(const char *item)
{
    return json_pack("{s:s, s:[s, s], s:{s:{s:s, s:o}, s:{s:[s, s]}}}", "type", "object",
                     "required", "items", "next_cursor", "properties", "items", "type", "array",
                     "items", schema_ref(item), "next_cursor", "type", "string", "null");
}

static json_t *content_of(const struct operation *operation)
{
    json_t *content = json_object();
    if (operation->answer != NULL)
        json_object_set_new(content, JSON_TYPE,
                            json_pack("{s:o}", "schema",
                                      operation->is_list ? page_of(operation->answer)
                                                         : schema_ref(operation->answer)));
    for (size_t i = 0; i < ARRAY_SIZE(operation->media) && operation->media[i] != NULL; i++)
        json_object_set_new(content, operation->media[i],
                            json_pack("{s:{s:s}}", "schema", "type", "string"));
    return content;
}

static const char *title_of(int status)
{
    static const struct {
        int status;
        const char *title;
    } titles[] = {{200, "OK"},           {201, "Made"},
                  {202, "Accepted"},     {204, "Nothing to say"},
                  {206, "A part of it"}, {304, "Not modified"}};
    for (size_t i = 0; i < ARRAY_SIZE(titles); i++)
        if (titles[i].status == status)
            return titles[i].title;
    const struct problem_kind *kind = problem_kind_of_status(status);
    assert(kind != NULL);
    return kind->title;
}

static json_t *response_of(int status, json_t *headers, json_t *content)
{
    json_t *response = json_pack("{s:s, s:o}", "description", title_of(status), "headers", headers);
    json_object_set_new(headers, "X-Request-Id", reference_to("headers", "RequestId"));
    json_object_set_new(headers, "RateLimit-Limit", reference_to("headers", "RateLimitLimit"));
    json_object_set_new(headers, "RateLimit-Remaining",
                        reference_to("headers", "RateLimitRemaining"));
    json_object_set_new(headers, "RateLimit-Reset", reference_to("headers", "RateLimitReset"));
    if (json_object_size(content) > 0)
        json_object_set(response, "content", content);
    json_decref(content);
    return response;
}

static void set_status(json_t *responses, int status, json_t *response)
{
    char code[8];
    snprintf(code, sizeof code, "%d", status);
    json_object_set_new(responses, code, response);
}

static void add_success(json_t *responses, const struct operation *operation, int status)
{
    json_t *headers = json_object();
    if (status == 201)
        json_object_set_new(headers, "Location", reference_to("headers", "Location"));
    if ((operation->has_etag && status != 202) ||
        (operation->has_condition && operation->answer != NULL))
        json_object_set_new(headers, "ETag", reference_to("headers", "ETag"));
    if (status == 206)
        json_object_set_new(headers, "Content-Range", reference_to("headers", "ContentRange"));
    bool is_empty = status == 204 || status == 304;
    set_status(responses, status,
               response_of(status, headers, is_empty ? NULL : content_of(operation)));
}

static const int problem_statuses[] = {400, 401, 403, 404, 409, 410, 412, 413,
                                       414, 415, 416, 422, 429, 500, 503, 507};

static json_t *problems(void)
{
    json_t *responses = json_object();
    for (size_t i = 0; i < ARRAY_SIZE(problem_statuses); i++) {
        int status = problem_statuses[i];
        json_t *headers = json_object();
        if (status == 429 || status == 503)
            json_object_set_new(headers, "Retry-After", reference_to("headers", "RetryAfter"));
        set_status(
            responses, status,
            response_of(status, headers,
                        json_pack("{s:{s:o}}", PROBLEM_TYPE, "schema", schema_ref("Problem"))));
    }
    return responses;
}

static void add_problem(json_t *responses, int status)
{
    char code[8];
    snprintf(code, sizeof code, "%d", status);
    set_status(responses, status, reference_to("responses", code));
}

static json_t *responses_of(const struct route *route, const struct operation *operation)
{
    static const int always[] = {400, 429, 500, 503};
    static const int of_tokens[] = {401, 403};
    static const int of_paths[] = {404, 414};
    static const int of_bodies[] = {413, 415};
    json_t *responses = json_object();
    for (size_t i = 0; i < OPERATION_STATUSES && (i == 0 || operation->ok[i] != 0); i++) {
        int status = operation->ok[0] == 0 ? 200 : operation->ok[i];
        add_success(responses, operation, status);
    }
    if (operation->has_etag)
        add_success(responses, operation, 304);
    if (operation->has_condition)
        add_problem(responses, 412);
    for (size_t i = 0; i < ARRAY_SIZE(always); i++)
        add_problem(responses, always[i]);
    for (size_t i = 0; i < ARRAY_SIZE(of_tokens) && route->scope != ROUTE_OPEN; i++)
        add_problem(responses, of_tokens[i]);
    for (size_t i = 0; i < ARRAY_SIZE(of_paths) && strchr(route->pattern, '{') != NULL; i++)
        add_problem(responses, of_paths[i]);
    for (size_t i = 0; i < ARRAY_SIZE(of_bodies) && operation->body != NULL; i++)
        add_problem(responses, of_bodies[i]);
    for (size_t i = 0; i < OPERATION_STATUSES && operation->refused[i] != 0; i++)
        add_problem(responses, operation->refused[i]);
    return responses;
}

static void add_path_parameters(json_t *list, const char *pattern, const json_t *words)
{
    for (const char *open = strchr(pattern, '{'); open != NULL; open = strchr(open + 1, '{')) {
        AUTO(text_free) char *name = xstrndup(open + 1, strcspn(open + 1, "}"));
        json_t *parameter = json_object_get(words, name);
        assert(parameter != NULL && "each parameter of a path has its words");
        json_array_append(list, parameter);
    }
}

static json_t *parameters_of(const struct route *route, const struct operation *operation,
                             const json_t *words)
{
    json_t *list = json_array();
    add_path_parameters(list, route->pattern, json_object_get(words, "path_parameters"));
    if (operation->has_etag)
        json_array_append_new(list, reference_to("parameters", "IfNoneMatch"));
    if (operation->has_condition) {
        json_array_append_new(list, reference_to("parameters", "IfMatch"));
        json_array_append_new(list, reference_to("parameters", "IfNew"));
    }
    for (size_t i = 0; i < OPERATION_PARAMETERS && operation->parameters[i] != NULL; i++) {
        assert(json_object_get(json_object_get(words, "parameters"), operation->parameters[i]) !=
               NULL);
        json_array_append_new(list, reference_to("parameters", operation->parameters[i]));
    }
    return list;
}

/* "/v1/projects/{project}/suites/{suite}" → "suites". */
static json_t *tag_of(const char *pattern)
{
    static const char in_project[] = "/v1/projects/{project}/";
    const char *from =
        text_starts(pattern, in_project) ? pattern + strlen(in_project) : pattern + strlen("/v1/");
    size_t length = strcspn(from, "/");
    if (text_starts(pattern, "/v1/docs"))
        return json_string("service");
    bool is_alone = pattern[strlen("/v1/") + strcspn(pattern + strlen("/v1/"), "/")] == '\0';
    if (is_alone && from[length - 1] != 's')
        return json_string("service");
    return json_stringn(from, length);
}

static json_t *security_of(const struct route *route, const struct operation *operation)
{
    if (operation->security != NULL)
        return json_pack("[{s:[]}]", operation->security);
    return route->scope == ROUTE_OPEN ? json_array() : json_pack("[{s:[]}]", "token");
}

static json_t *summary_of(const struct route *route)
{
    AUTO(text_free) char *text = xstrdup(route->text);
    text[0] = (char)toupper((unsigned char)text[0]);
    return json_string(text);
}

/* NULL: a file. */
static json_t *request_body_of(const struct operation *operation)
{
    const struct operation_body *body = operation->body;
    if (body == NULL)
        return json_pack("{s:b, s:{s:{s:{}}}}", "required", !operation->may_be_empty, "content",
                         "application/octet-stream", "schema");
    return json_pack("{s:b, s:{s:{s:o}}}", "required", !body->optional, "content", JSON_TYPE,
                     "schema", schema_ref(body->name));
}

static json_t *operation_of(const struct route *route, const json_t *words)
{
    const struct operation *operation = operation_find(route->handler);
    assert(operation != NULL && "each handler of a route stands in the table of operations");
    json_t *json = json_pack("{s:s, s:o, s:[o], s:o, s:o}", "operationId", operation->id, "summary",
                             summary_of(route), "tags", tag_of(route->pattern), "security",
                             security_of(route, operation), "parameters",
                             parameters_of(route, operation, words));
    if (route->scope >= 0)
        json_object_set_new(json, "x-scope",
                            json_string(names_get(&token_scope_names, route->scope)));
    if (route->installation)
        json_object_set_new(json, "x-installation", json_true());
    if (operation->body != NULL || route->admit != NULL)
        json_object_set_new(json, "requestBody", request_body_of(operation));
    json_object_set_new(json, "responses", responses_of(route, operation));
    return json;
}

/* ---- the whole ------------------------------------------------------------------------------------ */

static json_t *paths_of(const json_t *words)
{
    json_t *paths = json_object();
    for (size_t i = 0; i < routes_count; i++) {
        char method[8] = "";
        json_t *path = json_object_get(paths, routes[i].pattern);
        if (path == NULL)
            json_object_set_new(paths, routes[i].pattern, path = json_object());
        for (size_t k = 0; k < sizeof method - 1 && routes[i].method[k] != '\0'; k++)
            method[k] = (char)tolower((unsigned char)routes[i].method[k]);
        json_object_set_new(path, method, operation_of(&routes[i], words));
    }
    return paths;
}

json_t *openapi_document(void)
{
    AUTO(json_free) json_t *words = read_words(openapi_common);
    AUTO(json_free) json_t *config = read_words(openapi_config);
    AUTO(json_free) json_t *runs = read_words(openapi_runs);
    json_t *schemas = json_object_get(words, "schemas");
    json_object_update(schemas, json_object_get(config, "schemas"));
    json_object_update(schemas, json_object_get(runs, "schemas"));
    add_schemas(schemas);
    json_t *info = json_object_get(words, "info");
    json_object_set_new(info, "version", json_string(verdict_version));
    return json_pack("{s:s, s:O, s:[{s:s}], s:o, s:{s:O, s:o, s:O, s:O, s:O}}", "openapi", "3.1.0",
                     "info", info, "servers", "url", "/", "paths", paths_of(words), "components",
                     "schemas", schemas, "responses", problems(), "parameters",
                     json_object_get(words, "parameters"), "headers",
                     json_object_get(words, "headers"), "securitySchemes",
                     json_object_get(words, "securitySchemes"));
}

char *openapi_text(void)
{
    AUTO(json_free) json_t *document = openapi_document();
    char *text = json_dumps(document, JSON_INDENT(1));
    assert(text != NULL);
    return text;
}
