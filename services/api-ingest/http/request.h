/* SPDX-License-Identifier: Apache-2.0 */
/* What was asked, as a handler sees it. Texts are borrowed from the request, which lives until it is
 * answered. All of it belongs to one thread at a time: the worker, or whoever it was parked for. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/token.h"
#include "base/error.h"
#include "base/fields.h"
#include "base/uuid.h"
#include "blob/blob.h"
#include "routes.h"

struct ingest;
struct store;

/* Who asks. */
struct principal {
    struct uuid id; /* of the token */
    char name[128];
    struct uuid project_id; /* bound to this one; "": every project */
    unsigned scopes;        /* 1 << enum token_scope, with what they imply */
};
bool principal_may(const struct principal *principal, enum token_scope scope);
bool principal_is_bound(const struct principal *principal);

struct project_ref {
    struct uuid id;
    char slug[64];
};

struct ingest *request_ingest(const struct request *request);
const char *request_method(const struct request *request);
const struct uuid *request_id(const struct request *request);                /* for logs */
const char *request_param(const struct request *request, const char *name);  /* of the pattern */
const char *request_query(const struct request *request, const char *name);  /* NULL: not given */
const char *request_header(const struct request *request, const char *name); /* NULL: not given */
/* The header; NULL when it is not given, or is none: nobody is refused for that. */
const char *request_traceparent(const struct request *request);

/* A whole number, or a duration ("30s"), in min … max; fallback when not given. */
int request_query_int(const struct request *request, const char *name, int64_t min, int64_t max,
                      int64_t fallback, int64_t *value_r, struct error *error) WARN_UNUSED;
int request_query_duration(const struct request *request, const char *name, int64_t max_ms,
                           int64_t fallback_ms, int64_t *ms_r, struct error *error) WARN_UNUSED;
/* One of the names; fallback when not given. */
int request_query_choice(const struct request *request, const char *name,
                         const struct names *choices, int fallback, int *value_r,
                         struct error *error) WARN_UNUSED;

const char *request_body(const struct request *request, size_t *length_r);
/* On routes with `admit`: the body as a file, its length and its SHA-256 (a blob's name). Borrowed. */
int request_file(const struct request *request, int64_t *bytes_r, char name_r[BLOB_NAME_SIZE]);
int request_json(const struct request *request, json_t **json_r, struct error *error) WARN_UNUSED;
/* The body by a field table: out is freed with fields_free. */
int request_decode(const struct request *request, const struct fields *fields, void *out,
                   struct error *error) WARN_UNUSED;

/* NULL on ROUTE_OPEN routes. */
const struct principal *request_principal(const struct request *request);
/* The {project} of the pattern, which the principal may see. */
const struct project_ref *request_project(const struct request *request);

/* The worker's connection to Postgres: "unavailable" when it is not there just now. On workers only. */
int request_store(struct request *request, struct store **store_r, struct error *error) WARN_UNUSED;
/* The same, with a transaction begun. The handler ends it by request_commit, which also lets the outbox
 * send what the transaction put there; whatever is left open is rolled back. */
int request_begin(struct request *request, struct store **store_r, struct error *error) WARN_UNUSED;
int request_commit(struct request *request, struct error *error) WARN_UNUSED;

/* The handler will answer later. After it has returned 0 the request belongs to whoever was told of it,
 * who ends that by exactly one call of: */
void request_park(struct request *request);
/* … this: a worker goes on with `next` (which may park again); any thread; or */
void request_continue(struct request *request, route_handler *next);
/* … this: request_response is filled. Any thread. */
void request_complete(struct request *request);
struct response *request_response(struct request *request);

/* Something of the handler's own that lives as long as the request. */
void request_set_data(struct request *request, void *data, void (*free_data)(void *data));
void *request_data(const struct request *request);
