/* SPDX-License-Identifier: Apache-2.0 */
/* JUnit XML as the world writes it: one or many roots, suites in suites, counts that are wrong (looked
 * at only where nothing else tells of failures), reruns, output of any size. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "model/limits.h"
#include "report/reader.h"
#include "report/text.h"
#include "report/xml.h"

#define OPEN_MAX   64 /* elements, as many as report/xml.c lets pass */
#define SUITES_MAX 32 /* names kept of nested suites */

enum element {
    ELEMENT_OTHER,
    ELEMENT_SUITES,
    ELEMENT_SUITE,
    ELEMENT_CASE,
    ELEMENT_FAILURE,
    ELEMENT_ERROR,
    ELEMENT_SKIPPED,
    ELEMENT_RERUN, /* an earlier try of a case that was tried again: the last one counts */
};

static const struct {
    const char *name;
    enum element element;
} elements[] = {
    {"testsuites", ELEMENT_SUITES},  {"testsuite", ELEMENT_SUITE},  {"testcase", ELEMENT_CASE},
    {"failure", ELEMENT_FAILURE},    {"error", ELEMENT_ERROR},      {"skipped", ELEMENT_SKIPPED},
    {"rerunFailure", ELEMENT_RERUN}, {"rerunError", ELEMENT_RERUN}, {"flakyFailure", ELEMENT_RERUN},
    {"flakyError", ELEMENT_RERUN},
};

struct report_reader {
    struct report_handlers handlers;
    struct report_xml *xml;
    enum element open[OPEN_MAX];
    char *suites[SUITES_MAX];
    char *files[SUITES_MAX];
    int suite_depth;
    int case_depth; /* 0: not inside a case */
    enum result_status status;
    bool is_not_run; /* by CTest's word */
    bool any_bad;    /* of the cases below this root */
    int64_t
        counted; /* failures and errors, by the suite below this root that counts most of them */
    struct cut_text counting; /* the name of the first suite that counts any */
    struct cut_text suite, file, class, name, message, type, trace;
    int64_t duration_ms, started_at;
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

/* ---- counts ------------------------------------------------------------------------------------ */

static int64_t count_of(const char **attributes, const char *name)
{
    const char *text = report_xml_attribute(attributes, name);
    int64_t count = text == NULL ? 0 : strtoll(text, NULL, 10);
    return count < 0 ? 0 : count < INT32_MAX ? count : INT32_MAX;
}

static void take_counts(struct report_reader *reader, enum element element, const char **attributes)
{
    int64_t counted = count_of(attributes, "failures") + count_of(attributes, "errors");
    const char *name = report_xml_attribute(attributes, "name");
    if (counted > 0 && element == ELEMENT_SUITE && name != NULL &&
        reader->counting.buffer.length == 0)
        set_text(&reader->counting, name);
    if (counted > reader->counted)
        reader->counted = counted;
}

/* A browser that disconnected, say, is counted and no case. */
static void tell_counted(struct report_reader *reader)
{
    char message[128];
    snprintf(message, sizeof message,
             "the report counts %" PRId64 " failures or errors and tells of none", reader->counted);
    const struct reported_case reported = {.suite = cut_text_get(&reader->counting),
                                           .name = "(suite)",
                                           .status = RESULT_ERRORED,
                                           .message = message};
    if (reader->handlers.is_alone && reader->counted > 0 && !reader->any_bad)
        reader->handlers.on_case(reader->handlers.context, &reported);
    reader->counted = 0;
    reader->any_bad = false;
    cut_text_clear(&reader->counting);
}

/* ---- elements ---------------------------------------------------------------------------------- */

static void open_suite(struct report_reader *reader, const char **attributes)
{
    const char *name = report_xml_attribute(attributes, "name"),
               *file = report_xml_attribute(attributes, "file");
    if (reader->suite_depth < SUITES_MAX) {
        reader->suites[reader->suite_depth] = name == NULL ? NULL : xstrdup(name);
        reader->files[reader->suite_depth] = file == NULL ? NULL : xstrdup(file);
    }
    reader->suite_depth++;
}

static void close_suite(struct report_reader *reader)
{
    if (reader->suite_depth == 0 || --reader->suite_depth >= SUITES_MAX)
        return;
    text_free(&reader->suites[reader->suite_depth]);
    text_free(&reader->files[reader->suite_depth]);
}

/* The innermost that is known. */
static const char *innermost(char *const list[], int depth)
{
    for (int i = depth > SUITES_MAX ? SUITES_MAX : depth; i > 0; i--)
        if (list[i - 1] != NULL)
            return list[i - 1];
    return NULL;
}

/* What some tools say in an attribute, beside an element or instead of it. */
static enum result_status status_of(const char *word)
{
    static const struct {
        const char *word;
        enum result_status status;
    } words[] = {
        {"notrun", RESULT_SKIPPED},  {"disabled", RESULT_SKIPPED}, {"skipped", RESULT_SKIPPED},
        {"ignored", RESULT_SKIPPED}, {"pending", RESULT_SKIPPED},  {"fail", RESULT_FAILED},
        {"failed", RESULT_FAILED},   {"failure", RESULT_FAILED},   {"error", RESULT_ERRORED},
        {"errored", RESULT_ERRORED},
    };
    for (size_t i = 0; word != NULL && i < ARRAY_SIZE(words); i++)
        if (strcasecmp(word, words[i].word) == 0)
            return words[i].status;
    return RESULT_PASSED;
}

static void begin_case(struct report_reader *reader, enum result_status status)
{
    reader->case_depth = report_xml_depth(reader->xml) + 1;
    reader->status = status;
    reader->is_not_run = false;
    reader->duration_ms = reader->started_at = 0;
    set_text(&reader->file, innermost(reader->files, reader->suite_depth));
    cut_text_clear(&reader->class);
    cut_text_clear(&reader->name);
    cut_text_clear(&reader->message);
    cut_text_clear(&reader->type);
    cut_text_clear(&reader->trace);
}

static void open_case(struct report_reader *reader, const char **attributes)
{
    const char *status = report_xml_attribute(attributes, "status");
    const char *file = report_xml_attribute(attributes, "file");
    begin_case(reader, status_of(status));
    reader->is_not_run = status != NULL && strcmp(status, "notrun") == 0;
    if (file != NULL)
        set_text(&reader->file, file);
    set_text(&reader->class, report_xml_attribute(attributes, "classname"));
    set_text(&reader->name, report_xml_attribute(attributes, "name"));
    reader->duration_ms = report_seconds_to_ms(report_xml_attribute(attributes, "time"));
    reader->started_at = report_time_to_ms(report_xml_attribute(attributes, "timestamp"));
}

/* CTest writes all that it has not run as skipped; of these nobody wanted it. */
static enum result_status status_of_not_run(const char *message)
{
    static const struct {
        const char *message;
        enum result_status status;
    } reasons[] = {
        {"Unable to find executable", RESULT_ERRORED},
        {"Required Files Missing", RESULT_ERRORED},
        {"Missing Configuration", RESULT_ERRORED},
        {"Invalid resource spec file", RESULT_ERRORED},
        {"Insufficient resources", RESULT_BLOCKED},
        {"Fixture dependency failed", RESULT_BLOCKED},
    };
    for (size_t i = 0; message != NULL && i < ARRAY_SIZE(reasons); i++)
        if (strcmp(message, reasons[i].message) == 0)
            return reasons[i].status;
    return RESULT_SKIPPED;
}

/* The text's first line that is not the test's own name, with which PHPUnit begins; else the type. Owned by the
 * caller. */
static char *message_in(struct report_reader *reader, const char *class, const char *trace)
{
    size_t length = class == NULL ? 0 : strlen(class);
    const char *type = cut_text_get(&reader->type);
    const char *text = trace;
    if (text != NULL)
        text += strspn(text, " \t\r\n");
    if (text != NULL && length > 0 && strncmp(text, class, length) == 0 &&
        strncmp(text + length, "::", 2) == 0)
        text += strcspn(text, "\n");
    char *line = report_first_line(text);
    return line != NULL || type == NULL ? line : xstrdup(type);
}

static void close_case(struct report_reader *reader)
{
    set_text(&reader->suite, innermost(reader->suites, reader->suite_depth));
    const char *name = cut_text_get(&reader->name), *class = cut_text_get(&reader->class);
    const char *message = cut_text_get(&reader->message), *trace = cut_text_get(&reader->trace);
    bool is_silent = message == NULL && reader->status != RESULT_PASSED;
    AUTO(text_free) char *line = is_silent ? message_in(reader, class, trace) : NULL;
    if (reader->is_not_run && reader->status == RESULT_SKIPPED)
        reader->status = status_of_not_run(message);
    const struct reported_case reported = {.suite = cut_text_get(&reader->suite),
                                           .file = cut_text_get(&reader->file),
                                           .class = class,
                                           .name = name == NULL ? "(no name)" : name,
                                           .status = reader->status,
                                           .duration_ms = reader->duration_ms,
                                           .started_at = reader->started_at,
                                           .message = line != NULL ? line : message,
                                           .trace = trace};
    reader->case_depth = 0;
    reader->any_bad |= reader->status == RESULT_FAILED || reader->status == RESULT_ERRORED;
    reader->handlers.on_case(reader->handlers.context, &reported);
}

/* A case may have several; the worst decides, and of equal ones the first that says something. */
static void open_outcome(struct report_reader *reader, enum element element,
                         const char **attributes)
{
    static const struct {
        enum result_status status;
        int weight;
    } outcomes[] = {[ELEMENT_FAILURE] = {RESULT_FAILED, 2},
                    [ELEMENT_ERROR] = {RESULT_ERRORED, 3},
                    [ELEMENT_SKIPPED] = {RESULT_SKIPPED, 1}};
    static const int weights[RESULT_STATUS_COUNT] = {
        [RESULT_FAILED] = 2, [RESULT_ERRORED] = 3, [RESULT_SKIPPED] = 1};
    int weight = outcomes[element].weight, before = weights[reader->status];
    bool has_message = reader->message.buffer.length > 0;
    if (weight < before || (weight == before && has_message))
        return;
    reader->status = outcomes[element].status;
    set_text(&reader->message, report_xml_attribute(attributes, "message"));
    set_text(&reader->type, report_xml_attribute(attributes, "type"));
}

/* What went wrong in a suite and in none of its cases is a case of its own. */
static void open_suite_outcome(struct report_reader *reader, enum element element,
                               const char **attributes)
{
    begin_case(reader, RESULT_PASSED);
    set_text(&reader->name, "(suite)");
    open_outcome(reader, element, attributes);
}

static bool is_outcome(enum element element)
{
    return element == ELEMENT_FAILURE || element == ELEMENT_ERROR || element == ELEMENT_SKIPPED;
}

static void on_start(void *context, const char *name, const char **attributes)
{
    struct report_reader *reader = context;
    enum element element = element_of(name);
    int depth = report_xml_depth(reader->xml);
    if (depth == 0 && element != ELEMENT_SUITES && element != ELEMENT_SUITE) {
        report_xml_fail(reader->xml, "the root is neither testsuites nor testsuite");
        return;
    }
    if (element == ELEMENT_SUITES || element == ELEMENT_SUITE)
        take_counts(reader, element, attributes);
    if (element == ELEMENT_SUITE)
        open_suite(reader, attributes);
    else if (element == ELEMENT_CASE && reader->case_depth == 0)
        open_case(reader, attributes);
    else if (reader->case_depth > 0 && is_outcome(element))
        open_outcome(reader, element, attributes);
    else if (reader->suite_depth > 0 && (element == ELEMENT_FAILURE || element == ELEMENT_ERROR))
        open_suite_outcome(reader, element, attributes);
    reader->open[depth] = element;
}

static void on_end(void *context, const char *name)
{
    struct report_reader *reader = context;
    int depth = report_xml_depth(reader->xml);
    enum element element = reader->open[depth];
    (void)name;
    if (element == ELEMENT_SUITE)
        close_suite(reader);
    else if (reader->case_depth == depth + 1)
        close_case(reader);
    if (depth == 0)
        tell_counted(reader);
}

static void on_text(void *context, const char *text, size_t length)
{
    struct report_reader *reader = context;
    int depth = report_xml_depth(reader->xml);
    if (reader->case_depth > 0 && is_outcome(reader->open[depth - 1]))
        cut_text_add(&reader->trace, text, length);
}

/* ---- the interface ----------------------------------------------------------------------------- */

static struct report_reader *junit_open(const struct report_handlers *handlers)
{
    struct report_reader *reader = xcalloc(1, sizeof *reader);
    reader->handlers = *handlers;
    cut_text_init(&reader->suite, LIMIT_CASE_NAME_BYTES);
    cut_text_init(&reader->file, LIMIT_CASE_NAME_BYTES);
    cut_text_init(&reader->class, LIMIT_CASE_NAME_BYTES);
    cut_text_init(&reader->name, LIMIT_CASE_NAME_BYTES);
    cut_text_init(&reader->counting, LIMIT_CASE_NAME_BYTES);
    cut_text_init(&reader->type, LIMIT_CASE_NAME_BYTES);
    cut_text_init(&reader->message, LIMIT_RESULT_MESSAGE_BYTES);
    cut_text_init(&reader->trace, LIMIT_RESULT_TRACE_BYTES);
    reader->xml = report_xml_new(&(struct report_xml_handlers){
        .on_start = on_start, .on_end = on_end, .on_text = on_text, .context = reader});
    return reader;
}

static void junit_feed(struct report_reader *reader, const char *bytes, size_t length)
{
    report_xml_feed(reader->xml, bytes, length);
}

static enum report_wholeness junit_finish(struct report_reader *reader, struct error *why_r)
{
    return report_xml_finish(reader->xml, "JUnit", why_r);
}

static void junit_free(struct report_reader **reader_p)
{
    struct report_reader *reader = *reader_p;
    if (reader == NULL)
        return;
    while (reader->suite_depth > 0)
        close_suite(reader);
    report_xml_free(&reader->xml);
    cut_text_deinit(&reader->suite);
    cut_text_deinit(&reader->file);
    cut_text_deinit(&reader->class);
    cut_text_deinit(&reader->name);
    cut_text_deinit(&reader->counting);
    cut_text_deinit(&reader->type);
    cut_text_deinit(&reader->message);
    cut_text_deinit(&reader->trace);
    memory_free(reader_p);
}

const struct report_reader_ops junit_reader = {.name = "junit",
                                               .open = junit_open,
                                               .feed = junit_feed,
                                               .finish = junit_finish,
                                               .free = junit_free};
