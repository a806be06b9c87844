/* SPDX-License-Identifier: Apache-2.0 */
/* A deadline per connection, since libmicrohttpd's own time-out is of inactivity alone: a client that
 * sends a byte now and then would live for ever. */
#pragma once

#include <stdint.h>

struct connections;
struct connection;

struct connections *connections_new(void);
void connections_free(struct connections **connections);

struct connection *connections_add(struct connections *connections, int fd, int64_t deadline_ms);
void connections_remove(struct connections *connections, struct connection **connection);
/* 0: none, while we are the ones who take time. */
void connection_set_deadline(struct connections *connections, struct connection *connection,
                             int64_t deadline_ms);
/* Shuts down what is over its deadline; libmicrohttpd notices and closes. */
void connections_reap(struct connections *connections, int64_t now_ms);
int connections_count(struct connections *connections);
