/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "address.h"
#include "base/memory.h"

static void public_addresses_are_public(void **state)
{
    static const char *const addresses[] = {
        "1.1.1.1",        "9.255.255.255",        "11.0.0.0",     "100.63.255.255",
        "100.128.0.0",    "126.255.255.255",      "128.0.0.1",    "169.253.255.255",
        "172.15.255.255", "172.32.0.0",           "192.167.0.1",  "193.0.0.1",
        "198.17.255.255", "198.20.0.0",           "223.255.0.1",  "2606:4700::1111",
        "2a00:1450::1",   "::ffff:93.184.216.34", "2002:101:1::", "64:ff9b::5db8:d822"};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(addresses); i++)
        if (!address_text_is_public(addresses[i]))
            fail_msg("%s is public", addresses[i]);
}

static void special_addresses_are_not_public(void **state)
{
    static const char *const addresses[] = {"0.0.0.0",
                                            "10.0.0.1",
                                            "100.64.0.1",
                                            "127.0.0.1",
                                            "127.255.255.254",
                                            "169.254.169.254",
                                            "172.16.0.1",
                                            "172.31.255.255",
                                            "192.0.0.8",
                                            "192.0.2.1",
                                            "192.168.1.1",
                                            "198.18.0.1",
                                            "198.19.255.255",
                                            "198.51.100.7",
                                            "203.0.113.9",
                                            "224.0.0.1",
                                            "239.255.255.255",
                                            "240.0.0.1",
                                            "255.255.255.255",
                                            "::",
                                            "::1",
                                            "fc00::1",
                                            "fd12:3456::1",
                                            "fe80::1",
                                            "ff02::1",
                                            "2001::1",
                                            "2001:db8::1",
                                            "3fff::1",
                                            "::ffff:10.0.0.1",
                                            "::ffff:127.0.0.1",
                                            "::127.0.0.1",
                                            "64:ff9b::a00:1",
                                            "2002:a00:1::",
                                            "::ffff:169.254.1.1",
                                            "64:ff9b:1::1",
                                            "4000::1"};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(addresses); i++)
        if (address_text_is_public(addresses[i]))
            fail_msg("%s is not public", addresses[i]);
}

static void what_is_no_address_is_not_public(void **state)
{
    static const char *const texts[] = {"", "localhost", "1.2.3", "1.2.3.4.5", "[::1]", "1.1.1.1 "};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        assert_false(address_text_is_public(texts[i]));
}

static void socket_addresses_are_judged_alike(void **state)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct sockaddr other = {.sa_family = AF_UNIX};
    (void)state;

    inet_pton(AF_INET, "8.8.8.8", &v4.sin_addr);
    inet_pton(AF_INET6, "fc00::1", &v6.sin6_addr);

    assert_true(address_is_public((const struct sockaddr *)&v4));
    assert_false(address_is_public((const struct sockaddr *)&v6));
    assert_false(address_is_public(&other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(public_addresses_are_public),
        cmocka_unit_test(special_addresses_are_not_public),
        cmocka_unit_test(what_is_no_address_is_not_public),
        cmocka_unit_test(socket_addresses_are_judged_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
