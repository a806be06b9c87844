/* SPDX-License-Identifier: Apache-2.0 */
/* Drives curl's multi interface by the sockets and the timer that it asks for. */
#include "transport.h"

#include <curl/curl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uthash.h>

#include "address.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/version.h"
#include "log/log.h"
#include "model/limits.h"

#define HOST_KEY_SIZE      300
#define REFUSAL_SIZE       400
#define CONNECT_TIMEOUT_MS 5000
#define IDLE_CONNECTIONS   64

struct host {
    char key[HOST_KEY_SIZE]; /* "host:port" */
    int flying;
    UT_hash_handle hh;
};

struct exchange {
    struct transport *transport;
    CURL *easy;
    struct curl_slist *headers;
    struct host *host;
    struct buffer response;
    size_t received;
    bool too_long;
    int64_t started_ms;
    char refusal[REFUSAL_SIZE]; /* why we did not let it connect */
    char curl_error[CURL_ERROR_SIZE];
    transport_on_answer *on_answer;
    void *context;
    LIST_ENTRY(exchange) link;
};

struct watch {
    struct transport *transport;
    curl_socket_t fd;
};

LIST_HEAD(exchanges, exchange);

struct transport {
    struct transport_settings settings;
    struct loop *loop;
    CURLM *multi;
    int64_t timer_due_ms; /* monotonic; -1: none */
    struct host *hosts;
    struct exchanges flying;
};

/* ---- hosts ------------------------------------------------------------------------------------- */

static int host_key(const char *url, char key_r[HOST_KEY_SIZE], struct error *error)
{
    CURLU *parts = curl_url();
    char *name = NULL, *port = NULL;
    int status = -1;
    if (curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_HOST, &name, 0) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK) {
        snprintf(key_r, HOST_KEY_SIZE, "%s:%s", name, port);
        status = 0;
    }
    curl_free(name);
    curl_free(port);
    curl_url_cleanup(parts);
    return status == 0 ? 0 : error_set(error, "invalid", "the endpoint's URL cannot be read");
}

static int host_enter(struct transport *transport, const char *url, struct host **host_r,
                      struct error *error)
{
    struct host *host;
    char key[HOST_KEY_SIZE] = "";
    if (host_key(url, key, error) < 0)
        return -1;
    HASH_FIND_STR(transport->hosts, key, host);
    if (host == NULL) {
        host = xcalloc(1, sizeof *host);
        memcpy(host->key, key, sizeof key);
        HASH_ADD_STR(transport->hosts, key, host);
    }
    if (host->flying >= transport->settings.per_host)
        return error_set(error, "busy", "%s has %d requests at once already", key, host->flying);
    host->flying++;
    *host_r = host;
    return 0;
}

static void host_leave(struct transport *transport, struct host *host)
{
    if (--host->flying > 0)
        return;
    HASH_DEL(transport->hosts, host);
    free(host);
}

/* ---- what curl asks of us ------------------------------------------------------------------------ */

/* Before a connection is opened: what the name has come to. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct exchange *exchange = context;
    (void)purpose;
    if (!exchange->transport->settings.allow_private && !address_is_public(&address->addr)) {
        snprintf(exchange->refusal, sizeof exchange->refusal,
                 "refused: %s leads to an address that is not public", exchange->host->key);
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* Before a request goes out, also on a connection that was open already. */
static int before_request(void *context, char *remote, char *local, int remote_port, int local_port)
{
    struct exchange *exchange = context;
    (void)local, (void)remote_port, (void)local_port;
    if (exchange->transport->settings.allow_private || address_text_is_public(remote))
        return CURL_PREREQFUNC_OK;
    snprintf(exchange->refusal, sizeof exchange->refusal, "refused: %s is not a public address",
             remote);
    return CURL_PREREQFUNC_ABORT;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;
    size_t length = size * count;
    size_t room = TRANSPORT_RESPONSE_BYTES - exchange->response.length;
    exchange->received += length;
    buffer_add(&exchange->response, bytes, length < room ? length : room);
    exchange->too_long = exchange->received > (size_t)LIMIT_WEBHOOK_BODY_BYTES;
    return exchange->too_long ? 0 : length;
}

static int on_timer(CURLM *multi, long timeout_ms, void *context)
{
    struct transport *transport = context;
    (void)multi;
    transport->timer_due_ms = timeout_ms < 0 ? -1 : monotonic_ms() + timeout_ms;
    return 0;
}

static void collect(struct transport *transport);

static void on_fd(void *context)
{
    const struct watch *watch = context;
    struct transport *transport = watch->transport;
    int running;
    curl_multi_socket_action(transport->multi, watch->fd, 0, &running);
    collect(transport);
}

static const short events_of[] = {[CURL_POLL_NONE] = 0,
                                  [CURL_POLL_IN] = POLLIN,
                                  [CURL_POLL_OUT] = POLLOUT,
                                  [CURL_POLL_INOUT] = POLLIN | POLLOUT};

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *socket_context)
{
    struct transport *transport = context;
    struct watch *watch = socket_context;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (watch != NULL)
            loop_remove_fd(transport->loop, fd);
        free(watch);
        return 0;
    }
    if (watch != NULL) {
        loop_set_events(transport->loop, fd, events_of[what]);
        return 0;
    }
    watch = xcalloc(1, sizeof *watch);
    *watch = (struct watch){.transport = transport, .fd = fd};
    loop_add_fd(transport->loop, fd, events_of[what], on_fd, watch);
    curl_multi_assign(transport->multi, fd, watch);
    return 0;
}

/* ---- exchanges ----------------------------------------------------------------------------------- */

static void exchange_free(struct exchange *exchange)
{
    struct transport *transport = exchange->transport;
    if (exchange->easy != NULL) {
        curl_multi_remove_handle(transport->multi, exchange->easy);
        curl_easy_cleanup(exchange->easy);
    }
    curl_slist_free_all(exchange->headers);
    buffer_deinit(&exchange->response);
    host_leave(transport, exchange->host);
    LIST_REMOVE(exchange, link);
    free(exchange);
}

static const char *why_failed(const struct exchange *exchange, CURLcode code)
{
    if (exchange->refusal[0] != '\0')
        return exchange->refusal;
    return exchange->curl_error[0] != '\0' ? exchange->curl_error : curl_easy_strerror(code);
}

static void finish(struct exchange *exchange, CURLcode code)
{
    struct transport_answer answer = {.retry_after_s = -1,
                                      .duration_ms = monotonic_ms() - exchange->started_ms,
                                      .response = buffer_text(&exchange->response),
                                      .response_length = exchange->response.length};
    curl_off_t retry_after_s = 0;
    /* An answer that is too long was cut by us: its status stands. */
    bool is_answered = code == CURLE_OK || (code == CURLE_WRITE_ERROR && exchange->too_long);
    if (is_answered)
        curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &answer.status);
    if (answer.status == 0)
        answer.error = why_failed(exchange, code);
    if (is_answered &&
        curl_easy_getinfo(exchange->easy, CURLINFO_RETRY_AFTER, &retry_after_s) == CURLE_OK &&
        retry_after_s > 0)
        answer.retry_after_s = retry_after_s;
    exchange->on_answer(exchange->context, &answer);
    exchange_free(exchange);
}

static void collect(struct transport *transport)
{
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(transport->multi, &left)) != NULL) {
        struct exchange *exchange;
        CURLcode code = message->data.result;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&exchange);
        finish(exchange, code);
    }
}

/* An empty value switches off what curl would add by itself. */
static const char *const own_headers[] = {"Content-Type: application/json", "Expect:", "Accept:"};

static void set_headers(struct exchange *exchange, const char *const *headers)
{
    for (size_t i = 0; i < ARRAY_SIZE(own_headers); i++)
        exchange->headers = curl_slist_append(exchange->headers, own_headers[i]);
    for (size_t i = 0; headers[i] != NULL; i++)
        exchange->headers = curl_slist_append(exchange->headers, headers[i]);
    curl_easy_setopt(exchange->easy, CURLOPT_HTTPHEADER, exchange->headers);
}

static void set_limits(struct exchange *exchange)
{
    CURL *easy = exchange->easy;
    int64_t timeout_ms = exchange->transport->settings.timeout_ms;
    int64_t connect_ms = timeout_ms < CONNECT_TIMEOUT_MS ? timeout_ms : CONNECT_TIMEOUT_MS;
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    /* A name server that does not answer: its thread is left alone, not waited for on our loop. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_request);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, exchange);
}

static void set_request(struct exchange *exchange, const struct transport_post *post)
{
    CURL *easy = exchange->easy;
    char agent[64];
    snprintf(agent, sizeof agent, "Verdict/%s (webhooks)", verdict_version);
    curl_easy_setopt(easy, CURLOPT_URL, post->url);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, agent);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)post->body_length);
    curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, post->body);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->curl_error);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange);
    set_headers(exchange, post->headers);
}

int transport_send(struct transport *transport, const struct transport_post *post,
                   transport_on_answer *on_answer, void *context, struct error *error)
{
    struct host *host;
    if (host_enter(transport, post->url, &host, error) < 0)
        return -1;
    struct exchange *exchange = xcalloc(1, sizeof *exchange);
    exchange->transport = transport;
    exchange->host = host;
    exchange->on_answer = on_answer;
    exchange->context = context;
    exchange->started_ms = monotonic_ms();
    exchange->easy = curl_easy_init();
    buffer_init(&exchange->response, TRANSPORT_RESPONSE_BYTES + 1);
    LIST_INSERT_HEAD(&transport->flying, exchange, link);
    if (exchange->easy == NULL) {
        exchange_free(exchange);
        return error_set(error, "unavailable", "libcurl cannot make a handle");
    }
    set_request(exchange, post);
    set_limits(exchange);
    if (curl_multi_add_handle(transport->multi, exchange->easy) == CURLM_OK)
        return 0;
    exchange_free(exchange);
    return error_set(error, "unavailable", "libcurl does not take the request");
}

/* ---- life ---------------------------------------------------------------------------------------- */

struct transport *transport_new(struct loop *loop, const struct transport_settings *settings,
                                struct error *error)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        error_set(error, "unavailable", "libcurl cannot start");
        return NULL;
    }
    struct transport *transport = xcalloc(1, sizeof *transport);
    transport->loop = loop;
    transport->settings = *settings;
    transport->timer_due_ms = -1;
    LIST_INIT(&transport->flying);
    transport->multi = curl_multi_init();
    curl_multi_setopt(transport->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(transport->multi, CURLMOPT_SOCKETDATA, transport);
    curl_multi_setopt(transport->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(transport->multi, CURLMOPT_TIMERDATA, transport);
    curl_multi_setopt(transport->multi, CURLMOPT_MAXCONNECTS, (long)IDLE_CONNECTIONS);
    return transport;
}

void transport_free(struct transport **transport_p)
{
    struct transport *transport = *transport_p;
    if (transport == NULL)
        return;
    while (!LIST_EMPTY(&transport->flying))
        exchange_free(LIST_FIRST(&transport->flying));
    curl_multi_cleanup(transport->multi);
    curl_global_cleanup();
    free(transport);
    *transport_p = NULL;
}

int64_t transport_work(struct transport *transport)
{
    int running;
    if (transport->timer_due_ms >= 0 && transport->timer_due_ms <= monotonic_ms()) {
        transport->timer_due_ms = -1;
        curl_multi_socket_action(transport->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    collect(transport);
    if (transport->timer_due_ms < 0)
        return -1;
    int64_t left_ms = transport->timer_due_ms - monotonic_ms();
    return left_ms > 0 ? left_ms : 0;
}
