/* SPDX-License-Identifier: Apache-2.0 */
/* Cutting cases into tasks. */
#include "plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/memory.h"

#define UNKNOWN PLAN_CASE_MS_UNKNOWN

/* Pieces hold every case once, in the order in which they were declared. */
static void check(const struct plan *plan, size_t cases)
{
    AUTO(memory_free) int *seen = xcalloc(cases + 1, sizeof *seen);
    size_t next = 0;
    for (size_t i = 0; i < plan->count; i++) {
        const struct plan_piece *piece = &plan->list[i];
        assert_int_equal(piece->first, next);
        assert_true(piece->count > 0);
        for (size_t c = 0; c < piece->count; c++) {
            size_t index = plan->order[piece->first + c];
            assert_true(index < cases);
            assert_true(c == 0 || plan->order[piece->first + c - 1] < index);
            assert_int_equal(seen[index]++, 0);
        }
        next += piece->count;
    }
    assert_int_equal(next, cases);
}

static int64_t piece_ms(const struct plan *plan, size_t piece, const struct plan_case *cases)
{
    int64_t ms = 0;
    for (size_t c = 0; c < plan->list[piece].count; c++)
        ms += cases[plan->order[plan->list[piece].first + c]].expected_ms;
    return ms;
}

static struct plan_case *make_cases(const int64_t *expected_ms, size_t count)
{
    struct plan_case *cases = xcalloc(count, sizeof *cases);
    for (size_t i = 0; i < count; i++)
        cases[i] = (struct plan_case){.bytes = 100, .expected_ms = expected_ms[i]};
    return cases;
}

static void without_history_pieces_differ_by_one_at_the_most(void **state)
{
    struct plan_case cases[100];
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        cases[i] = (struct plan_case){.bytes = 10, .expected_ms = UNKNOWN};
    for (size_t count = 1; count <= 100; count++) {
        for (size_t wanted = 1; wanted <= 10; wanted++) {
            struct plan plan = plan_cut(cases, count, wanted);
            size_t smallest = count, largest = 0;
            check(&plan, count);
            for (size_t i = 0; i < plan.count; i++) {
                smallest = plan.list[i].count < smallest ? plan.list[i].count : smallest;
                largest = plan.list[i].count > largest ? plan.list[i].count : largest;
            }
            assert_int_equal(plan.count, wanted < count ? wanted : count);
            assert_true(largest - smallest <= 1);
            assert_int_equal(plan.order[0], 0);
            assert_int_equal(plan.order[count - 1], count - 1);
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
    static const int64_t lengths[] = {UNKNOWN, 0, 1, 60000};
    AUTO(memory_free) struct plan_case *cases = xcalloc(CASES, sizeof *cases);
    (void)state;
    for (size_t kind = 0; kind <= ARRAY_SIZE(lengths); kind++) {
        for (size_t i = 0; i < CASES; i++)
            cases[i] = (struct plan_case){
                .bytes = 2000, .expected_ms = lengths[(kind < ARRAY_SIZE(lengths) ? kind : i) % 4]};
        struct plan plan = plan_cut(cases, CASES, 1);
        check(&plan, CASES);
        for (size_t i = 0; i < plan.count; i++)
            assert_true(plan.list[i].count * 2000 <= PLAN_PIECE_BYTES_MAX);
        plan_deinit(&plan);
    }
}

static void one_long_case_is_alone_and_first(void **state)
{
    static const int64_t expected_ms[] = {10, 10, 10, 90, 10, 10, 10, 10, 10, 10};
    AUTO(memory_free) struct plan_case *cases = make_cases(expected_ms, 10);
    struct plan plan = plan_cut(cases, 10, 2);
    (void)state;

    check(&plan, 10);

    assert_int_equal(plan.count, 2);
    assert_int_equal(plan.list[0].count, 1);
    assert_int_equal(plan.order[0], 3);
    plan_deinit(&plan);
}

/* The rule's known bound is 4/3 of the best; here the best is the equal share. */
static void skewed_cases_are_balanced(void **state)
{
    enum { CASES = 200 };
    int64_t expected_ms[CASES], all_ms = 0;
    (void)state;
    for (int i = 0; i < CASES; i++)
        all_ms += expected_ms[i] = i < 20 ? 5000 - 100 * i : 20 + i;
    AUTO(memory_free) struct plan_case *cases = make_cases(expected_ms, CASES);
    for (size_t wanted = 2; wanted <= 8; wanted++) {
        struct plan plan = plan_cut(cases, CASES, wanted);
        check(&plan, CASES);
        assert_int_equal(plan.count, wanted);
        for (size_t i = 0; i < plan.count; i++) {
            int64_t ms = piece_ms(&plan, i, cases);
            assert_true(ms * (int64_t)wanted <= all_ms * 11 / 10 + 1);
            assert_true(i == 0 || ms <= piece_ms(&plan, i - 1, cases));
        }
        plan_deinit(&plan);
    }
}

static void neighbours_stay_together_where_it_costs_little(void **state)
{
    enum { CASES = 40 };
    int64_t expected_ms[CASES];
    (void)state;
    for (int i = 0; i < CASES; i++)
        expected_ms[i] = 100 + i % 3;
    AUTO(memory_free) struct plan_case *cases = make_cases(expected_ms, CASES);
    struct plan plan = plan_cut(cases, CASES, 4);
    check(&plan, CASES);
    for (size_t i = 0; i < plan.count; i++) {
        const struct plan_piece *piece = &plan.list[i];
        assert_int_equal(plan.order[piece->first + piece->count - 1],
                         plan.order[piece->first] + piece->count - 1);
    }
    plan_deinit(&plan);
}

/* Not as the mean, which one long case makes, and not as nothing. */
static void what_is_not_known_counts_as_the_median(void **state)
{
    static const int64_t expected_ms[] = {1000,    100,     100,     UNKNOWN, UNKNOWN,
                                          UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN};
    static const int64_t few[] = {100, 100, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN};
    (void)state;
    AUTO(memory_free) struct plan_case *cases = make_cases(expected_ms, 9);
    struct plan plan = plan_cut(cases, 9, 2);
    check(&plan, 9);
    assert_int_equal(plan.list[0].count, 1);
    assert_int_equal(plan.order[0], 0);
    plan_deinit(&plan);

    AUTO(memory_free) struct plan_case *few_cases = make_cases(few, 6);
    plan = plan_cut(few_cases, 6, 2);
    check(&plan, 6);
    assert_int_equal(plan.list[0].count, 3);
    plan_deinit(&plan);
}

static void cases_of_no_length_are_spread(void **state)
{
    static const int64_t expected_ms[] = {0, 0, 0, 0, 0, 0};
    AUTO(memory_free) struct plan_case *cases = make_cases(expected_ms, 6);
    struct plan plan = plan_cut(cases, 6, 3);
    (void)state;
    check(&plan, 6);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(plan.list[i].count, 2);
    plan_deinit(&plan);
}

static void the_largest_run_is_cut(void **state)
{
    enum { CASES = 100000, PIECES = 1000 };
    AUTO(memory_free) struct plan_case *cases = xcalloc(CASES, sizeof *cases);
    (void)state;
    for (size_t i = 0; i < CASES; i++)
        cases[i] = (struct plan_case){
            .bytes = 300, .expected_ms = i % 7 == 0 ? INT64_MAX : (int64_t)(i * 7919 % 60000)};
    struct plan plan = plan_cut(cases, CASES, PIECES);
    check(&plan, CASES);
    assert_int_equal(plan.count, PIECES);
    plan_deinit(&plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_history_pieces_differ_by_one_at_the_most),
        cmocka_unit_test(no_case_is_no_piece),
        cmocka_unit_test(a_piece_fits_into_a_message),
        cmocka_unit_test(one_long_case_is_alone_and_first),
        cmocka_unit_test(skewed_cases_are_balanced),
        cmocka_unit_test(neighbours_stay_together_where_it_costs_little),
        cmocka_unit_test(what_is_not_known_counts_as_the_median),
        cmocka_unit_test(cases_of_no_length_are_spread),
        cmocka_unit_test(the_largest_run_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
