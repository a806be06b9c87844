/* SPDX-License-Identifier: Apache-2.0 */
/* libyaml's events as JSON values. libcyaml maps to structs of known members; a suite's environment and a
 * template's parameters are maps of anything, and the server knows all members' names and bounds. */
#include "yaml_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/json.h"
#include "base/memory.h"

struct yaml_reader {
    yaml_parser_t parser;
    const char *path;
};

static int read_value(struct yaml_reader *reader, yaml_event_t *event, int depth, json_t **json_r,
                      struct error *error);

static int fail_at(const struct yaml_reader *reader, yaml_mark_t mark, struct error *error,
                   const char *what)
{
    return error_set(error, "usage", "%s line %zu column %zu: %s", reader->path, mark.line + 1,
                     mark.column + 1, what);
}

static int next_event(struct yaml_reader *reader, yaml_event_t *event, struct error *error)
{
    if (yaml_parser_parse(&reader->parser, event))
        return 0;
    const char *problem =
        reader->parser.problem == NULL ? "cannot be read" : reader->parser.problem;
    return fail_at(reader, reader->parser.problem_mark, error, problem);
}

/* Plain scalars of the core schema have types; quoted ones are text. */
static json_t *read_scalar(const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    char *end;
    if (event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return json_lossy(text, event->data.scalar.length);
    if (text[0] == '\0' || strcmp(text, "null") == 0 || strcmp(text, "~") == 0)
        return json_null();
    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
        return json_boolean(text[0] == 't');
    errno = 0;
    long long whole = strtoll(text, &end, 10);
    if (*end == '\0' && errno == 0)
        return json_integer(whole);
    return json_lossy(text, event->data.scalar.length); /* 1.2 is a version here, not a number */
}

static int read_sequence(struct yaml_reader *reader, int depth, json_t **json_r,
                         struct error *error)
{
    AUTO(json_free) json_t *list = json_array();
    for (;;) {
        yaml_event_t event;
        json_t *value = NULL;
        if (next_event(reader, &event, error) < 0)
            return -1;
        bool end = event.type == YAML_SEQUENCE_END_EVENT;
        int status = end ? 0 : read_value(reader, &event, depth + 1, &value, error);
        yaml_event_delete(&event);
        if (status < 0)
            return -1;
        if (end)
            break;
        json_array_append_new(list, value);
    }
    *json_r = TAKE(list);
    return 0;
}

static int read_key(struct yaml_reader *reader, yaml_event_t *event, const json_t *object,
                    struct error *error)
{
    const char *key = (const char *)event->data.scalar.value;
    if (event->type != YAML_SCALAR_EVENT)
        return fail_at(reader, event->start_mark, error, "a key must be a plain text");
    if (json_object_get(object, key) != NULL)
        return fail_at(reader, event->start_mark, error, "this key is there twice");
    return 0;
}

static int read_mapping(struct yaml_reader *reader, int depth, json_t **json_r, struct error *error)
{
    AUTO(json_free) json_t *object = json_object();
    for (;;) {
        yaml_event_t key, event;
        json_t *value = NULL;
        if (next_event(reader, &key, error) < 0)
            return -1;
        bool end = key.type == YAML_MAPPING_END_EVENT;
        int status = end ? 0 : read_key(reader, &key, object, error);
        if (!end && status == 0 && (status = next_event(reader, &event, error)) == 0) {
            status = read_value(reader, &event, depth + 1, &value, error);
            yaml_event_delete(&event);
        }
        if (!end && status == 0 &&
            json_object_set_new(object, (const char *)key.data.scalar.value, value) < 0)
            status = fail_at(reader, key.start_mark, error, "the key is not UTF-8");
        yaml_event_delete(&key);
        if (status < 0)
            return -1;
        if (end)
            break;
    }
    *json_r = TAKE(object);
    return 0;
}

static int read_value(struct yaml_reader *reader, yaml_event_t *event, int depth, json_t **json_r,
                      struct error *error)
{
    if (depth > YAML_DEPTH_MAX)
        return fail_at(reader, event->start_mark, error, "nested too deeply");
    if (event->type == YAML_SEQUENCE_START_EVENT)
        return read_sequence(reader, depth, json_r, error);
    if (event->type == YAML_MAPPING_START_EVENT)
        return read_mapping(reader, depth, json_r, error);
    if (event->type != YAML_SCALAR_EVENT)
        return fail_at(reader, event->start_mark, error, "aliases are not understood here");
    *json_r = read_scalar(event);
    return 0;
}

/* stream start, document start, the one value. */
static int read_document(struct yaml_reader *reader, json_t **json_r, struct error *error)
{
    yaml_event_t event;
    for (;;) {
        if (next_event(reader, &event, error) < 0)
            return -1;
        if (event.type != YAML_STREAM_START_EVENT && event.type != YAML_DOCUMENT_START_EVENT)
            break;
        yaml_event_delete(&event);
    }
    int status = event.type == YAML_STREAM_END_EVENT
                     ? fail_at(reader, event.start_mark, error, "the file is empty")
                     : read_value(reader, &event, 0, json_r, error);
    yaml_event_delete(&event);
    return status;
}

int yaml_load(const char *path, json_t **json_r, struct error *error)
{
    struct yaml_reader reader = {.path = path};
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return error_set(error, "usage", "%s: %s", path, strerror(errno));
    if (!yaml_parser_initialize(&reader.parser))
        abort();
    yaml_parser_set_input_file(&reader.parser, file);
    int status = read_document(&reader, json_r, error);
    yaml_parser_delete(&reader.parser);
    fclose(file);
    return status;
}
