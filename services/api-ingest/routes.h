/* SPDX-License-Identifier: Apache-2.0 */
/* The one table of what can be asked: method, pattern, who may, and the handler. Docs are printed from it.
 * No two patterns of one method overlap (a unit test says so), so their order does not matter. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "auth/token.h"
#include "base/error.h"

struct request;
struct response;

/* Fills the response and returns 0; or -1 with *error, whose code picks the status (http/problem.h). A
 * transaction left open is rolled back. Runs on a worker thread, which has a connection to Postgres. */
typedef int route_handler(struct request *request, struct response *response, struct error *error);

/* Who may ask, beside the scopes of auth/token.h. */
#define ROUTE_OPEN  (-1) /* everybody; the handler looks at what it is given itself */
#define ROUTE_TOKEN (-2) /* any valid token */

struct route {
    const char *door;      /* "api": our own; others belong to front doors */
    const char *method;    /* "GET" also answers HEAD */
    const char *pattern;   /* "/v1/projects/{project}": each parameter is one whole segment */
    int scope;             /* enum token_scope, or ROUTE_OPEN, ROUTE_TOKEN */
    bool installation;     /* tokens that are bound to a project are refused */
    bool may_make_project; /* its {project} need not be there: the handler looks */
    size_t body_max;       /* bytes; 0: LIMIT_BODY_BYTES */
    /* When set, the body is no text but a file (request_file): this decides, before any of it is taken, whether
     * it is wanted. body_max is to be given. */
    route_handler *admit;
    route_handler *handler;
    const char *text; /* for docs */
};

extern const struct route routes[];
extern const size_t routes_count;

/* Parameters of a match: segments of the path as they came, percent-encoded. */
#define ROUTE_PARAMS_MAX 4
struct route_match {
    const struct route *route;
    int count;
    struct {
        const char *name, *value; /* not NUL-terminated */
        size_t name_length, value_length;
    } params[ROUTE_PARAMS_MAX];
};

/* "not_found", or "method_not_allowed" with the allowed ones in allow (room for 64 bytes). */
int route_find(const char *method, const char *path, struct route_match *match_r, char allow[64],
               struct error *error) WARN_UNUSED;
/* Could one path fit both? */
bool route_patterns_overlap(const char *a, const char *b);

void routes_print_markdown(FILE *out);
