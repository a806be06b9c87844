/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/memory.h"
#include "http/uri.h"

static void escapes_are_decoded(void **state)
{
    static const char *const cases[][2] = {{"", ""},         {"abc", "abc"},
                                           {"a%20b", "a b"}, {"a%2Fb%2fc", "a/b/c"},
                                           {"%C3%A4", "ä"},  {"%25", "%"}};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        AUTO(text_free) char *text = NULL;
        assert_int_equal(uri_decode(cases[i][0], strlen(cases[i][0]), &text, NULL), 0);
        assert_string_equal(text, cases[i][1]);
    }
}

static void broken_escapes_nul_and_bad_utf8_are_refused(void **state)
{
    static const char *const cases[] = {"%",     "%2",  "%zz", "a%", "%00",
                                        "a%00b", "%ff", "%C3", "%-1"};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *text = NULL;
        struct error error;
        assert_int_equal(uri_decode(cases[i], strlen(cases[i]), &text, &error), -1);
        assert_true(error_is(&error, "invalid"));
        assert_null(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes_are_decoded),
        cmocka_unit_test(broken_escapes_nul_and_bad_utf8_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
