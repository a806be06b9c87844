/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/memory.h"
#include "runs/numbers.h"

static void add(struct numbers *numbers, int64_t number, const char *id, int64_t now_ms)
{
    struct numbered_run run = {.number = number, .project_id = {"p"}};
    strncpy(run.run_id.text, id, UUID_TEXT_SIZE - 1);
    numbers_add(numbers, &run, now_ms);
}

static void a_number_is_remembered_for_a_while(void **state)
{
    AUTO(numbers_free) struct numbers *numbers = numbers_new();
    struct numbered_run run;
    (void)state;

    add(numbers, 7, "seven", 1000);

    assert_true(numbers_find(numbers, 7, 1000 + NUMBERS_MS - 1, &run));
    assert_string_equal(run.run_id.text, "seven");
    assert_string_equal(run.project_id.text, "p");
    assert_false(numbers_find(numbers, 7, 1000 + NUMBERS_MS, &run));
    assert_false(numbers_find(numbers, 8, 1000, &run));
}

static void what_was_read_last_is_what_is_remembered(void **state)
{
    AUTO(numbers_free) struct numbers *numbers = numbers_new();
    struct numbered_run run;
    (void)state;

    add(numbers, 7, "old", 1000);
    add(numbers, 7, "new", 2000);

    assert_true(numbers_find(numbers, 7, 2000, &run));
    assert_string_equal(run.run_id.text, "new");
}

static void their_count_is_bounded(void **state)
{
    AUTO(numbers_free) struct numbers *numbers = numbers_new();
    struct numbered_run run;
    (void)state;

    for (int64_t number = 1; number <= NUMBERS_MAX + 1; number++)
        add(numbers, number, "x", 1000);

    assert_false(numbers_find(numbers, 1, 1000, &run));
    assert_true(numbers_find(numbers, NUMBERS_MAX + 1, 1000, &run));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_is_remembered_for_a_while),
        cmocka_unit_test(what_was_read_last_is_what_is_remembered),
        cmocka_unit_test(their_count_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
