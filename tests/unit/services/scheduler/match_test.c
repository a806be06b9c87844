/* SPDX-License-Identifier: Apache-2.0 */
/* Who runs what. */
#include "match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

struct bench {
    json_t *plain, *cuda;
    struct requirements *any, *gpu, *never;
};

static struct requirements *parse(const char *predicate)
{
    json_t *list = predicate == NULL ? json_array() : json_pack("[s]", predicate);
    struct requirements *requirements = NULL;
    struct error error;
    assert_int_equal(requirements_parse(list, &requirements, &error), 0);
    json_decref(list);
    return requirements;
}

static int set_up(void **state)
{
    static struct bench bench;
    bench = (struct bench){.plain = json_pack("{s:s}", "os", "linux"),
                           .cuda = json_pack("{s:s, s:s}", "os", "linux", "gpu", "cuda"),
                           .any = parse(NULL),
                           .gpu = parse("gpu=cuda"),
                           .never = parse("os=plan9")};
    *state = &bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    json_decref(bench->plain);
    json_decref(bench->cuda);
    requirements_free(&bench->any);
    requirements_free(&bench->gpu);
    requirements_free(&bench->never);
    return 0;
}

static void the_worker_with_the_least_to_spare_is_taken(void **state)
{
    const struct bench *bench = *state;
    const struct match_worker workers[] = {{bench->cuda, 4, true}, {bench->plain, 1, true}};
    enum wait_class why;
    assert_int_equal(match_worker(bench->any, workers, 2, &why), 1);
    assert_int_equal(match_worker(bench->gpu, workers, 2, &why), 0);
}

static void among_equals_the_one_with_most_room_is_taken(void **state)
{
    const struct bench *bench = *state;
    const struct match_worker workers[] = {{bench->plain, 1, true}, {bench->plain, 3, true}};
    enum wait_class why;
    assert_int_equal(match_worker(bench->any, workers, 2, &why), 1);
}

static void each_refusal_has_its_class(void **state)
{
    const struct bench *bench = *state;
    const struct match_worker busy[] = {{bench->plain, 0, true}, {bench->cuda, 0, true}};
    const struct match_worker gone[] = {{bench->plain, 2, false}};
    enum wait_class why;
    assert_int_equal(match_worker(bench->any, NULL, 0, &why), -1);
    assert_int_equal(why, WAIT_NO_WORKER);
    assert_int_equal(match_worker(bench->any, gone, 1, &why), -1);
    assert_int_equal(why, WAIT_NO_WORKER);
    assert_int_equal(match_worker(bench->never, busy, 2, &why), -1);
    assert_int_equal(why, WAIT_NO_CAPABLE);
    assert_int_equal(match_worker(bench->gpu, busy, 2, &why), -1);
    assert_int_equal(why, WAIT_BUSY);
}

static void the_unmet_requirement_is_named(void **state)
{
    const struct bench *bench = *state;
    const struct match_worker workers[] = {{bench->plain, 1, true}};
    assert_string_equal(match_unmet(bench->gpu, workers, 1), "gpu=cuda");
    assert_null(match_unmet(bench->any, workers, 1));
}

static void order_is_priority_fair_share_longest_oldest(void **state)
{
    static const struct match_candidate order[] = {
        {.priority = 90, .project_running = 9, .order = 9},
        {.priority = 50, .project_running = 0, .order = 8},
        {.priority = 50, .project_running = 1, .expected_ms = 100, .order = 7},
        {.priority = 50, .project_running = 1, .expected_ms = 10, .order = 5},
        {.priority = 50, .project_running = 1, .expected_ms = 10, .order = 6},
    };
    (void)state;
    for (size_t i = 0; i + 1 < sizeof order / sizeof order[0]; i++) {
        assert_true(match_before(&order[i], &order[i + 1]));
        assert_false(match_before(&order[i + 1], &order[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worker_with_the_least_to_spare_is_taken),
        cmocka_unit_test(among_equals_the_one_with_most_room_is_taken),
        cmocka_unit_test(each_refusal_has_its_class),
        cmocka_unit_test(the_unmet_requirement_is_named),
        cmocka_unit_test(order_is_priority_fair_share_longest_oldest),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
