/* SPDX-License-Identifier: Apache-2.0 */
#include "http/range.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/text.h"

#define UNIT "bytes="

static bool read_number(const char *text, int64_t *value_r)
{
    return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0' &&
           int_parse(text, 0, INT64_MAX, value_r, NULL) == 0;
}

static enum range_kind last_bytes(const char *count_text, int64_t size, int64_t *first_r,
                                  int64_t *length_r)
{
    int64_t count;
    if (!read_number(count_text, &count))
        return RANGE_WHOLE;
    *length_r = count < size ? count : size;
    *first_r = size - *length_r;
    return *length_r == 0 ? RANGE_BEYOND : RANGE_PART;
}

enum range_kind range_read(const char *header, int64_t size, int64_t *first_r, int64_t *length_r)
{
    int64_t first, last = INT64_MAX;
    if (header == NULL || strncasecmp(header, UNIT, strlen(UNIT)) != 0)
        return RANGE_WHOLE;
    AUTO(text_free) char *from = xstrdup(header + strlen(UNIT));
    char *dash = strchr(from, '-');
    if (dash == NULL)
        return RANGE_WHOLE;
    *dash = '\0';
    if (from[0] == '\0')
        return last_bytes(dash + 1, size, first_r, length_r);
    if (!read_number(from, &first) || (dash[1] != '\0' && !read_number(dash + 1, &last)) ||
        last < first)
        return RANGE_WHOLE;
    if (first >= size)
        return RANGE_BEYOND;
    *first_r = first;
    *length_r = (last < size ? last + 1 : size) - first;
    return RANGE_PART;
}
