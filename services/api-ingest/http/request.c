/* SPDX-License-Identifier: Apache-2.0 */
/* Reading what was asked. */
#include "http/request.h"

#include <assert.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/traceparent.h"
#include "http/body.h"
#include "http/exchange.h"
#include "http/server.h"
#include "http/upload.h"
#include "http/uri.h"
#include "model/limits.h"
#include "store/store.h"

#define PATH_MAX_BYTES 2048

static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};

static const char *known_method(const char *method)
{
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
        if (strcmp(methods[i], method) == 0)
            return methods[i];
    return "OTHER";
}

static enum MHD_Result add_query(void *context, enum MHD_ValueKind kind, const char *name,
                                 size_t name_length, const char *value, size_t value_length)
{
    struct request *request = context;
    struct query_value *slot = &request->query[request->query_count];
    struct error error;
    (void)kind;
    if (request->query_count == QUERY_MAX) {
        error_set(&error, "invalid", "the URL has more than %d parameters", QUERY_MAX);
        exchange_refuse(request, &error);
        return MHD_NO;
    }
    if (uri_decode(name, name_length, &slot->name, &error) < 0 ||
        uri_decode(value == NULL ? "" : value, value == NULL ? 0 : value_length, &slot->value,
                   &error) < 0) {
        text_free(&slot->name);
        exchange_refuse(request, &error);
        return MHD_NO;
    }
    request->query_count++;
    return MHD_YES;
}

static int find_route(struct request *request, struct error *error)
{
    char allow[64] = "";
    if (strlen(request->path) > PATH_MAX_BYTES)
        return error_set(error, "uri_too_long", "the path is longer than %d bytes", PATH_MAX_BYTES);
    int status = route_find(request->method, request->path, &request->match, allow, error);
    if (allow[0] != '\0')
        response_header(&request->response, "Allow", allow);
    for (int i = 0; status == 0 && i < request->match.count; i++)
        status = uri_decode(request->match.params[i].value, request->match.params[i].value_length,
                            &request->params[i], error);
    return status;
}

struct request *exchange_new(struct http_server *server, struct MHD_Connection *connection,
                             const char *method, const char *path)
{
    struct request *request = xcalloc(1, sizeof *request);
    struct error error;
    request->server = server;
    request->connection = connection;
    request->id = uuid_v7();
    request->started_us = monotonic_us();
    request->method = known_method(method);
    request->path = xstrdup(path);
    response_init(&request->response);
    if (find_route(request, &error) < 0)
        exchange_refuse(request, &error);
    buffer_init(&request->body, exchange_body_max(request));
    MHD_get_connection_values_n(connection, MHD_GET_ARGUMENT_KIND, add_query, request);
    return request;
}

void exchange_free(struct request **request_)
{
    struct request *request = TAKE(*request_);
    if (request == NULL)
        return;
    if (request->free_data != NULL)
        request->free_data(request->data);
    for (int i = 0; i < ROUTE_PARAMS_MAX; i++)
        free(request->params[i]);
    for (int i = 0; i < request->query_count; i++) {
        free(request->query[i].name);
        free(request->query[i].value);
    }
    body_forget(request);
    upload_free(&request->upload);
    response_deinit(&request->response);
    free(request->path);
    free(request);
}

void exchange_refuse(struct request *request, const struct error *error)
{
    if (request->is_refused)
        return;
    request->is_refused = true;
    response_problem(&request->response, error);
}

size_t exchange_body_max(const struct request *request)
{
    size_t own = request->match.route == NULL ? 0 : request->match.route->body_max;
    return own > 0 ? own : (size_t)LIMIT_BODY_BYTES;
}

struct header_census {
    int hosts, lengths, codings;
    bool has_nul, has_other_coding;
    const char *length;
};

static enum MHD_Result count_header(void *context, enum MHD_ValueKind kind, const char *name,
                                    size_t name_length, const char *value, size_t value_length)
{
    struct header_census *census = context;
    (void)kind;
    if (memchr(name, '\0', name_length) != NULL ||
        (value != NULL && memchr(value, '\0', value_length) != NULL))
        census->has_nul = true;
    if (strcasecmp(name, "Host") == 0)
        census->hosts++;
    if (strcasecmp(name, "Content-Length") == 0) {
        census->lengths++;
        census->length = value;
    }
    if (strcasecmp(name, "Transfer-Encoding") == 0) {
        census->codings++;
        census->has_other_coding |= value == NULL || strcasecmp(value, "chunked") != 0;
    }
    return MHD_YES;
}

int exchange_check_headers(struct request *request, struct error *error)
{
    struct header_census census = {0};
    MHD_get_connection_values_n(request->connection, MHD_HEADER_KIND, count_header, &census);

    if (census.has_nul)
        return error_set(error, "invalid", "a header holds a NUL");
    if (census.hosts > 1 || census.lengths > 1 || census.codings > 1)
        return error_set(error, "invalid",
                         "Host, Content-Length and Transfer-Encoding may be given once");
    if (census.codings > 0 && census.lengths > 0)
        return error_set(error, "invalid",
                         "Content-Length and Transfer-Encoding exclude each other");
    if (census.has_other_coding)
        return error_set(error, "invalid", "the only Transfer-Encoding is chunked");
    int64_t length = 0, max = (int64_t)exchange_body_max(request);
    if (census.length != NULL && int_parse(census.length, 0, INT64_MAX, &length, error) < 0)
        return error_set(error, "invalid", "Content-Length is not a number");
    if (length > max)
        return error_set(error, "too_large", "the body is longer than %lld bytes", (long long)max);
    request->body_announced = census.codings > 0 ? INT64_MAX : length;
    return 0;
}

bool principal_may(const struct principal *principal, enum token_scope scope)
{
    return (principal->scopes & (1U << scope)) != 0;
}

bool principal_is_bound(const struct principal *principal)
{
    return !uuid_is_null(&principal->project_id);
}

struct ingest *request_ingest(const struct request *request)
{
    return http_server_ingest(request->server);
}

const char *request_method(const struct request *request)
{
    return request->method;
}

const struct uuid *request_id(const struct request *request)
{
    return &request->id;
}

const char *request_param(const struct request *request, const char *name)
{
    for (int i = 0; i < request->match.count; i++)
        if (strncmp(request->match.params[i].name, name, request->match.params[i].name_length) ==
                0 &&
            name[request->match.params[i].name_length] == '\0')
            return request->params[i];
    assert(!"the pattern has no such parameter");
    return NULL;
}

const char *request_query(const struct request *request, const char *name)
{
    for (int i = 0; i < request->query_count; i++)
        if (strcmp(request->query[i].name, name) == 0)
            return request->query[i].value;
    return NULL;
}

const char *request_header(const struct request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

const char *request_traceparent(const struct request *request)
{
    const char *text = request_header(request, "traceparent");
    return text != NULL && traceparent_is_valid(text) ? text : NULL;
}

int request_query_int(const struct request *request, const char *name, int64_t min, int64_t max,
                      int64_t fallback, int64_t *value_r, struct error *error)
{
    const char *text = request_query(request, name);
    struct error inner;
    if (text == NULL) {
        *value_r = fallback;
        return 0;
    }
    if (int_parse(text, min, max, value_r, &inner) < 0)
        return error_field(error, name, "%s: %s", name, inner.text);
    return 0;
}

int request_query_duration(const struct request *request, const char *name, int64_t max_ms,
                           int64_t fallback_ms, int64_t *ms_r, struct error *error)
{
    const char *text = request_query(request, name);
    struct error inner;
    if (text == NULL) {
        *ms_r = fallback_ms;
        return 0;
    }
    if (duration_parse(text, 0, max_ms, ms_r, &inner) < 0)
        return error_field(error, name, "%s: %s", name, inner.text);
    return 0;
}

int request_query_choice(const struct request *request, const char *name,
                         const struct names *choices, int fallback, int *value_r,
                         struct error *error)
{
    const char *text = request_query(request, name);
    struct error inner;
    *value_r = fallback;
    if (text == NULL || names_parse(choices, text, value_r, &inner) == 0)
        return 0;
    return error_field(error, name, "%s %s", name, inner.text);
}

const char *request_body(const struct request *request, size_t *length_r)
{
    *length_r = request->body.length;
    return buffer_text(&request->body);
}

int request_file(const struct request *request, int64_t *bytes_r, char name_r[BLOB_NAME_SIZE])
{
    assert(request->upload != NULL);
    return upload_file(request->upload, bytes_r, name_r);
}

static bool is_json_type(const char *type)
{
    size_t length = strcspn(type, "; ");
    return (length == 16 && strncasecmp(type, "application/json", 16) == 0) ||
           (length > 5 && strncasecmp(type + length - 5, "+json", 5) == 0);
}

int request_json(const struct request *request, json_t **json_r, struct error *error)
{
    const char *type = request_header(request, "Content-Type");
    if (type != NULL && !is_json_type(type))
        return error_set(error, "unsupported_media_type",
                         "the body must be JSON, with Content-Type: application/json");
    if (request->body.length == 0)
        return error_set(error, "invalid", "the request needs a JSON body");
    return json_parse(request->body.data, request->body.length, json_r, error);
}

int request_decode(const struct request *request, const struct fields *fields, void *out,
                   struct error *error)
{
    AUTO(json_free) json_t *json = NULL;
    if (request_json(request, &json, error) < 0)
        return -1;
    if (!json_is_object(json))
        return error_set(error, "invalid", "the body must be a JSON object");
    return fields_decode(fields, json, out, error);
}

const struct principal *request_principal(const struct request *request)
{
    return request->has_principal ? &request->principal : NULL;
}

const struct project_ref *request_project(const struct request *request)
{
    assert(!uuid_is_null(&request->project.id));
    return &request->project;
}

void request_park(struct request *request)
{
    request->parked = true;
}

struct response *request_response(struct request *request)
{
    return &request->response;
}

void request_set_data(struct request *request, void *data, void (*free_data)(void *data))
{
    assert(request->data == NULL);
    request->data = data;
    request->free_data = free_data;
}

void *request_data(const struct request *request)
{
    return request->data;
}
