/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"

static void durations_have_units(void **state)
{
    static const struct {
        const char *text;
        int64_t ms; /* -1: refused */
    } rows[] = {{"250ms", 250},
                {"30s", 30000},
                {"5m", 300000},
                {"2h", 7200000},
                {"7d", 604800000},
                {"10", 10000},
                {"0s", 0},
                {"", -1},
                {"soon", -1},
                {"-1s", -1},
                {"1.5s", -1},
                {"30 s", -1},
                {"15d", -1},
                {"99999999999999999999s", -1},
                {"9223372036854775807h", -1}};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        int64_t ms = -1;
        struct error error;
        int status = duration_parse(rows[i].text, 0, (int64_t)14 * 86400000, &ms, &error);
        if (status != (rows[i].ms < 0 ? -1 : 0) || ms != rows[i].ms)
            fail_msg("%s: %lld", rows[i].text, (long long)ms);
    }
}

static void whole_numbers_keep_their_bounds(void **state)
{
    static const struct {
        const char *text;
        int status;
    } rows[] = {{"1", 0},     {"256", 0},  {"0", -1},
                {"257", -1},  {"", -1},    {"1x", -1},
                {"0x10", -1}, {"1.0", -1}, {"99999999999999999999", -1}};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        int64_t value;
        struct error error;
        assert_int_equal(int_parse(rows[i].text, 1, 256, &value, &error), rows[i].status);
        if (rows[i].status < 0)
            assert_non_null(strstr(error.text, "256"));
    }
}

static void slugs_are_short_and_plain(void **state)
{
    static const char *const good[] = {"a", "shop", "shop-2", "0", "a-b-c"};
    static const char *const bad[] = {"", "-a", "a-", "a--b", "A", "a_b", "ä", "a b", "a/b"};
    AUTO(text_free) char *longest = xcalloc(1, 65);
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        assert_true(slug_is_valid(good[i]));
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_false(slug_is_valid(bad[i]));
    memset(longest, 'a', 63);
    assert_true(slug_is_valid(longest));
    longest[63] = 'a';
    assert_false(slug_is_valid(longest));
}

static void what_is_not_utf8_is_replaced(void **state)
{
#define R "\xef\xbf\xbd"
    static const struct {
        const char *bytes;
        size_t length;
        const char *text;
    } rows[] = {
        {"plain", 5, "plain"},
        {"\xc3\xa9", 2, "\xc3\xa9"},
        {"a\0b", 3, "a" R "b"},
        {"\xff", 1, R},
        {"\xc3", 1, R},
        {"\xc0\xaf", 2, R R},             /* overlong */
        {"\xed\xa0\x80", 3, R R R},       /* surrogate */
        {"\xf4\x90\x80\x80", 4, R R R R}, /* beyond Unicode */
        {"\xf0\x9f\x98\x80", 4, "\xf0\x9f\x98\x80"},
        {"\xe2\x82", 2, R R}, /* cut */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AUTO(text_free) char *clean = utf8_clean(rows[i].bytes, rows[i].length);
        assert_string_equal(clean, rows[i].text);
    }
}

static void a_cut_never_splits_a_character(void **state)
{
    const char *text = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"; /* 1 + 2 + 3 + 4 bytes */
    static const size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};
    (void)state;
    for (size_t max = 0; max < ARRAY_SIZE(expected); max++)
        assert_int_equal(utf8_cut(text, strlen(text), max), expected[max]);
}

static void a_text_that_does_not_fit_is_cut_between_characters(void **state)
{
    const char *text = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80";
    static const size_t expected[] = {0, 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10}; /* by size */
    (void)state;
    for (size_t size = 1; size < ARRAY_SIZE(expected); size++) {
        char buffer[16];
        text_format(buffer, size, "%s", text);
        assert_int_equal(strlen(buffer), expected[size]);
        assert_memory_equal(buffer, text, expected[size]);
    }
}

static void partitions_are_chosen_by_the_usual_crc32(void **state)
{
    (void)state;
    assert_int_equal(text_crc32(""), 0);
    assert_int_equal(text_crc32("123456789"), 0xcbf43926);
}

static void times_are_rfc_3339_with_milliseconds(void **state)
{
    char text[TIME_TEXT_SIZE];
    (void)state;
    assert_string_equal(time_format(0, text), "1970-01-01T00:00:00.000Z");
    assert_string_equal(time_format(1795517874123, text), "2026-11-24T10:57:54.123Z");
}

static void backoff_grows_to_its_maximum(void **state)
{
    (void)state;
    for (unsigned attempt = 0; attempt < 70; attempt++) {
        for (int i = 0; i < 20; i++) {
            int64_t ms = backoff_ms(attempt, 100, 5000);
            assert_in_range(ms, 50, 5000);
            if (attempt == 0)
                assert_in_range(ms, 50, 100);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_have_units),
        cmocka_unit_test(whole_numbers_keep_their_bounds),
        cmocka_unit_test(slugs_are_short_and_plain),
        cmocka_unit_test(what_is_not_utf8_is_replaced),
        cmocka_unit_test(a_cut_never_splits_a_character),
        cmocka_unit_test(a_text_that_does_not_fit_is_cut_between_characters),
        cmocka_unit_test(partitions_are_chosen_by_the_usual_crc32),
        cmocka_unit_test(times_are_rfc_3339_with_milliseconds),
        cmocka_unit_test(backoff_grows_to_its_maximum),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
