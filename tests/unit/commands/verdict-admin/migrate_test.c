/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/memory.h"
#include "migrations.h"

static void numbers_must_have_no_hole(void **state)
{
    static char first[] = "0001_a.sql", third[] = "0003_c.sql", second[] = "0002_b.sql";
    struct migration with_hole[] = {{.number = 1, .name = first}, {.number = 3, .name = third}};
    struct migration whole[] = {{.number = 1, .name = first}, {.number = 2, .name = second}};
    struct error error;
    (void)state;

    const struct migrations bad = {.list = with_hole, .count = 2},
                            good = {.list = whole, .count = 2};

    assert_int_equal(migrations_check_order(&good, NULL), 0);
    assert_int_equal(migrations_check_order(&bad, &error), -1);
    assert_non_null(strstr(error.text, "0002"));
    assert_non_null(strstr(error.text, third));
}

static void our_own_migrations_are_in_order(void **state)
{
    AUTO(migrations_deinit) struct migrations migrations = {0};
    (void)state;

    assert_int_equal(migrations_load("migrations", &migrations, NULL), 0);

    assert_true(migrations.count >= 5);
    for (size_t i = 0; i < migrations.count; i++)
        assert_int_equal(strlen(migrations.list[i].sha256), 64);
}

static void an_empty_folder_is_refused(void **state)
{
    struct migrations migrations = {0};
    struct error error;
    (void)state;

    assert_int_equal(migrations_load("tests/unit", &migrations, &error), -1);
    migrations_deinit(&migrations);

    assert_non_null(strstr(error.text, "holds no migrations"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_must_have_no_hole),
        cmocka_unit_test(our_own_migrations_are_in_order),
        cmocka_unit_test(an_empty_folder_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
