/* SPDX-License-Identifier: Apache-2.0 */
/* A policy is complete after decoding, and within its bounds. */
#include "model/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/json.h"
#include "base/memory.h"
#include "model/limits.h"

static int decode(const char *text, struct policy *policy_r, struct error *error)
{
    AUTO(json_free) json_t *json = NULL;
    assert_int_equal(json_parse(text, strlen(text), &json, error), 0);
    return fields_decode(&policy_fields, json, policy_r, error);
}

static void what_was_not_said_has_its_default(void **state)
{
    struct policy policy;
    struct error error;
    (void)state;

    assert_int_equal(decode("{\"attempts\": 5}", &policy, &error), 0);

    assert_int_equal(policy.attempts, 5);
    assert_int_equal(policy.queue_timeout_ms, LIMIT_QUEUE_TIMEOUT_MS);
    assert_int_equal(policy.task_timeout_ms, LIMIT_TASK_TIMEOUT_MS);
    assert_int_equal(policy.run_timeout_ms, LIMIT_RUN_TIMEOUT_MS);
    assert_true(policy.grace_ms > 0);
    assert_false(policy.allow_empty); /* no test is never green by default */
    assert_false(policy.cancel_superseded);
}

static void what_is_out_of_bounds_is_refused_by_its_name(void **state)
{
    static const struct {
        const char *text, *name;
    } bad[] = {
        {"{\"attempts\": 0}", "attempts"},
        {"{\"attempts\": -7}", "attempts"},
        {"{\"attempts\": 1000000}", "attempts"},
        {"{\"queue_timeout_ms\": 0}", "queue_timeout_ms"},
        {"{\"task_timeout_ms\": 9223372036854775807}", "task_timeout_ms"},
        {"{\"run_timeout_ms\": \"1h\"}", "run_timeout_ms"},
        {"{\"grace_ms\": -1}", "grace_ms"},
        {"{\"allow_empty\": 1}", "allow_empty"},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct policy policy;
        struct error error;
        assert_int_equal(decode(bad[i].text, &policy, &error), -1);
        assert_non_null(strstr(error.text, bad[i].name));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_not_said_has_its_default),
        cmocka_unit_test(what_is_out_of_bounds_is_refused_by_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
