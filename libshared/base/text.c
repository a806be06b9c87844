/* SPDX-License-Identifier: Apache-2.0 */
/* Text helpers. */
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/buffer.h"
#include "base/memory.h"

bool text_starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_ends(const char *text, const char *suffix)
{
    size_t text_length = strlen(text), suffix_length = strlen(suffix);
    return text_length >= suffix_length && strcmp(text + text_length - suffix_length, suffix) == 0;
}

int int_parse(const char *text, int64_t min, int64_t max, int64_t *value_r, struct error *error)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    bool whole = end != text && *end == '\0' && !isspace((unsigned char)text[0]);
    if (!whole || errno != 0 || value < min || value > max)
        return error_set(error, "invalid", "must be a whole number from %" PRId64 " to %" PRId64,
                         min, max);
    *value_r = value;
    return 0;
}

static const struct {
    const char *suffix;
    int64_t ms;
} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}, {"", 1000}};

int duration_parse(const char *text, int64_t min_ms, int64_t max_ms, int64_t *ms_r,
                   struct error *error)
{
    char *end;
    errno = 0;
    long long value = isdigit((unsigned char)text[0]) ? strtoll(text, &end, 10) : -1;
    for (size_t i = 0; value >= 0 && errno == 0 && i < ARRAY_SIZE(units); i++) {
        int64_t ms;
        if (strcmp(end, units[i].suffix) != 0)
            continue;
        if (__builtin_mul_overflow((int64_t)value, units[i].ms, &ms) || ms < min_ms || ms > max_ms)
            break;
        *ms_r = ms;
        return 0;
    }
    return error_set(error, "invalid",
                     "must be a duration (250ms, 30s, 5m, 2h) from %" PRId64 " ms to %" PRId64
                     " ms",
                     min_ms, max_ms);
}

bool slug_is_valid(const char *text)
{
    size_t length = strlen(text);
    if (length < 1 || length > 63 || text[0] == '-' || text[length - 1] == '-')
        return false;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (!(islower((unsigned char)c) || isdigit((unsigned char)c) || c == '-'))
            return false;
        if (c == '-' && text[i + 1] == '-')
            return false;
    }
    return true;
}

/* Length of the valid UTF-8 sequence at bytes (RFC 3629: no overlong forms, no surrogates), or 0. */
static size_t utf8_sequence(const unsigned char *b, size_t left)
{
    if (b[0] != 0 && b[0] < 0x80)
        return 1;
    if (b[0] >= 0xc2 && b[0] <= 0xdf)
        return left >= 2 && (b[1] & 0xc0) == 0x80 ? 2 : 0;
    if (b[0] >= 0xe0 && b[0] <= 0xef) {
        if (left < 3 || (b[1] & 0xc0) != 0x80 || (b[2] & 0xc0) != 0x80)
            return 0;
        return (b[0] == 0xe0 && b[1] < 0xa0) || (b[0] == 0xed && b[1] > 0x9f) ? 0 : 3;
    }
    if (b[0] >= 0xf0 && b[0] <= 0xf4) {
        if (left < 4 || (b[1] & 0xc0) != 0x80 || (b[2] & 0xc0) != 0x80 || (b[3] & 0xc0) != 0x80)
            return 0;
        return (b[0] == 0xf0 && b[1] < 0x90) || (b[0] == 0xf4 && b[1] > 0x8f) ? 0 : 4;
    }
    return 0;
}

char *utf8_clean(const char *bytes, size_t length)
{
    struct buffer clean;
    buffer_init(&clean, length * 3 + 1);
    for (size_t i = 0; i < length;) {
        size_t step = utf8_sequence((const unsigned char *)bytes + i, length - i);
        if (step == 0) {
            buffer_add_text(&clean, "\xef\xbf\xbd");
            i++;
        } else {
            buffer_add(&clean, bytes + i, step);
            i += step;
        }
    }
    return buffer_take(&clean);
}

size_t utf8_cut(const char *text, size_t length, size_t max_bytes)
{
    if (length <= max_bytes)
        return length;
    size_t cut = max_bytes;
    while (cut > 0 && ((unsigned char)text[cut] & 0xc0) == 0x80)
        cut--;
    return cut;
}

void text_vformat(char *buffer, size_t size, const char *format, va_list args)
{
    int wanted = vsnprintf(buffer, size, format, args);
    if (wanted < 0 || (size_t)wanted < size)
        return;
    /* The last character may have lost its end; whether it has shows from where it begins. */
    size_t start = size - 1;
    while (start > 0 && ((unsigned char)buffer[start - 1] & 0xc0) == 0x80)
        start--;
    start -= start > 0 ? 1 : 0;
    if (utf8_sequence((const unsigned char *)buffer + start, size - 1 - start) == 0)
        buffer[start] = '\0';
}

void text_format(char *buffer, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    text_vformat(buffer, size, format, args);
    va_end(args);
}

uint32_t text_crc32(const char *text)
{
    return (uint32_t)crc32(0, (const unsigned char *)text, (unsigned)strlen(text));
}
