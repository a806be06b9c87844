/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "close.h"
#include "migration_checks.h"

static void the_outcomes_of_tasks_are_those_of_the_table(void **state)
{
    AUTO(text_free) char *sql = migrations_read();
    (void)state;
    assert_check_is(sql, "scheduling.task", "outcome", &task_outcome_names, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_outcomes_of_tasks_are_those_of_the_table)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
