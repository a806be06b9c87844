/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/memory.h"
#include "payload.h"

static void the_body_is_as_documented(void **state)
{
    AUTO(json_free) json_t *data = json_pack("{s:s}", "state", "passed");
    (void)state;

    AUTO(text_free)
    char *with = payload_text("run.finished", "2026-11-24T10:00:00.000Z", "e1", 4, data);
    AUTO(text_free)
    char *without = payload_text("endpoint.test", "2026-11-24T10:00:00.000Z", "e2", 0, data);

    assert_string_equal(with,
                        "{\"type\":\"run.finished\",\"timestamp\":\"2026-11-24T10:00:00.000Z\","
                        "\"id\":\"e1\",\"version\":4,\"data\":{\"state\":\"passed\"}}");
    assert_string_equal(without,
                        "{\"type\":\"endpoint.test\",\"timestamp\":\"2026-11-24T10:00:00.000Z\","
                        "\"id\":\"e2\",\"data\":{\"state\":\"passed\"}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_body_is_as_documented)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
