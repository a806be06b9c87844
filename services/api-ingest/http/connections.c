/* SPDX-License-Identifier: Apache-2.0 */
#include "http/connections.h"

#include <pthread.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "base/memory.h"

struct connection {
    int fd;
    int64_t deadline_ms;
    LIST_ENTRY(connection) link;
};
LIST_HEAD(connection_list, connection);

struct connections {
    pthread_mutex_t lock; /* also keeps a descriptor from being closed while it is shut down */
    struct connection_list list;
    int count;
};

struct connections *connections_new(void)
{
    struct connections *connections = xcalloc(1, sizeof *connections);
    pthread_mutex_init(&connections->lock, NULL);
    LIST_INIT(&connections->list);
    return connections;
}

void connections_free(struct connections **connections)
{
    if (*connections != NULL)
        pthread_mutex_destroy(&(*connections)->lock);
    memory_free(connections);
}

struct connection *connections_add(struct connections *connections, int fd, int64_t deadline_ms)
{
    struct connection *connection = xcalloc(1, sizeof *connection);
    connection->fd = fd;
    connection->deadline_ms = deadline_ms;
    pthread_mutex_lock(&connections->lock);
    LIST_INSERT_HEAD(&connections->list, connection, link);
    connections->count++;
    pthread_mutex_unlock(&connections->lock);
    return connection;
}

void connections_remove(struct connections *connections, struct connection **connection)
{
    pthread_mutex_lock(&connections->lock);
    LIST_REMOVE(*connection, link);
    connections->count--;
    pthread_mutex_unlock(&connections->lock);
    memory_free(connection);
}

void connection_set_deadline(struct connections *connections, struct connection *connection,
                             int64_t deadline_ms)
{
    pthread_mutex_lock(&connections->lock);
    connection->deadline_ms = deadline_ms;
    pthread_mutex_unlock(&connections->lock);
}

void connections_reap(struct connections *connections, int64_t now_ms)
{
    struct connection *connection;
    pthread_mutex_lock(&connections->lock);
    LIST_FOREACH (connection, &connections->list, link) {
        if (connection->deadline_ms == 0 || connection->deadline_ms > now_ms)
            continue;
        shutdown(connection->fd, SHUT_RDWR);
        connection->deadline_ms = 0;
    }
    pthread_mutex_unlock(&connections->lock);
}

int connections_count(struct connections *connections)
{
    pthread_mutex_lock(&connections->lock);
    int count = connections->count;
    pthread_mutex_unlock(&connections->lock);
    return count;
}
