/* SPDX-License-Identifier: Apache-2.0 */
/* The server with routes of the test's own: parking, going on, streams, files, stopping. What it does to
 * clients that break rules is tested on the whole service. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <poll.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "dispatch.h"
#include "http/exchange.h"
#include "http/response.h"
#include "http/server.h"
#include "http/stream.h"
#include "ingest_metrics.h"
#include "routes.h"

#define TIMEOUT_MS  10000 /* the server's for a request: whoever it overlooked is let go then */
#define PATIENCE_MS 30000
#define PARKED_MAX  64
#define RESETS      100

/* ---- handlers ------------------------------------------------------------------------------------ */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct request *parked[PARKED_MAX];
static int parked_count;
static struct stream *last_stream, *streams[RESETS];
static int stream_count;

static int answer_at_once(struct request *request, struct response *response, struct error *error)
{
    (void)request;
    (void)error;
    response_text(response, 200, "text/plain", "at once");
    return 0;
}

static int park(struct request *request, struct response *response, struct error *error)
{
    (void)response;
    (void)error;
    request_park(request);
    pthread_mutex_lock(&lock);
    parked[parked_count++] = request;
    pthread_mutex_unlock(&lock);
    return 0;
}

static int go_on(struct request *request, struct response *response, struct error *error)
{
    (void)error;
    response_text(response, 200, "text/plain", request_query(request, "say"));
    return 0;
}

/* Ended before the handler has returned. */
static int park_and_complete(struct request *request, struct response *response,
                             struct error *error)
{
    (void)error;
    request_park(request);
    response_text(response, 200, "text/plain", "completed");
    request_complete(request);
    return 0;
}

static int park_and_go_on(struct request *request, struct response *response, struct error *error)
{
    (void)response;
    (void)error;
    request_park(request);
    request_continue(request, go_on);
    return 0;
}

static int stream(struct request *request, struct response *response, struct error *error)
{
    (void)request;
    (void)error;
    last_stream = stream_new(64 * 1024, ": still here\n\n");
    response_stream(response, "text/event-stream", last_stream);
    return 0;
}

static int stream_of_many(struct request *request, struct response *response, struct error *error)
{
    int status = stream(request, response, error);
    pthread_mutex_lock(&lock);
    streams[stream_count++] = TAKE(last_stream);
    pthread_mutex_unlock(&lock);
    return status;
}

static int file(struct request *request, struct response *response, struct error *error)
{
    char name[] = "/tmp/verdict-test-XXXXXX";
    int fd = mkstemp(name);
    (void)request;
    (void)error;
    unlink(name);
    assert_int_equal(write(fd, "from a file", 11), 11);
    response_file(response, "text/plain", fd);
    return 0;
}

static int refuse(struct request *request, struct response *response, struct error *error)
{
    (void)request;
    (void)response;
    return error_field(error, "colour", "colour must be red");
}

static int echo(struct request *request, struct response *response, struct error *error)
{
    size_t length;
    const char *body = request_body(request, &length);
    (void)error;
    response_bytes(response, 200, "text/plain", xmemdup(body, length), length);
    return 0;
}

static const struct {
    const char *path;
    struct route route;
} table[] = {
    {"/at-once", {.method = "GET", .pattern = "a", .scope = ROUTE_OPEN, .handler = answer_at_once}},
    {"/park", {.method = "GET", .pattern = "b", .scope = ROUTE_OPEN, .handler = park}},
    {"/complete",
     {.method = "GET", .pattern = "c", .scope = ROUTE_OPEN, .handler = park_and_complete}},
    {"/go-on", {.method = "GET", .pattern = "d", .scope = ROUTE_OPEN, .handler = park_and_go_on}},
    {"/stream", {.method = "GET", .pattern = "e", .scope = ROUTE_OPEN, .handler = stream}},
    {"/many", {.method = "GET", .pattern = "i", .scope = ROUTE_OPEN, .handler = stream_of_many}},
    {"/file", {.method = "GET", .pattern = "f", .scope = ROUTE_OPEN, .handler = file}},
    {"/fail", {.method = "GET", .pattern = "g", .scope = ROUTE_OPEN, .handler = refuse}},
    {"/echo", {.method = "POST", .pattern = "h", .scope = ROUTE_OPEN, .handler = echo}},
};

/* These take the place of the service's own, which are left in their archive. */
int route_find(const char *method, const char *path, struct route_match *match_r, char allow[64],
               struct error *error)
{
    (void)method;
    allow[0] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        if (strcmp(table[i].path, path) == 0) {
            *match_r = (struct route_match){.route = &table[i].route};
            return 0;
        }
    return error_set(error, "not_found", "there is nothing at %s", path);
}

int dispatch(struct request *request, struct response *response, struct error *error)
{
    return request->match.route->handler(request, response, error);
}

/* ---- a server and clients -------------------------------------------------------------------------- */

static struct http_server *server;

static int start(void **state)
{
    struct error error;
    (void)state;
    parked_count = 0;
    const struct http_settings settings = {.listen = {.host = "127.0.0.1"},
                                           .threads = 2,
                                           .workers = 2,
                                           .connections = 256,
                                           .request_timeout_ms = TIMEOUT_MS,
                                           .store = store_defaults};
    return http_server_start(&settings, NULL, &server, &error);
}

static int stop(void **state)
{
    (void)state;
    http_server_free(&server);
    stream_unref(&last_stream);
    while (stream_count > 0)
        stream_unref(&streams[--stream_count]);
    return 0;
}

static int connect_client(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(http_server_port(server)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static int ask(const char *method, const char *path, const char *more)
{
    char text[512];
    int fd = connect_client();
    int length =
        snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%s\r\n",
                 method, path, more);
    assert_int_equal(send(fd, text, (size_t)length, 0), length);
    return fd;
}

/* Reads until the end, or until `until` has come. */
static const char *read_until(int fd, const char *until)
{
    static char text[128 * 1024];
    size_t length = 0;
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    const int64_t deadline_ms = monotonic_ms() + PATIENCE_MS;
    text[0] = '\0';
    while (monotonic_ms() < deadline_ms && (until == NULL || strstr(text, until) == NULL)) {
        if (poll(&wait, 1, 100) == 0)
            continue;
        ssize_t got = recv(fd, text + length, sizeof text - 1 - length, 0);
        if (got <= 0)
            break;
        length += (size_t)got;
        text[length] = '\0';
    }
    return text;
}

static const char *whole_answer(int fd)
{
    const char *text = read_until(fd, NULL);
    close(fd);
    return text;
}

static void wait_for(bool (*holds)(void))
{
    const int64_t deadline_ms = monotonic_ms() + PATIENCE_MS;
    bool held; /* once is enough: what comes next may end it */
    while (!(held = holds()) && monotonic_ms() < deadline_ms)
        poll(NULL, 0, 1);
    assert_true(held);
}

static int wanted;
static bool all_are_parked(void)
{
    pthread_mutex_lock(&lock);
    bool all = parked_count == wanted;
    pthread_mutex_unlock(&lock);
    return all;
}

static bool is_idle(void)
{
    return http_server_is_idle(server);
}

static bool stream_was_given_up(void)
{
    struct error error;
    return stream_write(last_stream, "x", 1, &error) < 0;
}

/* ---- tests ----------------------------------------------------------------------------------------- */

static void an_answer_has_its_status_type_and_body(void **state)
{
    (void)state;
    const char *text = whole_answer(ask("GET", "/at-once", ""));

    assert_memory_equal(text, "HTTP/1.1 200 OK", 15);
    assert_non_null(strstr(text, "Content-Type: text/plain"));
    assert_non_null(strstr(text, "at once"));
}

static void a_failure_becomes_a_problem(void **state)
{
    (void)state;
    const char *text = whole_answer(ask("GET", "/fail", ""));

    assert_memory_equal(text, "HTTP/1.1 400", 12);
    assert_non_null(strstr(text, "\"field\":\"colour\""));
}

static void a_body_arrives_whole_also_in_chunks(void **state)
{
    (void)state;
    int fd = ask("POST", "/echo", "Transfer-Encoding: chunked\r\n");
    const char chunks[] = "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
    assert_int_equal(send(fd, chunks, sizeof chunks - 1, 0), sizeof chunks - 1);

    assert_non_null(strstr(whole_answer(fd), "hello world"));
}

static void parked_requests_take_no_worker_and_are_answered_by_any_thread(void **state)
{
    int fds[PARKED_MAX];
    (void)state;
    for (int i = 0; i < PARKED_MAX; i++)
        fds[i] = ask("GET", "/park", "");
    wanted = PARKED_MAX;
    wait_for(all_are_parked);

    assert_non_null(strstr(whole_answer(ask("GET", "/at-once", "")), "at once"));
    for (int i = 0; i < PARKED_MAX; i++) {
        response_text(request_response(parked[i]), 200, "text/plain", "by another");
        request_complete(parked[i]);
    }

    for (int i = 0; i < PARKED_MAX; i++)
        assert_non_null(strstr(whole_answer(fds[i]), "by another"));
}

static void a_parked_request_may_be_ended_before_its_handler_returns(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        assert_non_null(strstr(whole_answer(ask("GET", "/complete", "")), "completed"));
        assert_non_null(
            strstr(whole_answer(ask("GET", "/go-on?say=more%20of%20it", "")), "more of it"));
    }
}

static void a_client_that_leaves_while_parked_does_no_harm(void **state)
{
    (void)state;
    close(ask("GET", "/park", ""));
    wanted = 1;
    wait_for(all_are_parked);

    response_text(request_response(parked[0]), 200, "text/plain", "to nobody");
    request_complete(parked[0]);

    wait_for(is_idle);
}

static void a_file_is_sent(void **state)
{
    (void)state;
    assert_non_null(strstr(whole_answer(ask("GET", "/file", "")), "from a file"));
}

static void a_stream_arrives_piece_by_piece_until_its_end(void **state)
{
    (void)state;
    int fd = ask("GET", "/stream", "");
    assert_non_null(strstr(read_until(fd, "\r\n\r\n"), "text/event-stream"));

    assert_int_equal(stream_write(last_stream, "first\n", 6, NULL), 0);
    assert_non_null(strstr(read_until(fd, "first\n"), "first\n"));
    assert_int_equal(stream_write(last_stream, "second\n", 7, NULL), 0);
    stream_end(last_stream);

    assert_non_null(strstr(whole_answer(fd), "second\n"));
    wait_for(is_idle);
}

static void a_stream_notices_that_its_reader_has_gone(void **state)
{
    (void)state;
    int fd = ask("GET", "/stream", "");
    read_until(fd, "\r\n\r\n");

    close(fd);

    wait_for(stream_was_given_up);
}

/* On a connection that is known already the server sees request and reset in the same moment, mostly. */
static void ask_and_reset(const char *path)
{
    const char first[] = "GET /at-once HTTP/1.1\r\nHost: a\r\n\r\n";
    const struct linger reset = {.l_onoff = 1};
    char second[128];
    int length = snprintf(second, sizeof second, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);
    int fd = connect_client();
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    assert_int_equal(send(fd, first, sizeof first - 1, 0), sizeof first - 1);
    assert_non_null(strstr(read_until(fd, "at once"), "at once"));
    assert_int_equal(send(fd, second, (size_t)length, 0), length);
    close(fd);
}

static bool all_streams_were_given_up(void)
{
    struct error error;
    pthread_mutex_lock(&lock);
    bool all = true;
    for (int i = 0; i < stream_count; i++)
        all = stream_write(streams[i], "x", 1, &error) < 0 && all;
    pthread_mutex_unlock(&lock);
    return all && is_idle();
}

/* Nothing is answered then, so no answer ends that would tell the writer. */
static void a_stream_notices_that_its_reader_had_gone_before_the_answer(void **state)
{
    (void)state;
    for (int i = 0; i < RESETS; i++) {
        ask_and_reset("/many");
        wait_for(all_streams_were_given_up);
    }
}

static void a_stream_whose_reader_is_too_slow_is_given_up(void **state)
{
    static char block[8 * 1024];
    struct error error;
    (void)state;
    int fd = ask("GET", "/stream", "");
    read_until(fd, "\r\n\r\n");
    memset(block, 'x', sizeof block);

    int written = 0;
    while (written < 100000 && stream_write(last_stream, block, sizeof block, &error) == 0)
        written++;

    assert_true(written < 100000);
    assert_true(error_is(&error, "gone"));
    close(fd);
}

static void stopping_ends_streams_and_waits_for_what_is_under_way(void **state)
{
    (void)state;
    int streaming = ask("GET", "/stream", "");
    read_until(streaming, "\r\n\r\n");
    int waiting = ask("GET", "/park", "");
    wanted = 1;
    wait_for(all_are_parked);

    http_server_close_door(server);
    http_server_end_streams(server);
    whole_answer(streaming);
    assert_false(http_server_is_idle(server));
    response_text(request_response(parked[0]), 200, "text/plain", "just in time");
    request_complete(parked[0]);

    assert_non_null(strstr(whole_answer(waiting), "just in time"));
    wait_for(is_idle);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_answer_has_its_status_type_and_body),
        TEST(a_failure_becomes_a_problem),
        TEST(a_body_arrives_whole_also_in_chunks),
        TEST(parked_requests_take_no_worker_and_are_answered_by_any_thread),
        TEST(a_parked_request_may_be_ended_before_its_handler_returns),
        TEST(a_client_that_leaves_while_parked_does_no_harm),
        TEST(a_file_is_sent),
        TEST(a_stream_arrives_piece_by_piece_until_its_end),
        TEST(a_stream_notices_that_its_reader_has_gone),
        TEST(a_stream_notices_that_its_reader_had_gone_before_the_answer),
        TEST(a_stream_whose_reader_is_too_slow_is_given_up),
        TEST(stopping_ends_streams_and_waits_for_what_is_under_way),
    };
    metrics_register(ingest_metrics, INGEST_METRIC_COUNT);
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
