/* SPDX-License-Identifier: Apache-2.0 */
/* What `cargo nextest run --message-format libtest-json-plus` says: an event a line, of many binaries at once. The
 * last try of a test is told alone. Tests that are ignored are begun also where nobody wants them, so a beginning
 * without an end is no case. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "model/frameworks.h"
#include "model/limits.h"
#include "report/json_lines.h"
#include "report/reader.h"

#define SHORT_BYTES 64

enum field { TYPE, EVENT, NAME, SECONDS, MESSAGE, REASON, STDOUT, FIELD_COUNT };

static const struct json_text fields[FIELD_COUNT] = {
    [TYPE] = {"type", SHORT_BYTES},
    [EVENT] = {"event", SHORT_BYTES},
    [NAME] = {"name", LIMIT_CASE_NAME_BYTES},
    [SECONDS] = {"exec_time", SHORT_BYTES},
    [MESSAGE] = {"message", LIMIT_RESULT_MESSAGE_BYTES},
    [REASON] = {"reason", LIMIT_RESULT_MESSAGE_BYTES},
    [STDOUT] = {"stdout", LIMIT_RESULT_TRACE_BYTES},
};

/* What is not here is no end: started, and a time-out that is only a warning. */
static const struct {
    const char *event;
    enum result_status status;
} ends[] = {{"ok", RESULT_PASSED}, {"failed", RESULT_FAILED}, {"ignored", RESULT_SKIPPED}};

struct report_reader {
    struct report_handlers handlers;
    struct cut_text texts[FIELD_COUNT];
    struct json_lines *lines;
    int64_t open; /* binaries that have begun and not ended */
    bool any_event;
    char why[160];
};

static const char *get(struct report_reader *reader, enum field field)
{
    return cut_text_get(&reader->texts[field]);
}

static void complain(struct report_reader *reader, const char *why)
{
    if (reader->why[0] == '\0')
        text_format(reader->why, sizeof reader->why, "line %lld: %s",
                    (long long)json_lines_number(reader->lines), why);
}

/* ---- cases ------------------------------------------------------------------------------------- */

/* The line behind "panicked at", else the error that the test has returned; NULL when there is none. Owned by the
 * caller. */
static char *message_in(const char *output)
{
    const char *panic = output == NULL ? NULL : strstr(output, "panicked at ");
    if (panic != NULL)
        return report_first_line(panic + strcspn(panic, "\n"));
    const char *error = output == NULL ? NULL : strstr(output, "Error: ");
    return error == NULL ? NULL : report_first_line(error);
}

/* "calc::whole$adds#2" → class "calc::whole", name "adds": it was the second try. Both owned by the caller. */
static void read_name(const char *text, char **class_r, char **name_r)
{
    const char *dollar = strchr(text, '$'), *test = dollar == NULL ? text : dollar + 1;
    const char *hash = strrchr(test, '#');
    bool is_try =
        hash != NULL && hash[1] != '\0' && hash[1 + strspn(hash + 1, "0123456789")] == '\0';
    size_t length = is_try ? (size_t)(hash - test) : strlen(test);
    AUTO(text_free)
    char *selector =
        xasprintf("%.*s %.*s", dollar == NULL ? 0 : (int)(dollar - text), text, (int)length, test);
    AUTO(text_free) char *file = NULL, *parameters = NULL;
    framework_find("nextest")->read_selector(selector, &file, class_r, name_r, &parameters);
}

static void tell(struct report_reader *reader, enum result_status status)
{
    AUTO(text_free) char *class = NULL, *name = NULL;
    const char *said = get(reader, NAME), *output = get(reader, STDOUT);
    const char *message = get(reader, MESSAGE) != NULL ? get(reader, MESSAGE) : get(reader, REASON);
    AUTO(text_free)
    char *line = message == NULL && status == RESULT_FAILED ? message_in(output) : NULL;
    read_name(said == NULL ? "(no name)" : said, &class, &name);
    const struct reported_case reported = {.suite = class,
                                           .class = class,
                                           .name = name,
                                           .status = status,
                                           .duration_ms =
                                               report_seconds_to_ms(get(reader, SECONDS)),
                                           .message = line != NULL ? line : message,
                                           .trace = status == RESULT_FAILED ? output : NULL};
    reader->handlers.on_case(reader->handlers.context, &reported);
}

/* ---- events ------------------------------------------------------------------------------------ */

static void on_event(void *context)
{
    struct report_reader *reader = context;
    const char *type = get(reader, TYPE), *event = get(reader, EVENT);
    if (type == NULL || event == NULL)
        return; /* another program's JSON */
    if (strcmp(type, "suite") == 0) {
        reader->any_event = true;
        reader->open += strcmp(event, "started") == 0 ? 1 : -1;
        return;
    }
    for (size_t i = 0; strcmp(type, "test") == 0 && i < ARRAY_SIZE(ends); i++)
        if (strcmp(event, ends[i].event) == 0)
            tell(reader, ends[i].status);
}

/* An event that cannot be read may have been the end of a test. */
static void on_broken(void *context)
{
    complain(context, "an event that cannot be read");
}

/* ---- the interface ------------------------------------------------------------------------------ */

static struct report_reader *libtest_open(const struct report_handlers *handlers)
{
    struct report_reader *reader = xcalloc(1, sizeof *reader);
    reader->handlers = *handlers;
    reader->lines =
        json_lines_new(reader->texts, fields, FIELD_COUNT,
                       &(struct json_lines_handlers){
                           .on_event = on_event, .on_broken = on_broken, .context = reader});
    return reader;
}

static void libtest_feed(struct report_reader *reader, const char *bytes, size_t length)
{
    json_lines_feed(reader->lines, bytes, length);
}

static enum report_wholeness libtest_finish(struct report_reader *reader, struct error *why_r)
{
    json_lines_end(reader->lines);
    if (reader->open != 0)
        complain(reader, "it ends in the middle of a binary's tests");
    if (reader->why[0] == '\0')
        return reader->any_event ? REPORT_WHOLE : REPORT_EMPTY;
    error_set(why_r, "invalid", "libtest JSON: %s", reader->why);
    return REPORT_CUT;
}

static void libtest_free(struct report_reader **reader_p)
{
    struct report_reader *reader = *reader_p;
    if (reader == NULL)
        return;
    json_lines_free(&reader->lines);
    json_texts_deinit(reader->texts, FIELD_COUNT);
    memory_free(reader_p);
}

const struct report_reader_ops libtest_reader = {.name = "libtest",
                                                 .open = libtest_open,
                                                 .feed = libtest_feed,
                                                 .finish = libtest_finish,
                                                 .free = libtest_free};
