/* SPDX-License-Identifier: Apache-2.0 */
#include "report/markup.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

static const char *entity(unsigned char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    case '\r':
        return "&#13;"; /* else readers turn it into a line end */
    default:
        return c < ' ' && c != '\t' && c != '\n' ? REPLACEMENT : NULL;
    }
}

/* U+FFFE and U+FFFF: EF BF BE, EF BF BF. */
static int is_noncharacter(const char *text)
{
    return (unsigned char)text[0] == 0xef && (unsigned char)text[1] == 0xbf &&
           ((unsigned char)text[2] == 0xbe || (unsigned char)text[2] == 0xbf);
}

static void write_escaped(FILE *out, const char *text, size_t length)
{
    size_t from = 0;
    for (size_t i = 0; i < length; i++) {
        const char *escaped = entity((unsigned char)text[i]);
        size_t taken = 1;
        if (escaped == NULL && i + 2 < length && is_noncharacter(text + i)) {
            escaped = REPLACEMENT;
            taken = 3;
        }
        if (escaped == NULL)
            continue;
        fwrite(text + from, 1, i - from, out);
        fputs(escaped, out);
        i += taken - 1;
        from = i + 1;
    }
    fwrite(text + from, 1, length - from, out);
}

void markup_text(FILE *out, const char *text)
{
    if (text != NULL)
        write_escaped(out, text, strlen(text));
}

void markup_cut(FILE *out, const char *text, size_t max_bytes)
{
    if (text == NULL)
        return;
    size_t length = strlen(text), kept = utf8_cut(text, length, max_bytes);
    write_escaped(out, text, kept);
    if (kept < length)
        fprintf(out, "\n… %zu more bytes", length - kept);
}

void markup_attribute(FILE *out, const char *name, const char *text)
{
    fprintf(out, " %s=\"", name);
    for (const char *from = text == NULL ? "" : text; *from != '\0';) {
        size_t plain = strcspn(from, "\n\t");
        write_escaped(out, from, plain);
        from += plain;
        if (*from != '\0')
            fprintf(out, "&#%d;", *from++);
    }
    fputc('"', out);
}

void markup_script_json(FILE *out, const json_t *json)
{
    AUTO(text_free) char *text = json_text(json);
    for (const char *from = text; *from != '\0';) {
        size_t plain = strcspn(from, "<>&");
        fwrite(from, 1, plain, out);
        from += plain;
        if (*from != '\0')
            fprintf(out, "\\u%04x", *from++);
    }
}

void markup_seconds(FILE *out, int64_t duration_ms)
{
    fprintf(out, "%lld.%03lld", (long long)(duration_ms / 1000), (long long)(duration_ms % 1000));
}

void markup_duration(FILE *out, int64_t duration_ms)
{
    long long seconds = duration_ms / 1000, minutes = seconds / 60;
    if (duration_ms < 1000)
        fprintf(out, "%lld ms", (long long)duration_ms);
    else if (seconds < 60)
        fprintf(out, "%lld.%lld s", seconds, (long long)(duration_ms % 1000 / 100));
    else if (minutes < 60)
        fprintf(out, "%lld min %lld s", minutes, seconds % 60);
    else
        fprintf(out, "%lld h %lld min", minutes / 60, minutes % 60);
}
