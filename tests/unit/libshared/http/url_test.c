/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "http/url.h"

static void a_url_is_absolute_http_and_without_a_user(void **state)
{
    static const struct {
        const char *url;
        int status;
    } cases[] = {
        {"https://example.com", 0},
        {"http://127.0.0.1:8080/a?b=c", 0},
        {"https://[::1]/x", 0},
        {"ftp://example.com", -1},
        {"example.com", -1},
        {"https://", -1},
        {"https:///path", -1},
        {"https://a b", -1},
        {"https://user@example.com", -1},
        {"https://user:pass@example.com", -1},
        {"javascript:alert(1)", -1},
        {"https://example.com:99999", -1},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        if (url_check("url", cases[i].url, NULL) != cases[i].status)
            fail_msg("%s", cases[i].url);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_is_absolute_http_and_without_a_user),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
