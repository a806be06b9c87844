/* SPDX-License-Identifier: Apache-2.0 */
#include "openapi/schema.h"

#include <string.h>

#include "base/memory.h"

static void set(json_t *schema, const char *name, json_t *value)
{
    json_object_set_new(schema, name, value);
}

static json_t *of_text(const struct field *field)
{
    json_t *schema = json_pack("{s:s, s:I}", "type", "string", "maxLength",
                               (json_int_t)(field->max > 0 ? field->max : FIELD_TEXT_MAX));
    if (field->min > 0)
        set(schema, "minLength", json_integer(field->min));
    return schema;
}

static json_t *of_int(const struct field *field)
{
    json_t *schema = json_pack("{s:s}", "type", "integer");
    if (field->min == 0 && field->max == 0)
        return schema;
    set(schema, "minimum", json_integer(field->min));
    set(schema, "maximum", json_integer(field->max));
    /* A fallback out of bounds stands for "not given". */
    if (field->optional && field->fallback >= field->min)
        set(schema, "default", json_integer(field->fallback));
    return schema;
}

static json_t *of_bool(const struct field *field)
{
    json_t *schema = json_pack("{s:s}", "type", "boolean");
    if (field->optional)
        set(schema, "default", json_boolean(field->fallback != 0));
    return schema;
}

static json_t *of_enum(const struct field *field)
{
    json_t *list = json_array();
    for (int i = 0; i < field->names->count; i++)
        json_array_append_new(list, json_string(names_get(field->names, i)));
    return json_pack("{s:s, s:o}", "type", "string", "enum", list);
}

static json_t *of_list(const struct field *field, json_t *items)
{
    json_t *schema = json_pack("{s:s, s:o}", "type", "array", "items", items);
    if (field->max > 0)
        set(schema, "maxItems", json_integer(field->max));
    return schema;
}

static json_t *of_field(const struct field *field)
{
    switch (field->type) {
    case FIELD_UUID:
        return json_pack("{s:s, s:s}", "type", "string", "format", "uuid");
    case FIELD_TEXT:
        return of_text(field);
    case FIELD_INT:
        return of_int(field);
    case FIELD_REAL:
        return json_pack("{s:s}", "type", "number");
    case FIELD_BOOL:
        return of_bool(field);
    case FIELD_ENUM:
        return of_enum(field);
    case FIELD_JSON:
        return json_object();
    case FIELD_OBJECT:
        return json_pack("{s:s}", "type", "object");
    case FIELD_TEXTS:
        return of_list(field, json_pack("{s:s}", "type", "string"));
    case FIELD_RECORD:
        return schema_of_fields(field->of);
    case FIELD_RECORDS:
        return of_list(field, schema_of_fields(field->of));
    }
    return json_object();
}

static void allow_null(json_t *schema)
{
    const char *type = json_string_value(json_object_get(schema, "type"));
    json_t *list = json_object_get(schema, "enum");
    if (type != NULL)
        set(schema, "type", json_pack("[s, s]", type, "null"));
    if (list != NULL)
        json_array_append_new(list, json_null());
}

void schema_add_fields(json_t *schema, const struct fields *fields)
{
    json_t *properties = json_object_get(schema, "properties");
    json_t *required = json_object_get(schema, "required");
    for (size_t i = 0; i < fields->count; i++) {
        json_t *property = of_field(&fields->list[i]);
        if (fields->list[i].optional)
            allow_null(property);
        else if (required == NULL)
            set(schema, "required", required = json_array());
        if (!fields->list[i].optional)
            json_array_append_new(required, json_string(fields->list[i].name));
        set(properties, fields->list[i].name, property);
    }
}

json_t *schema_of_fields(const struct fields *fields)
{
    json_t *schema = json_pack("{s:s, s:{}}", "type", "object", "properties");
    schema_add_fields(schema, fields);
    return schema;
}

static bool has_text(const json_t *list, const char *text)
{
    size_t i;
    json_t *entry;
    json_array_foreach (list, i, entry)
        if (strcmp(json_string_value(entry), text) == 0)
            return true;
    return false;
}

static void require_members(json_t *schema, const json_t *properties)
{
    const json_t *optional = json_object_get(schema, "x-optional");
    json_t *required = json_array();
    const char *name;
    json_t *property;
    json_object_foreach ((json_t *)(uintptr_t)properties, name, property)
        if (!has_text(optional, name))
            json_array_append_new(required, json_string(name));
    set(schema, "required", required);
    json_object_del(schema, "x-optional");
}

void schema_require(json_t *schema)
{
    const char *name;
    json_t *inner;
    size_t i;
    json_object_foreach (schema, name, inner)
        schema_require(inner);
    json_array_foreach (schema, i, inner)
        schema_require(inner);
    const json_t *type = json_object_get(schema, "type");
    const json_t *properties = json_object_get(schema, "properties");
    /* (A member may itself be called "properties" or "type": then it is no schema.) */
    if (json_is_string(type) && json_is_object(properties) &&
        json_object_get(schema, "required") == NULL)
        require_members(schema, properties);
}

json_t *schema_ref(const char *name)
{
    return json_pack("{s:o}", "$ref", json_sprintf("#/components/schemas/%s", name));
}
