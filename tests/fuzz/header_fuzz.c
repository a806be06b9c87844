/* SPDX-License-Identifier: Apache-2.0 */
/* seeds: tests/data/header */
/* What stands in a header, or in a parameter of the URL, as one text: ranges, entity tags, cursors, times, URLs,
 * slugs, traces. What is taken lies within its bounds, and means the same when it is said again. */
#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "api/checks.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/traceparent.h"
#include "http/cursor.h"
#include "http/etag.h"
#include "http/range.h"
#include "http/url.h"

#define FILE_BYTES 1000

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_range(const char *text)
{
    int64_t first = 0, length = 0;
    if (range_read(text, FILE_BYTES, &first, &length) == RANGE_PART)
        assert(first >= 0 && length > 0 && first + length <= FILE_BYTES);
    assert(range_read(text, 0, &first, &length) != RANGE_PART);
}

/* A list with the tag behind it names it, if what stands before can stand in a list. */
static void check_etag(const char *text)
{
    bool is_strong = etag_is_named(text, "\"0123456789abcdef01\"", ETAG_STRONG);
    bool is_weak = etag_is_named(text, "\"0123456789abcdef01\"", ETAG_WEAK);
    assert(is_weak || !is_strong);
    if (is_strong)
        assert(strchr(text, '*') != NULL || strstr(text, "\"0123456789abcdef01\"") != NULL);
}

static void check_cursor(const char *text)
{
    static const int64_t max[] = {INT32_MAX, INT32_MAX, INT64_MAX};
    struct error error;
    AUTO(text_free) char *decoded = NULL;
    int64_t numbers[ARRAY_SIZE(max)];
    const char *rest;
    if (cursor_numbers(text, -1, max, ARRAY_SIZE(max), numbers, NULL, &error) == 0)
        assert(numbers[0] >= -1 && numbers[0] <= INT32_MAX && numbers[2] >= -1);
    if (cursor_numbers(text, 0, max, 1, numbers, &rest, &error) == 0)
        assert(rest > text && rest <= text + strlen(text));
    if (cursor_decode(text, &decoded, &error) < 0)
        return;
    AUTO(text_free) char *clean = utf8_clean(decoded, strlen(decoded));
    AUTO(text_free) char *again = cursor_encode(decoded);
    assert(strcmp(clean, decoded) == 0 && strcmp(again, text) == 0);
}

static void check_rest(const char *text)
{
    struct error error;
    if (check_time("since", text, &error) == 0)
        assert(strlen(text) >= strlen("2026-11-24T10:57:54Z") &&
               strlen(text) <= strlen("2026-11-24T10:57:54.123456789+10:00"));
    if (url_check("url", text, &error) == 0)
        assert(text_starts(text, "http://") || text_starts(text, "https://"));
    if (check_slug("slug", text, &error) == 0)
        assert(strlen(text) <= 63 && strpbrk(text, "/%.? ") == NULL);
    if (traceparent_is_valid(text))
        assert(strlen(text) == TRACEPARENT_LENGTH);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    AUTO(text_free) char *text = xcalloc(length + 1, 1);
    memcpy(text, bytes, length);
    check_range(text);
    check_etag(text);
    check_cursor(text);
    check_rest(text);
    return 0;
}
