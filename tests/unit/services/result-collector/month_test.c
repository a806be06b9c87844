/* SPDX-License-Identifier: Apache-2.0 */
/* Months as ranges of run ids. */
#include "month.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static int month_of(const char *id_text)
{
    struct uuid id;
    assert_int_equal(uuid_parse(id_text, &id, NULL), 0);
    return month_of_id(&id);
}

static void a_month_begins_with_its_first_id(void **state)
{
    const int november = 2026 * 12 + 10;
    struct uuid first = month_first_id(november);
    char name[MONTH_NAME_SIZE];
    (void)state;
    assert_int_equal(month_start_ms(november), 1793491200000);
    assert_string_equal(first.text, "01a19467-e800-0000-0000-000000000000");
    assert_int_equal(month_of(first.text), november);
    assert_int_equal(month_of("01a19467-e7ff-7fff-bfff-ffffffffffff"), november - 1);
    assert_string_equal(month_name(november, name), "202611");
}

static void years_turn(void **state)
{
    char name[MONTH_NAME_SIZE];
    (void)state;
    assert_string_equal(month_name(2026 * 12 + 11, name), "202612");
    assert_string_equal(month_name(2026 * 12 + 12, name), "202701");
    assert_int_equal(month_start_ms(2027 * 12), 1798761600000);
    assert_int_equal(month_of_ms(1798761600000 - 1), 2026 * 12 + 11);
    assert_int_equal(month_of_ms(1798761600000), 2027 * 12);
}

static void a_name_is_read_back(void **state)
{
    (void)state;
    assert_int_equal(month_parse("202611"), 2026 * 12 + 10);
    assert_int_equal(month_parse("202600"), -1);
    assert_int_equal(month_parse("202613"), -1);
    assert_int_equal(month_parse("2026"), -1);
    assert_int_equal(month_parse("20261x"), -1);
}

static void an_id_that_is_no_time_lies_far_away(void **state)
{
    (void)state;
    assert_true(month_of("ffffffff-ffff-4fff-bfff-ffffffffffff") > 9000 * 12);
    assert_int_equal(month_of("00000000-0000-4000-8000-000000000000"), 1970 * 12);
}

static void every_uuid_of_this_moment_is_of_this_month(void **state)
{
    struct uuid id = uuid_v7();
    int month = month_of_id(&id);
    struct uuid from = month_first_id(month), to = month_first_id(month + 1);
    (void)state;
    assert_true(strcmp(from.text, id.text) < 0);
    assert_true(strcmp(id.text, to.text) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_month_begins_with_its_first_id),
        cmocka_unit_test(years_turn),
        cmocka_unit_test(a_name_is_read_back),
        cmocka_unit_test(an_id_that_is_no_time_lies_far_away),
        cmocka_unit_test(every_uuid_of_this_moment_is_of_this_month),
    };
    return cmocka_run_group_tests_name("month", tests, NULL, NULL);
}
