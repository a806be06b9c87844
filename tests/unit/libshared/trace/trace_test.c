/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/memory.h"
#include "metrics/metrics.h"
#include "trace/trace.h"

#define REQUEST_MAX ((size_t)64 * 1024)
#define TRACEPARENT "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

static struct error error;

/* Takes connections, and never says a word. */
static int open_silence(char url_r[64])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_return_code(bind(fd, (struct sockaddr *)&address, length), 0);
    assert_return_code(listen(fd, 16), 0);
    assert_return_code(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    snprintf(url_r, 64, "http://127.0.0.1:%d/", ntohs(address.sin_port));
    return fd;
}

/* Takes one request, and one of its spans not. */
static void *take_one(void *context)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                                 "Content-Length: 40\r\nConnection: close\r\n\r\n"
                                 "{\"partialSuccess\":{\"rejectedSpans\":\"1\"}}";
    AUTO(fd_close) int fd = accept(*(const int *)context, NULL, NULL);
    AUTO(text_free) char *text = xcalloc(1, REQUEST_MAX + 1);
    size_t length = 0;
    ssize_t more = 1;
    while (more > 0 && length < REQUEST_MAX && strstr(text, "]}]}]}") == NULL) {
        more = read(fd, text + length, REQUEST_MAX - length);
        length += more > 0 ? (size_t)more : 0;
    }
    (void)!write(fd, answer, sizeof answer - 1);
    return TAKE(text);
}

static long metric_value(const char *name)
{
    AUTO(text_free) char *start = xasprintf("\n%s ", name);
    AUTO(buffer_deinit) struct buffer text;
    buffer_init(&text, 1 << 20);
    metrics_print(&text);
    const char *line = strstr(buffer_text(&text), start);
    assert_non_null(line);
    return strtol(line + strlen(start), NULL, 10);
}

static long spans_dropped(void)
{
    return metric_value("verdict_spans_dropped_total");
}

static void without_an_endpoint_no_span_is_wanted(void **state)
{
    (void)state;

    assert_return_code(trace_open("", "", "scheduler", "one", &error), 0);

    assert_false(trace_wants(TRACEPARENT));
    trace_close();
}

static void an_endpoint_is_a_url(void **state)
{
    (void)state;

    assert_int_equal(trace_open("localhost:4318", "", "scheduler", "one", &error), -1);

    assert_string_equal(error.code, "invalid");
}

static void an_endpoint_with_a_password_is_refused_and_not_told(void **state)
{
    (void)state;

    assert_int_equal(trace_open("http://me:pass@localhost:4318", "", "scheduler", "one", &error),
                     -1);

    assert_string_equal(error.field, "VERDICT_OTLP_ENDPOINT");
    assert_null(strstr(error.text, "pass@"));
    assert_false(trace_wants(TRACEPARENT));
}

static void headers_are_headers(void **state)
{
    (void)state;

    assert_int_equal(trace_open("http://localhost:4318", "token", "scheduler", "one", &error), -1);

    assert_string_equal(error.code, "invalid");
    assert_false(trace_wants(TRACEPARENT));
}

static void what_is_taken_and_what_is_refused_is_counted(void **state)
{
    char url[64], *request;
    AUTO(fd_close) int fd = open_silence(url);
    pthread_t thread;
    const struct span span = span_new("run", SPAN_INTERNAL, TRACEPARENT);
    long dropped_before = spans_dropped();
    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, take_one, &fd), 0);
    assert_return_code(trace_open(url, "authorization=Bearer%20t", "scheduler", "one", &error), 0);

    for (int i = 0; i < 3; i++)
        trace_add(&span);
    pthread_join(thread, (void **)&request);
    int64_t deadline_ms = monotonic_ms() + 30000;
    while (metric_value("verdict_spans_exported_total") == 0 && monotonic_ms() < deadline_ms)
        poll(NULL, 0, 5);
    trace_close();

    assert_int_equal(strncmp(request, "POST /v1/traces HTTP/1.1\r\n", 26), 0);
    assert_non_null(strstr(request, "\r\nauthorization: Bearer t\r\n"));
    assert_int_equal(metric_value("verdict_spans_exported_total"), 2);
    assert_int_equal(spans_dropped() - dropped_before, 1);
    free(request);
}

static void what_does_not_fit_is_dropped_and_nobody_waits(void **state)
{
    const long many = TRACE_QUEUE_MAX + TRACE_BATCH_MAX + 1000;
    char url[64];
    AUTO(fd_close) int fd = open_silence(url);
    const struct span span = span_new("run", SPAN_INTERNAL, TRACEPARENT);
    const long before = spans_dropped();
    (void)state;
    assert_return_code(trace_open(url, "", "scheduler", "one", &error), 0);

    assert_true(trace_wants(TRACEPARENT));
    assert_false(trace_wants("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"));
    assert_false(trace_wants(NULL));
    AUTO(text_free) char *cut = xstrdup("x"); /* where the sanitizer sees what is read behind it */
    assert_false(trace_wants(cut));
    for (long i = 0; i < many; i++)
        trace_add(&span);
    long at_once = spans_dropped() - before;
    int64_t closing_ms = monotonic_ms();
    trace_close();

    assert_in_range(at_once, 1000, 1000 + TRACE_BATCH_MAX);
    assert_int_equal(spans_dropped() - before, many);
    assert_in_range(monotonic_ms() - closing_ms, 0, 20000); /* not a time-out for each batch */
}

/* In the C library's place: servers of names that keep silent until they may answer. */
static atomic_bool asked, may_answer, gave_up;

int getaddrinfo(const char *name, const char *port, const struct addrinfo *hints,
                struct addrinfo **addresses_r)
{
    int64_t deadline_ms = monotonic_ms() + 30000;
    (void)name;
    (void)port;
    (void)hints;
    (void)addresses_r;
    asked = true;
    while (!may_answer && monotonic_ms() < deadline_ms)
        poll(NULL, 0, 5);
    gave_up = !may_answer;
    return EAI_AGAIN;
}

static void the_end_does_not_wait_for_names(void **state)
{
    const struct span span = span_new("run", SPAN_INTERNAL, TRACEPARENT);
    int64_t deadline_ms = monotonic_ms() + 30000;
    (void)state;
    assert_return_code(trace_open("http://collector.invalid", "", "scheduler", "one", &error), 0);
    trace_add(&span);
    while (!asked && monotonic_ms() < deadline_ms)
        poll(NULL, 0, 5);
    assert_true(asked);

    trace_close();

    may_answer = true;
    assert_false(gave_up);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_an_endpoint_no_span_is_wanted),
        cmocka_unit_test(an_endpoint_is_a_url),
        cmocka_unit_test(an_endpoint_with_a_password_is_refused_and_not_told),
        cmocka_unit_test(headers_are_headers),
        cmocka_unit_test(what_is_taken_and_what_is_refused_is_counted),
        cmocka_unit_test(what_does_not_fit_is_dropped_and_nobody_waits),
        cmocka_unit_test(the_end_does_not_wait_for_names)};
    setenv("no_proxy", "*", 1); /* names are looked up here */
    trace_metrics_register();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
