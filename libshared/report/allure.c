/* SPDX-License-Identifier: Apache-2.0 */
/* Allure 2: a directory with a JSON file for each try of a test, of which the last counts. So cases are told when
 * all files have been read, in the order in which they began. Containers (fixtures) hold no cases. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/memory.h"
#include "base/text.h"
#include "model/limits.h"
#include "report/json_texts.h"
#include "report/kept.h"
#include "report/reader.h"
#include "report/text.h"

#define SHORT_BYTES 128

enum field {
    NAME,
    FULL_NAME,
    HISTORY_ID,
    STATUS,
    START,
    STOP,
    MESSAGE,
    TRACE,
    LABEL_NAME,
    LABEL_VALUE,
    PARAMETER_NAME,
    PARAMETER_VALUE,
    PARAMETER_EXCLUDED,
    PARAMETER_MODE,
    FIELD_COUNT
};

static const struct json_text fields[FIELD_COUNT] = {
    [NAME] = {"name", LIMIT_CASE_NAME_BYTES},
    [FULL_NAME] = {"fullName", LIMIT_CASE_NAME_BYTES},
    [HISTORY_ID] = {"historyId", LIMIT_CASE_NAME_BYTES},
    [STATUS] = {"status", SHORT_BYTES},
    [START] = {"start", SHORT_BYTES},
    [STOP] = {"stop", SHORT_BYTES},
    [MESSAGE] = {"statusDetails.message", LIMIT_RESULT_MESSAGE_BYTES},
    [TRACE] = {"statusDetails.trace", LIMIT_RESULT_TRACE_BYTES},
    [LABEL_NAME] = {"labels.*.name", SHORT_BYTES},
    [LABEL_VALUE] = {"labels.*.value", LIMIT_CASE_NAME_BYTES},
    [PARAMETER_NAME] = {"parameters.*.name", LIMIT_CASE_NAME_BYTES},
    [PARAMETER_VALUE] = {"parameters.*.value", LIMIT_CASE_NAME_BYTES},
    [PARAMETER_EXCLUDED] = {"parameters.*.excluded", SHORT_BYTES},
    [PARAMETER_MODE] = {"parameters.*.mode", SHORT_BYTES},
};

enum label { PARENT_SUITE, SUITE, SUB_SUITE, TEST_CLASS, PACKAGE, LABEL_COUNT };

static const char *const labels[LABEL_COUNT] = {[PARENT_SUITE] = "parentSuite",
                                                [SUITE] = "suite",
                                                [SUB_SUITE] = "subSuite",
                                                [TEST_CLASS] = "testClass",
                                                [PACKAGE] = "package"};

/* What is not here has errored: broken, unknown, and none at all. */
static const struct {
    const char *word;
    enum result_status status;
} statuses[] = {{"passed", RESULT_PASSED}, {"failed", RESULT_FAILED}, {"skipped", RESULT_SKIPPED}};

/* The last try of a test. */
struct last {
    char *id;
    size_t number; /* among what is kept */
    UT_hash_handle hh;
};

struct order {
    int64_t started_at;
    size_t number;
    bool is_earlier; /* another try is the last */
};

struct report_reader {
    struct report_handlers handlers;
    struct json_scan *scan;
    bool any_byte, in_file, any_result, is_container;
    bool is_full; /* nothing more is kept */
    struct cut_text texts[FIELD_COUNT], labels[LABEL_COUNT], parameters;
    struct kept_cases *kept;
    struct order *orders; /* one per kept case */
    size_t capacity;
    struct last *lasts;
    struct error why; /* no text: nothing is wrong */
};

static const char *get(struct report_reader *reader, enum field field)
{
    return cut_text_get(&reader->texts[field]);
}

static void complain(struct report_reader *reader, const char *why)
{
    if (reader->why.text[0] == '\0')
        error_set(&reader->why, "invalid", "%s", why);
}

/* ---- what a result says ---------------------------------------------------------------------------- */

static enum result_status status_of(const char *word)
{
    for (size_t i = 0; word != NULL && i < ARRAY_SIZE(statuses); i++)
        if (strcmp(word, statuses[i].word) == 0)
            return statuses[i].status;
    return RESULT_ERRORED;
}

static int64_t time_of(struct report_reader *reader, enum field field)
{
    const char *text = get(reader, field);
    double value = text == NULL ? 0 : strtod(text, NULL);
    return value > 0 && value < 1e13 ? (int64_t)value : 0;
}

/* The suites from the outside in, with a dot between them. Owned by the caller. */
static char *suites_of(struct report_reader *reader)
{
    char *suites = NULL;
    for (int i = PARENT_SUITE; i <= SUB_SUITE; i++) {
        const char *name = cut_text_get(&reader->labels[i]);
        if (name == NULL)
            continue;
        char *longer = suites == NULL ? xstrdup(name) : xasprintf("%s.%s", suites, name);
        free(suites);
        suites = longer;
    }
    return suites;
}

/* "tests.test_a.TestX#test_y" → the class before the mark; "com.x.CalcTest.adds" → what is before the name.
 * (allure-pytest takes "::" within parameters for one between classes: nothing behind a bracket is a
 * class.) Owned by the caller. */
static char *class_in(const char *full_name, const char *name)
{
    size_t length = strcspn(full_name, "#"), name_length = strlen(name);
    bool has_mark = full_name[length] == '#';
    if (!has_mark) {
        bool ends = length > name_length + 1 && text_ends(full_name, name) &&
                    full_name[length - name_length - 1] == '.';
        return ends ? xstrndup(full_name, length - name_length - 1) : NULL;
    }
    size_t bracket = strcspn(full_name, "[");
    if (bracket < length)
        for (length = bracket; length > 0 && full_name[length] != '.'; length--)
            continue;
    return length == 0 ? NULL : xstrndup(full_name, length);
}

static char *class_of(struct report_reader *reader, const char *name)
{
    const char *label = cut_text_get(&reader->labels[TEST_CLASS]);
    const char *full_name = get(reader, FULL_NAME);
    if (label != NULL)
        return xstrdup(label);
    char *class = full_name == NULL ? NULL : class_in(full_name, name);
    if (class == NULL)
        class = suites_of(reader);
    const char *package = cut_text_get(&reader->labels[PACKAGE]);
    return class != NULL || package == NULL ? class : xstrdup(package);
}

/* ---- keeping ----------------------------------------------------------------------------------- */

static void note_try(struct report_reader *reader, const char *id, size_t number)
{
    struct last *last = NULL;
    HASH_FIND_STR(reader->lasts, id, last);
    if (last == NULL) {
        last = xcalloc(1, sizeof *last);
        last->id = xstrdup(id);
        last->number = number;
        HASH_ADD_KEYPTR(hh, reader->lasts, last->id, strlen(last->id), last);
        return;
    }
    bool is_later = reader->orders[number].started_at >= reader->orders[last->number].started_at;
    reader->orders[is_later ? last->number : number].is_earlier = true;
    if (is_later)
        last->number = number;
}

static void keep(struct report_reader *reader, const struct reported_case *reported, const char *id)
{
    size_t number = kept_cases_count(reader->kept);
    if (reader->is_full)
        return;
    reader->is_full = true;
    if (number > (size_t)LIMIT_CASES_PER_RUN * LIMIT_ATTEMPTS) {
        complain(reader, "it has too many results");
        return;
    }
    if (kept_cases_add(reader->kept, reported, &reader->why) < 0)
        return;
    reader->is_full = false;
    reader->orders =
        array_reserve(reader->orders, &reader->capacity, number, sizeof *reader->orders);
    reader->orders[number] = (struct order){.started_at = reported->started_at, .number = number};
    if (id != NULL)
        note_try(reader, id, number);
}

static void end_result(struct report_reader *reader)
{
    const char *name = get(reader, NAME);
    reader->any_result = true;
    AUTO(text_free) char *class = class_of(reader, name);
    int64_t start = time_of(reader, START), stop = time_of(reader, STOP);
    const struct reported_case reported = {.class = class,
                                           .name = name,
                                           .parameters = cut_text_get(&reader->parameters),
                                           .status = status_of(get(reader, STATUS)),
                                           .duration_ms = stop > start ? stop - start : 0,
                                           .started_at = start,
                                           .message = get(reader, MESSAGE),
                                           .trace = get(reader, TRACE)};
    keep(reader, &reported, get(reader, HISTORY_ID));
}

/* ---- documents --------------------------------------------------------------------------------- */

static void begin_document(struct report_reader *reader)
{
    reader->is_container = false;
    json_texts_clear(reader->texts, FIELD_COUNT);
    for (int i = 0; i < LABEL_COUNT; i++)
        cut_text_clear(&reader->labels[i]);
    cut_text_clear(&reader->parameters);
}

static void on_open(void *context, const char *path)
{
    struct report_reader *reader = context;
    if (path[0] == '\0')
        begin_document(reader);
    else if (strcmp(path, "labels.*") == 0)
        cut_text_clear(&reader->texts[LABEL_NAME]);
    else if (strcmp(path, "parameters.*") == 0)
        for (int i = PARAMETER_NAME; i <= PARAMETER_MODE; i++)
            cut_text_clear(&reader->texts[i]);
    else if (strcmp(path, "children") == 0)
        reader->is_container = true;
}

static void end_label(struct report_reader *reader)
{
    const char *name = get(reader, LABEL_NAME), *value = get(reader, LABEL_VALUE);
    for (int i = 0; name != NULL && value != NULL && i < LABEL_COUNT; i++) {
        if (strcmp(name, labels[i]) != 0)
            continue;
        cut_text_clear(&reader->labels[i]);
        cut_text_add(&reader->labels[i], value, strlen(value));
    }
}

/* Those that are excluded differ from run to run; what is hidden or masked may be a secret. */
static void end_parameter(struct report_reader *reader)
{
    const char *name = get(reader, PARAMETER_NAME), *value = get(reader, PARAMETER_VALUE);
    const char *excluded = get(reader, PARAMETER_EXCLUDED), *mode = get(reader, PARAMETER_MODE);
    bool is_open = mode == NULL || strcmp(mode, "default") == 0;
    if (name == NULL || !is_open || (excluded != NULL && strcmp(excluded, "true") == 0))
        return;
    if (reader->parameters.buffer.length > 0)
        cut_text_add(&reader->parameters, ", ", 2);
    cut_text_add(&reader->parameters, name, strlen(name));
    cut_text_add(&reader->parameters, "=", 1);
    if (value != NULL)
        cut_text_add(&reader->parameters, value, strlen(value));
}

/* Other files may lie beside them: containers, attachments, what the report's maker is told. */
static bool is_result(struct report_reader *reader)
{
    bool is_of_test = get(reader, STATUS) != NULL || get(reader, HISTORY_ID) != NULL ||
                      get(reader, FULL_NAME) != NULL;
    return get(reader, NAME) != NULL && is_of_test && !reader->is_container;
}

static void on_close(void *context, const char *path)
{
    struct report_reader *reader = context;
    if (strcmp(path, "labels.*") == 0)
        end_label(reader);
    else if (strcmp(path, "parameters.*") == 0)
        end_parameter(reader);
    else if (path[0] == '\0' && is_result(reader))
        end_result(reader);
}

static struct cut_text *on_value(void *context, const char *path)
{
    struct report_reader *reader = context;
    return json_texts_begin(reader->texts, fields, FIELD_COUNT, path);
}

/* ---- telling ------------------------------------------------------------------------------------ */

static int compare_orders(const void *a, const void *b)
{
    const struct order *left = a, *right = b;
    if (left->started_at != right->started_at)
        return left->started_at < right->started_at ? -1 : 1;
    return left->number < right->number ? -1 : left->number > right->number;
}

static void tell_all(struct report_reader *reader)
{
    size_t count = kept_cases_count(reader->kept);
    struct reported_case reported;
    if (count > 0)
        qsort(reader->orders, count, sizeof *reader->orders, compare_orders);
    for (size_t i = 0; i < count; i++) {
        if (reader->orders[i].is_earlier)
            continue;
        if (kept_cases_get(reader->kept, reader->orders[i].number, &reported, &reader->why) < 0)
            return;
        reader->handlers.on_case(reader->handlers.context, &reported);
    }
}

/* ---- the interface ------------------------------------------------------------------------------ */

static struct report_reader *allure_open(const struct report_handlers *handlers)
{
    struct report_reader *reader = xcalloc(1, sizeof *reader);
    reader->handlers = *handlers;
    reader->kept = kept_cases_new();
    reader->scan = json_scan_new(&(struct json_scan_handlers){
        .on_open = on_open, .on_close = on_close, .on_value = on_value, .context = reader});
    json_texts_init(reader->texts, fields, FIELD_COUNT);
    for (int i = 0; i < LABEL_COUNT; i++)
        cut_text_init(&reader->labels[i], LIMIT_CASE_NAME_BYTES);
    cut_text_init(&reader->parameters, LIMIT_CASE_NAME_BYTES);
    return reader;
}

static void allure_feed(struct report_reader *reader, const char *bytes, size_t length)
{
    reader->in_file |= report_skip_space(bytes, length) < length;
    reader->any_byte |= reader->in_file;
    json_scan_feed(reader->scan, bytes, length);
}

static void allure_next(struct report_reader *reader)
{
    const char *why = json_scan_error(reader->scan);
    if (reader->in_file && !json_scan_is_whole(reader->scan))
        complain(reader, why == NULL ? "a file ends in the middle" : why);
    reader->in_file = false;
    json_scan_restart(reader->scan);
}

static enum report_wholeness allure_finish(struct report_reader *reader, struct error *why_r)
{
    allure_next(reader);
    tell_all(reader);
    if (!reader->any_byte)
        return REPORT_EMPTY;
    if (!reader->any_result)
        complain(reader, "it has no result");
    if (reader->why.text[0] == '\0')
        return REPORT_WHOLE;
    error_set(why_r, "invalid", "Allure: %s", reader->why.text);
    return REPORT_CUT;
}

static void allure_free(struct report_reader **reader_p)
{
    struct report_reader *reader = *reader_p;
    struct last *last, *next;
    if (reader == NULL)
        return;
    HASH_ITER (hh, reader->lasts, last, next) {
        HASH_DEL(reader->lasts, last);
        free(last->id);
        free(last);
    }
    json_texts_deinit(reader->texts, FIELD_COUNT);
    for (int i = 0; i < LABEL_COUNT; i++)
        cut_text_deinit(&reader->labels[i]);
    cut_text_deinit(&reader->parameters);
    free(reader->orders);
    json_scan_free(&reader->scan);
    kept_cases_free(&reader->kept);
    memory_free(reader_p);
}

const struct report_reader_ops allure_reader = {.name = "allure",
                                                .open = allure_open,
                                                .feed = allure_feed,
                                                .next = allure_next,
                                                .finish = allure_finish,
                                                .free = allure_free};
