/* SPDX-License-Identifier: Apache-2.0 */
/* What of a numbered stream is new? */
#include "stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/memory.h"

static void numbers_alone_say_what_is_new(void **state)
{
    static const struct {
        int64_t received, first_seq;
        size_t count;
        enum stream_news news;
        size_t known;
    } cases[] = {
        {0, 1, 3, STREAM_NEW, 0},        /* the beginning */
        {3, 4, 1, STREAM_NEW, 0},        /* goes on */
        {3, 1, 3, STREAM_DUPLICATE, 0},  /* sent again */
        {3, 2, 1, STREAM_DUPLICATE, 0},  /* a part sent again */
        {3, 2, 5, STREAM_NEW, 2},        /* overlaps */
        {3, 5, 2, STREAM_GAP, 0},        /* 4 is missing */
        {0, 2, 1, STREAM_GAP, 0},        /* its beginning is missing */
        {0, INT64_MAX, 1, STREAM_GAP, 0} /* absurd, and no overflow */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct stream stream = {.received = cases[i].received};
        size_t known = 0;
        assert_int_equal(stream_judge(&stream, cases[i].first_seq, cases[i].count, &known),
                         cases[i].news);
        assert_int_equal(known, cases[i].known);
    }
}

static void nothing_comes_after_the_end(void **state)
{
    struct stream stream = {.received = 6};
    size_t known;
    (void)state;
    stream_advance(&stream, true);
    assert_int_equal(stream.received, 7);
    assert_int_equal(stream_judge(&stream, 8, 1, &known), STREAM_DUPLICATE);
    assert_int_equal(stream_judge(&stream, 20, 1, &known), STREAM_DUPLICATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_alone_say_what_is_new),
        cmocka_unit_test(nothing_comes_after_the_end),
    };
    return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
