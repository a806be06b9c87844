/* SPDX-License-Identifier: Apache-2.0 */
/* libmicrohttpd, with what it leaves to its users: checks of framing, limits on bodies, a deadline per
 * connection, an end to streams. */
#include "http/server.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "auth.h"
#include "base/clock.h"
#include "base/memory.h"
#include "http/connections.h"
#include "http/body.h"
#include "http/exchange.h"
#include "http/stream.h"
#include "http/upload.h"
#include "http/workers.h"
#include "ingest_metrics.h"
#include "limits.h"
#include "log/log.h"

#define ANSWER_MS        600000 /* to take an answer; streams go on */
#define INACTIVE_S       60
#define CONNECTION_BYTES ((size_t)16 * 1024) /* headers */
#define TICK_MS          1000
#define BACKLOG          1024

struct http_server {
    struct ingest *ingest;
    struct MHD_Daemon *daemon;
    struct workers *workers;
    struct connections *connections;
    struct stream_list *streams;
    int listen_fd;
    int64_t request_timeout_ms;
    struct limits *limits;
    atomic_int under_way; /* from submitted to the last byte */
    atomic_size_t body_bytes;
    atomic_bool stopping;
    pthread_t ticker;
    bool has_ticker;
    pthread_mutex_t lock;
    pthread_cond_t wake;
};

struct ingest *http_server_ingest(const struct http_server *server)
{
    return server->ingest;
}

struct workers *http_server_workers(const struct http_server *server)
{
    return server->workers;
}

uint16_t http_server_port(const struct http_server *server)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address;
    socklen_t size = sizeof address;
    if (getsockname(server->listen_fd, &address.any, &size) < 0)
        return 0;
    return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

bool http_server_is_stopping(const struct http_server *server)
{
    return server->stopping;
}

atomic_size_t *http_server_bodies(struct http_server *server)
{
    return &server->body_bytes;
}

static void set_deadline(struct request *request, int64_t after_ms)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    if (info != NULL && info->socket_context != NULL)
        connection_set_deadline(request->server->connections, info->socket_context,
                                after_ms == 0 ? 0 : monotonic_ms() + after_ms);
}

static void count_answer(struct request *request)
{
    const struct route *route = request->match.route;
    char name[160] = "none", status[8];
    int64_t duration_us = monotonic_us() - request->started_us;
    if (route != NULL)
        snprintf(name, sizeof name, "%s %s", route->method, route->pattern);
    snprintf(status, sizeof status, "%d", response_status(&request->response));
    metric_add_labelled(&ingest_metrics[METRIC_REQUESTS], 1, (const char *const[]){name, status});
    metric_observe(&ingest_metrics[METRIC_REQUEST_SECONDS], (double)duration_us / 1e6);
    log_debug("request", LOG_TEXT("request_id", request->id.text), LOG_TEXT("route", name),
              LOG_TEXT("path", request->path), LOG_TEXT("status", status),
              LOG_TEXT("principal", request->has_principal ? request->principal.name : NULL),
              LOG_INT("duration_us", duration_us));
}

/* It was asked whether the body is wanted; what was answered, if it is not, goes out behind it. */
static void admit(struct request *request)
{
    struct error error;
    request->is_submitted = false;
    request->was_asked = true;
    atomic_fetch_sub(&request->server->under_way, 1);
    set_deadline(request, request->server->request_timeout_ms);
    if (response_status(&request->response) != 0)
        request->is_refused = true;
    else if (body_is_file(request) &&
             upload_new((int64_t)exchange_body_max(request), &request->upload, &error) < 0)
        exchange_refuse(request, &error);
    else
        request->is_admitted = true;
}

void http_server_finish(struct http_server *server, struct request *request)
{
    (void)server;
    struct MHD_Connection *connection = request->connection;
    if (request->asks_first && !request->is_admitted)
        admit(request);
    else
        request->is_done = true;
    MHD_resume_connection(connection); /* the request may be gone right after this */
}

static struct MHD_Response *make_answer(struct request *request)
{
    struct response *response = &request->response;
    struct stat status;
    switch (response->kind) {
    case BODY_BYTES:
        return MHD_create_response_from_buffer(response->length, TAKE(response->bytes),
                                               MHD_RESPMEM_MUST_FREE);
    case BODY_FILE:
        if (fstat(response->fd, &status) == 0) {
            int fd = response->fd;
            response->fd = -1;
            if (response->status == 206)
                return MHD_create_response_from_fd_at_offset64((uint64_t)response->part_length, fd,
                                                               (uint64_t)response->first);
            return MHD_create_response_from_fd64((uint64_t)status.st_size, fd);
        }
        break;
    case BODY_STREAM:
        return stream_answer(response->stream, request->server->streams, request->connection);
    case BODY_NONE:
        break;
    }
    return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
}

static void add_headers(const struct request *request, struct MHD_Response *answer)
{
    const struct response *response = &request->response;
    bool has_cache_control = false;
    for (int i = 0; i < response->header_count; i++) {
        MHD_add_response_header(answer, response->headers[i].name, response->headers[i].value);
        has_cache_control |= strcmp(response->headers[i].name, "Cache-Control") == 0;
    }
    if (response->content_type != NULL)
        MHD_add_response_header(answer, "Content-Type", response->content_type);
    if (response->etag != NULL)
        MHD_add_response_header(answer, "ETag", response->etag);
    if (!has_cache_control)
        MHD_add_response_header(answer, "Cache-Control",
                                response->etag != NULL ? "private, no-cache" : "no-store");
    if (response->kind == BODY_STREAM) /* nginx and its like hand it on as it comes */
        MHD_add_response_header(answer, "X-Accel-Buffering", "no");
    MHD_add_response_header(answer, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(answer, "X-Request-Id", request->id.text);
    if (request->server->stopping)
        MHD_add_response_header(answer, "Connection", "close");
}

static enum MHD_Result answer(struct request *request)
{
    struct response *response = &request->response;
    if (strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0)
        response_revalidate(response, request_header(request, "If-None-Match"));
    count_answer(request);
    set_deadline(request, response->kind == BODY_STREAM ? 0 : ANSWER_MS);
    struct MHD_Response *answer = make_answer(request);
    if (answer == NULL)
        return MHD_NO;
    add_headers(request, answer);
    enum MHD_Result result =
        MHD_queue_response(request->connection, (unsigned)response->status, answer);
    MHD_destroy_response(answer);
    return result;
}

static enum MHD_Result submit(struct http_server *server, struct request *request)
{
    struct error error;
    set_deadline(request, 0);
    request->is_submitted = true;
    atomic_fetch_add(&server->under_way, 1);
    MHD_suspend_connection(request->connection); /* before a worker can resume it */
    if (workers_submit(server->workers, request, &error) < 0) {
        exchange_refuse(request, &error);
        MHD_resume_connection(request->connection);
    }
    return MHD_YES;
}

static enum MHD_Result take_body(struct request *request, const char *bytes, size_t length)
{
    enum body_step step = body_take(request, bytes, length);
    if (step == BODY_PROGRESSED)
        set_deadline(request, request->server->request_timeout_ms);
    return step == BODY_ENDLESS ? MHD_NO : MHD_YES;
}

static enum MHD_Result on_headers(struct http_server *server, struct MHD_Connection *connection,
                                  const char *method, const char *url, void **context)
{
    struct error error;
    struct request *request = exchange_new(server, connection, method, url);
    *context = request;
    if (exchange_check_headers(request, &error) < 0) {
        request->is_refused = false; /* this is the graver one */
        exchange_refuse(request, &error);
        return answer(request); /* before the body: the connection is closed behind it */
    }
    const struct route *route = request->match.route;
    const char *token;
    if (limits_check_address(server->limits, request, &error) < 0)
        exchange_refuse(request, &error);
    if (route != NULL && route->scope != ROUTE_OPEN &&
        auth_read_bearer(request_header(request, "Authorization"), &token, &error) < 0)
        exchange_refuse(request, &error);
    if (request->is_refused)
        return MHD_YES;
    request->asks_first = body_is_file(request) ||
                          (route != NULL && route->scope != ROUTE_OPEN && body_is_large(request));
    return request->asks_first ? submit(server, request) : MHD_YES;
}

static enum MHD_Result on_request(void *server_, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *bytes,
                                  size_t *length, void **context)
{
    struct http_server *server = server_;
    struct request *request = *context;
    (void)version;
    if (request == NULL)
        return on_headers(server, connection, method, url, context);
    if (*length > 0) {
        size_t taken = *length;
        *length = 0;
        return take_body(request, bytes, taken);
    }
    if (request->was_asked) {
        /* A connection that was suspended at its headers tells them once more. */
        request->was_asked = false;
        return MHD_YES;
    }
    if (request->is_done || request->is_refused)
        return answer(request);
    return request->is_submitted ? MHD_YES : submit(server, request);
}

static void on_completed(void *server_, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode how)
{
    struct http_server *server = server_;
    struct request *request = *context;
    (void)connection;
    (void)how;
    if (request == NULL)
        return;
    *context = NULL;
    set_deadline(request, server->request_timeout_ms);
    if (request->is_submitted)
        atomic_fetch_sub(&server->under_way, 1);
    exchange_free(&request);
}

static void on_connection(void *server_, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    struct http_server *server = server_;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        *context = connections_add(server->connections, info->connect_fd,
                                   monotonic_ms() + server->request_timeout_ms);
    } else if (*context != NULL) {
        struct connection *ended = *context;
        *context = NULL;
        connections_remove(server->connections, &ended);
    }
}

/* Segments and values are decoded by us, after they are taken apart. */
static size_t leave_encoded(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context;
    (void)connection;
    return strlen(text);
}

static void *tick(void *context)
{
    struct http_server *server = context;
    pthread_mutex_lock(&server->lock);
    while (server->has_ticker) {
        const struct timespec until = monotonic_in(TICK_MS);
        pthread_cond_timedwait(&server->wake, &server->lock, &until);
        connections_reap(server->connections, monotonic_ms());
        stream_list_keep_alive(server->streams, monotonic_ms());
        metric_set(&ingest_metrics[METRIC_CONNECTIONS], connections_count(server->connections));
    }
    pthread_mutex_unlock(&server->lock);
    return NULL;
}

static int start_ticker(struct http_server *server, struct error *error)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    server->has_ticker = true;
    if (pthread_create(&server->ticker, NULL, tick, server) == 0)
        return 0;
    server->has_ticker = false;
    return error_set(error, "unavailable", "cannot start a thread");
}

static int bind_address(const struct addrinfo *address)
{
    const int yes = 1, no = 0;
    AUTO(fd_close)
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (address->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
    if (bind(fd, address->ai_addr, address->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0)
        return -1;
    int bound = fd;
    fd = -1;
    return bound;
}

static int listen_on(const struct listen_address *listen_address, int *fd_r, struct error *error)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *list = NULL;
    char port[8];
    snprintf(port, sizeof port, "%u", listen_address->port);
    const char *host = listen_address->host[0] == '\0' ? NULL : listen_address->host;
    int status = getaddrinfo(host, port, &hints, &list);
    if (status != 0)
        return error_set(error, "invalid", "cannot listen on %s: %s", listen_address->host,
                         gai_strerror(status));
    int fd = -1;
    /* IPv6 first: its wildcard takes IPv4 too. */
    for (const struct addrinfo *a = list; a != NULL && fd < 0; a = a->ai_next)
        if (a->ai_family == AF_INET6 || host != NULL)
            fd = bind_address(a);
    for (const struct addrinfo *a = list; a != NULL && fd < 0; a = a->ai_next)
        fd = bind_address(a);
    freeaddrinfo(list);
    if (fd < 0)
        return error_set(error, "unavailable", "cannot listen on %s:%s: %s", listen_address->host,
                         port, strerror(errno));
    *fd_r = fd;
    return 0;
}

static int start_daemon(struct http_server *server, const struct http_settings *settings,
                        struct error *error)
{
    const unsigned flags =
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO | MHD_USE_ITC;
    server->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, server, MHD_OPTION_LISTEN_SOCKET, server->listen_fd,
        MHD_OPTION_THREAD_POOL_SIZE, (unsigned)settings->threads, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)settings->connections, MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)INACTIVE_S, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, server, MHD_OPTION_UNESCAPE_CALLBACK, leave_encoded, NULL,
        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
    if (server->daemon == NULL)
        return error_set(error, "unavailable", "the HTTP server cannot start");
    return 0;
}

int http_server_start(const struct http_settings *settings, struct ingest *ingest,
                      struct http_server **server_r, struct error *error)
{
    AUTO(http_server_free) struct http_server *server = xcalloc(1, sizeof *server);
    server->ingest = ingest;
    server->listen_fd = -1;
    server->request_timeout_ms = settings->request_timeout_ms;
    server->limits = settings->limits;
    server->connections = connections_new();
    server->streams = stream_list_new();
    signal(SIGPIPE, SIG_IGN); /* sendfile knows no MSG_NOSIGNAL */
    if (listen_on(&settings->listen, &server->listen_fd, error) < 0 ||
        workers_start(settings->workers, &settings->store, server, &server->workers, error) < 0 ||
        start_ticker(server, error) < 0 || start_daemon(server, settings, error) < 0)
        return -1;
    *server_r = TAKE(server);
    return 0;
}

void http_server_close_door(struct http_server *server)
{
    server->stopping = true;
    if (MHD_quiesce_daemon(server->daemon) != MHD_INVALID_SOCKET)
        fd_close(&server->listen_fd);
}

void http_server_end_streams(struct http_server *server)
{
    stream_list_end_all(server->streams);
}

bool http_server_is_idle(struct http_server *server)
{
    return server->under_way == 0;
}

static void stop_ticker(struct http_server *server)
{
    if (!server->has_ticker)
        return;
    pthread_mutex_lock(&server->lock);
    server->has_ticker = false;
    pthread_cond_signal(&server->wake);
    pthread_mutex_unlock(&server->lock);
    pthread_join(server->ticker, NULL);
    pthread_cond_destroy(&server->wake);
    pthread_mutex_destroy(&server->lock);
}

void http_server_free(struct http_server **server_)
{
    struct http_server *server = TAKE(*server_);
    if (server == NULL)
        return;
    if (server->daemon != NULL) {
        http_server_close_door(server);
        http_server_end_streams(server);
    }
    workers_stop(&server->workers); /* answers what is queued */
    if (server->daemon != NULL)
        MHD_stop_daemon(server->daemon);
    stop_ticker(server);
    fd_close(&server->listen_fd);
    stream_list_free(&server->streams);
    connections_free(&server->connections);
    memory_free(&server);
}
