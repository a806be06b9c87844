/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a request, for the server alone: one exchange from its first header to its last byte. */
#pragma once

#include <stdatomic.h>
#include <sys/queue.h>

#include "base/buffer.h"
#include "http/request.h"
#include "http/response_parts.h"

#define QUERY_MAX 64

struct MHD_Connection;
struct http_server;
struct upload;
struct worker;

struct query_value {
    char *name, *value;
};

struct request {
    struct http_server *server;
    struct MHD_Connection *connection;
    struct uuid id;
    const char *method; /* a literal */
    struct route_match match;
    char *path; /* as it came */
    char *params[ROUTE_PARAMS_MAX];
    struct query_value query[QUERY_MAX];
    int query_count;
    struct buffer body;
    int64_t body_announced; /* INT64_MAX: in chunks, it is not known */
    size_t body_counted;    /* what came of it, also what was dropped */
    size_t body_held;       /* against the server's sum */
    bool is_refused;        /* the response says why already; the rest of the body is dropped */
    struct upload *upload;  /* where the body is a file */
    bool asks_first;  /* whether its body is wanted: who sends it is looked up before it comes */
    bool was_asked;   /* a moment ago */
    bool is_admitted; /* … and it is */
    bool is_submitted, is_done;
    int64_t started_us;

    struct principal principal;
    bool has_principal;
    struct project_ref project;
    /* Called first in a transaction that the handler begins; NULL: nothing to look at. */
    int (*before_change)(struct request *request, struct store *store, struct error *error);
    const char *read_etag; /* of what the change was worked out from; NULL: from nothing */
    struct worker *worker; /* while one serves it */

    bool parked;
    atomic_int arrivals; /* of the handler's return and of the one it was parked for */
    route_handler *next; /* NULL: complete */
    struct response response;
    void *data;
    void (*free_data)(void *data);
    TAILQ_ENTRY(request) link;
};

/* Gathers method, path, query; a refusal stands in the response afterwards. */
struct request *exchange_new(struct http_server *server, struct MHD_Connection *connection,
                             const char *method, const char *path);
void exchange_free(struct request **request);
/* The headers of the first call: framing that two servers could read differently is refused. */
int exchange_check_headers(struct request *request, struct error *error) WARN_UNUSED;
void exchange_refuse(struct request *request, const struct error *error);
size_t exchange_body_max(const struct request *request);
