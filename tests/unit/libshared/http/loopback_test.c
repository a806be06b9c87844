/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "http/loopback.h"

static void this_machine_is_loopback(void **state)
{
    static const char *const urls[] = {
        "http://localhost",         "http://localhost:8080/v1", "http://LOCALHOST/",
        "http://127.0.0.1:8080",    "https://127.255.255.254/", "http://[::1]:8080/v1/runs",
        "http://[0:0:0:0:0:0:0:1]", "http://token@127.0.0.1/",  "127.0.0.1:8080",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(urls); i++)
        if (!url_is_loopback(urls[i]))
            fail_msg("%s is this machine", urls[i]);
}

static void others_that_look_like_it_are_not(void **state)
{
    static const char *const urls[] = {
        "http://127.evil.example/",
        "http://127.0.0.1.evil.example/",
        "http://localhost.evil.example",
        "http://localhostile",
        "http://127.0.0.1@evil.example/",
        "http://localhost:x@evil.example/",
        "https://evil.example/?to=http://127.0.0.1",
        "https://evil.example/#://localhost",
        "http://128.0.0.1",
        "http://[::2]",
        "http://[::1:1]",
        "http://10.0.0.1",
        "http://",
        "",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(urls); i++)
        if (url_is_loopback(urls[i]))
            fail_msg("%s is not this machine", urls[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(this_machine_is_loopback),
        cmocka_unit_test(others_that_look_like_it_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
