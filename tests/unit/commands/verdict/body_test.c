/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "body.h"
#include "bundle_send.h"
#include "inline_suite.h"

static json_t *encode(const struct cli_options *options, const struct ci *ci)
{
    json_t *body = NULL;
    struct error error;
    assert_int_equal(body_encode(options, ci, "shop", NULL, &body, &error), 0);
    return body;
}

static void what_was_not_said_is_left_out(void **state)
{
    struct cli_options options = {.priority = -1, .template = "nightly"};
    struct ci ci = {.provider = NULL};
    (void)state;

    AUTO(json_free) json_t *body = encode(&options, &ci);

    AUTO(json_free)
    json_t *expected = json_pack("{s:s, s:s}", "project", "shop", "template", "nightly");
    assert_true(json_equal(body, expected));
}

static void options_win_over_ci(void **state)
{
    struct cli_options options = {.priority = 0, .build = "1.4.2"};
    struct ci ci = {.provider = "github", .build = "17", .branch = "main", .commit = "abc"};
    (void)state;

    AUTO(json_free) json_t *body = encode(&options, &ci);

    assert_string_equal(json_find_text(body, "build_version"), "1.4.2");
    assert_string_equal(json_find_text(body, "branch"), "main");
    assert_string_equal(json_find_text(body, "commit"), "abc");
    assert_int_equal(json_find_int(body, "priority", -1), 0);
    assert_string_equal(json_find_text(json_object_get(body, "trigger"), "provider"), "github");
}

static void parameters_and_policy_go_along(void **state)
{
    struct cli_options options = {
        .priority = -1, .task_timeout_ms = 5000, .allow_empty = true, .cancel_superseded = true};
    struct ci ci = {.provider = NULL};
    (void)state;
    texts_add(&options.parameters, "A=1=2");
    texts_add(&options.requirements, "gpu=cuda");

    AUTO(json_free) json_t *body = encode(&options, &ci);

    const json_t *policy = json_object_get(body, "policy");
    assert_string_equal(json_find_text(json_object_get(body, "parameters"), "A"), "1=2");
    assert_int_equal(json_find_int(policy, "task_timeout_ms", 0), 5000);
    assert_true(json_find_bool(policy, "allow_empty", false));
    assert_true(json_find_bool(policy, "cancel_superseded", false));
    assert_string_equal(json_string_value(json_array_get(json_object_get(body, "requirements"), 0)),
                        "gpu=cuda");
    texts_deinit(&options.parameters);
    texts_deinit(&options.requirements);
}

static void a_parameter_without_a_value_is_refused(void **state)
{
    struct cli_options options = {.priority = -1};
    struct ci ci = {.provider = NULL};
    json_t *body = NULL;
    struct error error;
    (void)state;
    texts_add(&options.parameters, "A");
    assert_int_equal(body_encode(&options, &ci, "shop", NULL, &body, &error), -1);
    assert_non_null(strstr(error.text, "--param A"));
    texts_deinit(&options.parameters);
}

static void frameworks_are_guessed_from_commands(void **state)
{
    static const struct {
        const char *words[4];
        int count;
        const char *framework;
        int skip;
    } rows[] = {
        {{"pytest", "tests/"}, 2, "pytest", 1},
        {{".venv/bin/pytest"}, 1, "pytest", 1},
        {{"python3", "-m", "pytest", "-x"}, 4, "pytest", 3},
        {{"/usr/bin/python3.11", "-m", "pytest"}, 3, "pytest", 3},
        {{"ctest", "-L", "fast"}, 3, "ctest", 1},
        {{"/usr/local/go/bin/go", "test", "./..."}, 3, "go-test", 2},
        {{"go", "build"}, 2, "command", 2},
        {{"node_modules/.bin/jest"}, 1, "jest", 1},
        {{"npx", "vitest", "run", "src"}, 4, "vitest", 3},
        {{"npx", "vitest"}, 2, "command", 2},
        {{"npx", "playwright", "test"}, 3, "playwright", 3},
        {{"mvn", "verify", "-q"}, 3, "surefire", 2},
        {{"cargo", "nextest", "run"}, 3, "nextest", 3},
        {{"prove", "-r", "t"}, 3, "prove", 1},
        {{"make", "check"}, 2, "command", 2},
        {{"python3", "-m", "unittest"}, 3, "command", 3},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        int skip;
        char *words[4];
        for (int w = 0; w < 4; w++)
            words[w] = (char *)(uintptr_t)rows[i].words[w];
        assert_string_equal(inline_framework(words, rows[i].count, &skip), rows[i].framework);
        assert_int_equal(skip, rows[i].skip);
    }
}

static void an_inline_suite_says_where_and_what(void **state)
{
    char *words[] = {(char[]){"python3"}, (char[]){"-m"}, (char[]){"pytest"}, (char[]){"tests/"},
                     NULL};
    struct cli_options options = {
        .rest = words, .rest_count = 4, .has_command = true, .path = "/usr", .priority = -1};
    AUTO(json_free) json_t *suite = NULL;
    struct error error;
    (void)state;

    assert_int_equal(inline_suite(&options, &suite, &error), 0);

    const json_t *source = json_object_get(suite, "source");
    assert_string_equal(json_find_text(suite, "slug"), "usr-pytest");
    assert_string_equal(json_find_text(suite, "framework"), "pytest");
    assert_string_equal(json_find_text(source, "kind"), "path");
    assert_string_equal(json_find_text(source, "path"), "/usr");
    assert_string_equal(json_string_value(json_array_get(json_object_get(suite, "arguments"), 0)),
                        "tests/");
    assert_int_equal(json_array_size(json_object_get(suite, "command")), 3);
}

static void a_report_decides_how_a_command_is_read(void **state)
{
    static const char *const rows[][2] = {
        {NULL, "none"}, {"build/*.xml", "junit"}, {"out.tap", "tap"}, {"a/*-result.json", "auto"}};
    char *words[] = {(char[]){"make"}, (char[]){"check"}, NULL};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct cli_options options = {
            .rest = words, .rest_count = 2, .has_command = true, .report = rows[i][0]};
        AUTO(json_free) json_t *suite = NULL;
        struct error error;
        assert_int_equal(inline_suite(&options, &suite, &error), 0);
        const char *slug = json_find_text(suite, "slug");
        assert_string_equal(json_find_text(json_object_get(suite, "report"), "format"), rows[i][1]);
        assert_string_equal(slug + strlen(slug) - strlen("-make"), "-make");
    }
}

static void a_folder_that_is_not_there_is_named(void **state)
{
    char *words[] = {(char[]){"true"}, NULL};
    struct cli_options options = {
        .rest = words, .rest_count = 1, .has_command = true, .path = "/nonexistent/folder"};
    json_t *suite = NULL;
    struct error error;
    (void)state;
    assert_int_equal(inline_suite(&options, &suite, &error), -1);
    assert_non_null(strstr(error.text, "/nonexistent/folder"));
}

static void a_bundle_is_the_whole_source(void **state)
{
    char *words[] = {(char[]){"true"}, NULL};
    struct cli_options options = {
        .rest = words, .rest_count = 1, .has_command = true, .bundle = "/usr"};
    AUTO(json_free) json_t *suite = NULL;
    json_t *none = NULL;
    struct error error;
    (void)state;

    assert_int_equal(inline_suite(&options, &suite, &error), 0);

    AUTO(json_free) json_t *expected = json_pack("{s:s}", "kind", "bundle");
    assert_string_equal(json_find_text(suite, "slug"), "usr-true");
    assert_true(json_equal(json_object_get(suite, "source"), expected));
    options.path = "/usr/bin";
    assert_int_equal(inline_suite(&options, &none, &error), -1);
    assert_non_null(strstr(error.text, "--bundle goes without --path"));
}

static void a_suite_lies_inside_its_bundle(void **state)
{
    static const struct {
        const char *source, *inside; /* NULL: the whole of it; "": it is refused */
    } rows[] = {
        {"{'kind': 'path', 'path': '/usr'}", NULL},
        {"{'kind': 'path', 'path': '/usr/bin'}", "bin"},
        {"{'kind': 'path', 'path': '/usr/share/x y'}", "share/x y"},
        {"{'kind': 'path', 'path': '/usrx'}", ""},
        {"{'kind': 'path', 'path': '/etc'}", ""},
        {"{'kind': 'git', 'url': 'https://x/y.git', 'ref': 'main'}", NULL},
        {"{'kind': 'git', 'url': 'https://x/y.git', 'path': 'tests'}", "tests"},
    };
    const struct cli_options options = {.bundle = "/usr/bin/.."};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AUTO(text_free) char *text = xstrdup(rows[i].source);
        AUTO(json_free) json_t *given = NULL, *source = NULL;
        struct error error;
        for (char *c = text; *c != '\0'; c++)
            *c = *c == '\'' ? '"' : *c;
        assert_int_equal(json_parse(text, strlen(text), &given, &error), 0);
        bool is_refused = rows[i].inside != NULL && rows[i].inside[0] == '\0';
        assert_int_equal(bundle_source(&options, given, &source, &error), is_refused ? -1 : 0);
        if (is_refused)
            continue;
        AUTO(json_free)
        json_t *expected = json_pack("{s:s, s:s*}", "kind", "bundle", "path", rows[i].inside);
        assert_true(json_equal(source, expected));
    }
}

static void slugs_are_made_of_anything(void **state)
{
    static const char *const rows[][2] = {{"My Shop", "my-shop"}, {"shop", "shop"},
                                          {"--a__b--", "a-b"},    {"été", "t"},
                                          {"", "suite"},          {"...", "suite"}};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AUTO(text_free) char *slug = slug_from(rows[i][0]);
        assert_string_equal(slug, rows[i][1]);
    }
}

static void a_repository_gives_its_project_its_name(void **state)
{
    struct cli_options options = {.git = "https://git.example/team/My-Shop.git"};
    (void)state;
    AUTO(text_free) char *project = inline_project(&options);
    assert_string_equal(project, "my-shop");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_not_said_is_left_out),
        cmocka_unit_test(options_win_over_ci),
        cmocka_unit_test(parameters_and_policy_go_along),
        cmocka_unit_test(a_parameter_without_a_value_is_refused),
        cmocka_unit_test(frameworks_are_guessed_from_commands),
        cmocka_unit_test(an_inline_suite_says_where_and_what),
        cmocka_unit_test(a_bundle_is_the_whole_source),
        cmocka_unit_test(a_suite_lies_inside_its_bundle),
        cmocka_unit_test(a_report_decides_how_a_command_is_read),
        cmocka_unit_test(a_folder_that_is_not_there_is_named),
        cmocka_unit_test(slugs_are_made_of_anything),
        cmocka_unit_test(a_repository_gives_its_project_its_name),
    };
    return cmocka_run_group_tests_name("verdict run", tests, NULL, NULL);
}
