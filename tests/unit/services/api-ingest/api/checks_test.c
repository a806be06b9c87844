/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/checks.h"
#include "base/json.h"
#include "base/memory.h"

static void a_slug_never_looks_like_an_id(void **state)
{
    (void)state;
    assert_int_equal(check_slug("slug", "unit-tests-2", NULL), 0);
    assert_int_equal(check_slug("slug", "01a20d61-ef06-7764-aa5b-63b41552bf28", NULL), -1);
    assert_int_equal(check_slug("slug", "Unit", NULL), -1);
}

static int check(const char *text)
{
    AUTO(json_free) json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    return check_parameters("parameters", json, NULL);
}

static void parameters_are_short_plain_values(void **state)
{
    (void)state;
    assert_int_equal(check_parameters("parameters", NULL, NULL), 0);
    assert_int_equal(check("{\"browser\": \"firefox\", \"retries\": 3, \"fast\": true}"), 0);
    assert_int_equal(check("{\"a\": {}}"), -1);
    assert_int_equal(check("{\"a\": [1]}"), -1);
    assert_int_equal(check("{\"a\": null}"), -1);
    assert_int_equal(check("{\"\": 1}"), -1);
    assert_int_equal(check("{\"a b\": 1}"), -1);
}

static void a_time_is_one_that_there_is(void **state)
{
    static const struct {
        const char *text;
        int status;
    } cases[] = {
        {"2026-11-24T10:57:54Z", 0},
        {"2026-11-24T10:57:54.123456789Z", 0},
        {"2028-02-29T23:59:59+14:00", 0},
        {"2026-11-24T10:57:54-11:30", 0},
        {"2026-02-29T10:57:54Z", -1},
        {"2026-11-31T10:57:54Z", -1},
        {"2026-13-01T10:57:54Z", -1},
        {"2026-11-24T24:00:00Z", -1},
        {"2026-11-24T10:57:60Z", -1},
        {"0000-01-01T00:00:00Z", -1},
        {"2026-11-24T10:57:54+14:01", -1},
        {"2026-11-24T10:57:54+10:60", -1},
        {"2026-11-24T10:57:54+1", -1},
        {"2026-11-24T10:57:54.Z", -1},
        {"2026-11-24T10:57:54.1234567890Z", -1},
        {"2026-11-24T10:57:54", -1},
        {"2026-11-24", -1},
        {" 026-11-24T10:57:54Z", -1},
        {"", -1},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        if (check_time("since", cases[i].text, NULL) != cases[i].status)
            fail_msg("%s", cases[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slug_never_looks_like_an_id),
        cmocka_unit_test(a_time_is_one_that_there_is),
        cmocka_unit_test(parameters_are_short_plain_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
