/* SPDX-License-Identifier: Apache-2.0 */
/* text/event-stream. */
#include "sse.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"

void sse_reader_init(struct sse_reader *reader, sse_on_event *on_event, void *context)
{
    *reader = (struct sse_reader){.on_event = on_event, .context = context, .last_id = -1};
    buffer_init(&reader->line, SSE_EVENT_BYTES);
    buffer_init(&reader->type, SSE_EVENT_BYTES);
    buffer_init(&reader->data, SSE_EVENT_BYTES);
}

void sse_reader_deinit(struct sse_reader *reader)
{
    buffer_deinit(&reader->line);
    buffer_deinit(&reader->type);
    buffer_deinit(&reader->data);
}

static void end_event(struct sse_reader *reader)
{
    const char *type = reader->type.length == 0 ? "message" : buffer_text(&reader->type);
    bool fits = !reader->type.overflowed && !reader->data.overflowed;
    if (reader->data.length > 0 && fits) {
        buffer_remove_front(&reader->data, 1); /* each line was begun by a newline */
        reader->on_event(reader->context, type, buffer_text(&reader->data));
    }
    buffer_clear(&reader->type);
    buffer_clear(&reader->data);
}

static void take_field(struct sse_reader *reader, const char *name, const char *value)
{
    int64_t id;
    if (strcmp(name, "event") == 0) {
        buffer_clear(&reader->type);
        buffer_add_text(&reader->type, value);
    } else if (strcmp(name, "data") == 0) {
        buffer_add_char(&reader->data, '\n');
        buffer_add_text(&reader->data, value);
    } else if (strcmp(name, "id") == 0) {
        if (int_parse(value, 0, INT64_MAX, &id, NULL) == 0)
            reader->last_id = id;
    } else if (strcmp(name, "retry") != 0 && name[0] != '\0') {
        return;
    }
    reader->has_spoken = true;
}

static void end_line(struct sse_reader *reader)
{
    AUTO(text_free) char *line = xstrdup(buffer_text(&reader->line));
    bool fits = !reader->line.overflowed;
    buffer_clear(&reader->line);
    reader->data.overflowed |= !fits; /* then all of the event is left out */
    if (!fits)
        return;
    if (line[0] == '\0') {
        end_event(reader);
        return;
    }
    char *colon = strchr(line, ':');
    const char *value = "";
    if (colon != NULL) {
        *colon = '\0';
        value = colon[1] == ' ' ? colon + 2 : colon + 1;
    }
    take_field(reader, line, value);
}

void sse_reader_feed(struct sse_reader *reader, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        bool is_second = reader->after_return && bytes[i] == '\n';
        reader->after_return = bytes[i] == '\r';
        if (is_second)
            continue;
        if (bytes[i] == '\n' || bytes[i] == '\r')
            end_line(reader);
        else
            buffer_add_char(&reader->line, bytes[i]);
    }
}
