/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "http/problem.h"

static void a_bad_field_is_named(void **state)
{
    struct error error = {.code = ""};
    (void)state;
    error_field(&error, "cases[3].name", "name is longer than 5 bytes");

    const struct problem_kind *kind = problem_kind_get(&error);
    AUTO(json_free) json_t *problem = problem_json(kind, &error);

    json_t *first = json_array_get(json_object_get(problem, "errors"), 0);
    assert_int_equal(kind->status, 400);
    assert_string_equal(json_find_text(problem, "message"), "name is longer than 5 bytes");
    assert_string_equal(json_find_text(first, "field"), "cases[3].name");
    assert_string_equal(json_find_text(first, "message"), "name is longer than 5 bytes");
}

static void what_postgres_said_stays_inside(void **state)
{
    struct error error = {.code = "refused", .sqlstate = "42P01", .text = "relation secret"};
    (void)state;

    const struct problem_kind *kind = problem_kind_get(&error);
    AUTO(json_free) json_t *problem = problem_json(kind, &error);
    AUTO(text_free) char *text = json_text(problem);

    assert_int_equal(kind->status, 500);
    assert_null(strstr(text, "secret"));
}

static void a_lost_connection_asks_to_try_again(void **state)
{
    static const struct error errors[] = {
        {.code = "unavailable", .sqlstate = "08006", .text = "x"},
        {.code = "refused", .sqlstate = "57014", .text = "x"},
        {.code = "refused", .sqlstate = "40001", .text = "x"},
        {.code = "unknown", .text = "x"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        const struct problem_kind *kind = problem_kind_get(&errors[i]);
        assert_int_equal(kind->status, 503);
        assert_true(kind->retry_after_s > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bad_field_is_named),
        cmocka_unit_test(what_postgres_said_stays_inside),
        cmocka_unit_test(a_lost_connection_asks_to_try_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
