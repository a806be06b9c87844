/* SPDX-License-Identifier: Apache-2.0 */
/* How a selector is read as a case's identity, and when two have one key. */
#include "model/frameworks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/memory.h"

static const struct {
    const char *framework, *selector, *identity; /* file|class|name|parameters */
} selectors[] = {
    {"pytest", "test_a.py::test_x", "test_a.py|test_a|test_x|"},
    {"pytest", "tests/deep/test_a.py::test_x", "tests/deep/test_a.py|tests.deep.test_a|test_x|"},
    {"pytest", "test_a.py::TestA::TestB::test_x", "test_a.py|test_a.TestA.TestB|test_x|"},
    {"pytest", "test_a.py::test_x[1-two]", "test_a.py|test_a|test_x|1-two"},
    {"pytest", "test_a.py::test_x[a::b]", "test_a.py|test_a|test_x|a::b"},
    {"pytest", "test_a.py::T::test_x[a/b.py::c[0]]", "test_a.py|test_a.T|test_x|a/b.py::c[0]"},
    {"pytest", "features/shop.feature::buys", "features/shop.feature|features.shop.feature|buys|"},
    {"pytest", "test_x", "||test_x|"},
    {"pytest", "", "|||"},
    {"cmocka", "group.test", "|group|test|"},
    {"cmocka", "group.test.more", "|group|test.more|"},
    {"cmocka", "test", "||test|"},
    {"ctest", "unit.a::b[1]", "||unit.a::b[1]|"},
    {"go-test", "example.com/calc TestAdd/two[1]", "|example.com/calc|TestAdd/two[1]|"},
    {"go-test", "TestAdd", "||TestAdd|"},
    {"jest", "test/a.test.js > sum > adds", "test/a.test.js|test/a.test.js|sum > adds|"},
    {"jest", "test/a.test.js", "test/a.test.js|test/a.test.js|test/a.test.js|"},
    {"vitest", "[dom] a.test.ts > adds [1]", "a.test.ts|a.test.ts|adds [1]|dom"},
    {"vitest", "[id].test.ts > adds", "[id].test.ts|[id].test.ts|adds|"},
    {"playwright", "[api] › a.spec.ts › shop › a > b", "a.spec.ts|a.spec.ts|shop › a > b|api"},
    {"surefire", "org.x.CalcTest$Deep#adds", "|org.x.CalcTest$Deep|adds|"},
    {"surefire", "org.x.CalcTest#adds(int, int)[1]", "|org.x.CalcTest|adds(int, int)|1"},
    {"nextest", "calc tests::adds", "|calc|tests::adds|"},
    {"nextest", "my-calc::my_calc tests::adds", "|my-calc|tests::adds|"},
    {"nextest", "calc::whole adds", "|calc::whole|adds|"},
    {"nextest", "calc::bin/tool adds", "|calc::tool|adds|"},
    {"nextest", "calc::bin/calc adds", "|calc|adds|"},
    {"nextest", "calc::calculator adds", "|calc::calculator|adds|"},
    {"nextest", "adds", "||adds|"},
    {"prove", "t/a.t > adds", "t/a.t|t/a.t|adds|"},
    {"command", "anything at all", "||anything at all|"},
};

static void a_selector_is_read_as_its_framework_writes_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(selectors); i++) {
        AUTO(text_free) char *file = NULL, *class = NULL, *name = NULL, *parameters = NULL;
        const struct framework_facts *framework = framework_find(selectors[i].framework);
        assert_non_null(framework);

        framework->read_selector(selectors[i].selector, &file, &class, &name, &parameters);

        AUTO(text_free)
        char *identity = xasprintf("%s|%s|%s|%s", file, class, name, parameters);
        assert_string_equal(identity, selectors[i].identity);
    }
}

static void a_case_of_a_report_is_selected_by_what_reads_as_its_key(void **state)
{
    static const struct {
        const char *framework, *file, *class, *name, *parameters, *selector;
        int ordinal;
    } rows[] = {
        {"pytest", "t/test_a.py", "t.test_a", "test_x", "", "t/test_a.py::test_x", 0},
        {"pytest", "test_a.py", "test_a.TestA.TestB", "test_x", "1-b.c",
         "test_a.py::TestA::TestB::test_x[1-b.c]", 0},
        {"pytest", "a.feature", "a.feature", "buys", "", "a.feature::buys", 0},
        {"pytest", "test_a.py", "test_a", "test_x", "", NULL, 1},
        {"pytest", "", "test_a", "test_x", "", NULL, 0},
        {"pytest", "test_a.py", "other.test_a", "test_x", "", NULL, 0},
        {"pytest", "test_a.py", "test_a", "test_x", "a\nb", NULL, 0},
        {"ctest", "", "", "unit", "", "unit", 0},
        {"ctest", "", "group", "unit", "", NULL, 0},
        {"cmocka", "", "group", "test", "", NULL, 0},
        {"go-test", "", "example.com/calc", "TestAdd/a", "", "example.com/calc TestAdd/a", 0},
        {"go-test", "", "example.com/calc", "(package)", "", NULL, 0},
        {"jest", "a.js", "a.js", "sum > adds", "", "a.js > sum > adds", 0},
        {"jest", "a.js", "a.js", "sum > adds", "", NULL, 1},
        {"vitest", "a.js", "a.js", "adds", "dom", "[dom] a.js > adds", 0},
        {"vitest", "a.js", "a.js", "a.js", "", "a.js", 0},
        {"vitest", "a.js", "a.js", "sum > (group)", "", NULL, 0},
        {"vitest", "a.js", "a.js", "carries (not)", "", "a.js > carries (not)", 0},
        {"vitest", "(unhandled errors)", "(unhandled errors)", "(unhandled errors)", "", NULL, 0},
        {"playwright", "a.js", "a.js", "x › y", "api", "[api] › a.js › x › y", 0},
        {"playwright", "(errors)", "(errors)", "(errors)", "", NULL, 0},
        {"surefire", "", "org.x.CalcTest", "adds(int)", "2", "org.x.CalcTest#adds(int)[2]", 0},
        {"surefire", "", "org.x.CalcTest", "(no name)", "", NULL, 0},
        {"surefire", "", "org.x.CalcTest", "adds, and more", "", NULL, 0},
        {"surefire", "", "org.x.CalcTest", "a+b", "", NULL, 0},
        {"surefire", "", "org.x.CalcTest", "adds(int, int)", "", "org.x.CalcTest#adds(int, int)",
         0},
        {"nextest", "", "calc::whole", "adds", "", "calc::whole adds", 0},
        {"prove", "t/a.t", "t/a.t", "adds", "", "t/a.t > adds", 0},
        {"command", "", "", "true", "", NULL, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct framework_facts *framework = framework_find(rows[i].framework);
        const struct case_key key =
            framework_case_key(framework, "unit", rows[i].file, rows[i].class, rows[i].name,
                               rows[i].parameters, rows[i].ordinal);

        AUTO(text_free)
        char *selector = framework_selector(framework, "unit", key.hex, rows[i].file, rows[i].class,
                                            rows[i].name, rows[i].parameters);

        if (rows[i].selector == NULL)
            assert_null(selector);
        else
            assert_string_equal(selector, rows[i].selector);
    }
}

static void the_list_names_each_framework(void **state)
{
    AUTO(text_free) char *list = xstrdup("");
    (void)state;

    for (int i = 0; framework_at(i) != NULL; i++) {
        char *longer = xasprintf("%s%s%s", list, i == 0 ? "" : ", ", framework_at(i)->name);
        free(list);
        list = longer;
        assert_ptr_equal(framework_find(framework_at(i)->name), framework_at(i));
    }

    assert_string_equal(list, framework_list());
    assert_null(framework_at(-1));
    assert_null(framework_find("nose"));
}

static bool same_key(const char *framework, const char *file, const char *other_file)
{
    const struct framework_facts *facts = framework_find(framework);
    struct case_key a = framework_case_key(facts, "suite", file, "class", "name", "", 0);
    struct case_key b = framework_case_key(facts, "suite", other_file, "class", "name", "", 0);
    return strcmp(a.hex, b.hex) == 0;
}

static void the_file_counts_where_the_class_does_not_name_it(void **state)
{
    (void)state;
    assert_true(same_key("pytest", "a.py", ""));
    assert_true(same_key("cmocka", "a.c", "b.c"));
    assert_false(same_key("command", "a.xml", "b.xml"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_selector_is_read_as_its_framework_writes_it),
        cmocka_unit_test(a_case_of_a_report_is_selected_by_what_reads_as_its_key),
        cmocka_unit_test(the_list_names_each_framework),
        cmocka_unit_test(the_file_counts_where_the_class_does_not_name_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
