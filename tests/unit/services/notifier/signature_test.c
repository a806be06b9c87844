/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "base/memory.h"
#include "signature.h"

#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define ID     "msg_p5jXN8AQM9LWM0D4loKWxJek"
#define BODY   "{\"test\": 2432232314}"

/* The vector of the Standard Webhooks reference libraries. */
static void the_known_vector_is_signed_as_known(void **state)
{
    char signature[SIGNATURE_SIZE];
    (void)state;

    int status = signature_make(SECRET, ID, 1614265330, BODY, strlen(BODY), signature, NULL);

    assert_int_equal(status, 0);
    assert_string_equal(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

static void each_part_counts(void **state)
{
    char base[SIGNATURE_SIZE], other[SIGNATURE_SIZE];
    (void)state;
    assert_int_equal(signature_make(SECRET, ID, 1, BODY, strlen(BODY), base, NULL), 0);

    assert_int_equal(signature_make(SECRET, ID, 2, BODY, strlen(BODY), other, NULL), 0);
    assert_string_not_equal(base, other);
    assert_int_equal(signature_make(SECRET, "msg_2", 1, BODY, strlen(BODY), other, NULL), 0);
    assert_string_not_equal(base, other);
    assert_int_equal(signature_make(SECRET, ID, 1, BODY, strlen(BODY) - 1, other, NULL), 0);
    assert_string_not_equal(base, other);
}

static void bad_secrets_are_refused(void **state)
{
    static const char *const secrets[] = {"", "whsec_", "whsec_!!!!", "whsec_c2hvcnQ=", SECRET "#"};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(secrets); i++) {
        char signature[SIGNATURE_SIZE];
        struct error error;
        assert_int_equal(signature_make(secrets[i], ID, 1, BODY, 4, signature, &error), -1);
        assert_true(error_is(&error, "invalid"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_known_vector_is_signed_as_known),
        cmocka_unit_test(each_part_counts),
        cmocka_unit_test(bad_secrets_are_refused),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
