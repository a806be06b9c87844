/* SPDX-License-Identifier: Apache-2.0 */
/* `message` (the specification's word) or `error` (Node's), plain, in quotes or as a block; `duration_ms`. */
#include "report/tap_yaml.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/limits.h"

void tap_yaml_init(struct tap_yaml *yaml)
{
    cut_text_init(&yaml->message, LIMIT_RESULT_MESSAGE_BYTES);
}

void tap_yaml_deinit(struct tap_yaml *yaml)
{
    cut_text_deinit(&yaml->message);
}

void tap_yaml_begin(struct tap_yaml *yaml, size_t indent)
{
    yaml->indent = indent;
    yaml->in_scalar = false;
    yaml->duration_ms = 0;
    cut_text_clear(&yaml->message);
}

/* "text\n" in double quotes, 'it''s' in single ones. */
static void add_quoted(struct cut_text *message, const char *text, size_t length)
{
    static const char from[] = "ntr", to[] = "\n\t\r";
    const char quote = text[0];
    for (size_t i = 1; i + 1 < length; i++) {
        const char *escaped = quote == '"' && text[i] == '\\' ? strchr(from, text[i + 1]) : NULL;
        bool is_doubled = quote == '\'' && text[i] == '\'' && text[i + 1] == '\'';
        if (is_doubled || (quote == '"' && text[i] == '\\' && i + 2 < length))
            i++;
        cut_text_add(message, escaped != NULL ? &to[escaped - from] : &text[i], 1);
    }
}

static void read_message(struct tap_yaml *yaml, const char *value)
{
    size_t length = strlen(value);
    bool is_quoted =
        length >= 2 && (value[0] == '"' || value[0] == '\'') && value[length - 1] == value[0];
    if (yaml->message.buffer.length > 0)
        return;
    yaml->in_scalar =
        (value[0] == '|' || value[0] == '>') && strspn(value + 1, "+-0123456789") == length - 1;
    yaml->scalar_indent = 0;
    if (is_quoted)
        add_quoted(&yaml->message, value, length);
    else if (!yaml->in_scalar)
        cut_text_add(&yaml->message, value, length);
}

static void read_key(struct tap_yaml *yaml, const char *text)
{
    const char *value = strchr(text, ':');
    if (value == NULL)
        return;
    size_t length = (size_t)(value - text);
    value += 1 + strspn(value + 1, " \t");
    if ((length == 7 && text_starts(text, "message")) ||
        (length == 5 && text_starts(text, "error")))
        read_message(yaml, value);
    else if (length == 11 && text_starts(text, "duration_ms")) {
        double duration_ms = strtod(value, NULL);
        yaml->duration_ms =
            duration_ms > 0 && duration_ms < 1e12 ? (int64_t)(duration_ms + 0.5) : 0;
    }
}

static void read_scalar(struct tap_yaml *yaml, const char *line, size_t indent)
{
    if (yaml->scalar_indent == 0)
        yaml->scalar_indent = indent;
    else
        cut_text_add(&yaml->message, "\n", 1);
    line += indent < yaml->scalar_indent ? indent : yaml->scalar_indent;
    cut_text_add(&yaml->message, line, strlen(line));
}

enum tap_yaml_line tap_yaml_read(struct tap_yaml *yaml, const char *line)
{
    size_t indent = strspn(line, " ");
    if (indent < yaml->indent)
        return TAP_YAML_OTHER;
    if (indent == yaml->indent && strcmp(line + indent, "...") == 0)
        return TAP_YAML_ENDED;
    if (indent > yaml->indent && yaml->in_scalar) {
        read_scalar(yaml, line, indent);
        return TAP_YAML_TAKEN;
    }
    yaml->in_scalar = false;
    if (indent == yaml->indent)
        read_key(yaml, line + indent);
    return TAP_YAML_TAKEN;
}
