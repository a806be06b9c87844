/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/uuid.h"

static void ids_are_ordered_by_their_making(void **state)
{
    struct uuid last = uuid_v7();
    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct uuid next = uuid_v7();
        assert_true(strcmp(last.text, next.text) < 0);
        last = next;
    }
}

static void an_id_holds_the_time_and_its_version(void **state)
{
    int64_t now_ms = wall_ms();
    struct uuid uuid = uuid_v7();
    (void)state;
    assert_in_range(uuid_v7_time_ms(&uuid), now_ms, now_ms + 1000);
    assert_int_equal(uuid.text[14], '7');
    assert_non_null(strchr("89ab", uuid.text[19]));
}

static void the_least_id_of_a_time_is_below_those_that_are_made(void **state)
{
    int64_t now_ms = wall_ms();
    struct uuid uuid = uuid_v7(), least = uuid_v7_least(now_ms);
    struct uuid parsed;
    (void)state;
    assert_true(strcmp(least.text, uuid.text) <= 0);
    assert_int_equal(uuid_v7_time_ms(&least), now_ms);
    assert_int_equal(uuid_parse(least.text, &parsed, NULL), 0);
    least = uuid_v7_least(0);
    assert_string_equal(least.text, "00000000-0000-7000-8000-000000000000");
}

static void random_ids_are_of_version_4_and_distinct(void **state)
{
    struct uuid one = uuid_random(), other = uuid_random();
    (void)state;
    assert_int_equal(one.text[14], '4');
    assert_non_null(strchr("89ab", one.text[19]));
    assert_false(uuid_equal(&one, &other));
}

static void either_case_is_read_and_lower_case_is_kept(void **state)
{
    struct uuid uuid;
    struct error error;
    (void)state;
    assert_int_equal(uuid_parse("01A20DB0-C8C3-71A4-8ABB-83AC5CC0961F", &uuid, &error), 0);
    assert_string_equal(uuid.text, "01a20db0-c8c3-71a4-8abb-83ac5cc0961f");
}

static void what_is_no_uuid_is_refused_and_changes_nothing(void **state)
{
    static const char *const bad[] = {"",
                                      "12",
                                      "01a20db0-c8c3-71a4-8abb-83ac5cc0961",
                                      "01a20db0-c8c3-71a4-8abb-83ac5cc0961fa",
                                      "01a20db0c8c3-71a4-8abb-83ac5cc0961f0",
                                      "g1a20db0-c8c3-71a4-8abb-83ac5cc0961f"};
    struct uuid uuid = {"before"};
    struct error error;
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_int_equal(uuid_parse(bad[i], &uuid, &error), -1);
        assert_string_equal(uuid.text, "before");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_ordered_by_their_making),
        cmocka_unit_test(an_id_holds_the_time_and_its_version),
        cmocka_unit_test(the_least_id_of_a_time_is_below_those_that_are_made),
        cmocka_unit_test(random_ids_are_of_version_4_and_distinct),
        cmocka_unit_test(either_case_is_read_and_lower_case_is_kept),
        cmocka_unit_test(what_is_no_uuid_is_refused_and_changes_nothing),
    };
    return cmocka_run_group_tests_name("uuid", tests, NULL, NULL);
}
