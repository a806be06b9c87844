/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that mean harm, through every reader: bounded memory, texts that are valid, and never a whole report of
 * what is none. The data suites, which are the seeds of the fuzz targets, pass here as they do there. */
#include "report/reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <cmocka.h>

#include "../../../fuzz/fuzz_reader.h"
#include "base/buffer.h"

#define FILE_MAX ((size_t)1024 * 1024)

static enum report_wholeness read_bytes(const struct report_reader_ops *ops, const char *bytes,
                                        size_t length, int64_t *cases_r)
{
    *cases_r = 0;
    const struct report_handlers handlers = {.on_case = fuzz_on_case, .context = cases_r};
    struct report_reader *reader = ops->open(&handlers);
    ops->feed(reader, bytes, length);
    enum report_wholeness wholeness = ops->finish(reader, NULL);
    ops->free(&reader);
    return wholeness;
}

static void a_million_brackets_are_no_report(void **state)
{
    static const char *const pieces[] = {
        "[", "{\"a\":", "{\"results\":{\"tests\":[", "<a>", "<testsuite>", "&#", "\"", "\\u"};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
        struct buffer bytes;
        buffer_init(&bytes, 64 * FILE_MAX);
        for (int j = 0; j < 1000000; j++)
            buffer_add_text(&bytes, pieces[i]);
        for (size_t j = 0; report_readers[j] != &null_reader; j++) {
            int64_t cases;
            assert_int_not_equal(read_bytes(report_readers[j], bytes.data, bytes.length, &cases),
                                 REPORT_WHOLE);
            assert_int_equal(cases, 0);
        }
        buffer_deinit(&bytes);
    }
}

/* Each with one case, whatever is in its name: what is no UTF-8 is replaced, a NUL as well. */
static void bad_bytes_in_a_name_do_not_lose_the_case(void **state)
{
    static const struct {
        const struct report_reader_ops *ops;
        const char *before, *behind;
    } reports[] = {
        {&junit_reader, "<testsuite><testcase name='", "'/></testsuite>"},
        {&trx_reader, "<TestRun><UnitTestResult testName='", "' outcome='Passed'/></TestRun>"},
        {&tap_reader, "1..1\nok 1 - ", "\n"},
        {&ctrf_reader, "{\"results\":{\"tests\":[{\"name\":\"", "\",\"status\":\"passed\"}]}}"},
        {&allure_reader, "{\"status\":\"passed\",\"name\":\"", "\"}"},
        {&go_json_reader, "{\"Action\":\"pass\",\"Test\":\"", "\"}\n{\"Action\":\"pass\"}\n"},
    };
    static const char *const names[] = {"\xff\xfe", "\xc3",      "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                        "\xc0\xaf", "a\xe2\x82", "\xef\xbf\xbf"};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(reports); i++)
        for (size_t j = 0; j < ARRAY_SIZE(names); j++) {
            int64_t cases;
            AUTO(text_free)
            char *bytes = xasprintf("%s%s%s", reports[i].before, names[j], reports[i].behind);
            assert_int_equal(read_bytes(reports[i].ops, bytes, strlen(bytes), &cases),
                             REPORT_WHOLE);
            assert_int_equal(cases, 1);
        }
}

static void a_nul_is_survived(void **state)
{
    static const char junit[] = "<testsuite><testcase name='a\0b'/>\0</testsuite>",
                      tap[] = "1..1\nok 1 - a\0b\n",
                      ctrf[] = "{\"results\":{\"tests\":[{\"name\":\"a\0b\"}]}}",
                      go[] =
                          "{\"Action\":\"pass\",\"Test\":\"a\\u0000b\"}\n{\"Action\":\"pass\"}\n\0";
    int64_t cases;
    (void)state;
    assert_int_equal(read_bytes(&junit_reader, junit, sizeof junit - 1, &cases), REPORT_WHOLE);
    assert_int_equal(cases, 1);
    assert_int_equal(read_bytes(&tap_reader, tap, sizeof tap - 1, &cases), REPORT_WHOLE);
    assert_int_equal(cases, 1);
    assert_int_equal(read_bytes(&ctrf_reader, ctrf, sizeof ctrf - 1, &cases), REPORT_CUT);
    assert_int_equal(read_bytes(&go_json_reader, go, sizeof go - 1, &cases), REPORT_WHOLE);
    assert_int_equal(cases, 1);
}

static int64_t peak_kb(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/* 100 MB of output in one case pass through, in what fits into a few. (Sanitizers keep what was freed for a
 * while, so it is no less than that.) */
static void a_hundred_megabytes_of_output_take_no_memory(void **state)
{
    static const struct {
        const struct report_reader_ops *ops;
        const char *head, *tail;
    } reports[] = {
        {&junit_reader, "<testsuite><testcase name='big'><system-out><![CDATA[",
         "]]></system-out></testcase></testsuite>"},
        {&junit_reader, "<testsuite><testcase name='big'><failure>",
         "</failure></testcase></testsuite>"},
        {&trx_reader, "<TestRun><UnitTestResult testName='big'><Output><StdOut>",
         "</StdOut></Output></UnitTestResult></TestRun>"},
        {&ctrf_reader, "{\"results\":{\"tests\":[{\"name\":\"big\",\"stdout\":[\"", "\"]}]}}"},
        {&ctrf_reader, "{\"results\":{\"tests\":[{\"name\":\"big\",\"trace\":\"", "\"}]}}"},
        {&allure_reader, "{\"name\":\"big\",\"status\":\"failed\",\"description\":\"", "\"}"},
        {&go_json_reader, "{\"Action\":\"pass\",\"Test\":\"big\",\"Output\":\"",
         "\"}\n{\"Action\":\"pass\"}\n"},
        {&tap_reader, "1..1\nok 1\n# ", "\n"},
    };
    static char piece[1024 * 1024];
    (void)state;
    memset(piece, 'x', sizeof piece);
    for (size_t i = 0; i < ARRAY_SIZE(reports); i++) {
        int64_t cases = 0, before = peak_kb();
        const struct report_handlers handlers = {.on_case = fuzz_on_case, .context = &cases};
        const struct report_reader_ops *ops = reports[i].ops;
        struct report_reader *reader = ops->open(&handlers);
        ops->feed(reader, reports[i].head, strlen(reports[i].head));
        for (int j = 0; j < 100; j++)
            ops->feed(reader, piece, sizeof piece);
        ops->feed(reader, reports[i].tail, strlen(reports[i].tail));
        assert_int_equal(ops->finish(reader, NULL), REPORT_WHOLE);
        ops->free(&reader);
        assert_int_equal(cases, 1);
        assert_true(peak_kb() - before < 20 * 1024);
    }
}

/* Cut anywhere, a report with a beginning and an end is not whole. */
static void no_part_of_a_report_is_whole(void **state)
{
    static const struct {
        const struct report_reader_ops *ops;
        const char *report;
    } reports[] = {
        {&junit_reader,
         "<testsuites><testsuite name='s'><testcase name='a'/></testsuite></testsuites>"},
        {&trx_reader, "<TestRun><Results><UnitTestResult testName='a'/></Results></TestRun>"},
        {&ctrf_reader, "{\"results\":{\"tests\":[{\"name\":\"a\",\"status\":\"passed\"}]}}"},
        {&allure_reader, "{\"name\":\"a\",\"fullName\":\"x.a\",\"status\":\"passed\"}"},
        {&go_json_reader,
         "{\"Action\":\"run\",\"Test\":\"a\"}\n{\"Action\":\"pass\",\"Test\":\"a\"}\n{\"Action\":\"pass\"}"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(reports); i++)
        for (size_t cut = 0; cut <= strlen(reports[i].report); cut++) {
            int64_t cases;
            bool is_whole =
                read_bytes(reports[i].ops, reports[i].report, cut, &cases) == REPORT_WHOLE;
            assert_int_equal(is_whole, cut == strlen(reports[i].report));
        }
}

/* A package that begins a million tests and ends none. */
static void what_never_ends_is_bounded(void **state)
{
    int64_t cases = 0;
    const struct report_handlers handlers = {.on_case = fuzz_on_case, .context = &cases};
    struct report_reader *reader = go_json_reader.open(&handlers);
    struct error why;
    (void)state;
    for (int i = 0; i < 200000; i++) {
        char line[80];
        int length = snprintf(line, sizeof line, "{\"Action\":\"run\",\"Test\":\"%d\"}\n", i);
        go_json_reader.feed(reader, line, (size_t)length);
    }
    assert_int_equal(go_json_reader.finish(reader, &why), REPORT_CUT);
    assert_non_null(strstr(why.text, "too much"));
    go_json_reader.free(&reader);
    assert_in_range(cases, 10000, 20000);
}

static void replay(const struct report_reader_ops *ops, const char *directory)
{
    DIR *open_directory = opendir(directory);
    const struct dirent *entry;
    static uint8_t bytes[FILE_MAX];
    while (open_directory != NULL && (entry = readdir(open_directory)) != NULL) {
        AUTO(text_free) char *path = xasprintf("%s/%s", directory, entry->d_name);
        FILE *file = entry->d_name[0] == '.' ? NULL : fopen(path, "re");
        if (file == NULL)
            continue;
        size_t length = fread(bytes, 1, sizeof bytes, file);
        fclose(file);
        fuzz_reader(ops, bytes, length);
    }
    if (open_directory != NULL)
        closedir(open_directory);
}

/* Also the reports of all other formats. */
static void the_seeds_of_all_fuzz_targets_pass(void **state)
{
    static const char *const formats[] = {"junit",   "tap",     "cmocka", "ctrf",
                                          "go-json", "libtest", "trx",    "allure"};
    (void)state;
    for (size_t i = 0; report_readers[i] != &null_reader; i++)
        for (size_t j = 0; j < ARRAY_SIZE(formats); j++) {
            AUTO(text_free) char *valid = xasprintf("tests/data/%s/valid", formats[j]);
            AUTO(text_free) char *invalid = xasprintf("tests/data/%s/invalid", formats[j]);
            replay(report_readers[i], valid);
            replay(report_readers[i], invalid);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hundred_megabytes_of_output_take_no_memory),
        cmocka_unit_test(a_million_brackets_are_no_report),
        cmocka_unit_test(bad_bytes_in_a_name_do_not_lose_the_case),
        cmocka_unit_test(a_nul_is_survived),
        cmocka_unit_test(no_part_of_a_report_is_whole),
        cmocka_unit_test(what_never_ends_is_bounded),
        cmocka_unit_test(the_seeds_of_all_fuzz_targets_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
