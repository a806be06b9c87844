/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "migration_checks.h"
#include "outcome.h"

static struct schedule schedule;

static int parse(void **state)
{
    (void)state;
    return schedule_parse("0s,5s,5m", &schedule, NULL);
}

static void only_2xx_is_a_success(void **state)
{
    static const long successes[] = {200, 201, 204, 299};
    static const long failures[] = {0, 101, 301, 302, 307, 400, 401, 404, 429, 500, 503, 599};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(successes); i++)
        assert_int_equal(outcome_of(&schedule, 1, successes[i], -1, 0).state, DELIVERY_DELIVERED);
    for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
        struct outcome outcome = outcome_of(&schedule, 1, failures[i], -1, 0);
        assert_int_equal(outcome.state, DELIVERY_PENDING);
        assert_int_equal(outcome.wait_ms, 4500);
        assert_false(outcome.disables_endpoint);
    }
}

static void gone_disables_the_endpoint(void **state)
{
    (void)state;

    struct outcome outcome = outcome_of(&schedule, 1, 410, -1, 0);

    assert_int_equal(outcome.state, DELIVERY_DISABLED);
    assert_true(outcome.disables_endpoint);
}

static void the_last_failure_exhausts(void **state)
{
    (void)state;
    assert_int_equal(outcome_of(&schedule, 2, 500, -1, 0).state, DELIVERY_PENDING);
    assert_int_equal(outcome_of(&schedule, 3, 500, -1, 0).state, DELIVERY_EXHAUSTED);
    assert_int_equal(outcome_of(&schedule, 3, 503, 60, 0).state, DELIVERY_EXHAUSTED);
    assert_int_equal(outcome_of(&schedule, 3, 200, -1, 0).state, DELIVERY_DELIVERED);
}

static void retry_after_is_waited_for(void **state)
{
    (void)state;
    assert_int_equal(outcome_of(&schedule, 1, 429, 30, 0).wait_ms, 30000);
    assert_int_equal(outcome_of(&schedule, 1, 503, 1, 0).wait_ms, 4500);
    assert_int_equal(outcome_of(&schedule, 1, 429, 30, 0).hold_ms, 30000);
    assert_int_equal(outcome_of(&schedule, 3, 503, 30, 0).hold_ms, 30000);
    assert_int_equal(outcome_of(&schedule, 1, 500, -1, 0).hold_ms, 0);
    assert_int_equal(outcome_of(&schedule, 1, 503, 0, 0).hold_ms, 0);
}

static void the_states_are_those_of_the_table(void **state)
{
    AUTO(text_free) char *sql = migrations_read();
    (void)state;
    assert_check_is(sql, "notify.delivery", "state", &delivery_state_names, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_2xx_is_a_success),
        cmocka_unit_test(gone_disables_the_endpoint),
        cmocka_unit_test(the_last_failure_exhausts),
        cmocka_unit_test(retry_after_is_waited_for),
        cmocka_unit_test(the_states_are_those_of_the_table),
    };
    return cmocka_run_group_tests(tests, parse, NULL);
}
