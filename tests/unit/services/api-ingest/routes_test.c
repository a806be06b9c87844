/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/memory.h"
#include "routes.h"

static void no_two_patterns_of_one_method_overlap(void **state)
{
    (void)state;
    for (size_t a = 0; a < routes_count; a++)
        for (size_t b = a + 1; b < routes_count; b++)
            if (strcmp(routes[a].method, routes[b].method) == 0 &&
                route_patterns_overlap(routes[a].pattern, routes[b].pattern))
                fail_msg("%s: %s and %s overlap", routes[a].method, routes[a].pattern,
                         routes[b].pattern);
}

static void every_route_is_complete(void **state)
{
    (void)state;
    for (size_t i = 0; i < routes_count; i++) {
        assert_non_null(routes[i].handler);
        assert_non_null(routes[i].text);
        assert_non_null(routes[i].door);
        assert_true(routes[i].scope >= ROUTE_TOKEN && routes[i].scope < SCOPE_COUNT);
        assert_int_equal(routes[i].pattern[0], '/');
    }
}

static void every_route_is_found_by_its_own_pattern(void **state)
{
    struct route_match match;
    struct error error;
    char allow[64];
    (void)state;
    for (size_t i = 0; i < routes_count; i++) {
        assert_int_equal(route_find(routes[i].method, routes[i].pattern, &match, allow, &error), 0);
        assert_ptr_equal(match.route, &routes[i]);
    }
}

static void overlap_is_told_from_a_difference(void **state)
{
    static const struct {
        const char *a, *b;
        bool overlaps;
    } cases[] = {
        {"/a", "/a", true},
        {"/a", "/b", false},
        {"/a/{x}", "/a/b", true},
        {"/a/{x}", "/a/{y}", true},
        {"/a/{x}/c", "/a/b/{y}", true},
        {"/a/{x}/c", "/a/b/d", false},
        {"/a/{x}", "/a/{x}/b", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(route_patterns_overlap(cases[i].a, cases[i].b), cases[i].overlaps);
}

static void another_method_is_refused_with_the_allowed_ones(void **state)
{
    struct route_match match;
    struct error error;
    char allow[64];
    (void)state;

    int status = route_find("DELETE", "/v1/version", &match, allow, &error);

    assert_int_equal(status, -1);
    assert_true(error_is(&error, "method_not_allowed"));
    assert_string_equal(allow, "GET");
}

static void an_unknown_path_is_not_found(void **state)
{
    static const char *const paths[] = {"/",          "",           "/v1",          "/v1/version/",
                                        "v1/version", "//version",  "/v1//version", "*",
                                        "/v2/me",     "/v1/VERSION"};
    struct route_match match;
    struct error error;
    char allow[64];
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        assert_int_equal(route_find("GET", paths[i], &match, allow, &error), -1);
        assert_true(error_is(&error, "not_found"));
    }
}

static void head_is_answered_by_get(void **state)
{
    struct route_match match;
    struct error error;
    char allow[64];
    (void)state;
    assert_int_equal(route_find("HEAD", "/v1/version", &match, allow, &error), 0);
    assert_string_equal(match.route->method, "GET");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_two_patterns_of_one_method_overlap),
        cmocka_unit_test(every_route_is_complete),
        cmocka_unit_test(every_route_is_found_by_its_own_pattern),
        cmocka_unit_test(overlap_is_told_from_a_difference),
        cmocka_unit_test(another_method_is_refused_with_the_allowed_ones),
        cmocka_unit_test(an_unknown_path_is_not_found),
        cmocka_unit_test(head_is_answered_by_get),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
