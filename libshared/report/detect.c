/* SPDX-License-Identifier: Apache-2.0 */
#include "report/detect.h"

#include <string.h>

#include "base/memory.h"
#include "report/json_scan.h"
#include "report/text.h"

static bool has(const char *bytes, size_t length, const char *word)
{
    return bytes != NULL && memmem(bytes, length, word, strlen(word)) != NULL;
}

struct detected {
    bool is_over; /* the first object: others follow it in an Allure report */
    const struct report_reader_ops *format;
};

static void on_key(struct detected *detected, const char *path)
{
    static const struct {
        const char *key;
        const struct report_reader_ops *format;
    } keys[] = {{"results", &ctrf_reader},    {"reportFormat", &ctrf_reader},
                {"uuid", &allure_reader},     {"historyId", &allure_reader},
                {"fullName", &allure_reader}, {"stage", &allure_reader}};
    for (size_t i = 0; i < ARRAY_SIZE(keys) && !detected->is_over; i++)
        if (detected->format == NULL && strcmp(path, keys[i].key) == 0)
            detected->format = keys[i].format;
}

static void on_open(void *context, const char *path)
{
    on_key(context, path);
}

static void on_close(void *context, const char *path)
{
    struct detected *detected = context;
    detected->is_over |= path[0] == '\0';
}

static struct cut_text *on_value(void *context, const char *path)
{
    on_key(context, path);
    return NULL;
}

/* What stands deeper may have any name: a parameter of a test that is called "results". */
static const struct report_reader_ops *detect_by_keys(const char *bytes, size_t length)
{
    struct detected detected = {.format = NULL};
    struct json_scan *scan = json_scan_new(&(struct json_scan_handlers){
        .on_open = on_open, .on_close = on_close, .on_value = on_value, .context = &detected});
    json_scan_feed(scan, bytes, length);
    json_scan_free(&scan);
    return detected.format;
}

/* Lines of objects, of which each says what happened; one object; or one of many beside each other. */
static const struct report_reader_ops *detect_json(const char *bytes, size_t length)
{
    const char *newline = memchr(bytes, '\n', length);
    size_t line = newline == NULL ? length : (size_t)(newline - bytes);
    if (has(bytes, line, "\"Action\"") &&
        (has(bytes, line, "\"Package\"") || has(bytes, line, "\"ImportPath\"")))
        return &go_json_reader;
    return detect_by_keys(bytes, length);
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
