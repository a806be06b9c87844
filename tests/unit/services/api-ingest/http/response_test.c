/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/memory.h"
#include "http/response_parts.h"

static void a_later_answer_replaces_the_earlier_one(void **state)
{
    struct response response;
    (void)state;
    response_init(&response);

    response_text(&response, 200, "text/plain", "first");
    response_text(&response, 201, "text/plain", "second");
    response_header(&response, "X-A", "1");
    response_header(&response, "X-A", "2");

    assert_int_equal(response_status(&response), 201);
    assert_string_equal(response.bytes, "second");
    assert_int_equal(response.header_count, 1);
    assert_string_equal(response.headers[0].value, "2");
    response_deinit(&response);
}

static void an_etag_that_the_client_has_makes_it_304(void **state)
{
    static const struct {
        const char *if_none_match;
        int status;
    } cases[] = {{NULL, 200},       {"\"v1\"", 200}, {"\"v2\"", 304}, {"\"v1\", \"v2\"", 304},
                 {"W/\"v2\"", 304}, {"*", 304},      {"v2", 200}};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct response response;
        response_init(&response);
        response_text(&response, 200, "text/plain", "x");
        response_etag(&response, "v2");

        response_revalidate(&response, cases[i].if_none_match);

        assert_int_equal(response_status(&response), cases[i].status);
        assert_int_equal(response.kind, cases[i].status == 200 ? BODY_BYTES : BODY_NONE);
        response_deinit(&response);
    }
}

static void a_problem_says_when_to_try_again(void **state)
{
    struct response response;
    struct error error = {.code = "unavailable", .text = "later"};
    (void)state;
    response_init(&response);

    response_problem(&response, &error);

    assert_int_equal(response_status(&response), 503);
    assert_string_equal(response.content_type, "application/problem+json");
    assert_string_equal(response.headers[0].name, "Retry-After");
    response_deinit(&response);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_later_answer_replaces_the_earlier_one),
        cmocka_unit_test(an_etag_that_the_client_has_makes_it_304),
        cmocka_unit_test(a_problem_says_when_to_try_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
