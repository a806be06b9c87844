/* SPDX-License-Identifier: Apache-2.0 */
/* Frameworks that build first: how Maven and cargo-nextest are told which cases. */
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

struct planned {
    struct process_plan plan;
    struct report_plan report;
};

static void prepare_command(const char *const *command, const char *framework,
                            const char *const *selectors, size_t count, const char *report_dir,
                            struct planned *planned)
{
    AUTO(suite_deinit) struct suite_spec suite = {.framework = xstrdup(framework)};
    struct dispatched_case *cases = xcalloc(count + 1, sizeof *cases);
    const struct framework_task task = {
        .suite = &suite, .cases = cases, .case_count = count, .report_dir = report_dir};
    struct error error;
    *planned = (struct planned){.plan = {.directory = NULL}};
    for (size_t i = 0; i < count; i++)
        cases[i].selector = (char *)(uintptr_t)selectors[i];
    for (; *command != NULL; command++)
        texts_add(&suite.command, *command);
    texts_add(&suite.arguments, "--last");
    assert_int_equal(executor_framework_find(framework)->prepare(&task, &planned->plan,
                                                                 &planned->report, &error),
                     0);
    free(cases);
}

static void prepare(const char *framework, const char *const *selectors, size_t count,
                    const char *report_dir, struct planned *planned)
{
    const char *const none[] = {NULL};
    prepare_command(none, framework, selectors, count, report_dir, planned);
}

static void deinit(struct planned *planned)
{
    texts_deinit(&planned->plan.argv);
    texts_deinit(&planned->plan.environment);
    free(planned->report.pattern);
}

static void assert_argv(const struct planned *planned, const char *const *words)
{
    size_t i = 0;
    for (; words[i] != NULL; i++) {
        assert_true(i < planned->plan.argv.count);
        assert_string_equal(planned->plan.argv.list[i], words[i]);
    }
    assert_int_equal(planned->plan.argv.count, i);
}

static void surefire_leaves_a_file_for_each_class(void **state)
{
    const char *const words[] = {"mvn", "--batch-mode", "--fail-at-end", "test", "--last", NULL};
    struct planned planned;
    (void)state;
    prepare("surefire", NULL, 0, "/r", &planned);
    assert_argv(&planned, words);
    assert_int_equal(planned.report.source, REPORT_FROM_FILES);
    assert_string_equal(planned.report.reader, "surefire");
    assert_string_equal(planned.report.pattern, "**/target/*-reports/TEST-*.xml");
    assert_null(planned.report.directory);
    deinit(&planned);
}

static void surefire_selects_methods(void **state)
{
    const char *const selectors[] = {"x.B#one", "x.A#adds(int)[2]", "x.A#b", "x.A#adds(int)[1]",
                                     "x.A$In#b"};
    const char *const words[] = {"mvn",
                                 "--batch-mode",
                                 "--fail-at-end",
                                 "test",
                                 "-Dsurefire.failIfNoSpecifiedTests=false",
                                 "-Dtest=x.A#adds+b,x.A$In#b,x.B#one",
                                 "--last",
                                 NULL};
    struct planned planned;
    (void)state;
    prepare("surefire", selectors, 5, "/r", &planned);
    assert_argv(&planned, words);
    deinit(&planned);
}

static void integration_tests_are_selected_for_failsafe(void **state)
{
    static const char *const units[] = {"x.ATest#one", "x.Item#two"};
    static const char *const its[] = {"x.ShopIT$In#b", "x.ITShop#a", "x.ShopITCase#c"};
    static const char *const both[] = {"x.ShopIT#b", "x.ATest#one"};
    static const struct {
        const char *const *selectors;
        size_t count;
        const char *unit, *integration;
    } rows[] = {
        {units, 2, "-Dtest=x.ATest#one,x.Item#two", "-DskipITs"},
        {its, 3, "-Dtest=NoneOfThem", "-Dit.test=x.ITShop#a,x.ShopIT$In#b,x.ShopITCase#c"},
        {both, 2, "-Dtest=x.ATest#one", "-Dit.test=x.ShopIT#b"},
    };
    const char *const command[] = {"./mvnw", "clean", "verify", NULL};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *const words[] = {"./mvnw",
                                     "clean",
                                     "verify",
                                     "-Dsurefire.failIfNoSpecifiedTests=false",
                                     "-Dfailsafe.failIfNoSpecifiedTests=false",
                                     rows[i].unit,
                                     rows[i].integration,
                                     "--last",
                                     NULL};
        struct planned planned;
        prepare_command(command, "surefire", rows[i].selectors, rows[i].count, "/r", &planned);
        assert_argv(&planned, words);
        deinit(&planned);
    }
}

/* An argument has a limit. */
static void surefire_gets_many_methods_as_a_file(void **state)
{
    enum { COUNT = 5000 };
    static char names[COUNT][60];
    static const char *selectors[COUNT];
    char root[] = "/tmp/verdict-unit-XXXXXX", line[200] = "";
    struct planned planned;
    (void)state;
    assert_non_null(mkdtemp(root));
    AUTO(text_free) char *reports = xasprintf("%s/reports", root);
    assert_int_equal(mkdir(reports, 0700), 0);
    for (int i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof names[i], "x.Class%04d#someMethodOfThisClass", i);
        selectors[i] = names[i];
    }
    prepare("surefire", selectors, COUNT, reports, &planned);
    const char *option = planned.plan.argv.list[5];
    assert_int_equal(strncmp(option, "-Dsurefire.includesFile=", 24), 0);
    FILE *file = fopen(option + 24, "re");
    int lines = 0;
    while (fgets(line, sizeof line, file) != NULL)
        lines++;
    fclose(file);
    assert_int_equal(lines, COUNT);
    assert_string_equal(line, "x.Class4999#someMethodOfThisClass\n");
    unlink(option + 24);
    rmdir(reports);
    rmdir(root);
    deinit(&planned);
}

static void nextest_streams_its_events(void **state)
{
    const char *const words[] = {"cargo",
                                 "nextest",
                                 "run",
                                 "--no-fail-fast",
                                 "--no-tests=pass",
                                 "--message-format",
                                 "libtest-json-plus",
                                 "--last",
                                 NULL};
    struct planned planned;
    (void)state;
    prepare("nextest", NULL, 0, "/r", &planned);
    assert_argv(&planned, words);
    assert_int_equal(planned.report.source, REPORT_FROM_STDOUT);
    assert_string_equal(planned.report.reader, "libtest");
    assert_string_equal(planned.plan.environment.list[0], "NEXTEST_EXPERIMENTAL_LIBTEST_JSON=1");
    deinit(&planned);
}

static void nextest_selects_by_filtersets(void **state)
{
    const char *const selectors[] = {"my-calc::whole adds", "my-calc tests::adds",
                                     "my-calc::my_calc tests::fails(1, \\)"};
    const char *const words[] = {"cargo",
                                 "nextest",
                                 "run",
                                 "--no-fail-fast",
                                 "--no-tests=pass",
                                 "--message-format",
                                 "libtest-json-plus",
                                 "-E",
                                 "package(=my-calc) & (binary(=my-calc) | binary(=my_calc)) & "
                                 "(test(=tests::adds) | test(=tests::fails(1\\, \\\\\\)))",
                                 "-E",
                                 "package(=my-calc) & binary(=whole) & (test(=adds))",
                                 "--last",
                                 NULL};
    struct planned planned;
    (void)state;
    prepare("nextest", selectors, 3, "/r", &planned);
    assert_argv(&planned, words);
    deinit(&planned);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(surefire_leaves_a_file_for_each_class),
        cmocka_unit_test(surefire_selects_methods),
        cmocka_unit_test(integration_tests_are_selected_for_failsafe),
        cmocka_unit_test(surefire_gets_many_methods_as_a_file),
        cmocka_unit_test(nextest_streams_its_events),
        cmocka_unit_test(nextest_selects_by_filtersets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
