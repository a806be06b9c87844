/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/memory.h"
#include "http/cursor.h"

static void a_cursor_can_be_read_again(void **state)
{
    static const char *const texts[] = {"", "a", "01a20d61-ef06-7764-aa5b-63b41552bf28", "12:34"};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        AUTO(text_free) char *cursor = cursor_encode(texts[i]);
        AUTO(text_free) char *text = NULL;
        assert_int_equal(cursor_decode(cursor, &text, NULL), 0);
        assert_string_equal(text, texts[i]);
    }
}

static void what_is_no_cursor_is_refused_by_name(void **state)
{
    static const char *const texts[] = {"?",      "a",    "ab=", "a b c",
                                        "YWJj\n", "AAAA", "_w",  "byt\x80"};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        char *text = NULL;
        struct error error;
        assert_int_equal(cursor_decode(texts[i], &text, &error), -1);
        assert_string_equal(error.field, "cursor");
    }
}

static void numbers_keep_their_bounds(void **state)
{
    static const int64_t max[] = {100, INT64_MAX};
    static const char *const wrong[] = {"",
                                        "7",
                                        "7.",
                                        ".7",
                                        "7.8.9",
                                        "101.1",
                                        "-2.1",
                                        "7.8 ",
                                        "7. 8",

                                        "7.x",
                                        "0x7.8",
                                        "7..8",
                                        "7,8",
                                        "1.9223372036854775808",
                                        "1.9999999999999999999999999"};
    int64_t numbers[2] = {0};
    (void)state;

    assert_int_equal(cursor_numbers("100.9223372036854775807", -1, max, 2, numbers, NULL, NULL), 0);
    assert_int_equal(numbers[0], 100);
    assert_int_equal(numbers[1], INT64_MAX);
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        if (cursor_numbers(wrong[i], -1, max, 2, numbers, NULL, NULL) == 0)
            fail_msg("%s", wrong[i]);
}

static void what_follows_the_numbers_is_text(void **state)
{
    static const int64_t max[] = {100};
    const char *rest = NULL;
    int64_t number = 0;
    (void)state;

    assert_int_equal(cursor_numbers("7.a.b", 0, max, 1, &number, &rest, NULL), 0);
    assert_string_equal(rest, "a.b");
    assert_int_equal(cursor_numbers("7.", 0, max, 1, &number, &rest, NULL), 0);
    assert_string_equal(rest, "");
    assert_int_equal(cursor_numbers("7", 0, max, 1, &number, &rest, NULL), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cursor_can_be_read_again),
        cmocka_unit_test(what_is_no_cursor_is_refused_by_name),
        cmocka_unit_test(numbers_keep_their_bounds),
        cmocka_unit_test(what_follows_the_numbers_is_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
