/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "output.h"

static void a_text_is_cut_at_columns_and_between_characters(void **state)
{
    static const struct {
        const char *text;
        int columns;
        size_t bytes;
    } cases[] = {
        {"queued", 10, 6}, {"queued", 6, 6}, {"queued", 3, 3},   {"queued", 0, 0}, {"", 5, 0},
        {"é…→x", 3, 8},    {"é…→x", 2, 5},   {"テスト", 4, 6},   {"テスト", 5, 6}, {"テスト", 1, 0},
        {"🙂a", 2, 4},   {"🙂a", 1, 0},  {"\xE3\x83", 2, 2}, {"\xF0", 2, 1},   {"a\xC3", 2, 2},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(columns_cut(cases[i].text, cases[i].columns), cases[i].bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_cut_at_columns_and_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
