/* SPDX-License-Identifier: Apache-2.0 */
/* What `go test -json` says: an event a line, of many packages and tests at once. A test and its subtests are a
 * case each, as Go counts them. Lines that are no event are other output. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/memory.h"
#include "base/text.h"
#include "model/limits.h"
#include "report/json_lines.h"
#include "report/reader.h"
#include "report/text.h"

#define OPEN_MAX    20000 /* packages and tests that have begun and not ended */
#define KEPT_MAX    ((size_t)64 * 1024 * 1024) /* of their output, all together */
#define SHORT_BYTES 64
#define OUTPUT_MAX  ((int64_t)64 * 1024) /* of one event; Go cuts lines that are longer than 4 kB */

enum field { ACTION, PACKAGE, TEST, TIME, ELAPSED, OUTPUT, IMPORT_PATH, FAILED_BUILD, FIELD_COUNT };

static const struct json_text fields[FIELD_COUNT] = {
    [ACTION] = {"Action", SHORT_BYTES},
    [PACKAGE] = {"Package", LIMIT_CASE_NAME_BYTES},
    [TEST] = {"Test", LIMIT_CASE_NAME_BYTES},
    [TIME] = {"Time", SHORT_BYTES},
    [ELAPSED] = {"Elapsed", SHORT_BYTES},
    [OUTPUT] = {"Output", OUTPUT_MAX},
    [IMPORT_PATH] = {"ImportPath", LIMIT_CASE_NAME_BYTES},
    [FAILED_BUILD] = {"FailedBuild", LIMIT_CASE_NAME_BYTES},
};

struct test {
    char *name;
    int64_t started_at;
    struct cut_text output;
    UT_hash_handle hh;
};

/* Also what is built for one: then it has nothing but output. */
struct package {
    char *name;
    bool has_begun;
    bool has_failed; /* one of its tests */
    struct test *tests;
    struct cut_text output;
    UT_hash_handle hh;
};

struct report_reader {
    struct report_handlers handlers;
    struct cut_text texts[FIELD_COUNT];
    struct json_lines *lines;
    bool any_event;
    bool is_building;      /* says the last event: a whole stream ends with a package */
    bool has_failed_build; /* and no package behind that has failed by a build */
    struct package *packages;
    size_t open;
    size_t kept;
    char why[160];
};

static void complain(struct report_reader *reader, const char *why)
{
    if (reader->why[0] == '\0')
        text_format(reader->why, sizeof reader->why, "line %lld: %s",
                    (long long)json_lines_number(reader->lines), why);
}

static const char *get(struct report_reader *reader, enum field field)
{
    return cut_text_get(&reader->texts[field]);
}

/* ---- what is open --------------------------------------------------------------------------------- */

static struct package *package_of(struct report_reader *reader, const char *name)
{
    struct package *package = NULL;
    HASH_FIND_STR(reader->packages, name, package);
    if (package != NULL)
        return package;
    if (reader->open == OPEN_MAX) {
        complain(reader, "too much has begun and not ended");
        return NULL;
    }
    reader->open++;
    package = xcalloc(1, sizeof *package);
    package->name = xstrdup(name);
    cut_text_init(&package->output, LIMIT_RESULT_TRACE_BYTES);
    HASH_ADD_KEYPTR(hh, reader->packages, package->name, strlen(package->name), package);
    return package;
}

static struct test *test_of(struct report_reader *reader, struct package *package, const char *name)
{
    struct test *test = NULL;
    HASH_FIND_STR(package->tests, name, test);
    if (test != NULL)
        return test;
    if (reader->open == OPEN_MAX) {
        complain(reader, "too much has begun and not ended");
        return NULL;
    }
    reader->open++;
    test = xcalloc(1, sizeof *test);
    test->name = xstrdup(name);
    test->started_at = report_time_to_ms(get(reader, TIME));
    cut_text_init(&test->output, LIMIT_RESULT_TRACE_BYTES);
    HASH_ADD_KEYPTR(hh, package->tests, test->name, strlen(test->name), test);
    return test;
}

static void remove_test(struct report_reader *reader, struct package *package, struct test *test)
{
    HASH_DEL(package->tests, test);
    reader->open--;
    reader->kept -= test->output.buffer.length;
    cut_text_deinit(&test->output);
    free(test->name);
    free(test);
}

static void remove_package(struct report_reader *reader, struct package *package)
{
    struct test *test, *next;
    HASH_ITER (hh, package->tests, test, next) {
        remove_test(reader, package, test);
    }
    HASH_DEL(reader->packages, package);
    reader->open--;
    reader->kept -= package->output.buffer.length;
    cut_text_deinit(&package->output);
    free(package->name);
    free(package);
}

/* ---- output ------------------------------------------------------------------------------------ */

/* What Go itself says around the tests is told by events as well. */
static bool is_frame(const char *line)
{
    static const char *const frames[] = {"=== ",       "--- FAIL: ",  "--- SKIP: ",
                                         "--- PASS: ", "--- BENCH: ", "FAIL\n",
                                         "FAIL\t",     "PASS\n",      "ok  \t"};
    line += strspn(line, " ");
    for (size_t i = 0; i < ARRAY_SIZE(frames); i++)
        if (text_starts(line, frames[i]))
            return true;
    return false;
}

static void keep_output(struct report_reader *reader, struct cut_text *output)
{
    const char *text = get(reader, OUTPUT);
    if (text == NULL || is_frame(text))
        return;
    size_t before = output->buffer.length;
    if (reader->kept + strlen(text) > KEPT_MAX)
        output->cut = true;
    else
        cut_text_add(output, text, strlen(text));
    reader->kept += output->buffer.length - before;
}

/* "calc_test.go:12: what it says", or what a panic says: what a test itself has to say. */
static bool is_said_by_test(const char *line, size_t length)
{
    const char *mark = memmem(line, length, ".go:", 4);
    if (length > 7 && text_starts(line, "panic: "))
        return true;
    return mark != NULL && mark[4] >= '0' && mark[4] <= '9' &&
           memmem(mark, length - (size_t)(mark - line), ": ", 2) != NULL;
}

/* The line of the output that is most likely to say why; NULL when there is none. Owned by the caller. */
static char *message_in(const char *output)
{
    const char *line = output == NULL ? "" : output;
    while (*line != '\0') {
        line += strspn(line, " \t\n");
        size_t length = strcspn(line, "\n");
        if (is_said_by_test(line, length))
            return report_first_line(line);
        line += length;
    }
    return report_first_line(output);
}

/* Getting a text may change its length, which is counted. */
static const char *output_of(struct report_reader *reader, struct cut_text *output)
{
    size_t before = output->buffer.length;
    const char *text = cut_text_get(output);
    reader->kept += output->buffer.length - before;
    return text;
}

/* ---- cases ------------------------------------------------------------------------------------- */

static void tell(struct report_reader *reader, const char *package, const char *test,
                 enum result_status status, int64_t started_at, const char *output)
{
    AUTO(text_free) char *message = status == RESULT_PASSED ? NULL : message_in(output);
    const struct reported_case reported = {.suite = package,
                                           .class = package,
                                           .name = test,
                                           .status = status,
                                           .duration_ms =
                                               report_seconds_to_ms(get(reader, ELAPSED)),
                                           .started_at = started_at,
                                           .message = message,
                                           .trace = status == RESULT_PASSED ? NULL : output};
    reader->handlers.on_case(reader->handlers.context, &reported);
}

static void end_test(struct report_reader *reader, struct package *package, const char *name,
                     enum result_status status)
{
    struct test *test = test_of(reader, package, name);
    if (test == NULL)
        return;
    package->has_failed |= status == RESULT_FAILED;
    tell(reader, package->name, test->name, status, test->started_at,
         output_of(reader, &test->output));
    remove_test(reader, package, test);
}

/* A test of which no end was told ended with its process: nobody knows how. */
static void end_open_tests(struct report_reader *reader, struct package *package)
{
    struct test *test, *next;
    cut_text_clear(&reader->texts[ELAPSED]);
    HASH_ITER (hh, package->tests, test, next) {
        const char *output = output_of(reader, &test->output);
        tell(reader, package->name, test->name, RESULT_ERRORED, test->started_at,
             output == NULL ? "no end of it was told" : output);
        remove_test(reader, package, test);
        package->has_failed = true;
    }
}

/* A package that failed outside of its tests is a case of its own: it did not build, or something else
 * ended its process. */
static void end_package(struct report_reader *reader, struct package *package, bool failed)
{
    struct package *built = NULL;
    const char *failed_build = get(reader, FAILED_BUILD);
    end_open_tests(reader, package);
    if (failed_build != NULL)
        HASH_FIND_STR(reader->packages, failed_build, built);
    reader->has_failed_build &= failed_build == NULL; /* it names one of several */
    if (failed && !package->has_failed) {
        struct cut_text *output = built == NULL ? &package->output : &built->output;
        const char *text = output_of(reader, output);
        tell(reader, package->name, "(package)", RESULT_ERRORED, 0,
             text == NULL ? "it failed outside of its tests" : text);
    }
    remove_package(reader, package);
}

/* ---- events ------------------------------------------------------------------------------------ */

static const struct {
    const char *action;
    enum result_status status;
} ends[] = {
    {"pass", RESULT_PASSED},
    {"bench", RESULT_PASSED},
    {"fail", RESULT_FAILED},
    {"skip", RESULT_SKIPPED},
};

static void on_test_event(struct report_reader *reader, struct package *package, const char *name,
                          const char *action)
{
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
        if (strcmp(action, ends[i].action) != 0)
            continue;
        end_test(reader, package, name, ends[i].status);
        return;
    }
    struct test *test = test_of(reader, package, name);
    if (test != NULL && strcmp(action, "output") == 0)
        keep_output(reader, &test->output);
}

static void on_package_event(struct report_reader *reader, struct package *package,
                             const char *action)
{
    bool has_failed = strcmp(action, "fail") == 0;
    if (has_failed || strcmp(action, "pass") == 0 || strcmp(action, "skip") == 0)
        end_package(reader, package, has_failed);
    else if (strcmp(action, "output") == 0)
        keep_output(reader, &package->output);
}

static void on_build_event(struct report_reader *reader, bool has_failed)
{
    const char *path = get(reader, IMPORT_PATH);
    struct package *package = path == NULL ? NULL : package_of(reader, path);
    const char *text = get(reader, OUTPUT);
    reader->has_failed_build |= has_failed;
    if (package != NULL && text != NULL && text[0] != '#') /* "# name of the package" */
        keep_output(reader, &package->output);
}

static void on_event(void *context)
{
    struct report_reader *reader = context;
    const char *action = get(reader, ACTION), *name = get(reader, PACKAGE);
    const char *test = get(reader, TEST);
    if (action == NULL)
        return; /* another program's JSON */
    reader->any_event = true;
    reader->is_building = text_starts(action, "build-");
    if (reader->is_building) {
        on_build_event(reader, strcmp(action, "build-fail") == 0);
        return;
    }
    /* test2json without -p names none. */
    struct package *package = package_of(reader, name == NULL ? "" : name);
    if (package == NULL)
        return;
    package->has_begun = true;
    if (test != NULL)
        on_test_event(reader, package, test, action);
    else
        on_package_event(reader, package, action);
}

/* An event that cannot be read may have been the end of a test. */
static void on_broken(void *context)
{
    complain(context, "an event that cannot be read");
}

/* ---- the interface ------------------------------------------------------------------------------ */

static struct report_reader *go_json_open(const struct report_handlers *handlers)
{
    struct report_reader *reader = xcalloc(1, sizeof *reader);
    reader->handlers = *handlers;
    reader->lines =
        json_lines_new(reader->texts, fields, FIELD_COUNT,
                       &(struct json_lines_handlers){
                           .on_event = on_event, .on_broken = on_broken, .context = reader});
    return reader;
}

static void go_json_feed(struct report_reader *reader, const char *bytes, size_t length)
{
    json_lines_feed(reader->lines, bytes, length);
}

static enum report_wholeness go_json_finish(struct report_reader *reader, struct error *why_r)
{
    struct package *package, *next;
    json_lines_end(reader->lines);
    if (reader->is_building)
        complain(reader, "it ends in the middle of a build");
    if (reader->has_failed_build)
        complain(reader, "a build failed, and no package says so");
    HASH_ITER (hh, reader->packages, package, next) {
        if (package->has_begun)
            complain(reader, "it ends in the middle of a package");
        end_open_tests(reader, package);
    }
    if (reader->why[0] == '\0')
        return reader->any_event ? REPORT_WHOLE : REPORT_EMPTY;
    error_set(why_r, "invalid", "go test -json: %s", reader->why);
    return REPORT_CUT;
}

static void go_json_free(struct report_reader **reader_p)
{
    struct report_reader *reader = *reader_p;
    struct package *package, *next;
    if (reader == NULL)
        return;
    HASH_ITER (hh, reader->packages, package, next) {
        remove_package(reader, package);
    }
    json_lines_free(&reader->lines);
    json_texts_deinit(reader->texts, FIELD_COUNT);
    memory_free(reader_p);
}

const struct report_reader_ops go_json_reader = {.name = "go-json",
                                                 .open = go_json_open,
                                                 .feed = go_json_feed,
                                                 .finish = go_json_finish,
                                                 .free = go_json_free};
