/* SPDX-License-Identifier: Apache-2.0 */
/* A buffer grows up to its bound, and no byte further. */
#include "base/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/memory.h"

static void what_fits_exactly_fits(void **state)
{
    AUTO(buffer_deinit) struct buffer buffer;
    struct error error;
    (void)state;
    buffer_init(&buffer, 6);

    buffer_add_text(&buffer, "abc");
    buffer_addf(&buffer, "%d", 123);

    assert_string_equal(buffer_text(&buffer), "abc123");
    assert_int_equal(buffer_check(&buffer, "it", &error), 0);
}

static void what_does_not_fit_is_left_out_as_a_whole_and_marked(void **state)
{
    AUTO(buffer_deinit) struct buffer buffer;
    struct error error;
    (void)state;
    buffer_init(&buffer, 6);

    buffer_add_text(&buffer, "abc");
    buffer_add_text(&buffer, "defg");
    buffer_add_text(&buffer, "hij"); /* would fit: the mark stays all the same */

    assert_string_equal(buffer_text(&buffer), "abchij");
    assert_int_equal(buffer_check(&buffer, "the answer", &error), -1);
    assert_non_null(strstr(error.text, "the answer is larger than 6 bytes"));
}

static void clearing_forgets_the_overflow(void **state)
{
    AUTO(buffer_deinit) struct buffer buffer;
    (void)state;
    buffer_init(&buffer, 2);
    buffer_add_text(&buffer, "abc");

    buffer_clear(&buffer);
    buffer_add_text(&buffer, "ab");

    assert_false(buffer.overflowed);
    assert_string_equal(buffer_text(&buffer), "ab");
}

static void an_empty_buffer_is_an_empty_text(void **state)
{
    AUTO(buffer_deinit) struct buffer buffer;
    (void)state;
    buffer_init(&buffer, 2);

    assert_string_equal(buffer_text(&buffer), "");
    AUTO(text_free) char *taken = buffer_take(&buffer);
    assert_string_equal(taken, "");
}

static void bytes_are_kept_over_every_growth(void **state)
{
    AUTO(buffer_deinit) struct buffer buffer;
    (void)state;
    buffer_init(&buffer, 100000);

    for (int i = 0; i < 100000; i++)
        buffer_add_char(&buffer, (char)(i % 7));

    assert_int_equal(buffer.length, 100000);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(buffer.data[i], i % 7);
    assert_false(buffer.overflowed);
}

static void the_front_is_taken_away_and_room_comes_back(void **state)
{
    AUTO(buffer_deinit) struct buffer buffer;
    (void)state;
    buffer_init(&buffer, 6);
    buffer_add_text(&buffer, "abcdef");

    buffer_remove_front(&buffer, 4);
    buffer_add_text(&buffer, "ghij");

    assert_string_equal(buffer_text(&buffer), "efghij");
    assert_false(buffer.overflowed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fits_exactly_fits),
        cmocka_unit_test(what_does_not_fit_is_left_out_as_a_whole_and_marked),
        cmocka_unit_test(clearing_forgets_the_overflow),
        cmocka_unit_test(an_empty_buffer_is_an_empty_text),
        cmocka_unit_test(bytes_are_kept_over_every_growth),
        cmocka_unit_test(the_front_is_taken_away_and_room_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
