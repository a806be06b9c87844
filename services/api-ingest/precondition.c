/* SPDX-License-Identifier: Apache-2.0 */
#include "precondition.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "http/etag.h"
#include "http/exchange.h"
#include "openapi/operation.h"
#include "store/store.h"
#include "tenancy.h"

void precondition_tag(const struct request *request, struct response *response)
{
    const struct operation *operation = operation_find(request->match.route->handler);
    if (operation != NULL && (operation->has_etag || operation->has_condition))
        response_etag_by_body(response);
}

static const struct route *reader_of(const struct route *route)
{
    for (size_t i = 0; i < routes_count; i++)
        if (strcmp(routes[i].method, "GET") == 0 && strcmp(routes[i].pattern, route->pattern) == 0)
            return &routes[i];
    return NULL;
}

/* Fills the response with what a GET would answer; leaves it empty when there is nothing. */
static int read_thing(struct request *request, struct response *response, struct error *error)
{
    const struct route *reader = reader_of(request->match.route);
    int status = 0;
    if (uuid_is_null(&request->project.id) && request->match.route->may_make_project)
        status =
            tenancy_project(request, request_param(request, "project"), &request->project, error);
    if (status == 0)
        status = reader->handler(request, response, error);
    if (status < 0)
        return error_is(error, "not_found") ? 0 : -1;
    response_etag_by_body(response);
    return 0;
}

static bool holds(const char *if_match, const char *if_none_match, const char *etag)
{
    if (if_match != NULL && (etag == NULL || !etag_is_named(if_match, etag, ETAG_STRONG)))
        return false;
    return if_none_match == NULL || etag == NULL || !etag_is_named(if_none_match, etag, ETAG_WEAK);
}

static const char lock_sql[] = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))";

/* The same text by whichever name the thing is asked for, and whether it is there yet or not: slugs never change. */
static int lock_key(struct request *request, char **key_r, struct error *error)
{
    const struct route *route = request->match.route;
    const char *name = request->params[request->match.count - 1];
    AUTO(json_free) json_t *thing = NULL;
    AUTO(response_deinit) struct response there;
    struct uuid id;
    response_init(&there);
    if (uuid_parse(name, &id, NULL) == 0) {
        if (read_thing(request, &there, error) < 0 ||
            (there.etag != NULL && json_parse(there.bytes, there.length, &thing, error) < 0))
            return -1;
        name = thing != NULL && json_object_get(thing, "slug") != NULL
                   ? json_find_text(thing, "slug")
                   : id.text;
    }
    *key_r = xasprintf("%s %s %s", route->pattern,
                       request->match.count > 1 ? request->project.id.text : "", name);
    return 0;
}

static int lock_thing(struct request *request, struct store *store, struct error *error)
{
    AUTO(text_free) char *key = NULL;
    if (lock_key(request, &key, error) < 0)
        return -1;
    return store_query(store, lock_sql, PARAMS(param_text(key)), NULL, error);
}

int precondition_check_new(const struct request *request, bool is_new, struct error *error)
{
    const struct operation *operation = operation_find(request->match.route->handler);
    const char *if_none_match = request_header(request, "If-None-Match");
    /* "*" alone names a thing without a tag */
    if (is_new || operation == NULL || !operation->has_condition || if_none_match == NULL ||
        !etag_is_named(if_none_match, "", ETAG_WEAK))
        return 0;
    return error_set(error, "precondition_failed", "somebody else made it just now");
}

int precondition_check(struct request *request, struct store *store, struct error *error)
{
    const struct operation *operation = operation_find(request->match.route->handler);
    const char *if_match = request_header(request, "If-Match");
    const char *if_none_match = request_header(request, "If-None-Match");
    if (operation == NULL || !operation->has_condition)
        return 0;
    if (lock_thing(request, store, error) < 0)
        return -1;
    if (if_match == NULL && if_none_match == NULL && request->read_etag == NULL)
        return 0;
    AUTO(response_deinit) struct response there;
    response_init(&there);
    if (read_thing(request, &there, error) < 0)
        return -1;
    if (request->read_etag != NULL &&
        (there.etag == NULL || strcmp(there.etag, request->read_etag) != 0))
        return error_set(error, if_match == NULL ? "conflict" : "precondition_failed",
                         "somebody else changed it just now: try again");
    if (holds(if_match, if_none_match, there.etag))
        return 0;
    if (there.etag == NULL)
        return error_set(error, "precondition_failed", "there is nothing that If-Match could name");
    return error_set(error, "precondition_failed",
                     "it is not the one that was meant: read it again (its ETag is %s)",
                     there.etag);
}
