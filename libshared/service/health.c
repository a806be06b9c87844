/* SPDX-License-Identifier: Apache-2.0 */
/* The health endpoint. */
#include "service/health.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/version.h"
#include "metrics/metrics.h"

#define STANDSTILL_MS      30000
#define METRICS_BYTES_MAX  (4 * 1024 * 1024)
#define CONNECTIONS_MAX    64
#define CONNECTION_SECONDS 10

struct health {
    struct MHD_Daemon *daemon;
    const struct loop *loop;
    char *service;
    pthread_mutex_t lock;
    bool ready;
    char *json;
};

struct answer {
    unsigned status;
    const char *type;
    char *body; /* owned */
};

static struct answer livez(struct health *health)
{
    int64_t still_ms = monotonic_ms() - loop_last_pass_ms(health->loop);
    bool alive = still_ms < STANDSTILL_MS;
    return (struct answer){alive ? 200u : 503u, "application/json",
                           xasprintf("{\"alive\":%s,\"last_pass_ms_ago\":%lld}\n",
                                     alive ? "true" : "false", (long long)still_ms)};
}

static struct answer readyz(struct health *health)
{
    pthread_mutex_lock(&health->lock);
    struct answer answer = {health->ready ? 200u : 503u, "application/json",
                            xasprintf("%s\n", health->json)};
    pthread_mutex_unlock(&health->lock);
    return answer;
}

static struct answer metrics(struct health *health)
{
    struct buffer text;
    (void)health;
    buffer_init(&text, METRICS_BYTES_MAX);
    metrics_print(&text);
    return (struct answer){200, "text/plain; version=0.0.4; charset=utf-8", buffer_take(&text)};
}

static struct answer version(struct health *health)
{
    return (struct answer){200, "application/json",
                           xasprintf("{\"service\":\"%s\",\"version\":\"%s\",\"commit\":\"%s\"}\n",
                                     health->service, verdict_version, verdict_commit)};
}

static const struct {
    const char *path;
    struct answer (*answer)(struct health *);
} pages[] = {{"/livez", livez}, {"/readyz", readyz}, {"/metrics", metrics}, {"/version", version}};

static struct answer find_answer(struct health *health, const char *method, const char *path)
{
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return (struct answer){405, "text/plain", xstrdup("GET only\n")};
    for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
        if (strcmp(path, pages[i].path) == 0)
            return pages[i].answer(health);
    return (struct answer){404, "text/plain", xstrdup("/livez, /readyz, /metrics, /version\n")};
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
                                  const char *path, const char *method, const char *protocol,
                                  const char *data, size_t *data_size, void **request)
{
    static int seen;
    (void)protocol;
    (void)data;
    if (*request == NULL) { /* answering on the first call would close the connection */
        *request = &seen;
        return MHD_YES;
    }
    *data_size = 0;
    struct answer answer = find_answer(context, method, path);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(answer.body), answer.body, MHD_RESPMEM_MUST_FREE);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer.type);
    if (answer.status == 503)
        MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "1");
    enum MHD_Result result = MHD_queue_response(connection, answer.status, response);
    MHD_destroy_response(response);
    return result;
}

static int resolve(const struct listen_address *listen, struct addrinfo **list_r,
                   struct error *error)
{
    char port[8];
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    snprintf(port, sizeof port, "%u", listen->port);
    int code = getaddrinfo(listen->host[0] == '\0' ? NULL : listen->host, port, &hints, list_r);
    if (code != 0)
        return error_set(error, "invalid", "address %s: %s", listen->host, gai_strerror(code));
    return 0;
}

int health_open(const struct listen_address *listen, const char *service, const struct loop *loop,
                struct health **health_r, struct error *error)
{
    struct addrinfo *address;
    if (resolve(listen, &address, error) < 0)
        return -1;
    struct health *health = xcalloc(1, sizeof *health);
    pthread_mutex_init(&health->lock, NULL);
    health->loop = loop;
    health->service = xstrdup(service);
    health->json = xstrdup("{\"ready\":false,\"reasons\":[\"starting\"]}");
    unsigned flags =
        MHD_USE_INTERNAL_POLLING_THREAD | (address->ai_family == AF_INET6 ? MHD_USE_IPv6 : 0u);
    health->daemon = MHD_start_daemon(
        flags, listen->port, NULL, NULL, on_request, health, MHD_OPTION_SOCK_ADDR, address->ai_addr,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)CONNECTION_SECONDS, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_END);
    int reason = errno;
    freeaddrinfo(address);
    if (health->daemon == NULL) {
        health_close(&health);
        return error_set(error, "unavailable", "cannot listen on %s:%u: %s", listen->host,
                         listen->port, strerror(reason));
    }
    *health_r = health;
    return 0;
}

void health_close(struct health **health)
{
    if (*health != NULL) {
        if ((*health)->daemon != NULL)
            MHD_stop_daemon((*health)->daemon);
        pthread_mutex_destroy(&(*health)->lock);
        free((*health)->service);
        free((*health)->json);
    }
    memory_free(health);
}

void health_publish(struct health *health, bool ready, const char *json)
{
    pthread_mutex_lock(&health->lock);
    health->ready = ready;
    text_free(&health->json);
    health->json = xstrdup(json);
    pthread_mutex_unlock(&health->lock);
}
