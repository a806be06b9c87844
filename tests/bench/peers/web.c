/* SPDX-License-Identifier: Apache-2.0 */
/* What libmicrohttpd alone can do: the same bytes for each request; and below /events a stream to each client, of
 * so many events as a request to /tell?COUNT says, each of these bytes again.
 *
 *   web PORT FILE */
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLIENTS_MAX 4096
#define BODY_MAX    65536

struct client {
    struct MHD_Connection *connection;
    pthread_mutex_t lock;
    long told, sent; /* bytes */
    bool is_suspended;
};

static char body[BODY_MAX];
static size_t body_bytes;
static struct client clients[CLIENTS_MAX];
static atomic_int client_count;

static ssize_t read_events(void *context, uint64_t position, char *buffer, size_t size)
{
    struct client *client = context;
    (void)position;
    pthread_mutex_lock(&client->lock);
    long left = client->told - client->sent;
    size_t count = 0;
    while (left > 0 && count < size) {
        size_t at = (size_t)client->sent % body_bytes;
        size_t part = body_bytes - at;
        part = part > size - count ? size - count : part;
        part = part > (size_t)left ? (size_t)left : part;
        memcpy(buffer + count, body + at, part);
        count += part;
        left -= (long)part;
        client->sent += (long)part;
    }
    if (count == 0) {
        client->is_suspended = true;
        MHD_suspend_connection(client->connection);
    }
    pthread_mutex_unlock(&client->lock);
    return (ssize_t)count;
}

static enum MHD_Result begin_stream(struct MHD_Connection *connection)
{
    int number = atomic_fetch_add(&client_count, 1);
    if (number >= CLIENTS_MAX)
        return MHD_NO;
    struct client *client = &clients[number];
    pthread_mutex_init(&client->lock, NULL);
    client->connection = connection;
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 16384, read_events, client, NULL);
    MHD_add_response_header(response, "Content-Type", "text/event-stream");
    enum MHD_Result result = MHD_queue_response(connection, 200, response);
    MHD_destroy_response(response);
    return result;
}

static void tell_all(void)
{
    int count = atomic_load(&client_count);
    for (int i = 0; i < count; i++) {
        struct client *client = &clients[i];
        pthread_mutex_lock(&client->lock);
        client->told += (long)body_bytes;
        bool wake = client->is_suspended;
        client->is_suspended = false;
        if (wake)
            MHD_resume_connection(client->connection);
        pthread_mutex_unlock(&client->lock);
    }
}

static void *tell(void *context)
{
    long count = (long)context;
    for (long i = 0; i < count; i++)
        tell_all();
    return NULL;
}

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *size, void **state)
{
    (void)method, (void)version, (void)data;
    if (*state == NULL) { /* answering on the first call would end the connection */
        *state = context;
        return MHD_YES;
    }
    *size = 0;
    if (strcmp(url, "/events") == 0)
        return begin_stream(connection);
    if (strncmp(url, "/tell/", 6) == 0) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, tell, (void *)atol(url + 6)) != 0)
            return MHD_NO;
        pthread_detach(thread);
    }
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body_bytes, body, MHD_RESPMEM_PERSISTENT);
    MHD_add_response_header(response, "Content-Type", "application/json");
    enum MHD_Result result = MHD_queue_response(connection, 200, response);
    MHD_destroy_response(response);
    return result;
}

int main(int argc, char **argv)
{
    FILE *file = argc == 3 ? fopen(argv[2], "r") : NULL;
    if (file == NULL)
        return 2;
    body_bytes = fread(body, 1, sizeof body, file);
    fclose(file);
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO,
        (uint16_t)atoi(argv[1]), NULL, NULL, answer, body, MHD_OPTION_THREAD_POOL_SIZE, 2u,
        MHD_OPTION_CONNECTION_LIMIT, 4096u, MHD_OPTION_END);
    if (daemon == NULL || body_bytes == 0)
        return 1;
    for (;;)
        pause();
}
