/* SPDX-License-Identifier: Apache-2.0 */
/* seeds: tests/data/http */
/* A connection's bytes to the server itself, with the service's own routes: request lines, headers, parameters,
 * bodies. In place of the handlers stands what they all do first: the body is read by the tables of its route, the
 * parameters as those of pages. Whatever comes, the server answers what HTTP is, never 500, and goes on. */
#include <arpa/inet.h>
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"
#include "dispatch.h"
#include "http/exchange.h"
#include "http/page.h"
#include "http/response.h"
#include "http/server.h"
#include "ingest_metrics.h"
#include "openapi/operation.h"

#define ANSWER_BYTES 65536

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static int read_by(const struct request *request, const struct fields *fields, json_t *read,
                   struct error *error)
{
    AUTO(memory_free) void *body = xcalloc(1, fields->size);
    if (request_decode(request, fields, body, error) < 0)
        return -1;
    AUTO(json_free) json_t *said = fields_encode(fields, body);
    json_object_update(read, said);
    fields_free(fields, body);
    return 0;
}

int dispatch(struct request *request, struct response *response, struct error *error)
{
    const struct operation *operation = operation_find(request->match.route->handler);
    AUTO(json_free) json_t *read = json_object();
    struct page page;
    int64_t ms;
    if (request->match.route->admit != NULL && !request->is_admitted)
        return 0; /* the file is wanted */
    if (page_read(request, &page, error) < 0 ||
        request_query_duration(request, "wait", 60000, 0, &ms, error) < 0)
        return -1;
    for (size_t i = 0; i < 2 && operation->body != NULL && operation->body->fields[i] != NULL; i++)
        if (read_by(request, operation->body->fields[i], read, error) < 0)
            return -1;
    response_json(response, 200, TAKE(read));
    return 0;
}

static struct http_server *the_server(void)
{
    static struct http_server *server;
    const struct http_settings settings = {.listen = {.host = "127.0.0.1"},
                                           .threads = 1,
                                           .workers = 1,
                                           .connections = 64,
                                           .request_timeout_ms = 5000,
                                           .store = store_defaults};
    struct error error;
    if (server != NULL)
        return server;
    metrics_register(ingest_metrics, INGEST_METRIC_COUNT);
    assert(http_server_start(&settings, NULL, &server, &error) == 0);
    return server;
}

static int connect_client(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(http_server_port(the_server())),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    /* Not through TIME_WAIT: that would use up the ports. */
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    /* Half of a request is kept until its time is over. */
    const struct timeval patience = {.tv_usec = 10000};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert(fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
    assert(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0);
    assert(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    return fd;
}

static void check_answer(const char *answer)
{
    int status = 0;
    if (answer[0] == '\0')
        return; /* closed: it was no HTTP, or not all of it */
    assert(sscanf(answer, "HTTP/1.1 %d ", &status) == 1);
    assert(status >= 100 && status < 600 && status != 500);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static char answer[ANSWER_BYTES];
    size_t had = 0;
    int fd = connect_client();
    (void)!send(fd, bytes, length, MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR);
    for (ssize_t got = 1; got > 0 && had<sizeof answer - 1; had += got> 0 ? (size_t)got : 0)
        got = recv(fd, answer + had, sizeof answer - 1 - had, 0);
    answer[had] = '\0';
    close(fd);
    check_answer(answer);
    return 0;
}
