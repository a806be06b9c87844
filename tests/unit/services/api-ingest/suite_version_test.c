/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "suite_version.h"

static void digest_of(const char *text, uint8_t digest_r[SUITE_DIGEST_BYTES])
{
    AUTO(json_free) json_t *json = json_loads(text, 0, NULL);
    AUTO(suite_deinit) struct suite_spec spec = {.framework = NULL};
    assert_int_equal(suite_decode(json, &spec, NULL), 0);
    suite_digest(&spec, digest_r);
}

#define SOURCE "\"source\": {\"kind\": \"path\", \"path\": \"/srv\"}"

static void what_means_the_same_has_the_same_digest(void **state)
{
    uint8_t a[SUITE_DIGEST_BYTES], b[SUITE_DIGEST_BYTES];
    (void)state;

    digest_of("{\"framework\": \"pytest\", " SOURCE ", \"cases\": [\"a.py::b\"]}", a);
    digest_of("{\"cases\": [\"a.py::b\"], \"title\": \"other\", " SOURCE
              ", \"framework\": \"pytest\", \"directory\": null}",
              b);

    assert_memory_equal(a, b, SUITE_DIGEST_BYTES);
}

static void another_case_is_another_version(void **state)
{
    uint8_t a[SUITE_DIGEST_BYTES], b[SUITE_DIGEST_BYTES];
    (void)state;

    digest_of("{\"framework\": \"pytest\", " SOURCE ", \"cases\": [\"a.py::b\"]}", a);
    digest_of("{\"framework\": \"pytest\", " SOURCE ", \"cases\": [\"a.py::c\"]}", b);

    assert_memory_not_equal(a, b, SUITE_DIGEST_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_means_the_same_has_the_same_digest),
        cmocka_unit_test(another_case_is_another_version),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
