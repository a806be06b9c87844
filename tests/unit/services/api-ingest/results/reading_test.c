/* SPDX-License-Identifier: Apache-2.0 */
/* Uploaded reports, read. */
#include "results/reading.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "blob/blob.h"
#include "model/limits.h"

static int file_of(const char *text)
{
    struct error error;
    int fd;
    assert_int_equal(blob_temporary(&fd, &error), 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    return fd;
}

static int add_name(void *context, const struct stream_result *result, struct error *error)
{
    struct buffer *names = context;
    (void)error;
    buffer_addf(names, "%s%s:%s", names->length == 0 ? "" : " ", result->name, result->key);
    return 0;
}

static int refuse_second(void *context, const struct stream_result *result, struct error *error)
{
    int *calls = context;
    (void)result;
    return ++*calls < 2 ? 0 : error_set(error, "unavailable", "no more");
}

static const char results[] =
    "{\"uuid\":\"1\",\"name\":\"a } {\",\"fullName\":\"m.T#a\",\"status\":\"passed\",\"start\":1,"
    "\"stop\":2}\n{\"uuid\":\"2\",\"name\":\"b \\\" {\",\"fullName\":\"m.T#b\",\"status\":"
    "\"failed\",\"start\":3,\"stop\":4}{\"uuid\":\"3\",\"name\":\"c\",\"fullName\":\"m.T#c\","
    "\"status\":\"skipped\",\"start\":5,\"stop\":6}\n";

static struct reading reading_of(int fd, const struct report_reader_ops *format)
{
    return (struct reading){
        .fd = fd, .format = format, .framework = framework_find("pytest"), .suite = "shop"};
}

static void documents_that_follow_each_other_are_each_read(void **state)
{
    AUTO(fd_close) int fd = file_of(results);
    const struct reading reading = reading_of(fd, &allure_reader);
    struct read_counts counts;
    struct error error;
    (void)state;

    assert_int_equal(reading_run(&reading, &counts, &error), 0);

    assert_int_equal(counts.cases, 3);
    assert_int_equal(counts.by_status[RESULT_PASSED], 1);
    assert_int_equal(counts.by_status[RESULT_FAILED], 1);
    assert_int_equal(counts.by_status[RESULT_SKIPPED], 1);
}

static void the_same_file_gives_the_same_results_in_the_same_order(void **state)
{
    AUTO(fd_close)
    int fd = file_of("<testsuite><testcase classname=\"a\" name=\"x\"/><testcase classname=\"a\" "
                     "name=\"x\"/><testcase classname=\"a\" name=\"y\"/></testsuite>");
    struct reading reading = reading_of(fd, &junit_reader);
    struct read_counts counts;
    struct error error;
    AUTO(buffer_deinit) struct buffer first, second;
    (void)state;
    buffer_init(&first, 10000);
    buffer_init(&second, 10000);
    reading.on_result = add_name;

    reading.context = &first;
    assert_int_equal(reading_run(&reading, &counts, &error), 0);
    reading.context = &second;
    assert_int_equal(reading_run(&reading, &counts, &error), 0);

    assert_string_equal(first.data, second.data);
    assert_int_equal(counts.cases, 3);
}

static void what_is_not_whole_says_where(void **state)
{
    AUTO(fd_close)
    int fd = file_of("<testsuite>\n<testcase name=\"x\"/>\n<testcase name=\"y\"");
    const struct reading reading = reading_of(fd, &junit_reader);
    struct read_counts counts;
    struct error error;
    (void)state;

    assert_int_equal(reading_run(&reading, &counts, &error), -1);

    assert_true(error_is(&error, "invalid"));
    assert_string_equal(error.field, "body");
    assert_non_null(strstr(error.text, "line 3"));
    assert_non_null(strstr(error.text, "1 whole cases"));
}

static void who_reads_may_end_it(void **state)
{
    AUTO(fd_close) int fd = file_of("ok 1 a\nok 2 b\nok 3 c\n1..3\n");
    struct reading reading = reading_of(fd, &tap_reader);
    struct read_counts counts;
    struct error error;
    int calls = 0;
    (void)state;
    reading.on_result = refuse_second;
    reading.context = &calls;

    assert_int_equal(reading_run(&reading, &counts, &error), -1);

    assert_int_equal(calls, 2);
    assert_string_equal(error.text, "no more");
}

/* No exit status stands beside an upload. */
static void failures_that_are_counted_and_not_told_have_errored(void **state)
{
    static const struct {
        const char *text;
        const struct report_reader_ops *format;
        int64_t errored, cases;
    } rows[] = {
        {"<testsuites><testsuite name=\"Chrome\" tests=\"1\" errors=\"1\" failures=\"0\"><testcase "
         "name=\"x\"/><system-err>Disconnected</system-err></testsuite></testsuites>",
         &junit_reader, 1, 2},
        {"<testsuite failures=\"2\"><testcase name=\"x\"/></testsuite>", &surefire_reader, 1, 2},
        {"<testsuites failures=\"2\"><testsuite/></testsuites>", &junit_reader, 1, 1},
        {"<testsuite failures=\"1\"><testcase name=\"x\"/></testsuite>"
         "<testsuite failures=\"0\"><testcase name=\"y\"><failure/></testcase></testsuite>",
         &junit_reader, 1, 3},
        {"<testsuite failures=\"7\" errors=\"1\"><testcase name=\"x\"><failure/></testcase>"
         "</testsuite>",
         &junit_reader, 0, 1},
        {"<testsuite tests=\"9\" failures=\"0\" errors=\"-1\"><testcase name=\"x\"/></testsuite>",
         &junit_reader, 0, 1},
        {"{\"results\":{\"summary\":{\"failed\":1},\"tests\":[{\"name\":\"a\",\"status\":"
         "\"passed\"}]}}",
         &ctrf_reader, 1, 2},
        {"{\"results\":{\"tests\":[{\"name\":\"a\",\"status\":\"failed\"}],\"summary\":{\"failed\":"
         "2}}}",
         &ctrf_reader, 0, 1},
        {"{\"results\":{\"tests\":[{\"name\":\"a\",\"status\":\"passed\"}],\"summary\":{\"failed\":"
         "0}}}",
         &ctrf_reader, 0, 1},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AUTO(fd_close) int fd = file_of(rows[i].text);
        const struct reading reading = reading_of(fd, rows[i].format);
        struct read_counts counts;
        struct error error;
        assert_int_equal(reading_run(&reading, &counts, &error), 0);
        assert_int_equal(counts.by_status[RESULT_ERRORED], rows[i].errored);
        assert_int_equal(counts.cases, rows[i].cases);
    }
}

static void too_many_cases_are_refused_with_the_bound(void **state)
{
    AUTO(buffer_deinit) struct buffer text;
    struct read_counts counts;
    struct error error;
    (void)state;
    buffer_init(&text, 4 * 1024 * 1024);
    for (int64_t i = 0; i <= LIMIT_CASES_PER_RUN; i++)
        buffer_add_text(&text, "ok - a\n");
    AUTO(fd_close) int fd = file_of(text.data);
    const struct reading reading = reading_of(fd, &tap_reader);

    assert_int_equal(reading_run(&reading, &counts, &error), -1);

    assert_string_equal(error.field, "body");
    assert_non_null(strstr(error.text, "100000"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_that_follow_each_other_are_each_read),
        cmocka_unit_test(the_same_file_gives_the_same_results_in_the_same_order),
        cmocka_unit_test(what_is_not_whole_says_where),
        cmocka_unit_test(who_reads_may_end_it),
        cmocka_unit_test(failures_that_are_counted_and_not_told_have_errored),
        cmocka_unit_test(too_many_cases_are_refused_with_the_bound),
    };
    return cmocka_run_group_tests_name("reading", tests, NULL, NULL);
}
