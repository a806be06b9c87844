/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <string.h>

#include "auth/token.h"
#include "base/memory.h"

static void a_made_token_is_well_formed(void **state)
{
    char text[TOKEN_TEXT_SIZE], join[TOKEN_TEXT_SIZE];
    (void)state;

    token_make("vd", text);
    token_make("vdj", join);

    assert_memory_equal(text, "vd_", 3);
    assert_memory_equal(join, "vdj_", 4);
    assert_true(token_is_well_formed(text));
    assert_true(token_is_well_formed(join));
}

static void a_changed_character_is_noticed(void **state)
{
    char text[TOKEN_TEXT_SIZE];
    (void)state;
    token_make("vd", text);

    for (size_t i = 0; i < strlen(text); i++) {
        char changed[TOKEN_TEXT_SIZE];
        memcpy(changed, text, sizeof changed);
        changed[i] = changed[i] == 'x' ? 'y' : 'x';
        assert_false(token_is_well_formed(changed));
    }
}

static void a_cut_token_is_noticed(void **state)
{
    char text[TOKEN_TEXT_SIZE];
    (void)state;
    token_make("vd", text);

    for (size_t length = strlen(text); length-- > 0;) {
        text[length] = '\0';
        assert_false(token_is_well_formed(text));
    }
}

static void other_texts_are_no_tokens(void **state)
{
    static const char *const texts[] = {
        "",
        "vd",
        "vd_",
        "vd______",
        "hello",
        "ghp_0123456789012345678901234567890123456789",
        "vd_0123456789012345678901234567890123456789012345678901234567890123456789"};
    (void)state;

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        assert_false(token_is_well_formed(texts[i]));
}

static void two_tokens_differ_and_so_do_their_hashes(void **state)
{
    char a[TOKEN_TEXT_SIZE], b[TOKEN_TEXT_SIZE];
    uint8_t hash_a[TOKEN_HASH_BYTES], hash_b[TOKEN_HASH_BYTES], again[TOKEN_HASH_BYTES];
    (void)state;
    token_make("vd", a);
    token_make("vd", b);

    token_hash(a, hash_a);
    token_hash(b, hash_b);
    token_hash(a, again);

    assert_string_not_equal(a, b);
    assert_memory_not_equal(hash_a, hash_b, TOKEN_HASH_BYTES);
    assert_memory_equal(hash_a, again, TOKEN_HASH_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_made_token_is_well_formed),
        cmocka_unit_test(a_changed_character_is_noticed),
        cmocka_unit_test(a_cut_token_is_noticed),
        cmocka_unit_test(other_texts_are_no_tokens),
        cmocka_unit_test(two_tokens_differ_and_so_do_their_hashes),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
