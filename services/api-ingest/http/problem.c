/* SPDX-License-Identifier: Apache-2.0 */
/* Problem documents. */
#include "http/problem.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "store/store.h"

static const struct problem_kind kinds[] = {
    {.code = "internal", .status = 500, .title = "Internal error"},
    {.code = "invalid", .status = 400, .title = "Invalid request"},
    {.code = "unauthorized", .status = 401, .title = "Not authenticated"},
    {.code = "forbidden", .status = 403, .title = "Not allowed"},
    {.code = "not_found", .status = 404, .title = "Not found"},
    {.code = "method_not_allowed", .status = 405, .title = "Method not allowed"},
    {.code = "not_acceptable", .status = 406, .title = "Not acceptable"},
    {.code = "timeout", .status = 408, .title = "Request time-out", .retry_after_s = 1},
    {.code = "conflict", .status = 409, .title = "Conflict"},
    {.code = "gone", .status = 410, .title = "Gone"},
    {.code = "precondition_failed", .status = 412, .title = "Precondition failed"},
    {.code = "too_large", .status = 413, .title = "Too large"},
    {.code = "uri_too_long", .status = 414, .title = "URI too long"},
    {.code = "unsupported_media_type", .status = 415, .title = "Unsupported media type"},
    {.code = "range_not_satisfiable", .status = 416, .title = "No such range"},
    {.code = "unprocessable", .status = 422, .title = "Cannot be processed"},
    {.code = "too_many", .status = 429, .title = "Too many requests", .retry_after_s = 1},
    {.code = "no_room", .status = 507, .title = "No room"},
    {.code = "unavailable", .status = 503, .title = "Unavailable for now", .retry_after_s = 1},
};
static const struct problem_kind *const internal = &kinds[0];

static const struct problem_kind *find_kind(const char *code)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (strcmp(kinds[i].code, code) == 0)
            return &kinds[i];
    return NULL;
}

const struct problem_kind *problem_kind_of_status(int status)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (kinds[i].status == status)
            return &kinds[i];
    return NULL;
}

/* Time-outs, locks and lost connections of Postgres pass; "unknown" is a COMMIT without an answer. */
static bool will_pass(const struct error *error)
{
    static const char *const classes[] = {"08", "40", "53", "55", "57"};
    if (error_is(error, "unknown"))
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
        if (strncmp(error->sqlstate, classes[i], 2) == 0)
            return true;
    return false;
}

const struct problem_kind *problem_kind_get(const struct error *error)
{
    const struct problem_kind *kind = find_kind(error->code);
    if (kind != NULL)
        return kind;
    if (will_pass(error))
        return find_kind("unavailable");
    return internal;
}

static const char *text_for_people(const struct problem_kind *kind, const struct error *error)
{
    if (kind == internal)
        return "something went wrong inside; the service's log says what, under this request id";
    if (kind->status == 503 && error->sqlstate[0] != '\0')
        return "the database does not answer just now; try again";
    return error->text;
}

json_t *problem_json(const struct problem_kind *kind, const struct error *error)
{
    const char *text = text_for_people(kind, error);
    json_t *message = json_lossy(text, strlen(text));
    json_t *problem = json_pack("{s:s, s:s, s:i, s:s, s:O, s:o}", "type", "about:blank", "title",
                                kind->title, "status", kind->status, "code", kind->code, "detail",
                                message, "message", message);
    if (error->field[0] != '\0' && kind != internal)
        json_object_set_new(problem, "errors",
                            json_pack("[{s:o, s:O}]", "field",
                                      json_lossy(error->field, strlen(error->field)), "message",
                                      message));
    return problem;
}
