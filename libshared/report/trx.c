/* SPDX-License-Identifier: Apache-2.0 */
/* TRX, what Visual Studio's and .NET's test runners write. Which class a result is of stands behind the results,
 * so they are kept until then. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/memory.h"
#include "base/text.h"
#include "model/limits.h"
#include "report/kept.h"
#include "report/reader.h"
#include "report/text.h"
#include "report/xml.h"

#define OPEN_MAX              64 /* elements, as many as report/xml.c lets pass */
#define RESULTS_MAX           4  /* results in results: rows of data in their test */
#define SHORT_BYTES           64
#define DEFINITIONS_BYTES_MAX ((size_t)32 * 1024 * 1024)
#define DEFINITION_BYTES      128 /* of each, beside its texts */

enum element {
    ELEMENT_OTHER,
    ELEMENT_RUN,
    ELEMENT_RESULT,
    ELEMENT_ERROR_INFO,
    ELEMENT_MESSAGE,
    ELEMENT_TRACE,
    ELEMENT_TEST,
    ELEMENT_METHOD,
    ELEMENT_SUMMARY,
    ELEMENT_RUN_INFO,
    ELEMENT_TEXT,
};

static const struct {
    const char *name;
    enum element element;
} elements[] = {
    {"TestRun", ELEMENT_RUN},
    {"UnitTestResult", ELEMENT_RESULT},
    {"ManualTestResult", ELEMENT_RESULT},
    {"GenericTestResult", ELEMENT_RESULT},
    {"WebTestResult", ELEMENT_RESULT},
    {"TestResult", ELEMENT_RESULT},
    {"TestResultAggregation", ELEMENT_RESULT},
    {"ErrorInfo", ELEMENT_ERROR_INFO},
    {"Message", ELEMENT_MESSAGE},
    {"StackTrace", ELEMENT_TRACE},
    {"UnitTest", ELEMENT_TEST},
    {"TestMethod", ELEMENT_METHOD},
    {"ResultSummary", ELEMENT_SUMMARY},
    {"RunInfo", ELEMENT_RUN_INFO},
    {"Text", ELEMENT_TEXT},
};

/* What is not here has errored: Error (the default, which is not written), Aborted, NotRunnable, Disconnected,
 * InProgress … */
static const struct {
    const char *word;
    enum result_status status;
} outcomes[] = {
    {"Passed", RESULT_PASSED},       {"Warning", RESULT_PASSED},
    {"Completed", RESULT_PASSED},    {"PassedButRunAborted", RESULT_PASSED},
    {"Failed", RESULT_FAILED},       {"Timeout", RESULT_FAILED},
    {"NotExecuted", RESULT_SKIPPED}, {"Inconclusive", RESULT_SKIPPED},
    {"Pending", RESULT_SKIPPED},
};

struct definition {
    char *id, *class;
    UT_hash_handle hh;
};

struct result {
    struct cut_text id, name, message, trace;
    enum result_status status;
    int64_t duration_ms, started_at;
    bool has_inner, inner_failed;
};

struct report_reader {
    struct report_handlers handlers;
    struct report_xml *xml;
    enum element open[OPEN_MAX];
    struct result results[RESULTS_MAX];
    int depth; /* of results */
    struct kept_cases *kept;
    struct error why;   /* no text: nothing is wrong */
    struct cut_text id; /* of the definition that is read */
    struct definition *definitions;
    size_t definitions_bytes;
    bool any_bad;         /* of the results */
    bool is_bad;          /* the run, by its summary */
    struct cut_text info; /* of the run */
};

static enum element element_of(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(elements); i++)
        if (strcmp(elements[i].name, name) == 0)
            return elements[i].element;
    return ELEMENT_OTHER;
}

static void set_text(struct cut_text *text, const char *value)
{
    cut_text_clear(text);
    if (value != NULL)
        cut_text_add(text, value, strlen(value));
}

static enum result_status status_of(const char *outcome)
{
    for (size_t i = 0; outcome != NULL && i < ARRAY_SIZE(outcomes); i++)
        if (strcmp(outcome, outcomes[i].word) == 0)
            return outcomes[i].status;
    return RESULT_ERRORED;
}

static bool is_bad_status(enum result_status status)
{
    return status == RESULT_FAILED || status == RESULT_ERRORED;
}

/* "1.02:03:04.5" or "00:00:00.0120000" → ms. */
static int64_t duration_of(const char *text)
{
    int64_t days = 0;
    const char *colon = text == NULL ? NULL : strchr(text, ':');
    const char *dot = text == NULL ? NULL : strchr(text, '.');
    if (colon == NULL)
        return 0;
    if (dot != NULL && dot < colon) {
        days = strtoll(text, NULL, 10);
        text = dot + 1;
    }
    char *end;
    int64_t hours = strtoll(text, &end, 10);
    int64_t minutes = *end == ':' ? strtoll(end + 1, &end, 10) : 0;
    const char *seconds = *end == ':' ? end + 1 : NULL;
    if (days < 0 || days > 365 || hours < 0 || hours > 24 || minutes < 0 || minutes > 60)
        return 0;
    return ((days * 24 + hours) * 60 + minutes) * 60 * 1000 + report_seconds_to_ms(seconds);
}

/* ---- results ----------------------------------------------------------------------------------- */

static struct result *innermost(struct report_reader *reader)
{
    int depth = reader->depth < RESULTS_MAX ? reader->depth : RESULTS_MAX;
    return &reader->results[depth > 0 ? depth - 1 : 0];
}

static void open_result(struct report_reader *reader, const char **attributes)
{
    reader->depth++;
    struct result *result = innermost(reader);
    const char *name = report_xml_attribute(attributes, "testName");
    set_text(&result->id, report_xml_attribute(attributes, "testId"));
    set_text(&result->name, name != NULL ? name : report_xml_attribute(attributes, "name"));
    cut_text_clear(&result->message);
    cut_text_clear(&result->trace);
    result->status = status_of(report_xml_attribute(attributes, "outcome"));
    result->duration_ms = duration_of(report_xml_attribute(attributes, "duration"));
    result->started_at = report_time_to_ms(report_xml_attribute(attributes, "startTime"));
    result->has_inner = result->inner_failed = false;
}

static void keep(struct report_reader *reader, struct result *result)
{
    const char *name = cut_text_get(&result->name);
    const struct reported_case reported = {.suite = cut_text_get(&result->id), /* see tell_one */
                                           .name = name == NULL ? "(no name)" : name,
                                           .status = result->status,
                                           .duration_ms = result->duration_ms,
                                           .started_at = result->started_at,
                                           .message = cut_text_get(&result->message),
                                           .trace = cut_text_get(&result->trace)};
    if (reader->why.text[0] == '\0' && kept_cases_add(reader->kept, &reported, &reader->why) < 0)
        report_xml_fail(reader->xml, reader->why.text);
}

/* A result that only sums up those in it is no case of its own, unless it failed and none of them did. */
static void close_result(struct report_reader *reader)
{
    struct result *result = innermost(reader);
    bool is_bad = is_bad_status(result->status);
    if (!result->has_inner || (is_bad && !result->inner_failed))
        keep(reader, result);
    reader->any_bad |= is_bad;
    if (--reader->depth == 0)
        return;
    struct result *outer = innermost(reader); /* or the same: nested deeper than is kept apart */
    outer->has_inner = true;
    outer->inner_failed |= is_bad || result->inner_failed;
}

/* ---- definitions ------------------------------------------------------------------------------- */

static void define(struct report_reader *reader, const char *class)
{
    struct definition *definition = NULL;
    const char *id = cut_text_get(&reader->id);
    if (id == NULL || class == NULL)
        return;
    HASH_FIND_STR(reader->definitions, id, definition);
    size_t length = strcspn(class, ","); /* "Name.Space.Class, Assembly, Version=…" */
    length = utf8_cut(class, length, LIMIT_CASE_NAME_BYTES);
    if (definition != NULL || length == 0)
        return;
    reader->definitions_bytes += DEFINITION_BYTES + strlen(id) + length;
    if (reader->definitions_bytes > DEFINITIONS_BYTES_MAX) {
        report_xml_fail(reader->xml, "it defines too many tests");
        return;
    }
    definition = xcalloc(1, sizeof *definition);
    definition->id = xstrdup(id);
    definition->class = xstrndup(class, length);
    HASH_ADD_KEYPTR(hh, reader->definitions, definition->id, strlen(definition->id), definition);
}

static void open_summary(struct report_reader *reader, const char **attributes)
{
    const char *outcome = report_xml_attribute(attributes, "outcome");
    reader->is_bad |= outcome != NULL && is_bad_status(status_of(outcome));
}

/* ---- elements ---------------------------------------------------------------------------------- */

static void on_start(void *context, const char *name, const char **attributes)
{
    struct report_reader *reader = context;
    enum element element = element_of(name);
    int depth = report_xml_depth(reader->xml);
    if (depth == 0 && element != ELEMENT_RUN) {
        report_xml_fail(reader->xml, "the root is not TestRun");
        return;
    }
    reader->open[depth] = element;
    if (element == ELEMENT_RESULT)
        open_result(reader, attributes);
    else if (element == ELEMENT_TEST)
        set_text(&reader->id, report_xml_attribute(attributes, "id"));
    else if (element == ELEMENT_METHOD)
        define(reader, report_xml_attribute(attributes, "className"));
    else if (element == ELEMENT_SUMMARY)
        open_summary(reader, attributes);
}

static void on_end(void *context, const char *name)
{
    struct report_reader *reader = context;
    (void)name;
    if (reader->open[report_xml_depth(reader->xml)] == ELEMENT_RESULT)
        close_result(reader);
}

static void on_text(void *context, const char *text, size_t length)
{
    struct report_reader *reader = context;
    int depth = report_xml_depth(reader->xml);
    enum element inside = depth > 1 ? reader->open[depth - 1] : ELEMENT_OTHER;
    enum element around = depth > 1 ? reader->open[depth - 2] : ELEMENT_OTHER;
    struct result *result = innermost(reader);
    if (inside == ELEMENT_TEXT && around == ELEMENT_RUN_INFO)
        cut_text_add(&reader->info, text, length);
    else if (around != ELEMENT_ERROR_INFO || reader->depth == 0)
        return;
    else if (inside == ELEMENT_MESSAGE)
        cut_text_add(&result->message, text, length);
    else if (inside == ELEMENT_TRACE)
        cut_text_add(&result->trace, text, length);
}

/* ---- telling ----------------------------------------------------------------------------------- */

/* The class of a test that is nowhere defined: "Name.Space.Class.Method(x: 1.5)". */
static char *class_in(const char *name)
{
    size_t length = strcspn(name, "( ");
    while (length > 0 && name[length] != '.')
        length--;
    return length == 0 ? NULL : xstrndup(name, length);
}

static void tell_one(struct report_reader *reader, struct reported_case *reported)
{
    const struct definition *definition = NULL;
    if (reported->suite != NULL)
        HASH_FIND_STR(reader->definitions, reported->suite, definition);
    AUTO(text_free) char *guessed = definition == NULL ? class_in(reported->name) : NULL;
    const char *class = definition == NULL ? guessed : definition->class;
    size_t length = class == NULL ? 0 : strlen(class);
    if (length > 0 && strncmp(reported->name, class, length) == 0 &&
        reported->name[length] == '.' && reported->name[length + 1] != '\0')
        reported->name += length + 1;
    reported->suite = NULL;
    reported->class = class;
    reader->handlers.on_case(reader->handlers.context, reported);
}

/* A run that failed though none of its tests did is a case: its host may have crashed between them. */
static void tell_run(struct report_reader *reader)
{
    const char *info = cut_text_get(&reader->info);
    const struct reported_case reported = {
        .name = "(run)",
        .status = RESULT_ERRORED,
        .message = info == NULL ? "the run failed outside of its tests" : info};
    if (reader->is_bad && !reader->any_bad)
        reader->handlers.on_case(reader->handlers.context, &reported);
}

static void tell_all(struct report_reader *reader)
{
    struct reported_case reported;
    for (size_t i = 0; i < kept_cases_count(reader->kept); i++) {
        if (kept_cases_get(reader->kept, i, &reported, &reader->why) < 0)
            return;
        tell_one(reader, &reported);
    }
    tell_run(reader);
}

/* ---- the interface ------------------------------------------------------------------------------ */

static struct report_reader *trx_open(const struct report_handlers *handlers)
{
    struct report_reader *reader = xcalloc(1, sizeof *reader);
    reader->handlers = *handlers;
    reader->kept = kept_cases_new();
    for (int i = 0; i < RESULTS_MAX; i++) {
        cut_text_init(&reader->results[i].id, SHORT_BYTES);
        cut_text_init(&reader->results[i].name, LIMIT_CASE_NAME_BYTES);
        cut_text_init(&reader->results[i].message, LIMIT_RESULT_MESSAGE_BYTES);
        cut_text_init(&reader->results[i].trace, LIMIT_RESULT_TRACE_BYTES);
    }
    cut_text_init(&reader->id, SHORT_BYTES);
    cut_text_init(&reader->info, LIMIT_RESULT_MESSAGE_BYTES);
    reader->xml = report_xml_new(&(struct report_xml_handlers){
        .on_start = on_start, .on_end = on_end, .on_text = on_text, .context = reader});
    return reader;
}

static void trx_feed(struct report_reader *reader, const char *bytes, size_t length)
{
    report_xml_feed(reader->xml, bytes, length);
}

static enum report_wholeness trx_finish(struct report_reader *reader, struct error *why_r)
{
    enum report_wholeness wholeness = report_xml_finish(reader->xml, "TRX", why_r);
    tell_all(reader);
    if (reader->why.text[0] == '\0')
        return wholeness;
    error_set(why_r, "unavailable", "TRX: %s", reader->why.text);
    return REPORT_CUT;
}

static void trx_free(struct report_reader **reader_p)
{
    struct report_reader *reader = *reader_p;
    struct definition *definition, *next;
    if (reader == NULL)
        return;
    HASH_ITER (hh, reader->definitions, definition, next) {
        HASH_DEL(reader->definitions, definition);
        free(definition->id);
        free(definition->class);
        free(definition);
    }
    for (int i = 0; i < RESULTS_MAX; i++) {
        cut_text_deinit(&reader->results[i].id);
        cut_text_deinit(&reader->results[i].name);
        cut_text_deinit(&reader->results[i].message);
        cut_text_deinit(&reader->results[i].trace);
    }
    cut_text_deinit(&reader->id);
    cut_text_deinit(&reader->info);
    report_xml_free(&reader->xml);
    kept_cases_free(&reader->kept);
    memory_free(reader_p);
}

const struct report_reader_ops trx_reader = {
    .name = "trx", .open = trx_open, .feed = trx_feed, .finish = trx_finish, .free = trx_free};
