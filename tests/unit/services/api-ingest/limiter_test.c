/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "limiter.h"

static struct limit_answer ask(struct limiter *limiter, const char *key, int64_t now_us)
{
    return limiter_take(limiter, key, strlen(key), now_us);
}

static void two_seconds_worth_may_be_asked_at_once_and_then_the_rate(void **state)
{
    AUTO(limiter_free) struct limiter *limiter = limiter_new(5);
    struct limit_answer answer = {.limit = 0};
    (void)state;
    for (int i = 0; i < 10; i++) {
        answer = ask(limiter, "a", 1000000);
        assert_false(answer.refused);
        assert_int_equal(answer.remaining, 9 - i);
    }
    assert_int_equal(answer.limit, 10);
    assert_int_equal(answer.reset_s, 2);

    answer = ask(limiter, "a", 1000000);
    assert_true(answer.refused);
    assert_int_equal(answer.retry_after_s, 1);

    assert_true(ask(limiter, "a", 1199999).refused);
    assert_false(ask(limiter, "a", 1200000).refused);
    assert_true(ask(limiter, "a", 1200000).refused);
}

static void what_was_refused_costs_nothing(void **state)
{
    AUTO(limiter_free) struct limiter *limiter = limiter_new(1);
    (void)state;
    assert_false(ask(limiter, "a", 0).refused);
    assert_false(ask(limiter, "a", 0).refused);
    for (int i = 0; i < 1000; i++)
        assert_true(ask(limiter, "a", 0).refused);
    assert_false(ask(limiter, "a", 1000000).refused);
}

static void keys_do_not_share_a_limit(void **state)
{
    AUTO(limiter_free) struct limiter *limiter = limiter_new(1);
    (void)state;
    while (!ask(limiter, "a", 0).refused)
        continue;
    assert_false(ask(limiter, "b", 0).refused);
}

static void the_table_is_of_one_size_however_many_keys_come(void **state)
{
    AUTO(limiter_free) struct limiter *limiter = limiter_new(1);
    char key[24];
    (void)state;
    for (int i = 0; i < 200000; i++) {
        snprintf(key, sizeof key, "%d", i);
        assert_false(ask(limiter, key, i).refused);
    }
}

static void no_rate_is_no_limiter(void **state)
{
    (void)state;
    assert_null(limiter_new(0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_seconds_worth_may_be_asked_at_once_and_then_the_rate),
        cmocka_unit_test(what_was_refused_costs_nothing),
        cmocka_unit_test(keys_do_not_share_a_limit),
        cmocka_unit_test(the_table_is_of_one_size_however_many_keys_come),
        cmocka_unit_test(no_rate_is_no_limiter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
