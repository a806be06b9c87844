/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "model/limits.h"
#include "schedule.h"

#define MIDDLE (UINT16_MAX / 2)

static struct schedule parsed(const char *text)
{
    struct schedule schedule;
    assert_int_equal(schedule_parse(text, &schedule, NULL), 0);
    return schedule;
}

static void a_list_of_waits_is_parsed(void **state)
{
    (void)state;

    struct schedule schedule = parsed("0s,5s,5m,30m,2h,250ms");

    static const int64_t expected[] = {0, 5000, 300000, 1800000, 7200000, 250};
    assert_int_equal(schedule.attempts, ARRAY_SIZE(expected));
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
        assert_int_equal(schedule.waits_ms[i], expected[i]);
}

static void bad_lists_are_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "5s,",
        ",5s",
        "5s,,5s",
        "5x",
        "-1s",
        "5s 5s",
        "8000h",
        "1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,"
        "1s,1s,1s,1s"};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct schedule schedule = {.attempts = -7};
        assert_int_equal(schedule_parse(texts[i], &schedule, NULL), -1);
        assert_int_equal(schedule.attempts, -7);
    }
}

static void the_schedule_ends(void **state)
{
    struct schedule schedule = parsed("0s,5s");
    (void)state;
    assert_true(schedule_has_next(&schedule, 0));
    assert_true(schedule_has_next(&schedule, 1));
    assert_false(schedule_has_next(&schedule, 2));
}

static void jitter_moves_a_wait_by_a_tenth_at_most(void **state)
{
    struct schedule schedule = parsed("0s,100s");
    (void)state;
    assert_int_equal(schedule_wait_ms(&schedule, 1, 0, -1), 90000);
    assert_in_range(schedule_wait_ms(&schedule, 1, MIDDLE, -1), 99990, 100010);
    assert_int_equal(schedule_wait_ms(&schedule, 1, UINT16_MAX, -1), 110000);
    assert_int_equal(schedule_wait_ms(&schedule, 0, UINT16_MAX, -1), 0);
}

static void retry_after_only_lengthens_and_is_capped(void **state)
{
    struct schedule schedule = parsed("0s,100s");
    (void)state;
    assert_int_equal(schedule_wait_ms(&schedule, 1, 0, 5), 90000);
    assert_int_equal(schedule_wait_ms(&schedule, 1, 0, 600), 600000);
    assert_int_equal(schedule_wait_ms(&schedule, 1, 0, 365 * 86400), LIMIT_RETRY_AFTER_MS);
    assert_int_equal(schedule_wait_ms(&schedule, 1, 0, INT64_MAX), LIMIT_RETRY_AFTER_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_of_waits_is_parsed),
        cmocka_unit_test(bad_lists_are_refused),
        cmocka_unit_test(the_schedule_ends),
        cmocka_unit_test(jitter_moves_a_wait_by_a_tenth_at_most),
        cmocka_unit_test(retry_after_only_lengthens_and_is_capped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
