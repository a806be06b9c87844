/* SPDX-License-Identifier: Apache-2.0 */
#include "patch.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "http/exchange.h"
#include "http/response.h"

static json_t *changeable(const json_t *there, const struct fields *fields)
{
    json_t *body = json_object();
    for (size_t i = 0; i < fields->count; i++) {
        json_t *value = json_object_get(there, fields->list[i].name);
        if (value != NULL && !json_is_null(value))
            json_object_set(body, fields->list[i].name, value);
    }
    return body;
}

/* A PUT without them leaves them as they are: nothing can be without one. */
static bool is_always_set(const char *name)
{
    return strcmp(name, "slug") == 0 || strcmp(name, "title") == 0;
}

static void merge_member(json_t *object, const char *name, json_t *value)
{
    const char *inner;
    json_t *there = json_object_get(object, name), *inner_value;
    if (json_is_null(value)) {
        json_object_del(object, name);
    } else if (!json_is_object(value)) {
        json_object_set(object, name, value);
    } else {
        if (!json_is_object(there))
            json_object_set_new(object, name, there = json_object());
        json_object_foreach (value, inner, inner_value)
            merge_member(there, inner, inner_value);
    }
}

static int merge(json_t *body, const json_t *patch, struct error *error)
{
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)patch, name, value) {
        if (json_is_null(value) && is_always_set(name))
            return error_field(error, name, "%s must not be null", name);
        merge_member(body, name, value);
    }
    return 0;
}

static int read_patch(const struct request *request, json_t **patch_r, struct error *error)
{
    if (request_json(request, patch_r, error) < 0)
        return -1;
    return json_is_object(*patch_r) ? 0
                                    : error_set(error, "invalid", "the body must be a JSON object");
}

/* The body is from now on what a PUT would be given. */
static int fill_in(const struct patch_kind *kind, struct request *request, struct response *there,
                   const json_t *patch, struct error *error)
{
    AUTO(json_free) json_t *thing = NULL;
    if (json_parse(there->bytes, there->length, &thing, error) < 0)
        return error_wrap(error, "what is there");
    AUTO(json_free) json_t *body = kind->body == NULL ? changeable(thing, kind->fields) : NULL;
    if ((body == NULL && kind->body(request, thing, &body, error) < 0) ||
        merge(body, patch, error) < 0)
        return -1;
    AUTO(text_free) char *text = json_text(body);
    buffer_clear(&request->body);
    buffer_add_text(&request->body, text);
    return buffer_check(&request->body, "the body", error);
}

int patch_apply(const struct patch_kind *kind, struct request *request, struct response *response,
                struct error *error)
{
    AUTO(json_free) json_t *patch = NULL;
    AUTO(response_deinit) struct response there;
    response_init(&there);
    if (read_patch(request, &patch, error) < 0 || kind->get(request, &there, error) < 0)
        return -1;
    response_etag_by_body(&there);
    request->read_etag = there.etag;
    int status = fill_in(kind, request, &there, patch, error);
    if (status == 0)
        status = kind->put(request, response, error);
    request->read_etag = NULL;
    return status;
}
