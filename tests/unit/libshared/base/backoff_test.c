/* SPDX-License-Identifier: Apache-2.0 */
/* When to try again. */
#include "base/backoff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"

static void the_first_try_is_due_at_once(void **state)
{
    struct backoff backoff;
    (void)state;
    backoff_init(&backoff, 1000, 60000);

    assert_true(backoff_is_due(&backoff));
    assert_int_equal(backoff_wait_ms(&backoff), 0);
}

static void failures_of_one_outage_count_once(void **state)
{
    struct backoff backoff;
    (void)state;
    backoff_init(&backoff, 60000, 600000);

    backoff_failed(&backoff);
    int64_t due_ms = backoff.next_ms;
    backoff_failed(&backoff);

    assert_int_equal(backoff.attempts, 1);
    assert_int_equal(backoff.next_ms, due_ms);
    assert_false(backoff_is_due(&backoff));
}

static void waits_grow_up_to_their_bound(void **state)
{
    struct backoff backoff;
    int64_t longest_ms = 0;
    (void)state;
    backoff_init(&backoff, 1000, 8000);

    for (int i = 0; i < 100; i++) {
        backoff.next_ms = 0; /* as if the wait were over */
        backoff_failed(&backoff);
        int64_t wait_ms = backoff_wait_ms(&backoff);
        assert_in_range(wait_ms, 1, 8000);
        longest_ms = wait_ms > longest_ms ? wait_ms : longest_ms;
    }

    assert_true(longest_ms > 2000);
}

static void success_begins_anew(void **state)
{
    struct backoff backoff;
    (void)state;
    backoff_init(&backoff, 60000, 600000);
    backoff_failed(&backoff);

    backoff_succeeded(&backoff);

    assert_true(backoff_is_due(&backoff));
    assert_int_equal(backoff.attempts, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_try_is_due_at_once),
        cmocka_unit_test(failures_of_one_outage_count_once),
        cmocka_unit_test(waits_grow_up_to_their_bound),
        cmocka_unit_test(success_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
