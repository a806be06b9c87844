/* SPDX-License-Identifier: Apache-2.0 */
/* Whose silence it is. */
#include "lease.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void silence_ages_with_the_clock(void **state)
{
    struct lease lease = {0};
    (void)state;
    for (int i = 0; i < 10; i++)
        lease_age(&lease, 100, true);
    assert_int_equal(lease.silent_ms, 1000);
    lease_renew(&lease);
    assert_int_equal(lease.silent_ms, 0);
}

static void our_own_suspension_is_not_held_against_workers(void **state)
{
    struct lease lease = {0};
    (void)state;
    lease_age(&lease, 3600 * 1000, true);
    assert_int_equal(lease.silent_ms, LEASE_STEP_MAX_MS);
}

static void a_log_that_stands_still_stops_the_clock(void **state)
{
    struct lease lease = {0};
    (void)state;
    lease_age(&lease, 1000, false);
    assert_int_equal(lease.silent_ms, 0);
}

static void most_of_a_pool_silent_freezes_decisions_for_a_while(void **state)
{
    struct freeze freeze = {0};
    bool thawed;
    (void)state;
    assert_false(freeze_update(&freeze, 10, 5, 0, &thawed)); /* not more than half */
    assert_true(freeze_update(&freeze, 10, 6, 1000, &thawed));
    assert_true(freeze_update(&freeze, 10, 10, 1000 + FREEZE_MAX_MS - 1, &thawed));
    assert_true(freeze.holds);
    assert_false(freeze_update(&freeze, 10, 10, 1000 + FREEZE_MAX_MS, &thawed));
    assert_false(freeze.holds);
    assert_false(thawed);
    assert_false(freeze_update(&freeze, 10, 1, 2000 + FREEZE_MAX_MS, &thawed));
    assert_true(thawed);
}

static void a_few_workers_may_all_be_lost(void **state)
{
    struct freeze freeze = {0};
    bool thawed;
    (void)state;
    assert_false(freeze_update(&freeze, 3, 3, 0, &thawed));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silence_ages_with_the_clock),
        cmocka_unit_test(our_own_suspension_is_not_held_against_workers),
        cmocka_unit_test(a_log_that_stands_still_stops_the_clock),
        cmocka_unit_test(most_of_a_pool_silent_freezes_decisions_for_a_while),
        cmocka_unit_test(a_few_workers_may_all_be_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
