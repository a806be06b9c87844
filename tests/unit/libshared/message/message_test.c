/* SPDX-License-Identifier: Apache-2.0 */
/* Every message type, by its own field table: what is encoded comes back, and each field that is missing or
 * wrong is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "message/messages.h"

static int counter;

static void fill(const struct fields *fields, void *out);

static void fill_records(const struct field *field, struct records *records)
{
    for (int i = 0; i < 2; i++)
        fill(field->of, records_add(records, field->of->size));
}

static void fill_field(const struct field *field, void *slot)
{
    int64_t low = field->min, high = field->max;
    counter++;
    switch (field->type) {
    case FIELD_UUID:
        *(struct uuid *)slot = uuid_random();
        break;
    case FIELD_TEXT:
        *(char **)slot = xasprintf("t%d", counter);
        break;
    case FIELD_INT:
        *(int64_t *)slot = low == 0 && high == 0 ? counter : low + (high > low ? 1 : 0);
        break;
    case FIELD_REAL:
        *(double *)slot = 0.5;
        break;
    case FIELD_BOOL:
        *(bool *)slot = true;
        break;
    case FIELD_ENUM:
        *(int *)slot = field->names->count - 1;
        break;
    case FIELD_JSON:
    case FIELD_OBJECT:
        *(json_t **)slot = json_pack("{s:i}", "member", counter);
        break;
    case FIELD_TEXTS:
        texts_add(slot, "one");
        texts_add(slot, "two");
        break;
    case FIELD_RECORD:
        fill(field->of, slot);
        break;
    case FIELD_RECORDS:
        fill_records(field, slot);
        break;
    }
}

static void fill(const struct fields *fields, void *out)
{
    for (size_t i = 0; i < fields->count; i++)
        fill_field(&fields->list[i], (char *)out + fields->list[i].offset);
}

/* A filled message of the type as JSON. */
static json_t *filled(const struct message_type *type)
{
    void *message = xcalloc(1, type->fields->size);
    AUTO(text_free) char *text = NULL;
    const char *name;
    json_t *json = NULL;
    struct error error;
    fill(type->fields, message);
    assert_int_equal(message_encode(type, message, &text, &error), 0);
    assert_int_equal(message_parse(text, strlen(text), &json, &name, &error), 0);
    assert_string_equal(name, type->name);
    message_free(type, message);
    free(message);
    return json;
}

static void every_type_comes_back_as_it_was_sent(void **state)
{
    (void)state;
    for (size_t i = 0; i < message_types_count; i++) {
        const struct message_type *type = message_types[i];
        AUTO(json_free) json_t *sent = filled(type), *again = NULL;
        void *message = xcalloc(1, type->fields->size);
        AUTO(text_free) char *text = NULL;
        const char *name;
        struct error error;

        assert_int_equal(message_decode(type, sent, message, &error), 0);
        assert_int_equal(message_encode(type, message, &text, &error), 0);

        assert_int_equal(message_parse(text, strlen(text), &again, &name, &error), 0);
        assert_true(json_equal(sent, again));
        message_free(type, message);
        free(message);
    }
}

static void expect_refused(const struct message_type *type, const json_t *json, const char *field)
{
    void *message = xcalloc(1, type->fields->size);
    struct error error = {.field = ""};
    assert_int_equal(message_decode(type, json, message, &error), -1);
    assert_string_equal(error.code, "invalid");
    assert_non_null(strstr(error.field, field));
    assert_non_null(strstr(error.text, field));
    free(message);
}

static void decode_names_the_missing_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < message_types_count; i++) {
        const struct message_type *type = message_types[i];
        for (size_t f = 0; f < type->fields->count; f++) {
            const struct field *field = &type->fields->list[f];
            AUTO(json_free) json_t *json = filled(type);
            json_object_del(json, field->name);
            if (!field->optional)
                expect_refused(type, json, field->name);
        }
    }
}

static void decode_names_the_bad_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < message_types_count; i++) {
        const struct message_type *type = message_types[i];
        for (size_t f = 0; f < type->fields->count; f++) {
            const struct field *field = &type->fields->list[f];
            AUTO(json_free) json_t *json = filled(type);
            /* No field is a list of lists. */
            json_object_set_new(json, field->name, json_pack("[[i]]", 1));
            if (field->type != FIELD_JSON)
                expect_refused(type, json, field->name);
        }
    }
}

static void decode_names_the_bad_entry_of_a_list(void **state)
{
    AUTO(json_free) json_t *json = filled(&worker_heartbeat_message);
    json_t *entry = json_array_get(json_object_get(json, "dispatches"), 1);
    (void)state;

    json_object_set_new(entry, "state", json_string("asleep"));

    expect_refused(&worker_heartbeat_message, json, "dispatches[1].state");
}

static void unknown_members_are_ignored(void **state)
{
    (void)state;
    for (size_t i = 0; i < message_types_count; i++) {
        const struct message_type *type = message_types[i];
        AUTO(json_free) json_t *json = filled(type);
        void *message = xcalloc(1, type->fields->size);
        struct error error;
        json_object_set_new(json, "of_a_newer_version", json_true());

        assert_int_equal(message_decode(type, json, message, &error), 0);

        message_free(type, message);
        free(message);
    }
}

static void another_type_is_refused(void **state)
{
    AUTO(json_free) json_t *json = filled(&run_submitted_message);
    (void)state;
    expect_refused(&task_cancel_message, json, "type");
}

static void what_is_no_message_is_refused(void **state)
{
    static const char *const texts[] = {"",
                                        "nonsense",
                                        "[]",
                                        "\"x\"",
                                        "{\"type\":\"x\"}",
                                        "{\"version\":0,\"type\":\"x\"}",
                                        "{\"version\":1}",
                                        "{\"version\":1,\"version\":1,\"type\":\"x\"}",
                                        "{\"version\":\"1\",\"type\":\"x\"}"};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        json_t *json;
        const char *type;
        struct error error;
        assert_int_equal(message_parse(texts[i], strlen(texts[i]), &json, &type, &error), -1);
        assert_string_equal(error.code, "invalid");
    }
}

static void a_message_over_the_limit_is_refused_when_it_is_made(void **state)
{
    struct event event = {.id = uuid_v7(), .project_id = uuid_v7(), .run_id = uuid_v7(), .at = 1};
    char *text = NULL;
    struct error error;
    (void)state;
    event.event = xstrdup("run.finished");
    AUTO(text_free) char *large = xcalloc(1, (size_t)LIMIT_MESSAGE_BYTES + 1);
    memset(large, 'x', (size_t)LIMIT_MESSAGE_BYTES);
    event.data = json_pack("{s:s}", "title", large);

    assert_int_equal(message_encode(&event_message, &event, &text, &error), -1);

    assert_string_equal(error.code, "too_large");
    message_free(&event_message, &event);
}

static void names_and_versions_are_distinct_and_positive(void **state)
{
    (void)state;
    for (size_t i = 0; i < message_types_count; i++) {
        assert_true(message_types[i]->version >= 1);
        for (size_t other = 0; other < i; other++)
            assert_string_not_equal(message_types[i]->name, message_types[other]->name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_comes_back_as_it_was_sent),
        cmocka_unit_test(decode_names_the_missing_field),
        cmocka_unit_test(decode_names_the_bad_field),
        cmocka_unit_test(decode_names_the_bad_entry_of_a_list),
        cmocka_unit_test(unknown_members_are_ignored),
        cmocka_unit_test(another_type_is_refused),
        cmocka_unit_test(what_is_no_message_is_refused),
        cmocka_unit_test(a_message_over_the_limit_is_refused_when_it_is_made),
        cmocka_unit_test(names_and_versions_are_distinct_and_positive),
    };
    return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
