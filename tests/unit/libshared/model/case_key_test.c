/* SPDX-License-Identifier: Apache-2.0 */
/* Case keys outlive versions of Verdict: these values, computed by another BLAKE2b, never change while
 * CASE_KEY_VERSION is 1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/memory.h"
#include "model/frameworks.h"

static void keys_are_what_they_have_always_been(void **state)
{
    static const struct {
        struct case_identity identity;
        const char *hex;
    } rows[] = {
        {{.suite = "", .name = ""}, "def0b2fc375d1341664b3384ad8b72ed"},
        {{.suite = "shop", .name = "test_add"}, "30da06968a405a0c97de5232f8f19833"},
        {{.suite = "shop", .class = "tests.test_cart", .name = "test_add", .parameters = "1-2"},
         "cece715dc57bca011c6b0133fa6a8b05"},
        {{.suite = "shop",
          .class = "tests.test_cart",
          .name = "test_add",
          .parameters = "1-2",
          .ordinal = 2},
         "5623aa64a3ff0fccb1ecaa81a83330d7"},
        {{.suite = "shop", .file = "a/b.py", .class = "tests.test_cart", .name = "prüfe ✓"},
         "19fba0f49e185596a317d7275a33d570"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_string_equal(case_key_make(&rows[i].identity).hex, rows[i].hex);
}

static void parts_do_not_run_into_each_other(void **state)
{
    struct case_key one =
        case_key_make(&(struct case_identity){.suite = "s", .class = "ab", .name = "c"});
    struct case_key other =
        case_key_make(&(struct case_identity){.suite = "s", .class = "a", .name = "bc"});
    (void)state;
    assert_string_not_equal(one.hex, other.hex);
}

static void the_first_of_a_name_has_no_ordinal(void **state)
{
    struct case_identity identity = {.suite = "s", .name = "n"};
    struct case_key alone = case_key_make(&identity);
    (void)state;
    identity.ordinal = 1;
    assert_string_not_equal(case_key_make(&identity).hex, alone.hex);
}

static void keys_are_read_in_either_case(void **state)
{
    struct case_key key;
    struct error error;
    (void)state;
    assert_int_equal(case_key_parse("ABCDEF0123456789abcdef0123456789", &key, &error), 0);
    assert_string_equal(key.hex, "abcdef0123456789abcdef0123456789");
    assert_int_equal(case_key_parse("abc", &key, &error), -1);
    assert_int_equal(case_key_parse("xbcdef0123456789abcdef0123456789", &key, &error), -1);
}

static void names_are_split_at_their_parameters(void **state)
{
    static const char *const rows[][3] = {
        {"test_add[1-2]", "test_add", "1-2"},
        {"test_add", "test_add", ""},
        {"test[a[b]]", "test", "a[b]"},
        {"[x]", "[x]", ""},
        {"a[b]c", "a[b]c", ""},
        {"t[]", "t", ""},
        {"", "", ""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AUTO(text_free) char *name = NULL, *parameters = NULL;
        case_name_split(rows[i][0], &name, &parameters);
        assert_string_equal(name, rows[i][1]);
        assert_string_equal(parameters, rows[i][2]);
    }
}

static void selectors_are_read_as_reports_name_cases(void **state)
{
    static const char *const rows[][6] = {
        {"pytest", "tests/test_a.py::TestX::test_y[1-2]", "tests/test_a.py", "tests.test_a.TestX",
         "test_y", "1-2"},
        {"pytest", "tests/test_a.py::test_y", "tests/test_a.py", "tests.test_a", "test_y", ""},
        {"pytest", "test_a.py::A::B::test_y", "test_a.py", "test_a.A.B", "test_y", ""},
        {"pytest", "test_a.py::test_y[a::b]", "test_a.py", "test_a", "test_y", "a::b"},
        {"pytest", "test_a.py", "", "", "test_a.py", ""},
        {"ctest", "unit.a[1]", "", "", "unit.a[1]", ""},
        {"cmocka", "group.test", "", "group", "test", ""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AUTO(text_free) char *file = NULL, *class = NULL, *name = NULL, *parameters = NULL;
        framework_find(rows[i][0])->read_selector(rows[i][1], &file, &class, &name, &parameters);
        assert_string_equal(file, rows[i][2]);
        assert_string_equal(class, rows[i][3]);
        assert_string_equal(name, rows[i][4]);
        assert_string_equal(parameters, rows[i][5]);
    }
}

static void the_file_of_a_framework_with_modules_is_for_people_only(void **state)
{
    const struct framework_facts *pytest = framework_find("pytest");
    const struct framework_facts *command = framework_find("command");
    struct case_key one, other;
    (void)state;

    one = framework_case_key(pytest, "s", "a.py", "tests.a", "n", "", 0);
    other = framework_case_key(pytest, "s", "./a.py", "tests.a", "n", "", 0);
    assert_string_equal(one.hex, other.hex);

    one = framework_case_key(command, "s", "a.js", "", "n", "", 0);
    other = framework_case_key(command, "s", "b.js", "", "n", "", 0);
    assert_string_not_equal(one.hex, other.hex);
}

static void frameworks_are_listed_as_people_are_told(void **state)
{
    const struct framework_facts *framework;
    (void)state;
    for (int i = 0; (framework = framework_at(i)) != NULL; i++) {
        assert_non_null(strstr(framework_list(), framework->name));
        assert_ptr_equal(framework_find(framework->name), framework);
    }
    assert_null(framework_find("nonsense"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_what_they_have_always_been),
        cmocka_unit_test(parts_do_not_run_into_each_other),
        cmocka_unit_test(the_first_of_a_name_has_no_ordinal),
        cmocka_unit_test(keys_are_read_in_either_case),
        cmocka_unit_test(names_are_split_at_their_parameters),
        cmocka_unit_test(selectors_are_read_as_reports_name_cases),
        cmocka_unit_test(the_file_of_a_framework_with_modules_is_for_people_only),
        cmocka_unit_test(frameworks_are_listed_as_people_are_told),
    };
    return cmocka_run_group_tests_name("case keys", tests, NULL, NULL);
}
