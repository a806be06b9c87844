/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <string.h>

#include "auth/seal.h"

static const uint8_t key[SEAL_KEY_BYTES] = {1, 2, 3};
static const char secret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

static void what_was_sealed_can_be_read_again(void **state)
{
    uint8_t sealed[sizeof secret + SEAL_ADDED_BYTES];
    char text[SEAL_TEXT_MAX + 1];
    (void)state;

    size_t length = seal_text(key, secret, sealed);

    assert_int_equal(unseal_text(key, sealed, length, text, NULL), 0);
    assert_string_equal(text, secret);
}

static void another_key_or_a_changed_byte_is_refused(void **state)
{
    static const uint8_t other[SEAL_KEY_BYTES] = {4};
    uint8_t sealed[sizeof secret + SEAL_ADDED_BYTES];
    char text[SEAL_TEXT_MAX + 1];
    struct error error;
    (void)state;
    size_t length = seal_text(key, secret, sealed);

    assert_int_equal(unseal_text(other, sealed, length, text, &error), -1);
    assert_int_equal(unseal_text(key, sealed, length - 1, text, &error), -1);
    assert_int_equal(unseal_text(key, sealed, 3, text, &error), -1);
    sealed[length - 1] ^= 1;
    assert_int_equal(unseal_text(key, sealed, length, text, &error), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_sealed_can_be_read_again),
        cmocka_unit_test(another_key_or_a_changed_byte_is_refused),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
