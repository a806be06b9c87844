/* SPDX-License-Identifier: Apache-2.0 */
/* Cutting cases into tasks. */
#include "plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

/* Pieces follow one another without a hole and hold every case once. */
static void check(const struct plan *plan, size_t cases)
{
    size_t next = 0;
    for (size_t i = 0; i < plan->count; i++) {
        assert_int_equal(plan->list[i].first, next);
        assert_true(plan->list[i].count > 0);
        next += plan->list[i].count;
    }
    assert_int_equal(next, cases);
}

static void pieces_differ_by_one_at_the_most(void **state)
{
    const size_t bytes[100] = {0};
    (void)state;
    for (size_t cases = 1; cases <= 100; cases++) {
        for (size_t wanted = 1; wanted <= 10; wanted++) {
            struct plan plan = plan_cut(bytes, cases, wanted);
            size_t smallest = cases, largest = 0;
            check(&plan, cases);
            for (size_t i = 0; i < plan.count; i++) {
                smallest = plan.list[i].count < smallest ? plan.list[i].count : smallest;
                largest = plan.list[i].count > largest ? plan.list[i].count : largest;
            }
            assert_int_equal(plan.count, wanted < cases ? wanted : cases);
            assert_true(largest - smallest <= 1);
            plan_deinit(&plan);
        }
    }
}

static void no_case_is_no_piece(void **state)
{
    struct plan plan = plan_cut(NULL, 0, 4);
    (void)state;
    assert_int_equal(plan.count, 0);
    plan_deinit(&plan);
}

static void a_piece_fits_into_a_message(void **state)
{
    enum { CASES = 1000 };
    size_t *bytes = calloc(CASES, sizeof *bytes);
    (void)state;
    for (size_t i = 0; i < CASES; i++)
        bytes[i] = 2000;
    struct plan plan = plan_cut(bytes, CASES, 1);
    check(&plan, CASES);
    for (size_t i = 0; i < plan.count; i++)
        assert_true(plan.list[i].count * 2000 <= PLAN_PIECE_BYTES_MAX);
    plan_deinit(&plan);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_differ_by_one_at_the_most),
        cmocka_unit_test(no_case_is_no_piece),
        cmocka_unit_test(a_piece_fits_into_a_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
