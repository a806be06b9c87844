/* SPDX-License-Identifier: Apache-2.0 */
/* Bounded texts and times. */
#include "report/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

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

int64_t report_seconds_to_ms(const char *text)
{
    char plain[40];
    size_t length = 0;
    char *end;
    for (; text != NULL && *text != '\0' && length < sizeof plain - 1; text++)
        if (*text != ',' && !isspace((unsigned char)*text))
            plain[length++] = *text;
    plain[length] = '\0';
    double seconds = strtod(plain, &end);
    bool is_time = end != plain && seconds > 0 && seconds < 1e9;
    return is_time ? (int64_t)(seconds * 1000 + 0.5) : 0;
}
