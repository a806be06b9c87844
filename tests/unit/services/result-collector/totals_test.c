/* SPDX-License-Identifier: Apache-2.0 */
/* Each case counts once, by its deciding try. */
#include "totals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void a_first_try_adds(void **state)
{
    struct totals totals = {0};
    const struct totals_try tries[] = {{1, RESULT_FAILED, 20, true}};
    (void)state;
    totals_decide(&totals, tries, 1);
    totals_add(&totals, RESULT_PASSED, 5);
    assert_int_equal(totals.by_status[RESULT_FAILED], 1);
    assert_int_equal(totals.by_status[RESULT_PASSED], 1);
    assert_int_equal(totals.duration_ms, 25);
    assert_int_equal(totals_cases(&totals), 2);
}

static void a_higher_try_moves_the_case(void **state)
{
    struct totals totals = {0};
    const struct totals_try tries[] = {{1, RESULT_FAILED, 20, false}, {2, RESULT_PASSED, 5, true}};
    (void)state;
    totals_decide(&totals, tries, 2);
    assert_int_equal(totals.by_status[RESULT_FAILED], -1);
    assert_int_equal(totals.by_status[RESULT_PASSED], 1);
    assert_int_equal(totals.duration_ms, -15);
    assert_int_equal(totals_cases(&totals), 0);
}

static void several_new_tries_count_as_one_case(void **state)
{
    struct totals totals = {0};
    const struct totals_try tries[] = {
        {1, RESULT_FAILED, 20, true}, {2, RESULT_FAILED, 30, true}, {4, RESULT_PASSED, 7, true}};
    (void)state;
    totals_decide(&totals, tries, 3);
    assert_int_equal(totals.by_status[RESULT_FAILED], 0);
    assert_int_equal(totals.by_status[RESULT_PASSED], 1);
    assert_int_equal(totals.duration_ms, 7);
}

static void a_lower_try_that_comes_later_decides_nothing(void **state)
{
    struct totals totals = {0};
    const struct totals_try tries[] = {{1, RESULT_FAILED, 20, true}, {2, RESULT_PASSED, 5, false}};
    (void)state;
    totals_decide(&totals, tries, 2);
    assert_int_equal(totals.by_status[RESULT_FAILED], 0);
    assert_int_equal(totals.by_status[RESULT_PASSED], 0);
    assert_int_equal(totals.duration_ms, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_first_try_adds),
        cmocka_unit_test(a_higher_try_moves_the_case),
        cmocka_unit_test(several_new_tries_count_as_one_case),
        cmocka_unit_test(a_lower_try_that_comes_later_decides_nothing),
    };
    return cmocka_run_group_tests_name("totals", tests, NULL, NULL);
}
