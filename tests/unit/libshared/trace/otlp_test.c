/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "trace/otlp.h"

#define TRACE  "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT "00f067aa0ba902b7"

static const struct otlp_resource resource = {
    .service = "verdict-scheduler", .instance = "scheduler-1", .version = "1.2.3"};

static void a_span_is_encoded_as_the_protocol_has_it(void **state)
{
    struct span span = span_new("dispatch", SPAN_INTERNAL, "00-" TRACE "-" PARENT "-01");
    (void)state;
    strcpy(span.id, "eee19b7ec3c1b174");
    strcpy(span.parent_id, PARENT);
    span.start_us = 1500;
    span.end_us = 2500;
    span_text(&span, "verdict.worker", "one");
    span_text(&span, "verdict.none", NULL);
    span_number(&span, "verdict.attempt", 2);
    span_fail(&span, "lost");

    AUTO(text_free) char *text = otlp_text(&resource, &span, 1, 1700000000000000);

    assert_string_equal(
        text,
        "{\"resourceSpans\":[{\"resource\":{\"attributes\":["
        "{\"key\":\"service.name\",\"value\":{\"stringValue\":\"verdict-scheduler\"}},"
        "{\"key\":\"service.instance.id\",\"value\":{\"stringValue\":\"scheduler-1\"}},"
        "{\"key\":\"service.version\",\"value\":{\"stringValue\":\"1.2.3\"}}]},"
        "\"scopeSpans\":[{\"scope\":{\"name\":\"verdict\",\"version\":\"1.2.3\"},\"spans\":["
        "{\"traceId\":\"" TRACE "\",\"spanId\":\"eee19b7ec3c1b174\",\"name\":\"dispatch\","
        "\"kind\":1,\"startTimeUnixNano\":\"1700000000001500000\","
        "\"endTimeUnixNano\":\"1700000000002500000\",\"attributes\":["
        "{\"key\":\"verdict.worker\",\"value\":{\"stringValue\":\"one\"}},"
        "{\"key\":\"verdict.attempt\",\"value\":{\"intValue\":\"2\"}}],"
        "\"parentSpanId\":\"" PARENT "\",\"status\":{\"code\":2,\"message\":\"lost\"}}]}]}]}");
}

static void a_span_never_ends_before_it_starts_and_a_first_one_has_no_parent(void **state)
{
    struct span span = span_new("run", SPAN_SERVER, "00-" TRACE "-" PARENT "-01");
    (void)state;
    span.start_us = 2000;
    span.end_us = 1000;

    AUTO(text_free) char *text = otlp_text(&resource, &span, 1, 0);

    assert_non_null(strstr(text, "\"endTimeUnixNano\":\"2000000\""));
    assert_null(strstr(text, "parentSpanId"));
    assert_null(strstr(text, "status"));
}

static void long_texts_and_bytes_that_are_no_text_do_no_harm(void **state)
{
    char longer[3 * SPAN_TEXT_SIZE];
    struct span span = span_new("run", SPAN_SERVER, "00-" TRACE "-" PARENT "-01");
    (void)state;
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    span_text(&span, "verdict.suite", longer);
    span_fail(&span, "\xff");

    AUTO(text_free) char *text = otlp_text(&resource, &span, 1, 0);

    assert_non_null(strstr(text, "xxx"));
    assert_non_null(strstr(text, "\xef\xbf\xbd"));
}

static void what_was_refused_of_a_success_is_counted(void **state)
{
    static const struct {
        const char *answer;
        int64_t refused;
    } table[] = {
        {"", 0},
        {"{}", 0},
        {"no JSON", 0},
        {"{\"partialSuccess\":{}}", 0},
        {"{\"partialSuccess\":{\"rejectedSpans\":\"7\"}}", 7},
        {"{\"partialSuccess\":{\"rejectedSpans\":7}}", 7},
        {"{\"partialSuccess\":{\"rejectedSpans\":-7}}", 0},
        {"{\"partialSuccess\":{\"rejectedSpans\":\"many\"}}", 0},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        assert_int_equal(otlp_rejected(table[i].answer, strlen(table[i].answer)), table[i].refused);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_span_is_encoded_as_the_protocol_has_it),
        cmocka_unit_test(a_span_never_ends_before_it_starts_and_a_first_one_has_no_parent),
        cmocka_unit_test(long_texts_and_bytes_that_are_no_text_do_no_harm),
        cmocka_unit_test(what_was_refused_of_a_success_is_counted)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
