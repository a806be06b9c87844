/* SPDX-License-Identifier: Apache-2.0 */
/* JUnit XML as the world writes it: one or many roots, suites in suites, counts that are wrong (never
 * looked at), reruns, output of any size. Read by Expat, which refuses entity bombs by itself; a document
 * type is refused altogether. */
#include <ctype.h>
#include <expat.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "model/limits.h"
#include "report/reader.h"
#include "report/text.h"

/* Came to expat 2.5.0 with a security update of Debian 12, under the same version number; a library from
 * before defers nothing. */
XML_Bool XML_SetReparseDeferralEnabled(XML_Parser parser, XML_Bool enabled) __attribute__((weak));

#define DEPTH_MAX       64
#define SUITES_MAX      32 /* names kept of nested suites */
#define PIECE_BYTES     ((size_t)64 * 1024)
#define TOKEN_BYTES_MAX ((size_t)4 * 1024 * 1024)

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
    XML_Parser parser;
    enum element open[DEPTH_MAX];
    int depth;
    bool in_document;  /* the root element is open */
    bool any_document; /* one has ended */
    bool broken;
    char why[120];
    bool any_byte;
    int64_t fed;        /* bytes of this document so far */
    size_t quiet_bytes; /* of them since anything came out */
    bool any_event;
    bool root_ended;
    int64_t root_end; /* where, in this document */
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
    const char *colon = strrchr(name, ':');
    if (colon != NULL)
        name = colon + 1;
    for (size_t i = 0; i < ARRAY_SIZE(elements); i++)
        if (strcmp(elements[i].name, name) == 0)
            return elements[i].element;
    return ELEMENT_OTHER;
}

static const char *attribute(const char **attributes, const char *name)
{
    for (size_t i = 0; attributes[i] != NULL; i += 2)
        if (strcmp(attributes[i], name) == 0)
            return attributes[i + 1];
    return NULL;
}

static void set_text(struct cut_text *text, const char *value)
{
    cut_text_clear(text);
    if (value != NULL)
        cut_text_add(text, value, strlen(value));
}

static void break_off(struct report_reader *reader, const char *why)
{
    reader->broken = true;
    snprintf(reader->why, sizeof reader->why, "%s", why);
    XML_StopParser(reader->parser, XML_FALSE);
}

/* ---- elements ---------------------------------------------------------------------------------- */

static void open_suite(struct report_reader *reader, const char **attributes)
{
    const char *name = attribute(attributes, "name"), *file = attribute(attributes, "file");
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
    const char *status = attribute(attributes, "status");
    const char *file = attribute(attributes, "file");
    reader->case_depth = reader->depth + 1;
    reader->status = RESULT_PASSED;
    if (status != NULL && (strcmp(status, "notrun") == 0 || strcmp(status, "disabled") == 0))
        reader->status = RESULT_SKIPPED;
    set_text(&reader->file, file != NULL ? file : innermost(reader->files, reader->suite_depth));
    set_text(&reader->class, attribute(attributes, "classname"));
    set_text(&reader->name, attribute(attributes, "name"));
    cut_text_clear(&reader->message);
    cut_text_clear(&reader->trace);
    reader->duration_ms = report_seconds_to_ms(attribute(attributes, "time"));
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
    const char *message = attribute(attributes, "message");
    if (outcomes[element].weight < weights[reader->status])
        return;
    reader->status = outcomes[element].status;
    set_text(&reader->message, message != NULL ? message : attribute(attributes, "type"));
}

static void on_start(void *context, const char *name, const char **attributes)
{
    struct report_reader *reader = context;
    enum element element = element_of(name);
    if (reader->depth >= DEPTH_MAX) {
        break_off(reader, "elements are nested too deeply");
        return;
    }
    if (reader->depth == 0 && element != ELEMENT_SUITES && element != ELEMENT_SUITE) {
        break_off(reader, "the root is neither testsuites nor testsuite");
        return;
    }
    reader->in_document = reader->any_event = true;
    if (element == ELEMENT_SUITE)
        open_suite(reader, attributes);
    else if (element == ELEMENT_CASE && reader->case_depth == 0)
        open_case(reader, attributes);
    else if (reader->case_depth > 0 &&
             (element == ELEMENT_FAILURE || element == ELEMENT_ERROR || element == ELEMENT_SKIPPED))
        open_outcome(reader, element, attributes);
    reader->open[reader->depth++] = element;
}

/* Another root may follow, which is a document of its own. */
static void end_document(struct report_reader *reader)
{
    reader->in_document = false;
    reader->any_document = true;
    reader->root_ended = true;
    reader->root_end =
        XML_GetCurrentByteIndex(reader->parser) + XML_GetCurrentByteCount(reader->parser);
    XML_StopParser(reader->parser, XML_FALSE);
}

static void on_end(void *context, const char *name)
{
    struct report_reader *reader = context;
    (void)name;
    if (reader->broken) /* after a stop Expat still ends an element that is empty */
        return;
    enum element element = reader->open[reader->depth - 1];
    reader->any_event = true;
    if (element == ELEMENT_SUITE)
        close_suite(reader);
    else if (element == ELEMENT_CASE && reader->case_depth == reader->depth)
        close_case(reader);
    if (--reader->depth == 0)
        end_document(reader);
}

static void on_text(void *context, const char *text, int length)
{
    struct report_reader *reader = context;
    reader->any_event = true;
    enum element inside = reader->depth > 0 ? reader->open[reader->depth - 1] : ELEMENT_OTHER;
    if (reader->case_depth > 0 &&
        (inside == ELEMENT_FAILURE || inside == ELEMENT_ERROR || inside == ELEMENT_SKIPPED))
        cut_text_add(&reader->trace, text, (size_t)length);
}

static void on_doctype(void *context, const char *name, const char *system_id,
                       const char *public_id, int has_internal_subset)
{
    (void)name;
    (void)system_id;
    (void)public_id;
    (void)has_internal_subset;
    break_off(context, "it has a document type, which no report needs");
}

/* ---- the interface ----------------------------------------------------------------------------- */

static void start_parser(struct report_reader *reader)
{
    if (reader->parser == NULL)
        reader->parser = XML_ParserCreate(NULL);
    else
        XML_ParserReset(reader->parser, NULL);
    /* Else a root's end may be told of only when bytes of the next document are swallowed; that one
     * token is not read over and over again is what TOKEN_BYTES_MAX sees to. */
    if (XML_SetReparseDeferralEnabled != NULL)
        XML_SetReparseDeferralEnabled(reader->parser, XML_FALSE);
    reader->fed = 0;
    reader->quiet_bytes = 0;
    XML_SetUserData(reader->parser, reader);
    XML_SetElementHandler(reader->parser, on_start, on_end);
    XML_SetCharacterDataHandler(reader->parser, on_text);
    XML_SetStartDoctypeDeclHandler(reader->parser, on_doctype);
    reader->depth = 0;
}

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
    start_parser(reader);
    return reader;
}

/* The first byte of another document: what stands between documents is only white space. */
static size_t skip_space(const char *bytes, size_t length)
{
    size_t skipped = 0;
    while (skipped < length && isspace((unsigned char)bytes[skipped]))
        skipped++;
    return skipped;
}

static void note_error(struct report_reader *reader)
{
    if (reader->broken)
        return;
    reader->broken = true;
    snprintf(reader->why, sizeof reader->why, "line %lu: %s",
             (unsigned long)XML_GetCurrentLineNumber(reader->parser),
             XML_ErrorString(XML_GetErrorCode(reader->parser)));
}

/* Feeds one piece, or what of it belongs to the document that ends within; returns how much that was. */
static size_t feed_piece(struct report_reader *reader, const char *bytes, size_t length)
{
    reader->root_ended = false;
    if (reader->fed == 0) {
        size_t space = skip_space(bytes, length);
        if (space > 0)
            return space;
    }
    enum XML_Status status = XML_Parse(reader->parser, bytes, (int)length, XML_FALSE);
    size_t used = length;
    if (reader->root_ended) {
        used = (size_t)(reader->root_end - reader->fed);
        start_parser(reader);
        return used < length ? used : length;
    }
    reader->fed += (int64_t)length;
    reader->quiet_bytes = reader->any_event ? 0 : reader->quiet_bytes + length;
    reader->any_event = false;
    if (status == XML_STATUS_ERROR)
        note_error(reader);
    else if (reader->quiet_bytes > TOKEN_BYTES_MAX)
        break_off(reader, "one of its elements is too large");
    return used;
}

static void junit_feed(struct report_reader *reader, const char *bytes, size_t length)
{
    reader->any_byte |= skip_space(bytes, length) < length;
    while (length > 0 && !reader->broken) {
        size_t piece = length < PIECE_BYTES ? length : PIECE_BYTES;
        size_t used = feed_piece(reader, bytes, piece);
        bytes += used;
        length -= used;
    }
}

static enum report_wholeness junit_finish(struct report_reader *reader, struct error *why_r)
{
    if (!reader->any_byte)
        return REPORT_EMPTY;
    if (!reader->broken && !reader->in_document && reader->any_document)
        return REPORT_WHOLE;
    error_set(why_r, "invalid", "JUnit: %s",
              reader->broken ? reader->why : "it ends in the middle");
    return REPORT_CUT;
}

static void junit_free(struct report_reader **reader_p)
{
    struct report_reader *reader = *reader_p;
    if (reader == NULL)
        return;
    while (reader->suite_depth > 0)
        close_suite(reader);
    XML_ParserFree(reader->parser);
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
