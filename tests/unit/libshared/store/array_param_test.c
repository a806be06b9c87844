/* SPDX-License-Identifier: Apache-2.0 */
/* Lists as Postgres reads them: whatever a text holds stays one element. */
#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/memory.h"

static void texts_are_quoted_and_escaped(void **state)
{
    AUTO(array_param_free) struct array_param *array = array_param_new();
    (void)state;

    array_param_add(array, "plain");
    array_param_add(array, "");
    array_param_add(array, "a\"b\\c");
    array_param_add(array, "},{NULL");
    array_param_add(array, "NULL");
    array_param_add(array, NULL);

    assert_string_equal(array_param_get(array).text,
                        "{\"plain\",\"\",\"a\\\"b\\\\c\",\"},{NULL\",\"NULL\",NULL}");
}

static void an_array_may_be_empty(void **state)
{
    AUTO(array_param_free) struct array_param *array = array_param_new();
    (void)state;

    assert_string_equal(array_param_get(array).text, "{}");
}

static void more_may_come_after_a_get(void **state)
{
    AUTO(array_param_free) struct array_param *array = array_param_new();
    (void)state;

    array_param_add_int(array, -1);
    assert_string_equal(array_param_get(array).text, "{-1}");
    assert_string_equal(array_param_get(array).text, "{-1}");
    array_param_add_int(array, INT64_MAX);

    assert_string_equal(array_param_get(array).text, "{-1,9223372036854775807}");
}

static void the_only_element_is_told_and_no_other(void **state)
{
    AUTO(array_param_free) struct array_param *array = array_param_new();
    (void)state;

    assert_string_equal(array_param_only(array), "");
    array_param_add(array, "one");
    assert_string_equal(array_param_only(array), "one");
    array_param_add(array, "two");
    assert_string_equal(array_param_only(array), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_quoted_and_escaped),
        cmocka_unit_test(an_array_may_be_empty),
        cmocka_unit_test(more_may_come_after_a_get),
        cmocka_unit_test(the_only_element_is_told_and_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
