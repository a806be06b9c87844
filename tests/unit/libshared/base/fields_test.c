/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/fields.h"
#include "base/json.h"
#include "base/memory.h"

static const char *const colour_list[] = {"red", "green"};
static const struct names colours = NAMES("colour", colour_list);

struct inner {
    char *name;
    int64_t count;
};
static const struct field inner_list[] = {
    {.name = "name",
     .type = FIELD_TEXT,
     .offset = offsetof(struct inner, name),
     .min = 1,
     .max = 4},
    {.name = "count",
     .type = FIELD_INT,
     .offset = offsetof(struct inner, count),
     .optional = true,
     .min = 1,
     .max = 9,
     .fallback = 3},
};
static const struct fields inner_fields = FIELDS(struct inner, inner_list);

struct outer {
    struct uuid id;
    struct inner one;
    struct records many;
    struct texts words;
    int colour;
    double share;
    json_t *data;
};
static const struct field outer_list[] = {
    {.name = "id", .type = FIELD_UUID, .offset = offsetof(struct outer, id), .optional = true},
    {.name = "one",
     .type = FIELD_RECORD,
     .offset = offsetof(struct outer, one),
     .of = &inner_fields},
    {.name = "many",
     .type = FIELD_RECORDS,
     .offset = offsetof(struct outer, many),
     .optional = true,
     .max = 2,
     .of = &inner_fields},
    {.name = "words",
     .type = FIELD_TEXTS,
     .offset = offsetof(struct outer, words),
     .optional = true,
     .max = 2},
    {.name = "colour",
     .type = FIELD_ENUM,
     .offset = offsetof(struct outer, colour),
     .optional = true,
     .names = &colours},
    {.name = "share",
     .type = FIELD_REAL,
     .offset = offsetof(struct outer, share),
     .optional = true},
    {.name = "data",
     .type = FIELD_OBJECT,
     .offset = offsetof(struct outer, data),
     .optional = true},
};
static const struct fields outer_fields = FIELDS(struct outer, outer_list);

static int decode(const char *text, struct outer *outer, struct error *error)
{
    AUTO(text_free) char *copy = xstrdup(text);
    for (char *c = copy; *c != '\0'; c++)
        *c = *c == '\'' ? '"' : *c;
    AUTO(json_free) json_t *json = json_loads(copy, JSON_DECODE_ANY, NULL);
    assert_non_null(json);
    return fields_decode(&outer_fields, json, outer, error);
}

static void what_is_absent_has_its_fallback(void **state)
{
    struct outer outer;
    struct error error;
    (void)state;
    assert_int_equal(decode("{'one': {'name': 'a'}, 'colour': null}", &outer, &error), 0);
    assert_int_equal(outer.one.count, 3);
    assert_true(uuid_is_null(&outer.id));
    assert_int_equal(outer.many.count, 0);
    assert_int_equal(outer.colour, 0);
    assert_null(outer.data);
    fields_free(&outer_fields, &outer);
}

static void what_is_wrong_is_named_by_its_path_and_bound(void **state)
{
    static const char *const rows[][3] = {
        {"[]", "", "object"},
        {"{}", "one", "one is missing"},
        {"{'one': 1}", "one", "one must be an object"},
        {"{'one': {}}", "one.name", "one.name is missing"},
        {"{'one': {'name': ''}}", "one.name", "at least 1"},
        {"{'one': {'name': 'abcde'}}", "one.name", "4 bytes"},
        {"{'one': {'name': 1}}", "one.name", "string"},
        {"{'one': {'name': 'a', 'count': 10}}", "one.count", "9"},
        {"{'one': {'name': 'a', 'count': 1.5}}", "one.count", "one.count"},
        {"{'one': {'name': 'a'}, 'many': [{'name': 'a'}, {}]}", "many[1].name",
         "many[1].name is missing"},
        {"{'one': {'name': 'a'}, 'many': [1]}", "many[0]", "many[0] must be an object"},
        {"{'one': {'name': 'a'}, 'many': [{}, {}, {}]}", "many", "2 entries"},
        {"{'one': {'name': 'a'}, 'words': ['a', 1]}", "words[1]", "string"},
        {"{'one': {'name': 'a'}, 'words': 'a'}", "words", "list"},
        {"{'one': {'name': 'a'}, 'colour': 'blue'}", "colour", "red, green"},
        {"{'one': {'name': 'a'}, 'id': 'x'}", "id", "UUID"},
        {"{'one': {'name': 'a'}, 'data': []}", "data", "object"},
        {"{'one': {'name': 'a'}, 'share': 'x'}", "share", "number"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct outer outer;
        struct error error = {.field = ""};
        if (decode(rows[i][0], &outer, &error) == 0)
            fail_msg("%s was taken", rows[i][0]);
        assert_string_equal(error.code, "invalid");
        assert_string_equal(error.field, rows[i][1]);
        if (strstr(error.text, rows[i][2]) == NULL)
            fail_msg("%s: %s", rows[i][0], error.text);
    }
}

static void what_is_decoded_is_encoded_again(void **state)
{
    static const char text[] =
        "{'id': '01a20db0-c8c3-71a4-8abb-83ac5cc0961f', 'one': {'name': 'a', 'count': 4},"
        " 'many': [{'name': 'b', 'count': 1}], 'words': ['x'], 'colour': 'green', 'share': 0.5,"
        " 'data': {'k': [1]}}";
    struct outer outer;
    struct error error;
    (void)state;
    assert_int_equal(decode(text, &outer, &error), 0);

    AUTO(json_free) json_t *once = fields_encode(&outer_fields, &outer);
    fields_free(&outer_fields, &outer);
    assert_int_equal(fields_decode(&outer_fields, once, &outer, &error), 0);
    AUTO(json_free) json_t *twice = fields_encode(&outer_fields, &outer);

    assert_true(json_equal(once, twice));
    assert_int_equal(json_object_size(once), 7);
    fields_free(&outer_fields, &outer);
    assert_null(outer.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_absent_has_its_fallback),
        cmocka_unit_test(what_is_wrong_is_named_by_its_path_and_bound),
        cmocka_unit_test(what_is_decoded_is_encoded_again),
    };
    return cmocka_run_group_tests_name("fields", tests, NULL, NULL);
}
