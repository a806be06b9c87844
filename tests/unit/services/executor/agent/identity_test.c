/* SPDX-License-Identifier: Apache-2.0 */
/* A case has one key, whatever tells of it: the plugin, JUnit, CTRF or Allure; on whichever worker. */
#include "agent/reports.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/memory.h"

#define CASES 12

struct told {
    char cases[CASES][200]; /* "key class/name[parameters]" */
    int count;
};

static void on_planned(void *context, int64_t count)
{
    (void)context;
    (void)count;
}

static void on_result(void *context, const struct stream_result *result)
{
    struct told *told = context;
    assert_true(told->count < CASES);
    snprintf(told->cases[told->count++], sizeof told->cases[0], "%s %s/%s[%s]", result->key,
             result->class, result->name, result->parameters);
}

static void feed_file(struct reports *reports, const char *name, bool is_stream)
{
    char piece[512];
    size_t length;
    AUTO(text_free) char *path = xasprintf("tests/data/identity/%s", name);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while ((length = fread(piece, 1, sizeof piece, file)) > 0) {
        if (is_stream)
            reports_feed_stream(reports, piece, length);
        else
            reports_feed_output(reports, RUN_STDOUT, piece, length);
    }
    fclose(file);
}

static int compare_cases(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void read_told(const char *file, const char *reader, const char *directory,
                      struct told *told)
{
    struct error why;
    bool is_stream = reader == NULL;
    const struct report_plan plan = {.source = is_stream ? REPORT_FROM_STREAM : REPORT_FROM_STDOUT,
                                     .reader = reader};
    const struct reports_handlers handlers = {on_planned, on_result, told};
    told->count = 0;
    AUTO(reports_free)
    struct reports *reports =
        reports_new(&plan, "suite", is_stream ? "pytest" : "command", directory, &handlers);
    feed_file(reports, file, is_stream);
    assert_int_equal(reports_finish(reports, true, "", 0, &why), REPORT_IS_COMPLETE);
    qsort(told->cases, CASES, sizeof told->cases[0], compare_cases);
}

static void one_suite_has_the_same_keys_whatever_tells_of_it(void **state)
{
    static const struct {
        const char *file, *reader;
    } others[] = {{"xunit1.xml", "junit"},
                  {"xunit2.xml", "junit"},
                  {"ctrf.json", "ctrf"},
                  {"allure.json", "allure"}};
    static struct told plugin, other;
    (void)state;
    read_told("stream.jsonl", NULL, "/a", &plugin);
    assert_int_equal(plugin.count, CASES);

    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        read_told(others[i].file, others[i].reader, "/home/b", &other);
        assert_int_equal(other.count, CASES);
        for (int j = 0; j < CASES; j++)
            assert_string_equal(other.cases[j], plugin.cases[j]);
    }
}

/* Parameters are of the key and shown beside the name; a renamed case is another. */
static void parameters_and_names_are_of_the_key(void **state)
{
    static struct told told;
    int with_parameters = 0;
    (void)state;
    read_told("ctrf.json", "ctrf", "/src", &told);
    for (int i = 0; i < CASES; i++) {
        with_parameters += strstr(told.cases[i], "[]") == NULL;
        for (int j = 0; j < i; j++)
            assert_int_not_equal(strncmp(told.cases[i], told.cases[j], CASE_KEY_HEX_SIZE - 1), 0);
    }
    assert_int_equal(with_parameters, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_suite_has_the_same_keys_whatever_tells_of_it),
        cmocka_unit_test(parameters_and_names_are_of_the_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
