/* SPDX-License-Identifier: Apache-2.0 */
/* Events as lines of JSON. */
#include "report/json_lines.h"

#include <string.h>

#include "base/memory.h"

enum line { AT_BEGINNING, IN_EVENT, IN_OTHER };

struct json_lines {
    struct cut_text *texts;
    const struct json_text *table;
    int count;
    struct json_lines_handlers handlers;
    struct json_scan *scan;
    enum line line;
    int64_t number; /* of whole lines */
};

static void on_nested(void *context, const char *path)
{
    (void)context;
    (void)path;
}

static struct cut_text *on_value(void *context, const char *path)
{
    struct json_lines *lines = context;
    return json_texts_begin(lines->texts, lines->table, lines->count, path);
}

struct json_lines *json_lines_new(struct cut_text *texts, const struct json_text *table, int count,
                                  const struct json_lines_handlers *handlers)
{
    struct json_lines *lines = xcalloc(1, sizeof *lines);
    json_texts_init(texts, table, count);
    *lines =
        (struct json_lines){.texts = texts, .table = table, .count = count, .handlers = *handlers};
    lines->scan = json_scan_new(&(struct json_scan_handlers){
        .on_open = on_nested, .on_close = on_nested, .on_value = on_value, .context = lines});
    return lines;
}

void json_lines_free(struct json_lines **lines)
{
    if (*lines == NULL)
        return;
    json_scan_free(&(*lines)->scan);
    memory_free(lines);
}

static void begin_line(struct json_lines *lines, char first)
{
    lines->line = first == '{' ? IN_EVENT : IN_OTHER;
    if (first != '{')
        return;
    json_scan_restart(lines->scan);
    json_texts_clear(lines->texts, lines->count);
}

static void end_line(struct json_lines *lines)
{
    if (lines->line == IN_EVENT && json_scan_is_whole(lines->scan))
        lines->handlers.on_event(lines->handlers.context);
    else if (lines->line == IN_EVENT)
        lines->handlers.on_broken(lines->handlers.context);
    lines->line = AT_BEGINNING;
    lines->number++;
}

void json_lines_feed(struct json_lines *lines, const char *bytes, size_t length)
{
    while (length > 0) {
        const char *newline = memchr(bytes, '\n', length);
        size_t part = newline == NULL ? length : (size_t)(newline - bytes);
        if (lines->line == AT_BEGINNING && part > 0)
            begin_line(lines, bytes[0]);
        if (lines->line == IN_EVENT)
            json_scan_feed(lines->scan, bytes, part);
        if (newline == NULL)
            return;
        end_line(lines);
        bytes += part + 1;
        length -= part + 1;
    }
}

void json_lines_end(struct json_lines *lines)
{
    if (lines->line != AT_BEGINNING)
        end_line(lines);
}

int64_t json_lines_number(const struct json_lines *lines)
{
    return lines->number + 1;
}
