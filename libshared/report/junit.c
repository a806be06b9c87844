/* SPDX-License-Identifier: Apache-2.0 */
/* JUnit XML as the world writes it: one or many roots, suites in suites, counts that are wrong (never
 * looked at), reruns, output of any size. */
#include <string.h>

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
    struct cut_text suite, file, class, name, message, trace;
    int64_t duration_ms;
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

static void open_case(struct report_reader *reader, const char **attributes)
{
    const char *status = report_xml_attribute(attributes, "status");
    const char *file = report_xml_attribute(attributes, "file");
    reader->case_depth = report_xml_depth(reader->xml) + 1;
    reader->status = RESULT_PASSED;
    if (status != NULL && (strcmp(status, "notrun") == 0 || strcmp(status, "disabled") == 0))
        reader->status = RESULT_SKIPPED;
    set_text(&reader->file, file != NULL ? file : innermost(reader->files, reader->suite_depth));
    set_text(&reader->class, report_xml_attribute(attributes, "classname"));
    set_text(&reader->name, report_xml_attribute(attributes, "name"));
    cut_text_clear(&reader->message);
    cut_text_clear(&reader->trace);
    reader->duration_ms = report_seconds_to_ms(report_xml_attribute(attributes, "time"));
}

static void close_case(struct report_reader *reader)
{
    const char *suite_name = innermost(reader->suites, reader->suite_depth);
    const char *name = cut_text_get(&reader->name);
    set_text(&reader->suite, suite_name);
    const struct reported_case reported = {.suite = cut_text_get(&reader->suite),
                                           .file = cut_text_get(&reader->file),
                                           .class = cut_text_get(&reader->class),
                                           .name = name == NULL ? "(no name)" : name,
                                           .status = reader->status,
                                           .duration_ms = reader->duration_ms,
                                           .message = cut_text_get(&reader->message),
                                           .trace = cut_text_get(&reader->trace)};
    reader->case_depth = 0;
    reader->handlers.on_case(reader->handlers.context, &reported);
}

/* A case may have several; the worst decides, its message stays. */
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
    const char *message = report_xml_attribute(attributes, "message");
    if (outcomes[element].weight < weights[reader->status])
        return;
    reader->status = outcomes[element].status;
    set_text(&reader->message,
             message != NULL ? message : report_xml_attribute(attributes, "type"));
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
    if (element == ELEMENT_SUITE)
        open_suite(reader, attributes);
    else if (element == ELEMENT_CASE && reader->case_depth == 0)
        open_case(reader, attributes);
    else if (reader->case_depth > 0 && is_outcome(element))
        open_outcome(reader, element, attributes);
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
    else if (element == ELEMENT_CASE && reader->case_depth == depth + 1)
        close_case(reader);
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
    cut_text_deinit(&reader->message);
    cut_text_deinit(&reader->trace);
    memory_free(reader_p);
}

const struct report_reader_ops junit_reader = {.name = "junit",
                                               .open = junit_open,
                                               .feed = junit_feed,
                                               .finish = junit_finish,
                                               .free = junit_free};
