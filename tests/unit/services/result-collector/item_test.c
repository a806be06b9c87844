/* SPDX-License-Identifier: Apache-2.0 */
/* A bad item becomes something that can be kept and seen; it never stops the stream behind it. */
#include "item.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/json.h"
#include "base/memory.h"
#include "model/limits.h"

#define KEY    "0123456789abcdef0123456789abcdef"
#define STREAM "6a0c0f5e-0d6f-4c0b-9a43-1a2b3c4d5e6f"

static enum item_fate read_text(enum item_kind kind, const char *text, struct item *item_r,
                                struct error *why)
{
    struct stream_item raw = {.kind = (int)kind};
    assert_int_equal(json_parse(text, strlen(text), &raw.body, why), 0);
    enum item_fate fate = item_read(&raw, STREAM, 7, item_r, why);
    json_decref(raw.body);
    return fate;
}

static void a_good_result_is_taken_as_it_is(void **state)
{
    struct error why;
    struct item item;
    (void)state;
    enum item_fate fate =
        read_text(ITEM_RESULT,
                  "{\"key\": \"" KEY "\", \"name\": \"adds\", \"status\": \"failed\","
                  " \"try\": 2, \"duration_ms\": 12, \"message\": \"3 is not 4\"}",
                  &item, &why);
    assert_int_equal(fate, ITEM_IS_GOOD);
    assert_int_equal(item.seq, 7);
    assert_string_equal(item.result.key, KEY);
    assert_int_equal(item.result.status, RESULT_FAILED);
    assert_int_equal(item.result.try, 2);
    assert_string_equal(item.result.message, "3 is not 4");
    item_free(&item);
}

static void a_bad_result_is_an_errored_case_that_names_the_field(void **state)
{
    static const struct {
        const char *body, *field;
    } cases[] = {
        {"{\"key\": \"" KEY "\", \"name\": \"n\", \"status\": \"splendid\"}", "status"},
        {"{\"key\": \"" KEY "\", \"name\": \"n\", \"status\": \"passed\", \"try\": 0}", "try"},
        {"{\"key\": \"" KEY "\", \"name\": \"n\", \"status\": \"passed\", \"duration_ms\": -1}",
         "duration_ms"},
        {"{\"key\": \"" KEY "\", \"name\": \"n\"}", "status"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error why;
        struct item item;
        assert_int_equal(read_text(ITEM_RESULT, cases[i].body, &item, &why), ITEM_IS_MENDED);
        assert_string_equal(item.result.key, KEY);
        assert_string_equal(item.result.name, "n");
        assert_int_equal(item.result.status, RESULT_ERRORED);
        assert_int_equal(item.result.try, 1);
        assert_non_null(strstr(item.result.message, cases[i].field));
        item_free(&item);
    }
}

static void a_name_that_is_too_long_is_cut(void **state)
{
    char body[4096], name[2000];
    struct error why;
    struct item item;
    (void)state;
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    snprintf(body, sizeof body, "{\"key\": \"" KEY "\", \"status\": \"passed\", \"name\": \"%s\"}",
             name);
    assert_int_equal(read_text(ITEM_RESULT, body, &item, &why), ITEM_IS_MENDED);
    assert_int_equal(strlen(item.result.name), LIMIT_CASE_NAME_BYTES);
    assert_int_equal(item.result.status, RESULT_ERRORED);
    assert_non_null(strstr(item.result.message, "name"));
    item_free(&item);
}

static void a_result_without_a_key_has_the_same_one_each_time(void **state)
{
    struct error why;
    struct item first, second;
    (void)state;
    assert_int_equal(read_text(ITEM_RESULT, "{\"key\": \"x\", \"name\": 7}", &first, &why),
                     ITEM_IS_MENDED);
    assert_int_equal(read_text(ITEM_RESULT, "{}", &second, &why), ITEM_IS_MENDED);
    assert_int_equal(strlen(first.result.key), 32);
    assert_string_equal(first.result.key, second.result.key);
    assert_string_equal(first.result.name, "result 7 of its stream");
    item_free(&first);
    item_free(&second);
}

static void a_key_is_kept_in_lower_case(void **state)
{
    struct error why;
    struct item item;
    (void)state;
    assert_int_equal(read_text(ITEM_RESULT,
                               "{\"key\": \"0123456789ABCDEF0123456789ABCDEF\", \"name\": \"n\","
                               " \"status\": \"passed\", \"duration_ms\": 9223372036854775807,"
                               " \"started_at\": 9223372036854775807}",
                               &item, &why),
                     ITEM_IS_GOOD);
    assert_string_equal(item.result.key, KEY);
    assert_int_equal(item.result.duration_ms, LIMIT_TIMEOUT_MAX_MS);
    assert_int_equal(item.result.started_at, 0);
    item_free(&item);
}

static void an_end_that_cannot_be_read_is_an_end(void **state)
{
    struct error why;
    struct item item;
    (void)state;
    assert_int_equal(read_text(ITEM_FINISHED, "{\"ending\": \"vanished\"}", &item, &why),
                     ITEM_IS_MENDED);
    assert_int_equal(item.finished.ending, ENDED_EXEC_FAILED);
    assert_int_equal(item.finished.report, REPORT_IS_MISSING);
    assert_non_null(strstr(item.finished.detail, "ending"));
    item_free(&item);
}

static void output_that_cannot_be_read_is_dropped(void **state)
{
    struct error why;
    struct item item;
    (void)state;
    assert_int_equal(read_text(ITEM_LOG, "{\"stream\": \"stdout\"}", &item, &why), ITEM_IS_DROPPED);
    item_free(&item);
    assert_int_equal(read_text(ITEM_PLANNED, "{\"count\": -4}", &item, &why), ITEM_IS_DROPPED);
    item_free(&item);
}

static void a_message_whose_items_have_no_kind_is_refused(void **state)
{
    static const struct {
        const char *message, *field;
    } cases[] = {
        {"{}", "items"},
        {"{\"items\": 7}", "items"},
        {"{\"items\": []}", "items"},
        {"{\"items\": [{\"kind\": \"planned\", \"body\": {}}, 7]}", "items[1].kind"},
        {"{\"items\": [{\"kind\": \"dream\", \"body\": {}}]}", "items[0].kind"},
        {"{\"items\": [{\"kind\": \"log\", \"body\": []}]}", "items[0].body"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        AUTO(json_free) json_t *json = NULL;
        struct error why = {0};
        struct stream_item *list;
        size_t count;
        assert_int_equal(json_parse(cases[i].message, strlen(cases[i].message), &json, &why), 0);
        assert_int_equal(items_find(json, &list, &count, &why), -1);
        assert_string_equal(why.field, cases[i].field);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_result_is_taken_as_it_is),
        cmocka_unit_test(a_bad_result_is_an_errored_case_that_names_the_field),
        cmocka_unit_test(a_name_that_is_too_long_is_cut),
        cmocka_unit_test(a_result_without_a_key_has_the_same_one_each_time),
        cmocka_unit_test(a_key_is_kept_in_lower_case),
        cmocka_unit_test(an_end_that_cannot_be_read_is_an_end),
        cmocka_unit_test(output_that_cannot_be_read_is_dropped),
        cmocka_unit_test(a_message_whose_items_have_no_kind_is_refused),
    };
    return cmocka_run_group_tests_name("item", tests, NULL, NULL);
}
