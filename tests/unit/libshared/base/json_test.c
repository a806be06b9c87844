/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json.h"
#include "base/memory.h"

static void deep_nesting_is_refused_before_it_is_parsed(void **state)
{
    char deep[200], fine[200];
    json_t *json = NULL;
    struct error error;
    (void)state;
    memset(deep, '[', JSON_DEPTH_MAX + 1);
    memset(deep + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
    memset(fine, '[', JSON_DEPTH_MAX);
    memset(fine + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);

    assert_int_equal(json_parse(deep, 2 * (JSON_DEPTH_MAX + 1), &json, &error), -1);
    assert_non_null(strstr(error.text, "32"));
    assert_int_equal(json_parse(fine, 2 * JSON_DEPTH_MAX, &json, &error), 0);
    json_free(&json);
}

static void brackets_in_strings_are_no_nesting(void **state)
{
    static const char text[] = "{\"a\": \"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[\"}";
    json_t *json = NULL;
    struct error error;
    (void)state;
    assert_int_equal(json_parse(text, sizeof text - 1, &json, &error), 0);
    json_free(&json);
}

static void what_is_not_good_json_is_refused_with_its_place(void **state)
{
    static const char *const bad[] = {
        "", "{", "{\"a\":1,\"a\":2}", "[1,]", "\"\xff\"", "\"a\\u0000b\"", "nul", "{} {}"};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        json_t *json = NULL;
        struct error error;
        if (json_parse(bad[i], strlen(bad[i]), &json, &error) == 0)
            fail_msg("%s was taken", bad[i]);
        assert_string_equal(error.code, "invalid");
        assert_non_null(strstr(error.text, "line"));
    }
}

static void any_bytes_become_a_string(void **state)
{
    AUTO(json_free) json_t *json = json_lossy("a\xff\0b", 4);
    AUTO(text_free) char *text = json_text(json);
    (void)state;
    assert_string_equal(text, "\"a\xef\xbf\xbd\xef\xbf\xbd"
                              "b\"");
}

static void members_of_another_type_have_the_fallback(void **state)
{
    AUTO(json_free) json_t *json = json_pack("{s:i, s:s, s:b}", "i", 5, "s", "x", "b", 1);
    (void)state;
    assert_int_equal(json_find_int(json, "i", 7), 5);
    assert_int_equal(json_find_int(json, "s", 7), 7);
    assert_null(json_find_text(json, "i"));
    assert_true(json_find_bool(json, "b", false));
    assert_true(json_find_bool(json, "none", true));
    assert_null(json_find_text(NULL, "s"));
}

static void a_buffer_never_outgrows_its_maximum(void **state)
{
    struct buffer buffer;
    struct error error;
    (void)state;
    buffer_init(&buffer, 10);
    buffer_add_text(&buffer, "12345678");
    assert_int_equal(buffer_check(&buffer, "it", &error), 0);
    buffer_add_text(&buffer, "abc");
    assert_int_equal(buffer_check(&buffer, "it", &error), -1);
    assert_true(buffer.length <= 10);
    buffer_clear(&buffer);
    assert_int_equal(buffer_check(&buffer, "it", &error), 0);
    buffer_addf(&buffer, "%d%s", 12, "ab");
    assert_string_equal(buffer_text(&buffer), "12ab");
    buffer_remove_front(&buffer, 2);
    assert_string_equal(buffer_text(&buffer), "ab");
    buffer_deinit(&buffer);
    assert_string_equal(buffer_text(&buffer), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deep_nesting_is_refused_before_it_is_parsed),
        cmocka_unit_test(brackets_in_strings_are_no_nesting),
        cmocka_unit_test(what_is_not_good_json_is_refused_with_its_place),
        cmocka_unit_test(any_bytes_become_a_string),
        cmocka_unit_test(members_of_another_type_have_the_fallback),
        cmocka_unit_test(a_buffer_never_outgrows_its_maximum),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
