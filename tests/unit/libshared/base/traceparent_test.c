/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/traceparent.h"

#define TRACE  "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT "00f067aa0ba902b7"

static void only_what_the_standard_calls_one_is_taken(void **state)
{
    static const char *const wrong[] = {
        "",
        "00-" TRACE "-" PARENT "-0",
        "00-" TRACE "-" PARENT "-01-",
        "ff-" TRACE "-" PARENT "-01",
        "00-" TRACE "-0000000000000000-01",
        "00-00000000000000000000000000000000-" PARENT "-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-" PARENT "-01",
        "00--bf92f3577b34da6a3ce929d0e0e4736-" PARENT "-01",
        "-------------------------------------------------------",
    };
    (void)state;

    assert_true(traceparent_is_valid("00-" TRACE "-" PARENT "-01"));
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        if (traceparent_is_valid(wrong[i]))
            fail_msg("%s", wrong[i]);
}

static void one_that_is_begun_is_one_and_no_other(void **state)
{
    char one[TRACEPARENT_SIZE], other[TRACEPARENT_SIZE];
    (void)state;

    traceparent_begin(one);
    traceparent_begin(other);

    assert_true(traceparent_is_valid(one));
    assert_string_not_equal(one, other);
}

static void a_span_has_one_id_for_everybody_and_its_trace_goes_on_below_it(void **state)
{
    const struct uuid run = uuid_v7(), other = uuid_v7();
    char id[SPAN_ID_SIZE], again[SPAN_ID_SIZE], parent[SPAN_ID_SIZE], trace[TRACE_ID_SIZE];
    char text[TRACEPARENT_SIZE] = "00-" TRACE "-" PARENT "-01";
    (void)state;

    span_id_of(&run, "run", id);
    span_id_of(&run, "run", again);
    assert_string_equal(id, again);
    span_id_of(&run, "trigger", again);
    assert_string_not_equal(id, again);
    span_id_of(&other, "run", again);
    assert_string_not_equal(id, again);

    traceparent_below(text, id, text);
    traceparent_span_id(text, parent);
    traceparent_trace_id(text, trace);
    assert_true(traceparent_is_valid(text));
    assert_string_equal(parent, id);
    assert_string_equal(trace, TRACE);
}

static void the_last_bit_of_the_flags_says_that_it_is_recorded(void **state)
{
    (void)state;

    assert_true(traceparent_is_sampled("00-" TRACE "-" PARENT "-01"));
    assert_true(traceparent_is_sampled("00-" TRACE "-" PARENT "-0f"));
    assert_false(traceparent_is_sampled("00-" TRACE "-" PARENT "-00"));
    assert_false(traceparent_is_sampled("00-" TRACE "-" PARENT "-fe"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_the_standard_calls_one_is_taken),
        cmocka_unit_test(one_that_is_begun_is_one_and_no_other),
        cmocka_unit_test(a_span_has_one_id_for_everybody_and_its_trace_goes_on_below_it),
        cmocka_unit_test(the_last_bit_of_the_flags_says_that_it_is_recorded)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
