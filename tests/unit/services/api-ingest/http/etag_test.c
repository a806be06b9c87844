/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "http/etag.h"

static void a_tag_is_named_whole(void **state)
{
    static const struct {
        const char *list;
        bool is_strong, is_weak;
    } cases[] = {
        {"*", true, true},
        {"\"ab\"", true, true},
        {"\"x\", \"ab\"", true, true},
        {"\"x\",\"ab\",", true, true},
        {"W/\"ab\"", false, true},
        {"W/\"ab\", \"ab\"", true, true},
        {"", false, false},
        {"ab", false, false},
        {"\"ab", false, false},
        {"\"a\"", false, false},
        {"\"xab\"", false, false},
        {"\"a\" b\"ab\"", false, false},
        {"\"*\"", false, false},
        {"*, \"x\"", false, false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        if (etag_is_named(cases[i].list, "\"ab\"", ETAG_STRONG) != cases[i].is_strong ||
            etag_is_named(cases[i].list, "\"ab\"", ETAG_WEAK) != cases[i].is_weak)
            fail_msg("%s", cases[i].list);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_tag_is_named_whole)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
