/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "model/events.h"

static void patterns_cover_what_they_name(void **state)
{
    static const struct {
        const char *pattern, *type;
        bool covers;
    } rows[] = {
        {"*", "run.finished", true},
        {"run.*", "run.finished", true},
        {"run.*", "worker.lost", false},
        {"run.finished", "run.finished", true},
        {"run.finished", "run.started", false},
        {"run", "run.finished", false},
        {".*", "run.finished", false},
        {"r*", "run.finished", false},
        {"run.*", "runner.lost", false},
        {"", "run.finished", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (event_pattern_covers(rows[i].pattern, rows[i].type) != rows[i].covers)
            fail_msg("%s, %s", rows[i].pattern, rows[i].type);
}

static void a_pattern_that_covers_nothing_is_not_valid(void **state)
{
    static const char *const bad[] = {"", "run", "run.finish", "nonsense.*", ".*"};
    static const char *const good[] = {"*", "run.*", "worker.lost", "endpoint.test"};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_false(event_pattern_is_valid(bad[i]));
    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        assert_true(event_pattern_is_valid(good[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_cover_what_they_name),
        cmocka_unit_test(a_pattern_that_covers_nothing_is_not_valid),
    };
    return cmocka_run_group_tests_name("events", tests, NULL, NULL);
}
