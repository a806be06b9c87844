/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admin_topics.h"
#include "base/memory.h"

static void given_counts_replace_only_their_own(void **state)
{
    int counts[TOPIC_COUNT] = {0};
    (void)state;

    int status = partitions_parse("scheduling=2,lanes=16", counts, NULL);

    assert_int_equal(status, 0);
    assert_int_equal(counts[TOPIC_SCHEDULING], 2);
    assert_int_equal(counts[TOPIC_LANES], 16);
    assert_int_equal(counts[TOPIC_RESULTS], 0);
    assert_int_equal(partitions_parse(NULL, counts, NULL), 0);
}

static void bad_counts_are_usage_errors(void **state)
{
    static const char *const texts[] = {"scheduling", "scheduling=", "scheduling=0", "lanes=1025",
                                        "lanes=x",    "cats=4",      "lanes=4,=5"};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        int counts[TOPIC_COUNT] = {0};
        struct error error;
        assert_int_equal(partitions_parse(texts[i], counts, &error), -1);
        assert_true(error_is(&error, "usage"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_counts_replace_only_their_own),
        cmocka_unit_test(bad_counts_are_usage_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
