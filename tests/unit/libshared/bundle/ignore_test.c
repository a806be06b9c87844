/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "bundle/ignore.h"

static void patterns_mean_what_git_says(void **state)
{
    static const struct {
        const char *text, *path;
        bool is_directory, is_ignored;
    } cases[] = {
        {"", "a", false, false},
        {"# a\n\n", "a", false, false},
        {"\\#a", "#a", false, true},
        {"a", "a", false, true},
        {"a", "b/c/a", false, true},
        {"a", "ab", false, false},
        {"/a", "a", false, true},
        {"/a", "b/a", false, false},
        {"a/b", "a/b", false, true},
        {"a/b", "c/a/b", false, false},
        {"a/", "a", true, true},
        {"a/", "a", false, false},
        {"a/", "b/a", true, true},
        {"*.o", "x/y.o", false, true},
        {"x/*.o", "x/y/z.o", false, false},
        {"**/z", "z", false, true},
        {"**/z", "x/y/z", false, true},
        {"x/**/z", "x/z", false, true},
        {"x/**/z", "x/y/y/z", false, true},
        {"x/**", "x/y/z", false, true},
        {"x/**", "x", true, false},
        {"**/a/b", "a/a/b", false, true},
        {"**/**/a", "b/a", false, true},
        {"x/**/y/**/z", "x/y/y/a/z/z", false, true},
        {"x/**/y/**/z", "x/a/z", false, false},
        {"**/a/*/c", "a/b/a/b/c", false, true},
        {"**/a/*/c", "a/b/c/d", false, false},
        {"**", "x", false, true},
        {"[ab].c", "b.c", false, true},
        {"?", "ab", false, false},
        {"a  \r\n", "a", false, true},
        {"a\\ ", "a ", false, true},
        {"*\n!a", "a", false, false},
        {"*\n!a\na", "a", false, true},
        {"\\!a", "!a", false, true},
        {"/", "a", true, false},
        {"!", "a", true, false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        AUTO(ignore_free) struct ignore *ignore = ignore_new(cases[i].text, "", NULL);
        enum ignore_word word = ignore_ask(ignore, cases[i].path, cases[i].is_directory);
        if ((word == IGNORE_LEAVES_OUT) != cases[i].is_ignored)
            fail_msg("\"%s\" of \"%s\"", cases[i].text, cases[i].path);
    }
}

static void a_pattern_of_many_depths_does_not_try_all_ways(void **state)
{
    char pattern[200] = "", path[256] = "";
    (void)state;
    for (int i = 0; i < 30; i++)
        strcat(pattern, "**/a/");
    for (int i = 0; i < 100; i++)
        strcat(path, "a/");
    strcat(pattern, "b");
    strcat(path, "c");
    AUTO(ignore_free) struct ignore *ignore = ignore_new(pattern, "", NULL);

    assert_int_equal(ignore_ask(ignore, path, false), IGNORE_SAYS_NOTHING);
}

static void a_directory_decides_before_those_above_it(void **state)
{
    (void)state;
    AUTO(ignore_free) struct ignore *top = ignore_new("*.log\n/out\n", "", NULL);
    AUTO(ignore_free) struct ignore *below = ignore_new("!kept.log\n/out\n", "a/b", top);

    assert_int_equal(ignore_ask(below, "a/b/kept.log", false), IGNORE_KEEPS);
    assert_int_equal(ignore_ask(below, "a/b/other.log", false), IGNORE_LEAVES_OUT);
    assert_int_equal(ignore_ask(below, "a/b/out", true), IGNORE_LEAVES_OUT);
    assert_int_equal(ignore_ask(below, "a/b/c/out", true), IGNORE_SAYS_NOTHING);
    assert_int_equal(ignore_ask(top, "kept.log", false), IGNORE_LEAVES_OUT);
    assert_int_equal(ignore_ask(NULL, "a", false), IGNORE_SAYS_NOTHING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_mean_what_git_says),
        cmocka_unit_test(a_pattern_of_many_depths_does_not_try_all_ways),
        cmocka_unit_test(a_directory_decides_before_those_above_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
