/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include <sodium.h>
#include <string.h>

#include "auth/link.h"

static const uint8_t key[LINK_KEY_BYTES] = {1, 2, 3};
static const struct uuid id = {"0190c8a1-0000-7000-8000-0123456789ab"};

static void a_link_gives_back_what_it_was_made_for(void **state)
{
    char link[LINK_TEXT_SIZE];
    struct uuid read;
    int64_t expires_s;
    (void)state;

    link_make(key, &id, 2000, link);

    assert_int_equal(link_check(key, link, 1999, &read, &expires_s, NULL), 0);
    assert_string_equal(read.text, id.text);
    assert_int_equal(expires_s, 2000);
}

static void an_expired_link_is_gone(void **state)
{
    char link[LINK_TEXT_SIZE];
    struct uuid read;
    struct error error;
    int64_t expires_s;
    (void)state;

    link_make(key, &id, 2000, link);

    assert_int_equal(link_check(key, link, 2000, &read, &expires_s, &error), -1);
    assert_true(error_is(&error, "gone"));
}

static void a_signed_text_is_read_back_and_no_other(void **state)
{
    AUTO(text_free) char *link = link_text_make(key, "[\"badge\", \"é\"]");
    AUTO(text_free) char *text = NULL;
    char run_link[LINK_TEXT_SIZE];
    struct error error;
    (void)state;
    link_make(key, &id, 2000, run_link);

    assert_int_equal(link_text_check(key, link, &text, NULL), 0);
    assert_string_equal(text, "[\"badge\", \"é\"]");
    for (size_t i = 0; i + 1 < strlen(link); i++) {
        char was = link[i];
        link[i] = was == 'A' ? 'B' : 'A';
        assert_int_equal(link_text_check(key, link, &text, &error), -1);
        assert_true(error_is(&error, "not_found"));
        link[i] = was;
    }
    assert_int_equal(link_text_check(key, run_link, &text, &error), -1);
    assert_int_equal(link_text_check(key, "", &text, &error), -1);
}

static void each_changed_character_breaks_it(void **state)
{
    char link[LINK_TEXT_SIZE];
    struct uuid read;
    struct error error;
    int64_t expires_s;
    (void)state;
    link_make(key, &id, 2000, link);

    for (size_t i = 0; link[i] != '\0'; i++) {
        char changed[LINK_TEXT_SIZE];
        memcpy(changed, link, sizeof changed);
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        assert_int_equal(link_check(key, changed, 0, &read, &expires_s, &error), -1);
        assert_true(error_is(&error, "not_found"));
    }
}

static void another_key_and_other_texts_are_refused(void **state)
{
    static const uint8_t other[LINK_KEY_BYTES] = {1, 2, 4};
    static const char *const texts[] = {"", "x", "====", "AAAA"};
    char link[LINK_TEXT_SIZE];
    struct uuid read;
    int64_t expires_s;
    (void)state;
    link_make(key, &id, 2000, link);

    assert_int_equal(link_check(other, link, 0, &read, &expires_s, NULL), -1);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_int_equal(link_check(key, texts[i], 0, &read, &expires_s, NULL), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_link_gives_back_what_it_was_made_for),
        cmocka_unit_test(an_expired_link_is_gone),
        cmocka_unit_test(a_signed_text_is_read_back_and_no_other),
        cmocka_unit_test(each_changed_character_breaks_it),
        cmocka_unit_test(another_key_and_other_texts_are_refused),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
