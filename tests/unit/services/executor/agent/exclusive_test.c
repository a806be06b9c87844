/* SPDX-License-Identifier: Apache-2.0 */
/* When an exclusive task may begin, and when it has to end itself. */
#include "agent/exclusive.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void what_is_not_exclusive_begins_at_once(void **state)
{
    const struct exclusive none = {.grace_ms = 10000};
    (void)state;
    assert_true(exclusive_may_begin(&none, 1000000));
}

static void it_begins_when_the_scheduler_knows_and_that_is_not_old(void **state)
{
    struct exclusive exclusive = {.lease_ms = 60000, .grace_ms = 10000};
    (void)state;
    assert_false(exclusive_may_begin(&exclusive, 1000000));
    exclusive_hold(&exclusive, 1000000);
    assert_true(exclusive_may_begin(&exclusive, 1000001));
    assert_true(exclusive_may_begin(&exclusive, 1042499));
    assert_false(exclusive_may_begin(&exclusive, 1042500));
}

static void the_newest_word_counts_and_an_unknown_one_does_not(void **state)
{
    struct exclusive exclusive = {.lease_ms = 60000, .grace_ms = 10000};
    (void)state;
    exclusive_hold(&exclusive, 1000000);
    exclusive_hold(&exclusive, 0);
    exclusive_hold(&exclusive, 900000);
    assert_int_equal(exclusive_left_ms(&exclusive, 1000000), 42500);
    exclusive_hold(&exclusive, 1005000);
    assert_int_equal(exclusive_left_ms(&exclusive, 1000000), 47500);
    assert_int_equal(exclusive_left_ms(&exclusive, 1050000), -2500);
}

static void its_grace_ends_before_the_lease_however_long_it_is(void **state)
{
    static const int64_t graces_ms[] = {0, 500, 15000, 15001, 3600000};
    (void)state;
    for (size_t i = 0; i < sizeof graces_ms / sizeof graces_ms[0]; i++) {
        struct exclusive exclusive = {.lease_ms = 60000, .grace_ms = graces_ms[i]};
        exclusive_hold(&exclusive, 1000);
        int64_t gone_ms = exclusive_left_ms(&exclusive, 1000) + exclusive_grace_ms(&exclusive);
        assert_true(exclusive_grace_ms(&exclusive) <= graces_ms[i]);
        assert_int_equal(gone_ms, 60000 - 60000 / 8);
        assert_true(exclusive_left_ms(&exclusive, 1000) > 60000 / 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_exclusive_begins_at_once),
        cmocka_unit_test(it_begins_when_the_scheduler_knows_and_that_is_not_old),
        cmocka_unit_test(the_newest_word_counts_and_an_unknown_one_does_not),
        cmocka_unit_test(its_grace_ends_before_the_lease_however_long_it_is),
    };
    return cmocka_run_group_tests_name("exclusive", tests, NULL, NULL);
}
