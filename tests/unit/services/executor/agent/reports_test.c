/* SPDX-License-Identifier: Apache-2.0 */
/* From what a framework tells to cases: the named pipe line by line, files by pattern, output. */
#include "agent/reports.h"

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
#include "model/limits.h"

struct fixture {
    char directory[64];
    struct reports *reports;
    struct buffer seen; /* "status class/name[parameters] " per case, "planned n " */
    char keys[4][40];
    int count;
    size_t longest_name;
};

static void on_planned(void *context, int64_t count)
{
    struct fixture *fixture = context;
    buffer_addf(&fixture->seen, "planned %lld ", (long long)count);
}

static void on_result(void *context, const struct stream_result *result)
{
    struct fixture *fixture = context;
    buffer_addf(&fixture->seen, "%s %s/%s[%s] ", names_get(&result_status_names, result->status),
                result->class, result->name, result->parameters);
    snprintf(fixture->keys[fixture->count % 4], sizeof fixture->keys[0], "%s", result->key);
    fixture->count++;
    if (strlen(result->name) > fixture->longest_name)
        fixture->longest_name = strlen(result->name);
}

static int set_up(void **state)
{
    struct fixture *fixture = xcalloc(1, sizeof *fixture);
    snprintf(fixture->directory, sizeof fixture->directory, "/tmp/reports-test-XXXXXX");
    assert_non_null(mkdtemp(fixture->directory));
    buffer_init(&fixture->seen, 1024 * 1024);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    AUTO(text_free) char *command = xasprintf("rm -rf '%s'", fixture->directory);
    assert_int_equal(system(command), 0);
    reports_free(&fixture->reports);
    buffer_deinit(&fixture->seen);
    free(fixture);
    return 0;
}

static void begin(struct fixture *fixture, const char *framework, struct report_plan plan)
{
    const struct reports_handlers handlers = {on_planned, on_result, fixture};
    fixture->reports = reports_new(&plan, "suite", framework, fixture->directory, &handlers);
}

static void tell(struct fixture *fixture, const char *text)
{
    reports_feed_stream(fixture->reports, text, strlen(text));
}

static enum report_state finish(struct fixture *fixture)
{
    struct error why;
    return reports_finish(fixture->reports, true, "exit status 0", 5, &why);
}

static void write_file(const struct fixture *fixture, const char *name, const char *text)
{
    AUTO(text_free) char *path = xasprintf("%s/%s", fixture->directory, name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void make_directory(const struct fixture *fixture, const char *name)
{
    AUTO(text_free) char *path = xasprintf("%s/%s", fixture->directory, name);
    assert_int_equal(mkdir(path, 0700), 0);
}

static void read_files(struct fixture *fixture)
{
    while (!reports_read_files(fixture->reports))
        continue;
}

/* ---- the named pipe ---------------------------------------------------------------------------- */

static const struct report_plan from_stream = {.source = REPORT_FROM_STREAM};

static void each_line_is_a_case_however_it_is_cut(void **state)
{
    struct fixture *f = *state;
    begin(f, "pytest", from_stream);

    tell(f,
         "{\"kind\":\"planned\",\"count\":2}\n{\"kind\":\"case\",\"id\":\"a/b.py::T::x[1]\",\"st");
    tell(f, "atus\":\"passed\"}\n\n");
    tell(f, "{\"kind\":\"case\",\"id\":\"b.py::y\",\"status\":\"blocked\"}\n{\"kind\":\"end\"}\n");

    assert_string_equal(buffer_text(&f->seen), "planned 2 passed a.b.T/x[1] blocked b/y[] ");
    assert_int_equal(finish(f), REPORT_IS_COMPLETE);
}

static void equal_names_have_keys_of_their_own(void **state)
{
    struct fixture *f = *state;
    begin(f, "pytest", from_stream);

    for (int i = 0; i < 3; i++)
        tell(f, "{\"kind\":\"case\",\"id\":\"a.py::x\",\"status\":\"passed\"}\n");

    assert_string_not_equal(f->keys[0], f->keys[1]);
    assert_string_not_equal(f->keys[1], f->keys[2]);
    assert_string_not_equal(f->keys[0], f->keys[2]);
}

static void a_line_that_cannot_be_read_is_an_errored_case(void **state)
{
    static const char *const lines[] = {
        "no JSON\n", "{\"no\":\"kind\"}\n", "{\"kind\":\"case\",\"status\":\"passed\"}\n",
        "{\"kind\":\"case\",\"id\":\"a.py::x\",\"status\":\"splendid\"}\n", "\xff\xfe\n"};
    struct fixture *f = *state;
    begin(f, "pytest", from_stream);

    for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
        tell(f, lines[i]);

    assert_string_equal(
        buffer_text(&f->seen),
        "errored /line 1 of the results[] errored /line 2 of the results[] errored /line 3 of the "
        "results[] errored /line 4 of the results[] errored /line 5 of the results[] ");
}

static void a_line_that_is_too_long_is_one_errored_case_and_the_next_is_read(void **state)
{
    struct fixture *f = *state;
    char piece[64 * 1024];
    memset(piece, 'x', sizeof piece);
    begin(f, "pytest", from_stream);

    for (int i = 0; i < 20; i++)
        reports_feed_stream(f->reports, piece, sizeof piece);
    tell(f, "\n{\"kind\":\"case\",\"id\":\"a.py::x\",\"status\":\"passed\"}\n");

    assert_string_equal(buffer_text(&f->seen), "errored /line 1 of the results[] passed a/x[] ");
}

static void names_are_cut_for_people_and_whole_in_the_key(void **state)
{
    struct fixture *f = *state;
    struct buffer line;
    buffer_init(&line, 1024 * 1024);
    begin(f, "pytest", from_stream);

    for (int end = 0; end < 2; end++) {
        buffer_add_text(&line, "{\"kind\":\"case\",\"status\":\"passed\",\"id\":\"a.py::");
        for (int i = 0; i < LIMIT_CASE_NAME_BYTES; i++)
            buffer_add_char(&line, 'n');
        buffer_addf(&line, "%d\"}\n", end);
    }
    tell(f, buffer_text(&line));
    buffer_deinit(&line);

    assert_int_equal(f->longest_name, LIMIT_CASE_NAME_BYTES);
    assert_string_not_equal(f->keys[0], f->keys[1]);
}

static void a_stream_without_its_end_is_cut_and_none_is_missing(void **state)
{
    struct fixture *f = *state;
    begin(f, "pytest", from_stream);
    assert_int_equal(finish(f), REPORT_IS_MISSING);

    tell(f, "{\"kind\":\"case\",\"id\":\"a.py::x\",\"status\":\"passed\"}\n");
    assert_int_equal(finish(f), REPORT_IS_TRUNCATED);

    tell(f, "{\"kind\":\"end\"}\n");
    assert_int_equal(finish(f), REPORT_IS_COMPLETE);
}

/* ---- files ------------------------------------------------------------------------------------- */

#define ONE_CASE(name) "<testsuite><testcase classname='c' name='" name "'/></testsuite>"

static struct report_plan from_files(const char *pattern)
{
    return (struct report_plan){
        .source = REPORT_FROM_FILES, .reader = "junit", .pattern = (char *)(uintptr_t)pattern};
}

static void files_are_found_by_pattern_in_the_order_of_their_names(void **state)
{
    struct fixture *f = *state;
    make_directory(f, "out");
    make_directory(f, "out/deep");
    begin(f, "command", from_files("out/**/*.xml"));
    write_file(f, "out/deep/b.xml", ONE_CASE("b"));
    write_file(f, "out/a.xml", ONE_CASE("a"));
    write_file(f, "out/a.txt", ONE_CASE("no report"));
    write_file(f, "elsewhere.xml", ONE_CASE("not below out"));

    read_files(f);

    assert_string_equal(buffer_text(&f->seen), "passed c/a[] passed c/b[] ");
    assert_int_equal(finish(f), REPORT_IS_COMPLETE);
}

static void a_report_of_before_counts_only_when_it_was_written_again(void **state)
{
    struct fixture *f = *state;
    write_file(f, "old.xml", ONE_CASE("old"));
    write_file(f, "again.xml", ONE_CASE("as before"));
    begin(f, "command", from_files("*.xml"));
    write_file(f, "again.xml", ONE_CASE("again"));

    read_files(f);

    assert_string_equal(buffer_text(&f->seen), "passed c/again[] ");
}

static void a_plain_path_that_is_no_file_of_these_tests_is_missing(void **state)
{
    struct fixture *f = *state;
    write_file(f, "report.xml", ONE_CASE("old"));
    begin(f, "command", from_files("report.xml"));

    read_files(f);

    assert_int_equal(f->count, 0);
    assert_int_equal(finish(f), REPORT_IS_MISSING);
}

static void one_file_that_is_cut_cuts_the_whole_and_its_whole_cases_stay(void **state)
{
    struct fixture *f = *state;
    begin(f, "command", from_files("*.xml"));
    write_file(f, "a.xml", "<testsuite><testcase classname='c' name='a'/><testcase classname=");
    write_file(f, "b.xml", ONE_CASE("b"));

    read_files(f);

    assert_string_equal(buffer_text(&f->seen), "passed c/a[] passed c/b[] ");
    assert_int_equal(finish(f), REPORT_IS_TRUNCATED);
}

static void a_file_of_no_bytes_beside_others_cuts_the_whole(void **state)
{
    struct fixture *f = *state;
    struct error why;
    begin(f, "command", from_files("*.xml"));
    write_file(f, "a.xml", ONE_CASE("a"));
    write_file(f, "b.xml", "");

    read_files(f);

    assert_string_equal(buffer_text(&f->seen), "passed c/a[] ");
    assert_int_equal(reports_finish(f->reports, true, "exit status 0", 5, &why),
                     REPORT_IS_TRUNCATED);
    assert_non_null(strstr(why.text, "b.xml is empty"));
}

static void more_files_than_are_read_cut_the_whole(void **state)
{
    struct fixture *f = *state;
    struct error why;
    begin(f, "command", from_files("*.xml"));
    for (int i = 0; i < 10001; i++) {
        char name[24];
        snprintf(name, sizeof name, "%d.xml", i);
        write_file(f, name, ONE_CASE("a"));
    }

    read_files(f);

    assert_int_equal(f->count, 10000);
    assert_int_equal(reports_finish(f->reports, true, "exit status 0", 5, &why),
                     REPORT_IS_TRUNCATED);
    assert_non_null(strstr(why.text, "more than 10000 files match"));
}

static void link_to(const struct fixture *fixture, const char *target, const char *name)
{
    AUTO(text_free) char *path = xasprintf("%s/%s", fixture->directory, name);
    assert_int_equal(symlink(target, path), 0);
}

static void a_link_to_a_report_is_one(void **state)
{
    struct fixture *f = *state;
    begin(f, "command", from_files("x-*.xml"));
    write_file(f, "latest", ONE_CASE("a"));
    link_to(f, "latest", "x-a.xml");

    read_files(f);

    assert_string_equal(buffer_text(&f->seen), "passed c/a[] ");
}

static void a_linked_directory_is_looked_into_where_it_cannot_lead_round_and_round(void **state)
{
    struct fixture *f = *state;
    make_directory(f, "real");
    make_directory(f, "out");
    begin(f, "command", from_files("out/*/*.xml"));
    write_file(f, "real/a.xml", ONE_CASE("a"));
    link_to(f, "../real", "out/linked");
    link_to(f, "..", "out/round");

    read_files(f);

    assert_string_equal(buffer_text(&f->seen), "passed c/a[] ");
    assert_int_equal(finish(f), REPORT_IS_COMPLETE);
}

static void two_stars_do_not_go_through_links_to_directories(void **state)
{
    struct fixture *f = *state;
    begin(f, "command", from_files("**/*.xml"));
    write_file(f, "a.xml", ONE_CASE("a"));
    link_to(f, ".", "round");

    read_files(f);

    assert_string_equal(buffer_text(&f->seen), "passed c/a[] ");
    assert_int_equal(finish(f), REPORT_IS_COMPLETE);
}

static void what_lies_too_deep_cuts_the_whole(void **state)
{
    struct fixture *f = *state;
    char path[256] = "d";
    begin(f, "command", from_files("**/*.xml"));
    write_file(f, "a.xml", ONE_CASE("a"));
    for (int depth = 0; depth < 66; depth++) {
        make_directory(f, path);
        strcat(path, "/d");
    }

    read_files(f);

    assert_string_equal(buffer_text(&f->seen), "passed c/a[] ");
    assert_int_equal(finish(f), REPORT_IS_TRUNCATED);
}

/* ---- output ------------------------------------------------------------------------------------ */

static void output(struct fixture *fixture, enum run_output stream, const char *text)
{
    reports_feed_output(fixture->reports, stream, text, strlen(text));
}

/* Each try of a case has a file, the last one counts; and what was read of the others when one is cut. */
static void the_files_of_allure_are_one_report(void **state)
{
    struct fixture *f = *state;
    struct report_plan plan = from_files("*-result.json");
    plan.reader = "allure";
    begin(f, "command", plan);
    write_file(
        f, "1-result.json",
        "{\"name\":\"x\",\"fullName\":\"c.x\",\"historyId\":\"h\",\"status\":\"passed\",\"start\":2}");
    write_file(
        f, "2-result.json",
        "{\"name\":\"x\",\"fullName\":\"c.x\",\"historyId\":\"h\",\"status\":\"failed\",\"start\":1}");
    write_file(f, "3-result.json", "{\"name\":\"cut");
    write_file(f, "4-result.json",
               "{\"name\":\"y\",\"fullName\":\"c.y\",\"status\":\"skipped\",\"start\":3}");

    read_files(f);

    assert_int_equal(finish(f), REPORT_IS_TRUNCATED);
    assert_string_equal(buffer_text(&f->seen), "passed c/x[] skipped c/y[] ");
}

/* A working directory differs from worker to worker. */
static void a_file_below_the_working_directory_is_the_same_on_every_worker(void **state)
{
    struct fixture *f = *state;
    const struct report_plan plan = {.source = REPORT_FROM_STDOUT, .reader = "junit"};
    begin(f, "command", plan);
    AUTO(text_free)
    char *report = xasprintf("<testsuite><testcase name='x' file='%s/sub/a.c'/></testsuite>"
                             "<testsuite><testcase name='x' file='sub/b.c'/></testsuite>",
                             f->directory);
    struct case_key a =
        framework_case_key(framework_find("command"), "suite", "sub/a.c", "", "x", "", 0);

    reports_feed_output(f->reports, RUN_STDOUT, report, strlen(report));

    assert_int_equal(finish(f), REPORT_IS_COMPLETE);
    assert_string_equal(f->keys[0], a.hex);
    assert_string_not_equal(f->keys[1], a.hex);
}

static void tap_is_read_from_stdout_alone(void **state)
{
    struct fixture *f = *state;
    begin(f, "command", (struct report_plan){.source = REPORT_FROM_STDOUT, .reader = "tap"});

    output(f, RUN_STDERR, "not ok 1 - of somebody else\n");
    output(f, RUN_STDOUT, "1..2\nok 1 - a\nnot o");
    output(f, RUN_STDOUT, "k 2 - b\n");

    assert_int_equal(finish(f), REPORT_IS_COMPLETE);
    assert_string_equal(buffer_text(&f->seen), "passed /a[] failed /b[] ");
}

static void output_is_no_report_where_none_is_looked_for_in_it(void **state)
{
    struct fixture *f = *state;
    begin(f, "command", (struct report_plan){.source = REPORT_FROM_STATUS});

    output(f, RUN_STDOUT, "1..1\nok 1 - a\n");

    assert_string_equal(buffer_text(&f->seen), "");
}

static void the_command_itself_is_the_case_where_nothing_reports(void **state)
{
    struct fixture *f = *state;
    struct error why;
    begin(f, "command", (struct report_plan){.source = REPORT_FROM_STATUS});

    assert_int_equal(reports_finish(f->reports, false, "exit status 3", 5, &why),
                     REPORT_NOT_EXPECTED);

    assert_string_equal(buffer_text(&f->seen), "failed /suite[] ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_line_is_a_case_however_it_is_cut),
        TEST(equal_names_have_keys_of_their_own),
        TEST(a_line_that_cannot_be_read_is_an_errored_case),
        TEST(a_line_that_is_too_long_is_one_errored_case_and_the_next_is_read),
        TEST(names_are_cut_for_people_and_whole_in_the_key),
        TEST(a_stream_without_its_end_is_cut_and_none_is_missing),
        TEST(files_are_found_by_pattern_in_the_order_of_their_names),
        TEST(a_report_of_before_counts_only_when_it_was_written_again),
        TEST(a_plain_path_that_is_no_file_of_these_tests_is_missing),
        TEST(one_file_that_is_cut_cuts_the_whole_and_its_whole_cases_stay),
        TEST(a_file_of_no_bytes_beside_others_cuts_the_whole),
        TEST(more_files_than_are_read_cut_the_whole),
        TEST(a_link_to_a_report_is_one),
        TEST(a_linked_directory_is_looked_into_where_it_cannot_lead_round_and_round),
        TEST(two_stars_do_not_go_through_links_to_directories),
        TEST(what_lies_too_deep_cuts_the_whole),
        TEST(the_files_of_allure_are_one_report),
        TEST(a_file_below_the_working_directory_is_the_same_on_every_worker),
        TEST(tap_is_read_from_stdout_alone),
        TEST(output_is_no_report_where_none_is_looked_for_in_it),
        TEST(the_command_itself_is_the_case_where_nothing_reports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
