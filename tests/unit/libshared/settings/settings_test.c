/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/names.h"
#include "settings/settings.h"

static const char *const colour_list[] = {"red", "green"};
static const struct names colours = NAMES("colour", colour_list);

struct example {
    char *text, *secret;
    int64_t slots, heartbeat_ms;
    bool flag;
    int colour;
    struct listen_address listen;
};

#define AT(member) offsetof(struct example, member)
static const struct setting list[] = {
    {"T_TEXT", SETTING_TEXT, AT(text), "fallback", 0, 8, NULL, "a text"},
    {"T_SECRET", SETTING_SECRET, AT(secret), NULL, 0, 0, NULL, "a secret"},
    {"T_SLOTS", SETTING_INT, AT(slots), "2", 1, 256, NULL, "slots"},
    {"T_HEARTBEAT", SETTING_DURATION, AT(heartbeat_ms), "5s", 100, 60000, NULL, "heartbeat"},
    {"T_FLAG", SETTING_BOOL, AT(flag), "false", 0, 0, NULL, "a flag"},
    {"T_COLOUR", SETTING_ENUM, AT(colour), "red", 0, 0, &colours, "a colour"},
    {"T_LISTEN", SETTING_LISTEN, AT(listen), "127.0.0.1:8080", 0, 0, NULL, "where"},
};
static const struct settings_table table = SETTINGS(list);

static int forget(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
        AUTO(text_free) char *file = xasprintf("%s_FILE", list[i].name);
        unsetenv(list[i].name);
        unsetenv(file);
    }
    return 0;
}

/* Status of loading; the problems are the caller's. */
static int load(struct example *example, char **problems_r)
{
    size_t length;
    FILE *problems = open_memstream(problems_r, &length);
    *example = (struct example){.text = NULL};
    int status = settings_load(&table, example, problems);
    fclose(problems);
    return status;
}

static void what_is_not_set_has_its_default(void **state)
{
    AUTO(text_free) char *problems = NULL;
    struct example example;
    (void)state;
    setenv("T_SECRET", "s", 1);

    assert_int_equal(load(&example, &problems), 0);

    assert_string_equal(problems, "");
    assert_string_equal(example.text, "fallback");
    assert_int_equal(example.slots, 2);
    assert_int_equal(example.heartbeat_ms, 5000);
    assert_false(example.flag);
    assert_int_equal(example.colour, 0);
    assert_string_equal(example.listen.host, "127.0.0.1");
    assert_int_equal(example.listen.port, 8080);
    settings_free(&table, &example);
}

static void what_is_set_is_read_by_its_type(void **state)
{
    AUTO(text_free) char *problems = NULL;
    struct example example;
    (void)state;
    setenv("T_SECRET", "s", 1);
    setenv("T_TEXT", "other", 1);
    setenv("T_SLOTS", "256", 1);
    setenv("T_HEARTBEAT", "250ms", 1);
    setenv("T_FLAG", "YES", 1);
    setenv("T_COLOUR", "green", 1);
    setenv("T_LISTEN", "[::1]:9", 1);

    assert_int_equal(load(&example, &problems), 0);

    assert_string_equal(example.text, "other");
    assert_int_equal(example.slots, 256);
    assert_int_equal(example.heartbeat_ms, 250);
    assert_true(example.flag);
    assert_int_equal(example.colour, 1);
    assert_string_equal(example.listen.host, "::1");
    assert_int_equal(example.listen.port, 9);
    settings_free(&table, &example);
}

static void all_wrong_ones_are_named_at_once_with_their_bounds(void **state)
{
    AUTO(text_free) char *problems = NULL;
    struct example example;
    static const char *const expected[] = {
        "T_TEXT",   "8 bytes", "T_SECRET is missing", "T_SLOTS",  "256",        "T_HEARTBEAT",
        "60000 ms", "T_FLAG",  "true or false",       "T_COLOUR", "red, green", "T_LISTEN",
        "65535"};
    (void)state;
    setenv("T_TEXT", "much too long", 1);
    setenv("T_SLOTS", "257", 1);
    setenv("T_HEARTBEAT", "2h", 1);
    setenv("T_FLAG", "perhaps", 1);
    setenv("T_COLOUR", "blue", 1);
    setenv("T_LISTEN", "localhost", 1);

    assert_int_equal(load(&example, &problems), -1);

    for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
        if (strstr(problems, expected[i]) == NULL)
            fail_msg("%s is not in: %s", expected[i], problems);
    settings_free(&table, &example);
}

static void a_secret_is_read_from_its_file(void **state)
{
    char path[] = "/tmp/verdict-secret-XXXXXX";
    AUTO(text_free) char *problems = NULL;
    struct example example;
    (void)state;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "hush\n", 5), 5);
    close(fd);
    setenv("T_SECRET_FILE", path, 1);

    assert_int_equal(load(&example, &problems), 0);

    assert_string_equal(example.secret, "hush");
    settings_free(&table, &example);
    unlink(path);
}

static void a_secret_that_is_given_twice_is_refused(void **state)
{
    AUTO(text_free) char *problems = NULL;
    struct example example;
    (void)state;
    setenv("T_SECRET", "s", 1);
    setenv("T_SECRET_FILE", "/nonexistent", 1);

    assert_int_equal(load(&example, &problems), -1);

    assert_non_null(strstr(problems, "twice"));
    settings_free(&table, &example);
}

static void a_file_that_is_not_there_is_named(void **state)
{
    AUTO(text_free) char *problems = NULL;
    struct example example;
    (void)state;
    setenv("T_SECRET_FILE", "/nonexistent/secret", 1);

    assert_int_equal(load(&example, &problems), -1);

    assert_non_null(strstr(problems, "/nonexistent/secret"));
    settings_free(&table, &example);
}

static void help_tells_every_setting_and_no_secret(void **state)
{
    AUTO(text_free) char *text = NULL;
    size_t length;
    (void)state;
    setenv("T_SECRET", "do-not-print", 1);
    FILE *out = open_memstream(&text, &length);
    settings_print_help(&table, out);
    settings_print_markdown(&table, out);
    fclose(out);
    for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
        assert_non_null(strstr(text, list[i].name));
        assert_non_null(strstr(text, list[i].text));
    }
    assert_non_null(strstr(text, "required"));
    assert_null(strstr(text, "do-not-print"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_is_not_set_has_its_default, forget),
        cmocka_unit_test_setup(what_is_set_is_read_by_its_type, forget),
        cmocka_unit_test_setup(all_wrong_ones_are_named_at_once_with_their_bounds, forget),
        cmocka_unit_test_setup(a_secret_is_read_from_its_file, forget),
        cmocka_unit_test_setup(a_secret_that_is_given_twice_is_refused, forget),
        cmocka_unit_test_setup(a_file_that_is_not_there_is_named, forget),
        cmocka_unit_test_setup(help_tells_every_setting_and_no_secret, forget),
    };
    return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
