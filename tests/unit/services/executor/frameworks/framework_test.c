/* SPDX-License-Identifier: Apache-2.0 */
/* How each framework is run, and how its cases are named. */
#include "frameworks/framework.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "report/identify.h"

struct prepared {
    struct process_plan plan;
    struct report_plan report;
    char argv[2000];
};

static void prepare(const struct framework *framework, const struct framework_task *task,
                    struct prepared *prepared)
{
    struct error error;
    struct buffer words;
    *prepared = (struct prepared){.argv = ""};
    assert_int_equal(framework->prepare(task, &prepared->plan, &prepared->report, &error), 0);
    buffer_init(&words, sizeof prepared->argv - 1);
    for (size_t i = 0; i < prepared->plan.argv.count; i++)
        buffer_addf(&words, "%s%s", i > 0 ? " " : "", prepared->plan.argv.list[i]);
    snprintf(prepared->argv, sizeof prepared->argv, "%s", buffer_text(&words));
    buffer_deinit(&words);
}

static void deinit(struct prepared *prepared)
{
    texts_deinit(&prepared->plan.argv);
    texts_deinit(&prepared->plan.environment);
    free(prepared->report.directory);
    free(prepared->report.pattern);
}

static bool has_variable(const struct prepared *prepared, const char *entry)
{
    for (size_t i = 0; i < prepared->plan.environment.count; i++)
        if (strcmp(prepared->plan.environment.list[i], entry) == 0)
            return true;
    return false;
}

static struct suite_spec suite_with(const char *a, const char *b)
{
    struct suite_spec suite = {.framework = NULL};
    if (a != NULL)
        texts_add(&suite.command, a);
    if (b != NULL)
        texts_add(&suite.command, b);
    return suite;
}

static void pytest_is_run_with_our_plugin(void **state)
{
    AUTO(suite_deinit) struct suite_spec suite = suite_with(NULL, NULL);
    const struct framework_task task = {
        .suite = &suite, .report_dir = "/r", .stream_path = "/pipe", .plugin_dir = "/plugins"};
    struct prepared prepared;
    (void)state;
    texts_add(&suite.arguments, "-q");
    prepare(&pytest_framework, &task, &prepared);
    assert_string_equal(prepared.argv, "python3 -m pytest -p verdict_pytest -q");
    assert_true(has_variable(&prepared, "VERDICT_STREAM=/pipe"));
    assert_true(has_variable(&prepared, "PYTHONPATH=/plugins/pytest"));
    assert_int_equal(prepared.report.source, REPORT_FROM_STREAM);
    deinit(&prepared);
}

static void a_command_of_the_suites_own_comes_first(void **state)
{
    AUTO(suite_deinit) struct suite_spec suite = suite_with("venv/bin/pytest", "tests/");
    const struct framework_task task = {
        .suite = &suite, .report_dir = "/r", .stream_path = "/pipe", .plugin_dir = "/plugins"};
    struct prepared prepared;
    (void)state;
    prepare(&pytest_framework, &task, &prepared);
    assert_string_equal(prepared.argv, "venv/bin/pytest tests/ -p verdict_pytest");
    deinit(&prepared);
}

static void a_path_variable_keeps_what_it_had(void **state)
{
    struct process_plan plan = {.directory = NULL};
    (void)state;
    environment_add(&plan, "PYTHONPATH", "src:lib");
    environment_add(&plan, "PYTHONPATH2", "else");
    environment_add_path(&plan, "PYTHONPATH", "/plugins");
    assert_string_equal(plan.environment.list[0], "PYTHONPATH=/plugins:src:lib");
    assert_int_equal(plan.environment.count, 2);
    texts_deinit(&plan.environment);
}

static void cmocka_prints_its_report(void **state)
{
    AUTO(suite_deinit) struct suite_spec suite = suite_with("./unit_test", NULL);
    const struct framework_task task = {.suite = &suite, .report_dir = "/r"};
    struct prepared prepared;
    (void)state;
    prepare(&cmocka_framework, &task, &prepared);
    assert_string_equal(prepared.argv, "./unit_test");
    assert_true(has_variable(&prepared, "CMOCKA_MESSAGE_OUTPUT=xml"));
    assert_true(has_variable(&prepared, "CMOCKA_XML_FILE=/dev/null"));
    assert_int_equal(prepared.report.source, REPORT_FROM_OUTPUT);
    assert_string_equal(prepared.report.reader, "cmocka");
    deinit(&prepared);
}

static void cmocka_programs_may_name_their_files_themselves(void **state)
{
    AUTO(suite_deinit) struct suite_spec suite = suite_with("./unit_test", NULL);
    const struct framework_task task = {.suite = &suite, .report_dir = "/r"};
    struct prepared prepared;
    (void)state;
    suite.report.path = xstrdup("out/*.xml");
    prepare(&cmocka_framework, &task, &prepared);
    assert_false(has_variable(&prepared, "CMOCKA_XML_FILE=/dev/null"));
    assert_int_equal(prepared.report.source, REPORT_FROM_FILES);
    assert_string_equal(prepared.report.pattern, "out/*.xml");
    deinit(&prepared);
}

static char *read_text(const char *path)
{
    static char text[1024 * 1024];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

/* A directory for reports, as a task has one. */
static char *make_reports(char root[])
{
    assert_non_null(mkdtemp(root));
    char *reports = xasprintf("%s/reports", root);
    assert_int_equal(mkdir(reports, 0700), 0);
    return reports;
}

static void ctest_selects_by_exact_names(void **state)
{
    AUTO(suite_deinit) struct suite_spec suite = suite_with(NULL, NULL);
    char first[] = "adds.up", second[] = "a+b(c)/d-e", root[] = "/tmp/verdict-unit-XXXXXX";
    AUTO(text_free) char *reports = make_reports(root);
    const struct dispatched_case cases[] = {{.selector = first}, {.selector = second}};
    const struct framework_task task = {
        .suite = &suite, .cases = cases, .case_count = 2, .report_dir = reports};
    struct prepared prepared;
    (void)state;
    prepare(&ctest_framework, &task, &prepared);
    assert_string_equal(prepared.plan.argv.list[prepared.plan.argv.count - 2], "ctest");
    assert_string_equal(read_text(prepared.plan.argv.list[5]), "^(adds\\.up|a\\+b\\(c\\)/d-e)$\n");
    unlink(prepared.plan.argv.list[5]);
    rmdir(reports);
    rmdir(root);
    deinit(&prepared);
}

static void ctest_gets_many_names_in_pieces(void **state)
{
    enum { COUNT = 3000 };
    static char names[COUNT][40];
    static struct dispatched_case cases[COUNT];
    AUTO(suite_deinit) struct suite_spec suite = suite_with(NULL, NULL);
    char root[] = "/tmp/verdict-unit-XXXXXX";
    AUTO(text_free) char *reports = make_reports(root);
    const struct framework_task task = {
        .suite = &suite, .cases = cases, .case_count = COUNT, .report_dir = reports};
    struct prepared prepared;
    size_t seen = 0;
    (void)state;
    for (int i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof names[i], "case.of.a.suite.%05d", i);
        cases[i].selector = names[i];
    }
    prepare(&ctest_framework, &task, &prepared);
    char *rest = read_text(prepared.plan.argv.list[5]), *line;
    while ((line = strsep(&rest, "\n")) != NULL && line[0] != '\0') {
        assert_true(strlen(line) < 30000);
        assert_int_equal(strncmp(line, "^(", 2), 0);
        assert_string_equal(line + strlen(line) - 2, ")$");
        for (const char *c = line; (c = strstr(c, "case")) != NULL; c++)
            seen++;
    }
    assert_int_equal(seen, COUNT);
    unlink(prepared.plan.argv.list[5]);
    rmdir(reports);
    rmdir(root);
    deinit(&prepared);
}

static void ctest_runs_the_whole_without_cases(void **state)
{
    AUTO(suite_deinit) struct suite_spec suite = suite_with(NULL, NULL);
    const struct framework_task task = {.suite = &suite, .report_dir = "/r"};
    struct prepared prepared;
    (void)state;
    texts_add(&suite.arguments, "-j2");
    prepare(&ctest_framework, &task, &prepared);
    assert_string_equal(prepared.argv, "ctest --no-tests=ignore -j2 --output-junit /r/ctest.xml");
    assert_string_equal(prepared.report.directory, "/r");
    assert_string_equal(prepared.report.pattern, "*.xml");
    deinit(&prepared);
}

static void go_is_asked_for_its_events(void **state)
{
    AUTO(suite_deinit) struct suite_spec suite = suite_with(NULL, NULL);
    const struct framework_task task = {.suite = &suite, .report_dir = "/r"};
    struct prepared prepared;
    (void)state;
    prepare(&go_test_framework, &task, &prepared);
    assert_string_equal(prepared.argv, "go test -json ./...");
    assert_int_equal(prepared.report.source, REPORT_FROM_STDOUT);
    assert_string_equal(prepared.report.reader, "go-json");
    deinit(&prepared);
}

/* Prepares some cases, of which the tool is called several times, and compares the calls. */
static void assert_calls(const struct framework *framework, const struct suite_spec *suite,
                         const struct dispatched_case *cases, size_t count, const char *calls)
{
    char root[] = "/tmp/verdict-unit-XXXXXX";
    AUTO(text_free) char *reports = make_reports(root);
    const struct framework_task task = {
        .suite = suite, .cases = cases, .case_count = count, .report_dir = reports};
    struct prepared prepared;
    prepare(framework, &task, &prepared);
    assert_int_equal(prepared.plan.argv.count, 2);
    assert_string_equal(prepared.plan.argv.list[0], "/bin/sh");
    assert_string_equal(read_text(prepared.plan.argv.list[1]), calls);
    unlink(prepared.plan.argv.list[1]);
    rmdir(reports);
    rmdir(root);
    deinit(&prepared);
}

static void go_is_called_for_each_package(void **state)
{
    AUTO(suite_deinit) struct suite_spec suite = suite_with(NULL, NULL);
    const struct dispatched_case cases[] = {{.selector = (char[]){"b.org/x/y TestC"}},
                                            {.selector = (char[]){"b.org/x TestA/one[1]/it's"}},
                                            {.selector = (char[]){"b.org/x/y TestB"}}};
    (void)state;
    const char *const words[] = {"-race",
                                 "-coverpkg",
                                 "./...",
                                 "-coverpkg=./a/...",
                                 "--test.outputdir",
                                 "..",
                                 "./...",
                                 ".",
                                 "-run",
                                 "TestX",
                                 "--test.run=TestY",
                                 "-C",
                                 "sub"};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        texts_add(&suite.arguments, words[i]);
    texts_add(&suite.arguments, "-args");
    texts_add(&suite.arguments, "./a");
    texts_add(&suite.arguments, "-run");
    assert_calls(
        &go_test_framework, &suite, cases, ARRAY_SIZE(cases),
        "status=0\n"
        "'go' 'test' '-C' 'sub' '-json' '-run' '^TestA$/^one\\[1\\]$/^it'\\''s$' 'b.org/x' "
        "'-race' '-coverpkg' './...' '-coverpkg=./a/...' '--test.outputdir' '..' "
        "'-args' './a' '-run' || status=$?\n"
        "'go' 'test' '-C' 'sub' '-json' '-run' '^TestB$|^TestC$' 'b.org/x/y' "
        "'-race' '-coverpkg' './...' '-coverpkg=./a/...' '--test.outputdir' '..' "
        "'-args' './a' '-run' || status=$?\n"
        "exit $status\n");
}

static void go_begins_with_its_directory(void **state)
{
    AUTO(suite_deinit) struct suite_spec suite = suite_with(NULL, NULL);
    const struct framework_task task = {.suite = &suite};
    const char *const words[] = {"-run", "TestX", "-C=sub", "./..."};
    struct prepared prepared;
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        texts_add(&suite.arguments, words[i]);
    prepare(&go_test_framework, &task, &prepared);
    assert_string_equal(prepared.argv, "go test -C=sub -json -run TestX ./...");
    deinit(&prepared);
}

static void a_command_is_read_as_it_says(void **state)
{
    static const struct {
        int format;
        const char *path;
        enum report_source source;
        const char *reader, *directory, *pattern;
    } rows[] = {
        {REPORT_AUTO, NULL, REPORT_FROM_STATUS, NULL, NULL, NULL},
        {REPORT_NONE, NULL, REPORT_FROM_STATUS, NULL, NULL, NULL},
        {REPORT_AUTO, "out/*.xml", REPORT_FROM_FILES, "junit", NULL, "out/*.xml"},
        {REPORT_AUTO, "out.tap", REPORT_FROM_FILES, "tap", NULL, "out.tap"},
        {REPORT_TAP, NULL, REPORT_FROM_STDOUT, "tap", NULL, NULL},
        {REPORT_JUNIT, NULL, REPORT_FROM_FILES, "junit", "/r", "**/*.xml"},
        {REPORT_JUNIT, "r.xml", REPORT_FROM_FILES, "junit", NULL, "r.xml"},
        {REPORT_AUTO, "a/*-result.json", REPORT_FROM_FILES, "allure", NULL, "a/*-result.json"},
        {REPORT_AUTO, "ctrf/*.json", REPORT_FROM_FILES, "ctrf", NULL, "ctrf/*.json"},
        {REPORT_AUTO, "go.jsonl", REPORT_FROM_FILES, "go-json", NULL, "go.jsonl"},
        {REPORT_AUTO, "r.trx", REPORT_FROM_FILES, "trx", NULL, "r.trx"},
        {REPORT_AUTO, "report", REPORT_FROM_FILES, "junit", NULL, "report"},
        {REPORT_GO_JSON, NULL, REPORT_FROM_STDOUT, "go-json", NULL, NULL},
        {REPORT_CTRF, NULL, REPORT_FROM_FILES, "ctrf", "/r", "**/*.json"},
        {REPORT_TRX, NULL, REPORT_FROM_FILES, "trx", "/r", "**/*.trx"},
        {REPORT_ALLURE, NULL, REPORT_FROM_FILES, "allure", "/r", "**/*-result.json"},
        {REPORT_ALLURE, "x/*.json", REPORT_FROM_FILES, "allure", NULL, "x/*.json"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AUTO(suite_deinit) struct suite_spec suite = suite_with("make", "check");
        const struct framework_task task = {.suite = &suite, .report_dir = "/r"};
        struct prepared prepared;
        suite.report.format = rows[i].format;
        suite.report.path = rows[i].path == NULL ? NULL : xstrdup(rows[i].path);
        prepare(&command_framework, &task, &prepared);
        assert_string_equal(prepared.argv, "make check");
        assert_int_equal(prepared.report.source, rows[i].source);
        if (rows[i].reader != NULL)
            assert_string_equal(prepared.report.reader, rows[i].reader);
        if (rows[i].pattern != NULL)
            assert_string_equal(prepared.report.pattern, rows[i].pattern);
        if (rows[i].directory != NULL)
            assert_string_equal(prepared.report.directory, rows[i].directory);
        else
            assert_null(prepared.report.directory);
        deinit(&prepared);
    }
}

/* A case has the same key whether it was declared (and streamed by our plugins, which name it so) or is read out of
 * a report, such as the tool's own JUnit file. */
static void reports_name_cases_as_selectors_do(void **state)
{
    static const struct {
        const char *framework, *selector;
        struct reported_case reported;
    } rows[] = {
        {"cmocka", "group.holds", {.suite = "group", .name = "holds"}},
        {"ctest", "adds.up", {.suite = "s", .class = "adds.up", .name = "adds.up"}},
        {"ctest", "a[1]", {.suite = "s", .class = "a[1]", .name = "a[1]"}},
        {"go-test",
         "b.org/x TestA/b[1]",
         {.suite = "b.org/x", .class = "b.org/x", .name = "TestA/b[1]"}},
        {"vitest",
         "calc.test.mjs > calc > adds",
         {.suite = "calc.test.mjs", .class = "calc.test.mjs", .name = "calc > adds"}},
        {"playwright",
         "calc.spec.ts › calc › adds",
         {.suite = "calc.spec.ts", .class = "calc.spec.ts", .name = "calc › adds"}},
        {"surefire",
         "org.example.CalcTest#adds(int)[1]",
         {.suite = "x", .class = "org.example.CalcTest", .name = "adds(int)[1]"}},
        {"nextest",
         "calc::calc tests::adds",
         {.suite = "calc", .class = "calc", .name = "tests::adds"}},
        {"pytest",
         "tests/test_a.py::TestX::test_y[1-2]",
         {.suite = "pytest", .class = "tests.test_a.TestX", .name = "test_y[1-2]"}},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct framework_facts *facts = framework_find(rows[i].framework);
        AUTO(text_free) char *file = NULL, *class = NULL, *name = NULL, *parameters = NULL;
        AUTO(case_name_deinit) struct case_name reported = {NULL, NULL, NULL};
        facts->read_selector(rows[i].selector, &file, &class, &name, &parameters);
        case_name_read(framework_find(rows[i].framework), &rows[i].reported, &reported);
        struct case_key declared = framework_case_key(facts, "s", file, class, name, parameters, 0),
                        read = framework_case_key(facts, "s", "", reported.class, reported.name,
                                                  reported.parameters, 0);
        assert_string_equal(declared.hex, read.hex);
    }
}

static void every_framework_of_the_model_is_here(void **state)
{
    (void)state;
    for (int i = 0; framework_at(i) != NULL; i++)
        assert_non_null(executor_framework_find(framework_at(i)->name));
    assert_null(executor_framework_find("else"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pytest_is_run_with_our_plugin),
        cmocka_unit_test(a_command_of_the_suites_own_comes_first),
        cmocka_unit_test(a_path_variable_keeps_what_it_had),
        cmocka_unit_test(cmocka_prints_its_report),
        cmocka_unit_test(cmocka_programs_may_name_their_files_themselves),
        cmocka_unit_test(ctest_selects_by_exact_names),
        cmocka_unit_test(ctest_gets_many_names_in_pieces),
        cmocka_unit_test(ctest_runs_the_whole_without_cases),
        cmocka_unit_test(go_is_asked_for_its_events),
        cmocka_unit_test(go_is_called_for_each_package),
        cmocka_unit_test(go_begins_with_its_directory),
        cmocka_unit_test(a_command_is_read_as_it_says),
        cmocka_unit_test(reports_name_cases_as_selectors_do),
        cmocka_unit_test(every_framework_of_the_model_is_here),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
