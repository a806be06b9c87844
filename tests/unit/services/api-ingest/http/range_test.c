/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "http/range.h"

static void a_part_never_reaches_beyond_what_there_is(void **state)
{
    static const struct {
        const char *header;
        int64_t size, first, length;
    } parts[] = {
        {"bytes=0-0", 10, 0, 1},
        {"bytes=2-4", 10, 2, 3},
        {"Bytes=9-", 10, 9, 1},
        {"bytes=3-99", 10, 3, 7},
        {"bytes=-4", 10, 6, 4},
        {"bytes=-99", 10, 0, 10},
        {"bytes=0-9223372036854775807", 10, 0, 10},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        int64_t first = -1, length = -1;
        assert_int_equal(range_read(parts[i].header, parts[i].size, &first, &length), RANGE_PART);
        assert_int_equal(first, parts[i].first);
        assert_int_equal(length, parts[i].length);
    }
}

static void where_nothing_is_there_is_beyond(void **state)
{
    int64_t first, length;
    (void)state;
    assert_int_equal(range_read("bytes=10-", 10, &first, &length), RANGE_BEYOND);
    assert_int_equal(range_read("bytes=-0", 10, &first, &length), RANGE_BEYOND);
    assert_int_equal(range_read("bytes=0-", 0, &first, &length), RANGE_BEYOND);
    assert_int_equal(range_read("bytes=-5", 0, &first, &length), RANGE_BEYOND);
}

static void what_is_no_range_means_all(void **state)
{
    static const char *const headers[] = {
        "",          "bytes",      "bytes=",     "bytes=-",       "bytes=4-2",
        "bytes=1",   "bytes=a-b",  "lines=0-1",  "bytes=0-1,3-4", "bytes=--1",
        "bytes=1-x", "bytes= 1-2", "bytes=1-2 ", "bytes=+1-",     "bytes=0-99999999999999999999",
    };
    int64_t first, length;
    (void)state;
    assert_int_equal(range_read(NULL, 10, &first, &length), RANGE_WHOLE);
    for (size_t i = 0; i < ARRAY_SIZE(headers); i++)
        assert_int_equal(range_read(headers[i], 10, &first, &length), RANGE_WHOLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_never_reaches_beyond_what_there_is),
        cmocka_unit_test(where_nothing_is_there_is_beyond),
        cmocka_unit_test(what_is_no_range_means_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
