/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "openapi/document.h"
#include "openapi/operation.h"
#include "openapi/schema.h"

static void each_route_is_an_operation_and_each_operation_a_route(void **state)
{
    (void)state;
    for (size_t i = 0; i < routes_count; i++)
        if (operation_find(routes[i].handler) == NULL)
            fail_msg("%s %s: say in openapi/operations.c what it reads and answers",
                     routes[i].method, routes[i].pattern);
    for (size_t i = 0; i < operations_count; i++) {
        size_t uses = 0;
        for (size_t k = 0; k < routes_count; k++)
            uses += routes[k].handler == operations[i].handler;
        if (uses != 1)
            fail_msg("the operation %s has %zu routes", operations[i].id, uses);
    }
}

/* OpenAPI knows no two paths that differ by the names of their parameters alone. */
static void parameters_of_one_path_have_one_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < routes_count; i++)
        for (size_t k = 0; k < i; k++) {
            const char *a = routes[i].pattern, *b = routes[k].pattern;
            while (*a != '\0' && *a == *b)
                a++, b++;
            if (*a != *b && a > routes[i].pattern && a[-1] == '{' &&
                strcmp(a + strcspn(a, "}"), b + strcspn(b, "}")) == 0)
                fail_msg("%s and %s are one path", routes[i].pattern, routes[k].pattern);
        }
}

/* "#/components/schemas/Run" */
static void check_reference(const json_t *document, const char *reference)
{
    char path[200];
    const json_t *at = document;
    snprintf(path, sizeof path, "%s", reference);
    char *rest = NULL;
    for (char *part = strtok_r(path, "/", &rest); part != NULL; part = strtok_r(NULL, "/", &rest))
        at = strcmp(part, "#") == 0 ? document : json_object_get(at, part);
    if (at == NULL)
        fail_msg("%s is not there", reference);
}

static void check_references(const json_t *document, json_t *part)
{
    const char *name;
    json_t *inner;
    size_t i;
    json_object_foreach (part, name, inner) {
        if (strcmp(name, "$ref") == 0 && json_is_string(inner))
            check_reference(document, json_string_value(inner));
        check_references(document, inner);
    }
    json_array_foreach (part, i, inner)
        check_references(document, inner);
}

static void the_document_refers_to_nothing_that_is_missing(void **state)
{
    AUTO(json_free) json_t *document = openapi_document();
    (void)state;
    check_references(document, document);
    assert_string_equal(json_find_text(document, "openapi"), "3.1.0");
}

static void a_field_table_becomes_a_schema_with_its_bounds(void **state)
{
    struct thing {
        char *name;
        int64_t count;
        bool on;
    };
    static const struct field list[] = {
        {.name = "name", .type = FIELD_TEXT, .offset = offsetof(struct thing, name), .max = 63},
        {.name = "count",
         .type = FIELD_INT,
         .offset = offsetof(struct thing, count),
         .optional = true,
         .min = 1,
         .max = 9,
         .fallback = -1},
        {.name = "on",
         .type = FIELD_BOOL,
         .offset = offsetof(struct thing, on),
         .optional = true,
         .fallback = true},
    };
    static const struct fields fields = FIELDS(struct thing, list);
    (void)state;

    AUTO(json_free) json_t *schema = schema_of_fields(&fields);

    AUTO(text_free) char *text = json_dumps(schema, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(text,
                        "{\"properties\":{"
                        "\"count\":{\"maximum\":9,\"minimum\":1,\"type\":[\"integer\",\"null\"]},"
                        "\"name\":{\"maxLength\":63,\"type\":\"string\"},"
                        "\"on\":{\"default\":true,\"type\":[\"boolean\",\"null\"]}},"
                        "\"required\":[\"name\"],\"type\":\"object\"}");
}

static void answers_hold_all_their_members_but_those_that_are_optional(void **state)
{
    AUTO(json_free)
    json_t *schema = json_pack("{s:s, s:[s], s:{s:{s:s}, s:{s:s}}}", "type", "object", "x-optional",
                               "b", "properties", "a", "type", "string", "b", "type", "string");
    (void)state;

    schema_require(schema);

    assert_int_equal(json_array_size(json_object_get(schema, "required")), 1);
    assert_null(json_object_get(schema, "x-optional"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_route_is_an_operation_and_each_operation_a_route),
        cmocka_unit_test(parameters_of_one_path_have_one_name),
        cmocka_unit_test(the_document_refers_to_nothing_that_is_missing),
        cmocka_unit_test(a_field_table_becomes_a_schema_with_its_bounds),
        cmocka_unit_test(answers_hold_all_their_members_but_those_that_are_optional),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
