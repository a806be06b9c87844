/* SPDX-License-Identifier: Apache-2.0 */
#include "report/detect.h"

#include <string.h>

#include "base/memory.h"
#include "report/text.h"

static bool has(const char *bytes, size_t length, const char *word)
{
    return bytes != NULL && memmem(bytes, length, word, strlen(word)) != NULL;
}

/* Lines of objects, of which each says what happened; one object; or one of many beside each other. */
static const struct report_reader_ops *detect_json(const char *bytes, size_t length)
{
    const char *newline = memchr(bytes, '\n', length);
    size_t line = newline == NULL ? length : (size_t)(newline - bytes);
    if (has(bytes, line, "\"Action\"") &&
        (has(bytes, line, "\"Package\"") || has(bytes, line, "\"ImportPath\"")))
        return &go_json_reader;
    if (has(bytes, length, "\"results\"") || has(bytes, length, "\"CTRF\""))
        return &ctrf_reader;
    if (has(bytes, length, "\"historyId\"") || has(bytes, length, "\"fullName\"") ||
        has(bytes, length, "\"stage\"") || has(bytes, length, "\"uuid\""))
        return &allure_reader;
    return NULL;
}

static bool is_tap_line(const char *line, size_t length)
{
    static const char *const beginnings[] = {"TAP version ", "ok ", "not ok ", "1..", "Bail out!"};
    for (size_t i = 0; i < ARRAY_SIZE(beginnings); i++) {
        size_t wanted = strlen(beginnings[i]);
        if (length >= wanted && memcmp(line, beginnings[i], wanted) == 0)
            return true;
    }
    return false;
}

static const struct report_reader_ops *detect_lines(const char *bytes, size_t length)
{
    while (length > 0) {
        const char *newline = memchr(bytes, '\n', length);
        size_t line = newline == NULL ? length : (size_t)(newline - bytes);
        if (is_tap_line(bytes, line))
            return &tap_reader;
        size_t taken = newline == NULL ? line : line + 1;
        bytes += taken;
        length -= taken;
    }
    return NULL;
}

const struct report_reader_ops *report_detect(const char *bytes, size_t length)
{
    static const char utf8_mark[] = "\xef\xbb\xbf";
    length = length < REPORT_DETECT_BYTES ? length : REPORT_DETECT_BYTES;
    if (length >= 2 && (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0))
        return &junit_reader; /* of those that may be UTF-16 */
    size_t skipped = length >= 3 && memcmp(bytes, utf8_mark, 3) == 0 ? 3 : 0;
    skipped += report_skip_space(bytes + skipped, length - skipped);
    bytes += skipped;
    length -= skipped;
    if (length > 0 && bytes[0] == '<')
        return has(bytes, length, "<TestRun") ? &trx_reader : &junit_reader;
    if (length > 0 && bytes[0] == '{')
        return detect_json(bytes, length);
    return detect_lines(bytes, length);
}
