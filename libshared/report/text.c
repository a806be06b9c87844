/* SPDX-License-Identifier: Apache-2.0 */
/* Bounded texts and times. */
#include "report/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/text.h"
#include "model/limits.h"

void cut_text_init(struct cut_text *text, int64_t max_bytes)
{
    buffer_init(&text->buffer, (size_t)max_bytes);
    text->cut = false;
}

void cut_text_deinit(struct cut_text *text)
{
    buffer_deinit(&text->buffer);
}

void cut_text_clear(struct cut_text *text)
{
    buffer_clear(&text->buffer);
    text->cut = false;
}

void cut_text_add(struct cut_text *text, const char *bytes, size_t length)
{
    size_t room = text->buffer.max_bytes - text->buffer.length;
    text->cut |= length > room;
    buffer_add(&text->buffer, bytes, length < room ? length : room);
}

/* What is not UTF-8 grows when it is cleaned, so the limit is looked at behind that. */
const char *cut_text_get(struct cut_text *text)
{
    struct buffer *buffer = &text->buffer;
    const size_t max = buffer->max_bytes, mark = sizeof REPORT_CUT_MARK - 1;
    if (buffer->data == NULL || (buffer->length == 0 && !text->cut))
        return NULL;
    AUTO(text_free) char *clean = utf8_clean(buffer->data, buffer->length);
    size_t length = strlen(clean);
    bool cut = text->cut || length > max;
    size_t kept = cut ? utf8_cut(clean, length, max > mark ? max - mark : 0) : length;
    buffer_clear(buffer);
    buffer_add(buffer, clean, kept);
    if (cut && max > mark)
        buffer_add_text(buffer, REPORT_CUT_MARK);
    text->cut = false;
    return buffer_text(buffer);
}

/* A comma is between thousands ("1,234.5", "1,234") or before the fraction ("0,5", "12,3456"): it is the
 * latter where it is the only mark, and what stands around it is no such group. */
static bool is_decimal_comma(const char *text)
{
    const char *comma = strchr(text, ',');
    if (comma == NULL || strpbrk(comma + 1, ",.") != NULL)
        return false;
    return strlen(comma + 1) != 3 || text[0] == '0' || comma == text;
}

int64_t report_seconds_to_ms(const char *text)
{
    char plain[40];
    size_t length = 0;
    char *end;
    bool is_decimal = text != NULL && is_decimal_comma(text);
    for (; text != NULL && *text != '\0' && length < sizeof plain - 1; text++)
        if (*text == ',' && is_decimal)
            plain[length++] = '.';
        else if (*text != ',' && !isspace((unsigned char)*text))
            plain[length++] = *text;
    plain[length] = '\0';
    double seconds = strtod(plain, &end);
    bool is_time = end != plain && seconds > 0 && seconds < 1e9;
    return is_time ? (int64_t)(seconds * 1000 + 0.5) : 0;
}

/* "+02:00", "-0730" → ms; 0 for "Z" and nothing. */
static int64_t zone_ms(const char *text)
{
    int hours = 0, minutes = 0;
    if ((text[0] != '+' && text[0] != '-') || (sscanf(text + 1, "%2d:%2d", &hours, &minutes) < 2 &&
                                               sscanf(text + 1, "%2d%2d", &hours, &minutes) < 1))
        return 0;
    return (text[0] == '-' ? -1 : 1) * (int64_t)(hours * 60 + minutes) * 60 * 1000;
}

int64_t report_time_to_ms(const char *text)
{
    struct tm parts = {.tm_isdst = 0};
    char *end = NULL;
    const char *rest = text == NULL ? NULL : strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);
    if (rest == NULL)
        return 0;
    double fraction = rest[0] == '.' && isdigit((unsigned char)rest[1]) ? strtod(rest, &end) : 0;
    int64_t at = (int64_t)timegm(&parts) * 1000 + (int64_t)(fraction * 1000);
    at -= zone_ms(end == NULL ? rest : end);
    return at > 0 && at < INT64_C(10000000000000) ? at : 0;
}

size_t report_skip_space(const char *bytes, size_t length)
{
    size_t skipped = 0;
    while (skipped < length && isspace((unsigned char)bytes[skipped]))
        skipped++;
    return skipped;
}

char *report_first_line(const char *text)
{
    if (text == NULL)
        return NULL;
    text += strspn(text, " \t\r\n");
    size_t length = strcspn(text, "\r\n");
    while (length > 0 && isspace((unsigned char)text[length - 1]))
        length--;
    return length == 0 ? NULL : xstrndup(text, utf8_cut(text, length, LIMIT_RESULT_MESSAGE_BYTES));
}
