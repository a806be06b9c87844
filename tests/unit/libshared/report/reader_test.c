/* SPDX-License-Identifier: Apache-2.0 */
/* Every report of the data suites, read whole and byte by byte: the same cases come out. */
#include "report/reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include "model/limits.h"

#define FILE_MAX ((size_t)16 * 1024 * 1024)

struct said {
    struct buffer cases;
    int64_t count;
    size_t longest_trace;
};

static const char *shown(const char *text)
{
    return text == NULL ? "" : text;
}

static void note_junit(void *context, const struct reported_case *c)
{
    struct said *said = context;
    buffer_addf(&said->cases, "%s|%s|%s|%lld|%s\n", names_get(&result_status_names, (int)c->status),
                c->class != NULL ? c->class : shown(c->suite), c->name, (long long)c->duration_ms,
                shown(c->message));
    said->count++;
    if (c->trace != NULL && strlen(c->trace) > said->longest_trace)
        said->longest_trace = strlen(c->trace);
}

static void note_tap(void *context, const struct reported_case *c)
{
    struct said *said = context;
    buffer_addf(&said->cases, "%s|%s|%s|%s\n", names_get(&result_status_names, (int)c->status),
                shown(c->class), c->name, shown(c->message));
    said->count++;
}

static void note_all(void *context, const struct reported_case *c)
{
    struct said *said = context;
    buffer_addf(&said->cases, "%s|%s|%s|%s|%s|%lld|%s\n",
                names_get(&result_status_names, (int)c->status), shown(c->file),
                c->class != NULL ? c->class : shown(c->suite), c->name, shown(c->parameters),
                (long long)c->duration_ms, shown(c->message));
    said->count++;
}

typedef void note_function(void *context, const struct reported_case *reported);

static note_function *note_of(const struct report_reader_ops *ops)
{
    if (ops == &tap_reader)
        return note_tap;
    return ops == &junit_reader || ops == &cmocka_reader ? note_junit : note_all;
}

static enum report_wholeness read_in_steps(const struct report_reader_ops *ops, const char *bytes,
                                           size_t length, size_t step, struct said *said)
{
    const struct report_handlers handlers = {.on_case = note_of(ops), .context = said};
    struct report_reader *reader = ops->open(&handlers);
    buffer_init(&said->cases, FILE_MAX);
    said->count = 0;
    said->longest_trace = 0;
    for (size_t at = 0; at < length; at += step)
        ops->feed(reader, bytes + at, length - at < step ? length - at : step);
    enum report_wholeness wholeness = ops->finish(reader, NULL);
    ops->free(&reader);
    return wholeness;
}

static char *read_file(const char *path, size_t *length_r)
{
    FILE *file = fopen(path, "r");
    char *bytes = xcalloc(1, FILE_MAX);
    assert_non_null(file);
    *length_r = fread(bytes, 1, FILE_MAX - 1, file);
    fclose(file);
    return bytes;
}

static void check_file(const struct report_reader_ops *ops, const char *directory, const char *name,
                       enum report_wholeness wanted)
{
    AUTO(text_free) char *path = xasprintf("%s/%s", directory, name);
    AUTO(text_free)
    char *beside = xasprintf("%.*s.expected", (int)(strrchr(path, '.') - path), path);
    size_t length, expected_length;
    AUTO(text_free) char *bytes = read_file(path, &length);
    AUTO(text_free) char *expected = read_file(beside, &expected_length);
    const size_t steps[] = {length, 1, 7};
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        struct said said;
        enum report_wholeness wholeness = read_in_steps(ops, bytes, length, steps[i], &said);
        if (wholeness != wanted || strcmp(buffer_text(&said.cases), expected) != 0)
            print_message("%s, %zu bytes at a time\n", path, steps[i]);
        assert_string_equal(buffer_text(&said.cases), expected);
        assert_int_equal(wholeness, wanted);
        buffer_deinit(&said.cases);
    }
}

static void check_all(const struct report_reader_ops *ops, const char *directory,
                      const char *suffix, enum report_wholeness wanted)
{
    DIR *open_directory = opendir(directory);
    const struct dirent *entry;
    int count = 0;
    assert_non_null(open_directory);
    while ((entry = readdir(open_directory)) != NULL) {
        if (!text_ends(entry->d_name, suffix))
            continue;
        check_file(ops, directory, entry->d_name, wanted);
        count++;
    }
    closedir(open_directory);
    assert_true(count > 3);
}

static void junit_that_is_whole_is_read(void **state)
{
    (void)state;
    check_all(&junit_reader, "tests/data/junit/valid", ".xml", REPORT_WHOLE);
}

static void junit_that_is_not_gives_its_whole_cases(void **state)
{
    (void)state;
    check_all(&junit_reader, "tests/data/junit/invalid", ".xml", REPORT_CUT);
}

static void tap_that_is_whole_is_read(void **state)
{
    (void)state;
    check_all(&tap_reader, "tests/data/tap/valid", ".tap", REPORT_WHOLE);
}

static void note_time(void *context, const struct reported_case *c)
{
    struct said *said = context;
    buffer_addf(&said->cases, "%s %lld\n", c->name, (long long)c->duration_ms);
}

/* Node says it in the block, node-tap behind the name; a test without has none of the one before. */
static void tap_tells_how_long_a_test_took(void **state)
{
    static const char report[] =
        "ok 1 - a\n  ---\n  duration_ms: 12.6\n  ...\nok 2 - b # time=7ms\n"
        "ok 3 - c # time=1.5s\nok 4 - d\n1..4\n";
    struct said said;
    const struct report_handlers handlers = {.on_case = note_time, .context = &said};
    struct report_reader *reader = tap_reader.open(&handlers);
    (void)state;
    buffer_init(&said.cases, FILE_MAX);
    tap_reader.feed(reader, report, sizeof report - 1);
    assert_int_equal(tap_reader.finish(reader, NULL), REPORT_WHOLE);
    tap_reader.free(&reader);
    assert_string_equal(buffer_text(&said.cases), "a 13\nb 7\nc 1500\nd 0\n");
    buffer_deinit(&said.cases);
}

static void tap_that_is_not_gives_its_whole_cases(void **state)
{
    (void)state;
    check_all(&tap_reader, "tests/data/tap/invalid", ".tap", REPORT_CUT);
}

static void what_cmocka_prints_is_found_among_other_output(void **state)
{
    (void)state;
    check_all(&cmocka_reader, "tests/data/cmocka/valid", ".txt", REPORT_WHOLE);
}

static void cmocka_reports_that_are_torn_are_never_whole(void **state)
{
    (void)state;
    check_all(&cmocka_reader, "tests/data/cmocka/invalid", ".txt", REPORT_CUT);
}

static void reports_of_other_formats_are_read(void **state)
{
    static const struct {
        const struct report_reader_ops *ops;
        const char *suffix;
    } formats[] = {{&ctrf_reader, ".json"},
                   {&go_json_reader, ".jsonl"},
                   {&trx_reader, ".trx"},
                   {&allure_reader, ".json"}};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
        AUTO(text_free) char *valid = xasprintf("tests/data/%s/valid", formats[i].ops->name);
        AUTO(text_free) char *invalid = xasprintf("tests/data/%s/invalid", formats[i].ops->name);
        check_all(formats[i].ops, valid, formats[i].suffix, REPORT_WHOLE);
        check_all(formats[i].ops, invalid, formats[i].suffix, REPORT_CUT);
    }
}

static void what_single_tools_write_is_read(void **state)
{
    (void)state;
    check_file(&libtest_reader, "tests/data/libtest/valid", "nextest.jsonl", REPORT_WHOLE);
    check_file(&libtest_reader, "tests/data/libtest/valid", "other_output.jsonl", REPORT_WHOLE);
    check_file(&libtest_reader, "tests/data/libtest/invalid", "broken_event.jsonl", REPORT_CUT);
    check_file(&libtest_reader, "tests/data/libtest/invalid", "cut_in_a_binary.jsonl", REPORT_CUT);
    check_file(&surefire_reader, "tests/data/surefire/valid", "nested_reruns.xml", REPORT_WHOLE);
    check_file(&surefire_reader, "tests/data/surefire/invalid", "cut_in_the_middle.xml",
               REPORT_CUT);
}

/* The second file is cut: the first and the third are read, and what is whole is not said to be. */
static void files_of_one_report_are_kept_apart(void **state)
{
    const char *const files[] = {"{\"name\":\"a\",\"fullName\":\"x.a\",\"status\":\"passed\"}",
                                 "{\"name\":\"b\",\"full",
                                 "{\"name\":\"c\",\"fullName\":\"x.c\",\"status\":\"failed\"}"};
    struct said said = {.count = 0};
    const struct report_handlers handlers = {.on_case = note_all, .context = &said};
    struct report_reader *reader = allure_reader.open(&handlers);
    (void)state;
    buffer_init(&said.cases, FILE_MAX);
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        if (i > 0)
            allure_reader.next(reader);
        allure_reader.feed(reader, files[i], strlen(files[i]));
    }
    assert_int_equal(allure_reader.finish(reader, NULL), REPORT_CUT);
    allure_reader.free(&reader);
    assert_string_equal(buffer_text(&said.cases), "passed||x|a||0|\nfailed||x|c||0|\n");
    buffer_deinit(&said.cases);
}

static void nothing_is_an_empty_report(void **state)
{
    struct said said;
    (void)state;
    assert_int_equal(read_in_steps(&junit_reader, " \n", 2, 1, &said), REPORT_EMPTY);
    assert_int_equal(read_in_steps(&tap_reader, "hello\n", 6, 1, &said), REPORT_EMPTY);
    assert_int_equal(read_in_steps(&cmocka_reader, "hello\n", 6, 1, &said), REPORT_EMPTY);
}

/* 64 MB of output in one case: it passes through, and nothing of it stays. */
static void output_of_any_size_is_not_kept(void **state)
{
    static char line[65536];
    struct said said = {.count = 0};
    const struct report_handlers handlers = {.on_case = note_junit, .context = &said};
    struct report_reader *reader = junit_reader.open(&handlers);
    (void)state;
    buffer_init(&said.cases, FILE_MAX);
    memset(line, 'x', sizeof line);
    const char head[] = "<testsuite name='s'><testcase name='big'><system-out>",
               middle[] = "</system-out><failure message='m'>",
               tail[] = "</failure></testcase></testsuite>";
    junit_reader.feed(reader, head, sizeof head - 1);
    for (int i = 0; i < 1024; i++)
        junit_reader.feed(reader, line, sizeof line);
    junit_reader.feed(reader, middle, sizeof middle - 1);
    for (int i = 0; i < 4; i++)
        junit_reader.feed(reader, line, sizeof line);
    junit_reader.feed(reader, tail, sizeof tail - 1);
    assert_int_equal(junit_reader.finish(reader, NULL), REPORT_WHOLE);
    junit_reader.free(&reader);
    assert_string_equal(buffer_text(&said.cases), "failed|s|big|0|m\n");
    assert_in_range(said.longest_trace, LIMIT_RESULT_TRACE_BYTES - 16, LIMIT_RESULT_TRACE_BYTES);
    buffer_deinit(&said.cases);
}

static void an_endless_tag_is_given_up(void **state)
{
    static char line[65536];
    struct said said = {.count = 0};
    const struct report_handlers handlers = {.on_case = note_junit, .context = &said};
    struct report_reader *reader = junit_reader.open(&handlers);
    struct error why;
    (void)state;
    memset(line, 'x', sizeof line);
    junit_reader.feed(reader, "<testsuite name='", 17);
    for (int i = 0; i < 200; i++)
        junit_reader.feed(reader, line, sizeof line);
    assert_int_equal(junit_reader.finish(reader, &why), REPORT_CUT);
    assert_non_null(strstr(why.text, "too large"));
    junit_reader.free(&reader);
}

static void readers_are_found_by_name(void **state)
{
    (void)state;
    assert_ptr_equal(report_reader_find("junit"), &junit_reader);
    assert_ptr_equal(report_reader_find("tap"), &tap_reader);
    assert_ptr_equal(report_reader_find("go-json"), &go_json_reader);
    assert_null(report_reader_find("else"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(junit_that_is_whole_is_read),
        cmocka_unit_test(junit_that_is_not_gives_its_whole_cases),
        cmocka_unit_test(tap_that_is_whole_is_read),
        cmocka_unit_test(tap_tells_how_long_a_test_took),
        cmocka_unit_test(tap_that_is_not_gives_its_whole_cases),
        cmocka_unit_test(what_cmocka_prints_is_found_among_other_output),
        cmocka_unit_test(cmocka_reports_that_are_torn_are_never_whole),
        cmocka_unit_test(reports_of_other_formats_are_read),
        cmocka_unit_test(what_single_tools_write_is_read),
        cmocka_unit_test(files_of_one_report_are_kept_apart),
        cmocka_unit_test(nothing_is_an_empty_report),
        cmocka_unit_test(output_of_any_size_is_not_kept),
        cmocka_unit_test(an_endless_tag_is_given_up),
        cmocka_unit_test(readers_are_found_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
