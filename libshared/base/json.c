/* SPDX-License-Identifier: Apache-2.0 */
/* JSON with limits. */
#include "base/json.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

/* jansson recurses by nesting, so the depth is counted before it sees the text. */
static int check_depth(const char *bytes, size_t length, struct error *error)
{
    int depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < length; i++) {
        char c = bytes[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > JSON_DEPTH_MAX)
                return error_set(error, "invalid", "JSON is nested deeper than %d", JSON_DEPTH_MAX);
        } else if (c == '}' || c == ']') {
            depth--;
        }
    }
    return 0;
}

int json_parse(const char *bytes, size_t length, json_t **json_r, struct error *error)
{
    if (check_depth(bytes, length, error) < 0)
        return -1;
    json_error_t where;
    json_t *json = json_loadb(bytes, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &where);
    if (json == NULL)
        return error_set(error, "invalid", "JSON line %d column %d: %s", where.line, where.column,
                         where.text);
    *json_r = json;
    return 0;
}

char *json_text(const json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
    assert(text != NULL);
    return text;
}

json_t *json_lossy(const char *bytes, size_t length)
{
    AUTO(text_free) char *clean = utf8_clean(bytes, length);
    json_t *string = json_string_nocheck(clean);
    assert(string != NULL);
    return string;
}

void json_free(json_t **json)
{
    json_decref(*json);
    *json = NULL;
}

const char *json_find_text(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

const char *json_text_of(const json_t *object, const char *name)
{
    const char *text = json_find_text(object, name);
    return text == NULL ? "" : text;
}

int64_t json_find_int(const json_t *object, const char *name, int64_t fallback)
{
    const json_t *value = json_object_get(object, name);
    return json_is_integer(value) ? json_integer_value(value) : fallback;
}

bool json_find_bool(const json_t *object, const char *name, bool fallback)
{
    const json_t *value = json_object_get(object, name);
    return json_is_boolean(value) ? json_is_true(value) : fallback;
}
