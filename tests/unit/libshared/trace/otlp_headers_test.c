/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "trace/otlp_headers.h"

static void values_are_decoded_and_spaces_left_out(void **state)
{
    AUTO(texts_deinit) struct texts headers = {0};
    struct error error;
    (void)state;

    int status = otlp_headers_read(
        " Authorization = Bearer%20s3%2Ccret== ,, x-tenant=a;b=c,x-empty=,", &headers, &error);

    assert_int_equal(status, 0);
    assert_int_equal(headers.count, 3);
    assert_string_equal(headers.list[0], "Authorization: Bearer s3,cret==");
    assert_string_equal(headers.list[1], "x-tenant: a;b=c");
    assert_string_equal(headers.list[2], "x-empty: ");
}

static void none_is_none(void **state)
{
    AUTO(texts_deinit) struct texts headers = {0};
    struct error error;
    (void)state;

    assert_int_equal(otlp_headers_read("", &headers, &error), 0);

    assert_int_equal(headers.count, 0);
}

static void what_is_no_header_is_refused_without_its_value(void **state)
{
    static const char *const bad[] = {
        "a=1,secret", "=secret", "a b=secret", "a:=secret", "a=secret%0d%0aX-Other: 1",
        "a=secret%00"};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        AUTO(texts_deinit) struct texts headers = {0};
        struct error error;

        assert_int_equal(otlp_headers_read(bad[i], &headers, &error), -1);

        assert_string_equal(error.code, "invalid");
        assert_null(strstr(error.text, "secret"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_decoded_and_spaces_left_out),
        cmocka_unit_test(none_is_none),
        cmocka_unit_test(what_is_no_header_is_refused_without_its_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
