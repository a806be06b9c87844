/* SPDX-License-Identifier: Apache-2.0 */
/* Frameworks of scripting languages: our plugins in them, and how they select. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "frameworks/framework.h"
#include "frameworks/titles.h"

static char root[] = "/tmp/verdict-unit-XXXXXX";
static char *reports;

static int make_reports(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(root));
    reports = xasprintf("%s/reports", root);
    assert_int_equal(mkdir(reports, 0700), 0);
    return 0;
}

static int remove_reports(void **state)
{
    AUTO(text_free) char *cases = xasprintf("%s/cases", root);
    (void)state;
    unlink(cases);
    rmdir(reports);
    free(reports);
    rmdir(root);
    return 0;
}

static void add_cases(struct dispatched_case *cases, const char *const *selectors, size_t count)
{
    for (size_t i = 0; i < count; i++)
        cases[i].selector = (char *)(uintptr_t)selectors[i];
}

/* The words of the process that the framework plans, with the root left out. */
static char *argv_of(const char *framework, const char *const *selectors, size_t count,
                     const char *const *arguments)
{
    struct dispatched_case cases[8];
    AUTO(suite_deinit) struct suite_spec suite = {.framework = xstrdup(framework)};
    struct framework_task task = {.suite = &suite,
                                  .cases = cases,
                                  .case_count = count,
                                  .report_dir = reports,
                                  .stream_path = "/pipe",
                                  .plugin_dir = "/plugins"};
    struct process_plan plan = {.directory = NULL};
    struct report_plan report;
    struct buffer words;
    struct error error;
    add_cases(cases, selectors, count);
    for (; arguments != NULL && *arguments != NULL; arguments++)
        texts_add(&suite.arguments, *arguments);
    assert_int_equal(executor_framework_find(framework)->prepare(&task, &plan, &report, &error), 0);
    assert_int_equal(report.source, REPORT_FROM_STREAM);
    assert_string_equal(
        plan.environment.list[plan.environment.count - 1 - (strcmp(framework, "prove") == 0)],
        "VERDICT_STREAM=/pipe");
    buffer_init(&words, 100000);
    for (size_t i = 0; i < plan.argv.count; i++)
        buffer_addf(&words, "%s%s", i > 0 ? " " : "", plan.argv.list[i]);
    texts_deinit(&plan.argv);
    texts_deinit(&plan.environment);
    return buffer_take(&words);
}

#define CASES(...)                                                                                 \
    (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)

static void the_whole_suite_is_run_with_our_plugin(void **state)
{
    static const struct {
        const char *framework, *argv;
    } rows[] = {
        {"jest", "node_modules/.bin/jest --reporters=default "
                 "--reporters=/plugins/javascript/verdict_jest.cjs --passWithNoTests -w 2"},
        {"vitest", "node_modules/.bin/vitest run --reporter=default "
                   "--reporter=/plugins/javascript/verdict_vitest.mjs --passWithNoTests -w 2"},
        {"playwright", "node_modules/.bin/playwright test "
                       "--reporter=list,/plugins/javascript/verdict_playwright.cjs "
                       "--pass-with-no-tests -w 2"},
        {"prove", "prove --harness=TAP::Harness::Verdict --merge --comments -w 2"},
    };
    const char *const arguments[] = {"-w", "2", NULL};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AUTO(text_free) char *argv = argv_of(rows[i].framework, NULL, 0, arguments);
        assert_string_equal(argv, rows[i].argv);
    }
}

static void jest_runs_files_and_titles(void **state)
{
    AUTO(text_free)
    char *argv = argv_of(
        "jest", CASES("b.js > sum > adds (1)", "a.js > x", "b.js > a/b", "b.js > sum > adds (1)"),
        NULL);
    const char *behind = strstr(argv, "--testNamePattern");
    (void)state;
    assert_string_equal(behind, "--testNamePattern ^(?:sum(?: | > )adds \\(1\\)|x|a\\/b|"
                                "sum(?: | > )adds \\(1\\))$ --runTestsByPath a.js b.js");
}

static void a_file_as_a_case_is_run_as_a_whole(void **state)
{
    AUTO(text_free) char *jest = argv_of("jest", CASES("b.js > x", "a.js"), NULL);
    AUTO(text_free) char *vitest = argv_of("vitest", CASES("[p] b.js > x", "a.js"), NULL);
    (void)state;
    assert_string_equal(strstr(jest, "--passWithNoTests"),
                        "--passWithNoTests --runTestsByPath a.js b.js");
    assert_string_equal(strstr(vitest, "--passWithNoTests"), "--passWithNoTests a.js b.js");
}

static void vitest_runs_files_and_titles(void **state)
{
    AUTO(text_free) char *argv = argv_of("vitest", CASES("b.js > x > y", "b.js > z"), NULL);
    (void)state;
    assert_string_equal(strstr(argv, "--testNamePattern"),
                        "--testNamePattern ^(?:x(?: | > )y|z)$ b.js");
}

static void playwright_and_prove_are_given_the_list(void **state)
{
    char text[200];
    AUTO(text_free) char *list = xasprintf("%s/reports/../cases", root);
    AUTO(text_free) char *wanted = xasprintf("--test-list %s", list);
    AUTO(text_free) char *argv = argv_of("playwright", CASES("a.js › x", "b.js › y"), NULL);
    (void)state;
    assert_non_null(strstr(argv, wanted));

    AUTO(text_free) char *prove = argv_of("prove", CASES("t/a.t > x", "t/b.t > y"), NULL);
    FILE *file = fopen(list, "re");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(text, "t/a.t > x\nt/b.t > y\n");
}

/* An argument has a limit: of too many titles the files are run as a whole. */
static void too_many_titles_are_no_expression(void **state)
{
    enum { COUNT = 6000 };
    static char selectors[COUNT][40];
    static struct dispatched_case cases[COUNT];
    AUTO(suite_deinit) struct suite_spec suite = {.framework = xstrdup("jest")};
    struct framework_task task = {
        .suite = &suite, .cases = cases, .case_count = COUNT, .report_dir = reports};
    struct process_plan plan = {.directory = NULL};
    AUTO(titles_deinit) struct titles titles = {.expression = NULL};
    struct error error;
    (void)state;
    for (int i = 0; i < COUNT; i++) {
        snprintf(selectors[i], sizeof selectors[i], "a%d.js > a case of it %d", i % 2, i);
        cases[i].selector = selectors[i];
    }
    assert_int_equal(titles_select(&task, &plan, &titles, &error), 0);
    assert_null(titles.expression);
    assert_int_equal(titles.files.count, 2);
    texts_deinit(&plan.environment);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_whole_suite_is_run_with_our_plugin),
        cmocka_unit_test(jest_runs_files_and_titles),
        cmocka_unit_test(a_file_as_a_case_is_run_as_a_whole),
        cmocka_unit_test(vitest_runs_files_and_titles),
        cmocka_unit_test(playwright_and_prove_are_given_the_list),
        cmocka_unit_test(too_many_titles_are_no_expression),
    };
    return cmocka_run_group_tests(tests, make_reports, remove_reports);
}
