/* SPDX-License-Identifier: Apache-2.0 */
/* One walk over a field table for each of decode, encode and free. */
#include "base/fields.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"

struct codec {
    int (*decode)(const struct field *, const json_t *, void *slot, struct error *);
    json_t *(*encode)(const struct field *, const void *slot); /* NULL: leave out */
    void (*free)(const struct field *, void *slot);
};

static const void *const_slot(const void *in, const struct field *field)
{
    return (const char *)in + field->offset;
}

static void *slot_of(void *out, const struct field *field)
{
    return (char *)out + field->offset;
}

static void free_nothing(const struct field *field, void *slot)
{
    (void)field;
    (void)slot;
}

static int decode_uuid(const struct field *field, const json_t *json, void *slot,
                       struct error *error)
{
    struct error inner;
    if (!json_is_string(json) || uuid_parse(json_string_value(json), slot, &inner) < 0)
        return error_field(error, field->name, "%s must be a UUID", field->name);
    return 0;
}

static json_t *encode_uuid(const struct field *field, const void *slot)
{
    const struct uuid *uuid = slot;
    (void)field;
    return uuid_is_null(uuid) ? NULL : json_string(uuid->text);
}

static int decode_text(const struct field *field, const json_t *json, void *slot,
                       struct error *error)
{
    size_t max = field->max > 0 ? (size_t)field->max : FIELD_TEXT_MAX;
    if (!json_is_string(json))
        return error_field(error, field->name, "%s must be a string", field->name);
    if (json_string_length(json) > max)
        return error_field(error, field->name, "%s is longer than %zu bytes", field->name, max);
    if (json_string_length(json) < (size_t)field->min)
        return error_field(error, field->name, "%s must have at least %" PRId64 " bytes",
                           field->name, field->min);
    *(char **)slot = xstrdup(json_string_value(json));
    return 0;
}

static json_t *encode_text(const struct field *field, const void *slot)
{
    const char *text = *(char *const *)slot;
    if (text == NULL) {
        assert(field->optional);
        return NULL;
    }
    json_t *json = json_string(text);
    return json != NULL ? json : json_lossy(text, strlen(text));
}

static void free_text(const struct field *field, void *slot)
{
    (void)field;
    text_free(slot);
}

static int decode_int(const struct field *field, const json_t *json, void *slot,
                      struct error *error)
{
    bool bounded = field->min != 0 || field->max != 0;
    if (!json_is_integer(json))
        return error_field(error, field->name, "%s must be a whole number", field->name);
    int64_t value = json_integer_value(json);
    if (bounded && (value < field->min || value > field->max))
        return error_field(error, field->name, "%s must be from %" PRId64 " to %" PRId64,
                           field->name, field->min, field->max);
    *(int64_t *)slot = value;
    return 0;
}

static json_t *encode_int(const struct field *field, const void *slot)
{
    (void)field;
    return json_integer(*(const int64_t *)slot);
}

static int decode_real(const struct field *field, const json_t *json, void *slot,
                       struct error *error)
{
    if (!json_is_number(json))
        return error_field(error, field->name, "%s must be a number", field->name);
    *(double *)slot = json_number_value(json);
    return 0;
}

static json_t *encode_real(const struct field *field, const void *slot)
{
    (void)field;
    return json_real(*(const double *)slot);
}

static int decode_bool(const struct field *field, const json_t *json, void *slot,
                       struct error *error)
{
    if (!json_is_boolean(json))
        return error_field(error, field->name, "%s must be true or false", field->name);
    *(bool *)slot = json_is_true(json);
    return 0;
}

static json_t *encode_bool(const struct field *field, const void *slot)
{
    (void)field;
    return json_boolean(*(const bool *)slot);
}

static int decode_enum(const struct field *field, const json_t *json, void *slot,
                       struct error *error)
{
    struct error inner;
    if (!json_is_string(json))
        return error_field(error, field->name, "%s must be a string", field->name);
    if (names_parse(field->names, json_string_value(json), slot, &inner) < 0)
        return error_field(error, field->name, "%s %s", field->name, inner.text);
    return 0;
}

static json_t *encode_enum(const struct field *field, const void *slot)
{
    return json_string(names_get(field->names, *(const int *)slot));
}

static int decode_json(const struct field *field, const json_t *json, void *slot,
                       struct error *error)
{
    if (field->type == FIELD_OBJECT && !json_is_object(json))
        return error_field(error, field->name, "%s must be an object", field->name);
    *(json_t **)slot = json_deep_copy(json);
    return 0;
}

static json_t *encode_json(const struct field *field, const void *slot)
{
    json_t *json = *(json_t *const *)slot;
    if (json != NULL)
        return json_incref(json);
    return field->optional ? NULL : json_object();
}

static void free_json(const struct field *field, void *slot)
{
    json_t **json = slot;
    (void)field;
    json_decref(*json);
    *json = NULL;
}

static int check_list(const struct field *field, const json_t *json, struct error *error)
{
    if (!json_is_array(json))
        return error_field(error, field->name, "%s must be a list", field->name);
    if (field->max > 0 && json_array_size(json) > (size_t)field->max)
        return error_field(error, field->name, "%s has more than %" PRId64 " entries", field->name,
                           field->max);
    return 0;
}

static int decode_texts(const struct field *field, const json_t *json, void *slot,
                        struct error *error)
{
    struct texts texts = {0};
    if (check_list(field, json, error) < 0)
        return -1;
    for (size_t i = 0; i < json_array_size(json); i++) {
        const json_t *entry = json_array_get(json, i);
        if (!json_is_string(entry)) {
            char name[ERROR_FIELD_MAX];
            texts_deinit(&texts);
            snprintf(name, sizeof name, "%s[%zu]", field->name, i);
            return error_field(error, name, "%s must be a string", name);
        }
        texts_add(&texts, json_string_value(entry));
    }
    *(struct texts *)slot = texts;
    return 0;
}

static json_t *encode_texts(const struct field *field, const void *slot)
{
    const struct texts *texts = slot;
    if (field->optional && texts->count == 0)
        return NULL;
    json_t *json = json_array();
    for (size_t i = 0; i < texts->count; i++)
        json_array_append_new(json, json_string(texts->list[i]));
    return json;
}

static void free_texts(const struct field *field, void *slot)
{
    (void)field;
    texts_deinit(slot);
}

static int decode_record(const struct field *field, const json_t *json, void *slot,
                         struct error *error)
{
    if (fields_decode(field->of, json, slot, error) == 0)
        return 0;
    return error_in(error, field->name);
}

static json_t *encode_record(const struct field *field, const void *slot)
{
    return fields_encode(field->of, slot);
}

static void free_record(const struct field *field, void *slot)
{
    fields_free(field->of, slot);
}

static void free_records(const struct field *field, void *slot)
{
    struct records *records = slot;
    for (size_t i = 0; i < records->count; i++)
        fields_free(field->of, (char *)records->list + i * field->of->size);
    free(records->list);
    *records = (struct records){0};
}

static int decode_records(const struct field *field, const json_t *json, void *slot,
                          struct error *error)
{
    if (check_list(field, json, error) < 0)
        return -1;
    size_t count = json_array_size(json);
    struct records records = {.list = xcalloc(count, field->of->size), .count = 0};
    for (size_t i = 0; i < count; i++) {
        void *entry = (char *)records.list + i * field->of->size;
        if (fields_decode(field->of, json_array_get(json, i), entry, error) < 0) {
            char at[ERROR_FIELD_MAX];
            snprintf(at, sizeof at, "%s[%zu]", field->name, i);
            free_records(field, &records);
            return error_in(error, at);
        }
        records.count++;
    }
    *(struct records *)slot = records;
    return 0;
}

static json_t *encode_records(const struct field *field, const void *slot)
{
    const struct records *records = slot;
    if (field->optional && records->count == 0)
        return NULL;
    json_t *json = json_array();
    for (size_t i = 0; i < records->count; i++)
        json_array_append_new(
            json, fields_encode(field->of, (const char *)records->list + i * field->of->size));
    return json;
}

static const struct codec codecs[] = {
    [FIELD_UUID] = {.decode = decode_uuid, .encode = encode_uuid, .free = free_nothing},
    [FIELD_TEXT] = {.decode = decode_text, .encode = encode_text, .free = free_text},
    [FIELD_INT] = {.decode = decode_int, .encode = encode_int, .free = free_nothing},
    [FIELD_REAL] = {.decode = decode_real, .encode = encode_real, .free = free_nothing},
    [FIELD_BOOL] = {.decode = decode_bool, .encode = encode_bool, .free = free_nothing},
    [FIELD_ENUM] = {.decode = decode_enum, .encode = encode_enum, .free = free_nothing},
    [FIELD_JSON] = {.decode = decode_json, .encode = encode_json, .free = free_json},
    [FIELD_OBJECT] = {.decode = decode_json, .encode = encode_json, .free = free_json},
    [FIELD_TEXTS] = {.decode = decode_texts, .encode = encode_texts, .free = free_texts},
    [FIELD_RECORD] = {.decode = decode_record, .encode = encode_record, .free = free_record},
    [FIELD_RECORDS] = {.decode = decode_records, .encode = encode_records, .free = free_records},
};

static void set_fallback(const struct field *field, void *slot)
{
    if (field->type == FIELD_INT)
        *(int64_t *)slot = field->fallback;
    else if (field->type == FIELD_BOOL)
        *(bool *)slot = field->fallback != 0;
    else if (field->type == FIELD_ENUM)
        *(int *)slot = (int)field->fallback;
}

static int decode_field(const struct field *field, const json_t *object, void *slot,
                        struct error *error)
{
    const json_t *json = json_object_get(object, field->name);
    bool absent = json == NULL || (json_is_null(json) && field->type != FIELD_JSON);
    if (!absent)
        return codecs[field->type].decode(field, json, slot, error);
    if (!field->optional)
        return error_field(error, field->name, "%s is missing", field->name);
    set_fallback(field, slot);
    return 0;
}

int fields_decode(const struct fields *fields, const json_t *json, void *out, struct error *error)
{
    if (!json_is_object(json))
        return error_field(error, "", "must be an object");
    void *made = xcalloc(1, fields->size);
    for (size_t i = 0; i < fields->count; i++) {
        const struct field *field = &fields->list[i];
        if (decode_field(field, json, slot_of(made, field), error) < 0) {
            fields_free(fields, made);
            free(made);
            return -1;
        }
    }
    memcpy(out, made, fields->size);
    free(made);
    return 0;
}

json_t *fields_encode(const struct fields *fields, const void *in)
{
    json_t *object = json_object();
    for (size_t i = 0; i < fields->count; i++) {
        const struct field *field = &fields->list[i];
        json_t *value = codecs[field->type].encode(field, const_slot(in, field));
        if (value != NULL)
            json_object_set_new(object, field->name, value);
    }
    return object;
}

void fields_free(const struct fields *fields, void *in)
{
    for (size_t i = 0; i < fields->count; i++) {
        const struct field *field = &fields->list[i];
        codecs[field->type].free(field, slot_of(in, field));
    }
    memset(in, 0, fields->size);
}

void texts_add(struct texts *texts, const char *text)
{
    texts->list = xrealloc(texts->list, (texts->count + 1) * sizeof *texts->list);
    texts->list[texts->count++] = xstrdup(text);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void texts_keep_each_once(struct texts *texts)
{
    size_t kept = 0;
    if (texts->count > 0)
        qsort(texts->list, texts->count, sizeof *texts->list, compare_texts);
    for (size_t i = 0; i < texts->count; i++) {
        if (kept > 0 && strcmp(texts->list[kept - 1], texts->list[i]) == 0)
            free(texts->list[i]);
        else
            texts->list[kept++] = texts->list[i];
    }
    texts->count = kept;
}

void texts_deinit(struct texts *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        free(texts->list[i]);
    free(texts->list);
    *texts = (struct texts){0};
}

void *records_add(struct records *records, size_t size)
{
    records->list = xrealloc(records->list, (records->count + 1) * size);
    void *entry = (char *)records->list + records->count++ * size;
    memset(entry, 0, size);
    return entry;
}
