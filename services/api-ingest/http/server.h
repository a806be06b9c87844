/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server: libmicrohttpd's threads parse, check and suspend; worker threads, each with its own
 * connection to Postgres, run the handlers; then the connection is resumed and answered. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "settings/settings.h"
#include "store/store.h"

struct http_server;
struct ingest;
struct limits;
struct request;
struct workers;

struct http_settings {
    struct listen_address listen;
    int threads;                /* that speak HTTP */
    int workers;                /* that run handlers */
    int connections;            /* at the most */
    int64_t request_timeout_ms; /* from the opening, or the last answer, to a whole request */
    struct store_settings store;
    struct limits *limits; /* NULL: none */
};

int http_server_start(const struct http_settings *settings, struct ingest *ingest,
                      struct http_server **server_r, struct error *error) WARN_UNUSED;

/* Stopping: close the door; end what would go on for ever; wait until nothing is under way; free. */
void http_server_close_door(struct http_server *server);
void http_server_end_streams(struct http_server *server);
bool http_server_is_idle(struct http_server *server);
void http_server_free(struct http_server **server); /* what is still under way must be none */

uint16_t http_server_port(
    const struct http_server *server); /* also when any free one was asked for */
bool http_server_is_stopping(const struct http_server *server);
struct ingest *http_server_ingest(const struct http_server *server);

/* For its own parts: */
atomic_size_t *http_server_bodies(struct http_server *server); /* bytes that they hold together */
/* The response is there: goes back to the HTTP threads. */
void http_server_finish(struct http_server *server, struct request *request);
struct workers *http_server_workers(const struct http_server *server);
