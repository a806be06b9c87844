/* SPDX-License-Identifier: Apache-2.0 */
/* CTRF, the Common Test Report Format: one JSON document with a list of tests. Its counts are looked at only
 * where nothing else tells of failures. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/frameworks.h"
#include "model/limits.h"
#include "report/json_texts.h"
#include "report/reader.h"
#include "report/text.h"

#define TEST        "results.tests.*"
#define PARAMETERS  TEST ".parameters."
#define COUNTED     "results.summary.failed"
#define SHORT_BYTES 64

enum field {
    NAME,
    STATUS,
    RAW_STATUS,
    DURATION,
    START,
    SUITE,
    FILE_PATH,
    MESSAGE,
    TRACE,
    FIELD_COUNT
};

static const struct json_text fields[FIELD_COUNT] = {
    [NAME] = {TEST ".name", LIMIT_CASE_NAME_BYTES},
    [STATUS] = {TEST ".status", SHORT_BYTES},
    [RAW_STATUS] = {TEST ".rawStatus", SHORT_BYTES},
    [DURATION] = {TEST ".duration", SHORT_BYTES},
    [START] = {TEST ".start", SHORT_BYTES},
    [SUITE] = {TEST ".suite", LIMIT_CASE_NAME_BYTES},
    [FILE_PATH] = {TEST ".filePath", LIMIT_CASE_NAME_BYTES},
    [MESSAGE] = {TEST ".message", LIMIT_RESULT_MESSAGE_BYTES},
    [TRACE] = {TEST ".trace", LIMIT_RESULT_TRACE_BYTES},
};

/* Of both words that a test may have for its status the first that stands here decides: `failed` is what
 * some tools call all that is not passed, and tell the difference in the second. */
static const struct {
    enum field field;
    const char *word;
    enum result_status status;
} statuses[] = {
    {STATUS, "passed", RESULT_PASSED},
    {RAW_STATUS, "setup_failed", RESULT_ERRORED},
    {RAW_STATUS, "teardown_failed", RESULT_ERRORED},
    {RAW_STATUS, "error", RESULT_ERRORED},
    {RAW_STATUS, "errored", RESULT_ERRORED}, /* as our own report tells it */
    {RAW_STATUS, "blocked", RESULT_BLOCKED},
    {STATUS, "failed", RESULT_FAILED},
    {STATUS, "skipped", RESULT_SKIPPED},
    {STATUS, "pending", RESULT_SKIPPED},
    {RAW_STATUS, "skipped", RESULT_SKIPPED},
    {RAW_STATUS, "pending", RESULT_SKIPPED},
    {RAW_STATUS, "todo", RESULT_SKIPPED},
    {RAW_STATUS, "disabled", RESULT_SKIPPED},
};

struct report_reader {
    struct report_handlers handlers;
    struct json_scan *scan;
    bool any_byte, has_tests, any_bad;
    struct cut_text texts[FIELD_COUNT];
    struct cut_text counted;
    struct cut_text parameters;
};

static enum result_status status_of(struct report_reader *reader)
{
    for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
        const char *word = cut_text_get(&reader->texts[statuses[i].field]);
        if (word != NULL && strcmp(word, statuses[i].word) == 0)
            return statuses[i].status;
    }
    return RESULT_ERRORED; /* "other", or none: no evidence is never green */
}

static int64_t number_of(struct report_reader *reader, enum field field)
{
    const char *text = cut_text_get(&reader->texts[field]);
    double value = text == NULL ? 0 : strtod(text, NULL);
    return value > 0 && value < 1e15 ? (int64_t)value : 0;
}

/* Where a test is named as pytest names it, "file::class::name", it is the case that pytest tells of. */
static bool is_of_pytest(const char *name, const char *file)
{
    size_t length = file == NULL ? 0 : strlen(file);
    return length > 0 && strncmp(name, file, length) == 0 && strncmp(name + length, "::", 2) == 0;
}

static void tell(struct report_reader *reader, struct reported_case *reported)
{
    AUTO(text_free) char *file = NULL, *class = NULL, *name = NULL, *parameters = NULL;
    if (is_of_pytest(reported->name, reported->file)) {
        framework_find("pytest")->read_selector(reported->name, &file, &class, &name, &parameters);
        reported->suite = NULL;
        reported->class = class;
        reported->name = name;
        reported->parameters = parameters;
    }
    reader->any_bad |= reported->status == RESULT_FAILED || reported->status == RESULT_ERRORED;
    reader->handlers.on_case(reader->handlers.context, reported);
}

static void tell_counted(struct report_reader *reader)
{
    const char *counted = cut_text_get(&reader->counted);
    const struct reported_case reported = {
        .name = "(run)",
        .status = RESULT_ERRORED,
        .message = "the report's summary counts failed tests, and it tells of none"};
    if (reader->handlers.is_alone && !reader->any_bad && counted != NULL &&
        strtod(counted, NULL) > 0)
        reader->handlers.on_case(reader->handlers.context, &reported);
    reader->any_bad = false;
    cut_text_clear(&reader->counted);
}

static void on_open(void *context, const char *path)
{
    struct report_reader *reader = context;
    reader->has_tests |= strcmp(path, "results.tests") == 0;
    if (strcmp(path, TEST) != 0)
        return;
    json_texts_clear(reader->texts, FIELD_COUNT);
    cut_text_clear(&reader->parameters);
}

static void on_close(void *context, const char *path)
{
    struct report_reader *reader = context;
    if (path[0] == '\0')
        tell_counted(reader);
    if (strcmp(path, TEST) != 0)
        return;
    const char *name = cut_text_get(&reader->texts[NAME]);
    struct reported_case reported = {.class = cut_text_get(&reader->texts[SUITE]),
                                     .file = cut_text_get(&reader->texts[FILE_PATH]),
                                     .name = name == NULL ? "(no name)" : name,
                                     .parameters = cut_text_get(&reader->parameters),
                                     .status = status_of(reader),
                                     .duration_ms = number_of(reader, DURATION),
                                     .started_at = number_of(reader, START),
                                     .message = cut_text_get(&reader->texts[MESSAGE]),
                                     .trace = cut_text_get(&reader->texts[TRACE])};
    tell(reader, &reported);
}

/* Newer reports have the suites from the outside in as a list, older ones as one text with this between. */
static struct cut_text *another_suite(struct report_reader *reader)
{
    struct cut_text *suite = &reader->texts[SUITE];
    if (suite->buffer.length > 0)
        cut_text_add(suite, " > ", 3);
    return suite;
}

static struct cut_text *another_parameter(struct report_reader *reader, const char *name)
{
    if (reader->parameters.buffer.length > 0)
        cut_text_add(&reader->parameters, ", ", 2);
    cut_text_add(&reader->parameters, name, strlen(name));
    cut_text_add(&reader->parameters, "=", 1);
    return &reader->parameters;
}

static struct cut_text *on_value(void *context, const char *path)
{
    struct report_reader *reader = context;
    if (strcmp(path, TEST ".suite.*") == 0)
        return another_suite(reader);
    if (strncmp(path, PARAMETERS, sizeof PARAMETERS - 1) == 0)
        return another_parameter(reader, path + sizeof PARAMETERS - 1);
    if (strcmp(path, COUNTED) == 0) {
        cut_text_clear(&reader->counted);
        return &reader->counted;
    }
    return json_texts_begin(reader->texts, fields, FIELD_COUNT, path);
}

/* ---- the interface ------------------------------------------------------------------------------ */

static struct report_reader *ctrf_open(const struct report_handlers *handlers)
{
    struct report_reader *reader = xcalloc(1, sizeof *reader);
    reader->handlers = *handlers;
    reader->scan = json_scan_new(&(struct json_scan_handlers){
        .on_open = on_open, .on_close = on_close, .on_value = on_value, .context = reader});
    json_texts_init(reader->texts, fields, FIELD_COUNT);
    cut_text_init(&reader->parameters, LIMIT_CASE_NAME_BYTES);
    cut_text_init(&reader->counted, SHORT_BYTES);
    return reader;
}

static void ctrf_feed(struct report_reader *reader, const char *bytes, size_t length)
{
    reader->any_byte |= report_skip_space(bytes, length) < length;
    json_scan_feed(reader->scan, bytes, length);
}

static enum report_wholeness ctrf_finish(struct report_reader *reader, struct error *why_r)
{
    const char *why = json_scan_error(reader->scan);
    if (!reader->any_byte)
        return REPORT_EMPTY;
    if (json_scan_is_whole(reader->scan) && reader->has_tests)
        return REPORT_WHOLE;
    if (why == NULL)
        why =
            json_scan_is_whole(reader->scan) ? "it has no results.tests" : "it ends in the middle";
    error_set(why_r, "invalid", "CTRF: %s", why);
    return REPORT_CUT;
}

static void ctrf_free(struct report_reader **reader_p)
{
    struct report_reader *reader = *reader_p;
    if (reader == NULL)
        return;
    json_scan_free(&reader->scan);
    json_texts_deinit(reader->texts, FIELD_COUNT);
    cut_text_deinit(&reader->parameters);
    cut_text_deinit(&reader->counted);
    memory_free(reader_p);
}

const struct report_reader_ops ctrf_reader = {
    .name = "ctrf", .open = ctrf_open, .feed = ctrf_feed, .finish = ctrf_finish, .free = ctrf_free};
