/* SPDX-License-Identifier: Apache-2.0 */
/* What of a lane is still true: epochs, numbers, incarnations. */
#include "worker/lane.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/json.h"
#include "base/memory.h"
#include "model/limits.h"

#define INCARNATION 4

static bool takes_of(struct executor *executor, int64_t epoch, int64_t seq, int64_t incarnation)
{
    AUTO(json_free)
    json_t *json = json_pack("{s:I, s:I, s:I}", "epoch", (json_int_t)epoch, "seq", (json_int_t)seq,
                             "incarnation", (json_int_t)incarnation);
    return lane_is_current(executor, json, true);
}

static bool takes(struct executor *executor, int64_t epoch, int64_t seq)
{
    return takes_of(executor, epoch, seq, INCARNATION);
}

static bool takes_hello(struct executor *executor, int64_t epoch)
{
    AUTO(json_free) json_t *json = json_pack("{s:I}", "epoch", (json_int_t)epoch);
    return lane_is_current(executor, json, false);
}

static struct executor an_executor(void)
{
    return (struct executor){.identity = {.incarnation = INCARNATION}};
}

static void numbers_rise_within_an_epoch(void **state)
{
    struct executor executor = an_executor();
    (void)state;

    assert_true(takes(&executor, 1, 5));
    assert_false(takes(&executor, 1, 5)); /* doubled */
    assert_false(takes(&executor, 1, 4)); /* late */
    assert_true(takes(&executor, 1, 9));  /* what is between was another's, or is lost */
}

static void a_scheduler_that_was_replaced_is_not_heard_any_more(void **state)
{
    struct executor executor = an_executor();
    (void)state;

    assert_true(takes(&executor, 1, 100));
    assert_true(takes(&executor, 2, 1)); /* a new one counts anew */

    assert_false(takes(&executor, 1, 101));
    assert_true(takes(&executor, 2, 2));
}

static void an_epoch_far_beyond_what_was_heard_is_not_taken(void **state)
{
    struct executor executor = an_executor();
    (void)state;
    assert_true(takes(&executor, 5, 1));

    assert_false(takes(&executor, 5 + LIMIT_EPOCH_LEAP + 1, 2));
    assert_false(takes_hello(&executor, LIMIT_EPOCH));

    assert_true(takes(&executor, 5 + LIMIT_EPOCH_LEAP, 2));
}

static void the_epoch_rises_by_messages_to_all_as_well(void **state)
{
    struct executor executor = an_executor();
    (void)state;

    assert_true(takes_hello(&executor, 3));
    assert_true(takes_hello(&executor, 3)); /* has no number: it may come again */

    assert_false(takes_hello(&executor, 2));
    assert_false(takes(&executor, 2, 1));
    assert_true(takes(&executor, 3, 1));
}

static void what_was_meant_for_an_earlier_life_is_dropped(void **state)
{
    struct executor executor = an_executor();
    (void)state;

    assert_false(takes_of(&executor, 1, 5, INCARNATION - 1));
    assert_false(takes_of(&executor, 1, 5, INCARNATION + 1));

    assert_true(takes(&executor, 1, 1)); /* their numbers do not count */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_rise_within_an_epoch),
        cmocka_unit_test(a_scheduler_that_was_replaced_is_not_heard_any_more),
        cmocka_unit_test(an_epoch_far_beyond_what_was_heard_is_not_taken),
        cmocka_unit_test(the_epoch_rises_by_messages_to_all_as_well),
        cmocka_unit_test(what_was_meant_for_an_earlier_life_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
