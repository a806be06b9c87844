/* SPDX-License-Identifier: Apache-2.0 */
/* What the document says of a route beside what the table of routes does: body, parameters, answers. Unit tests
 * hold both tables together: each handler of a route stands here, and nothing else does. */
#pragma once

#include <stddef.h>

#include "base/fields.h"
#include "routes.h"

#define OPERATION_PARAMETERS 16
#define OPERATION_STATUSES   4

/* A JSON body. Its schema is made from the field tables, and what the schema of the same name in words.h adds. */
struct operation_body {
    const char *name;               /* of the schema */
    const struct fields *fields[2]; /* none: the schema by hand is all */
    const char *like; /* instead: another body without its slug, which stands in the path */
    bool optional;
};

struct operation {
    const char *id; /* the handler's name */
    route_handler *handler;
    const struct operation_body *body;
    /* Names of parameters in common.json: of the query and of headers. */
    const char *parameters[OPERATION_PARAMETERS];
    int ok[OPERATION_STATUSES];      /* none: 200 */
    int refused[OPERATION_STATUSES]; /* beside those that follow from scope, path and body */
    const char *answer;              /* schema of the JSON that is answered; NULL: none */
    bool may_be_empty;               /* the body, where it is a file */
    bool is_list;                    /* of such, in pages */
    bool has_etag;                   /* asked with If-None-Match, it may be 304 */
    bool has_condition;              /* changes a thing that has one: If-Match may make it 412 */
    const char *media[3];            /* other types that are answered */
    const char *security; /* of routes that are open: the scheme they look at themselves */
};

extern const struct operation operations[];
extern const size_t operations_count;

const struct operation *operation_find(route_handler *handler); /* NULL: none */
