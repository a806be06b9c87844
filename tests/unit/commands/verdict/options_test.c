/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/memory.h"
#include "options.h"

#define WORDS_MAX 16

/* Splits at blanks; argv keeps pointing into line. */
static int parse(char *line, struct cli_options *options, const struct cli_command **command,
                 char *argv[WORDS_MAX], struct error *error)
{
    int argc = 0;
    *options = (struct cli_options){.priority = -1};
    for (char *word = strtok(line, " "); word != NULL; word = strtok(NULL, " "))
        argv[argc++] = word;
    argv[argc] = NULL;
    return options_parse(argc, argv, options, command, error);
}

static void what_was_said_is_understood(void **state)
{
    char line[] =
        "verdict run --template nightly --build=1.4.2 --param A=1 --param B=2 --timeout 5m "
        "--priority 80 --allow-empty -f ci/verdict.yaml";
    char *argv[WORDS_MAX + 4];
    struct cli_options options;
    const struct cli_command *command;
    struct error error;
    (void)state;

    assert_int_equal(parse(line, &options, &command, argv, &error), 0);

    assert_string_equal(command->words, "run");
    assert_string_equal(options.template, "nightly");
    assert_string_equal(options.build, "1.4.2");
    assert_string_equal(options.file, "ci/verdict.yaml");
    assert_int_equal(options.parameters.count, 2);
    assert_string_equal(options.parameters.list[1], "B=2");
    assert_int_equal(options.timeout_ms, 300000);
    assert_int_equal(options.priority, 80);
    assert_true(options.allow_empty);
    assert_false(options.has_command);
    options_deinit(&options);
}

static void a_command_keeps_its_own_options(void **state)
{
    char line[] = "verdict run --project shop -- pytest -x --timeout soon tests/";
    char *argv[WORDS_MAX];
    struct cli_options options;
    const struct cli_command *command;
    struct error error;
    (void)state;

    assert_int_equal(parse(line, &options, &command, argv, &error), 0);

    assert_true(options.has_command);
    assert_int_equal(options.rest_count, 5);
    assert_string_equal(options.rest[0], "pytest");
    assert_string_equal(options.rest[4], "tests/");
    assert_string_equal(options.project, "shop");
    assert_int_equal(options.timeout_ms, 0);
}

static void options_may_stand_behind_arguments(void **state)
{
    char line[] = "verdict results 12 --status failed";
    char *argv[WORDS_MAX];
    struct cli_options options;
    const struct cli_command *command;
    struct error error;
    (void)state;

    assert_int_equal(parse(line, &options, &command, argv, &error), 0);

    assert_string_equal(options.rest[0], "12");
    assert_string_equal(options.status, "failed");
}

static void commands_of_two_words_are_found(void **state)
{
    char line[] = "verdict token revoke 0190";
    char *argv[WORDS_MAX];
    struct cli_options options;
    const struct cli_command *command;
    struct error error;
    (void)state;

    assert_int_equal(parse(line, &options, &command, argv, &error), 0);

    assert_string_equal(command->words, "token revoke");
    assert_string_equal(options.rest[0], "0190");
}

static void files_are_uploaded_as_many_as_there_are(void **state)
{
    char line[] = "verdict upload --run 42 --complete --variant arm64 one.xml -";
    char *argv[WORDS_MAX];
    struct cli_options options;
    const struct cli_command *command;
    struct error error;
    (void)state;

    assert_int_equal(parse(line, &options, &command, argv, &error), 0);

    assert_string_equal(options.run, "42");
    assert_true(options.complete);
    assert_string_equal(options.variant, "arm64");
    assert_int_equal(options.rest_count, 2);
    assert_string_equal(options.rest[1], "-");
}

static void wrong_usage_is_named(void **state)
{
    static const char *const rows[][2] = {
        {"verdict", "nothing"},
        {"verdict nonsense", "nonsense"},
        {"verdict token", "token"},
        {"verdict wait", "RUN"},
        {"verdict wait 1 2", "2"},
        {"verdict show", "RUN"},
        {"verdict worker list extra", "extra"},
        {"verdict wait 1 --timeout soon", "--timeout"},
        {"verdict wait 1 --timeout", "--timeout"},
        {"verdict wait 1 --nonsense", "--nonsense"},
        {"verdict wait 1 --template x", "--template"},
        {"verdict run --priority 101", "--priority"},
        {"verdict run pytest tests/", "--"},
        {"verdict run nightly -- pytest", "nightly"},
        {"verdict run --project shop nightly -- pytest -x", "nightly"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AUTO(text_free) char *line = xstrdup(rows[i][0]);
        char *argv[WORDS_MAX];
        struct cli_options options;
        const struct cli_command *command;
        struct error error;
        if (parse(line, &options, &command, argv, &error) == 0)
            fail_msg("%s was taken", rows[i][0]);
        assert_string_equal(error.code, "usage");
        if (strstr(error.text, rows[i][1]) == NULL || strstr(error.text, "usage:") == NULL)
            fail_msg("%s: %s", rows[i][0], error.text);
        options_deinit(&options);
    }
}

static void every_command_is_described_and_takes_known_options(void **state)
{
    (void)state;
    for (size_t i = 0; i < cli_commands_count; i++) {
        const struct cli_command *command = &cli_commands[i];
        AUTO(text_free) char *names = xstrdup(command->options);
        char *rest = NULL;
        assert_true(strlen(command->text) > 0);
        assert_non_null(command->run);
        for (char *name = strtok_r(names, " ", &rest); name != NULL;
             name = strtok_r(NULL, " ", &rest)) {
            /* An option that is there may lack its value, but it is known. */
            AUTO(text_free) char *line = xasprintf("verdict %s --%s", command->words, name);
            char *argv[WORDS_MAX];
            struct cli_options options;
            const struct cli_command *found;
            struct error error = {.text = ""};
            (void)!parse(line, &options, &found, argv, &error);
            assert_null(strstr(error.text, "no such option"));
            assert_null(strstr(error.text, "is no option"));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_said_is_understood),
        cmocka_unit_test(a_command_keeps_its_own_options),
        cmocka_unit_test(options_may_stand_behind_arguments),
        cmocka_unit_test(commands_of_two_words_are_found),
        cmocka_unit_test(files_are_uploaded_as_many_as_there_are),
        cmocka_unit_test(wrong_usage_is_named),
        cmocka_unit_test(every_command_is_described_and_takes_known_options),
    };
    return cmocka_run_group_tests_name("verdict options", tests, NULL, NULL);
}
