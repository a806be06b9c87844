/* SPDX-License-Identifier: Apache-2.0 */
/* What cmocka's programs write as XML into a stream that they share with each other and with the output of
 * their tests: one document per group, one behind the other. Each is read as JUnit. A document within
 * another, or a piece of one, is of programs that ran at the same time or were killed: something of them is
 * lost, so the whole is cut. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/limits.h"
#include "report/reader.h"
#include "report/text.h"

#define RECENT_BYTES   64 /* a power of two, longer than any mark */
#define HEAD_BYTES_MAX (LIMIT_CASE_NAME_BYTES + 200)

enum place {
    OUTSIDE, /* output of the tests */
    IN_HEAD, /* the rest of the line that begins a group: its name and its counts */
    IN_BODY,
    IN_CDATA,
};

/* As cmocka writes them, so that XML which a test prints is hardly ever taken for it. */
static const char begin_mark[] = "<testsuites>\n  <testsuite name=\"";
static const char end_mark[] = "  </testsuite>\n</testsuites>\n";

struct report_reader {
    struct report_handlers handlers;
    enum place place;
    char recent[RECENT_BYTES]; /* ring of the last bytes */
    size_t position, since;    /* since: how many of them belong to this place */
    struct report_reader *document;
    struct cut_text head;
    int64_t cases, bad; /* of this document */
    bool any_document;
    struct error why; /* no text: nothing is wrong */
};

static void note(struct report_reader *reader, const char *why)
{
    if (reader->why.text[0] == '\0')
        error_set(&reader->why, "invalid", "%s", why);
}

/* ---- a document --------------------------------------------------------------------------------- */

static void on_case(void *context, const struct reported_case *reported)
{
    struct report_reader *reader = context;
    reader->cases++;
    reader->bad += reported->status == RESULT_FAILED || reported->status == RESULT_ERRORED;
    reader->handlers.on_case(reader->handlers.context, reported);
}

static void begin_document(struct report_reader *reader)
{
    const struct report_handlers handlers = {.on_case = on_case, .context = reader};
    reader->document = junit_reader.open(&handlers);
    reader->any_document = true;
    reader->cases = reader->bad = 0;
    cut_text_clear(&reader->head);
}

/* name" time="0.000" tests="2" failures="1" errors="0" skipped="0" >: from the right, a name may hold
 * anything. */
static int64_t counted(const char *head, const char *what)
{
    const char *found = NULL;
    for (const char *at = head; (at = strstr(at, what)) != NULL; at++)
        found = at;
    return found == NULL ? 0 : strtoll(found + strlen(what), NULL, 10);
}

/* A group whose set-up failed counts an error and lists no case: this is the case. */
static void check_counts(struct report_reader *reader)
{
    const char *head = cut_text_get(&reader->head);
    if (head == NULL)
        return;
    if (counted(head, " tests=\"") != reader->cases)
        note(reader, "a group lists less than it counts");
    if (counted(head, " failures=\"") + counted(head, " errors=\"") <= reader->bad)
        return;
    const char *end = strstr(head, "\" time=\"");
    AUTO(text_free) char *group = xstrndup(head, end == NULL ? 0 : (size_t)(end - head));
    const struct reported_case failure = {.suite = group,
                                          .name = "(group set-up)",
                                          .status = RESULT_ERRORED,
                                          .message = "the group failed outside of its tests"};
    reader->handlers.on_case(reader->handlers.context, &failure);
}

static void end_document(struct report_reader *reader)
{
    struct error why;
    if (reader->document == NULL)
        return;
    if (junit_reader.finish(reader->document, &why) != REPORT_WHOLE)
        note(reader, why.text);
    else
        check_counts(reader);
    junit_reader.free(&reader->document);
}

/* ---- the stream ---------------------------------------------------------------------------------- */

static void go(struct report_reader *reader, enum place place)
{
    reader->place = place;
    reader->since = 0;
}

static bool just_read(const struct report_reader *reader, const char *mark, size_t length)
{
    if (reader->since < length)
        return false;
    for (size_t i = 1; i <= length; i++)
        if (reader->recent[(reader->position - i) % RECENT_BYTES] != mark[length - i])
            return false;
    return true;
}

#define JUST_READ(reader, mark) just_read(reader, mark, sizeof(mark) - 1)

static void on_begin(struct report_reader *reader)
{
    if (reader->place != OUTSIDE)
        note(reader, "a report within another: did programs run at the same time?");
    end_document(reader);
    begin_document(reader);
    junit_reader.feed(reader->document, begin_mark, sizeof begin_mark - 1);
    go(reader, IN_HEAD);
}

static void on_end(struct report_reader *reader)
{
    if (reader->place == OUTSIDE)
        note(reader, "the end of a report without its beginning");
    end_document(reader);
    go(reader, OUTSIDE);
}

enum mark { NO_MARK, BEGIN_MARK, END_MARK };

/* The mark that ends with this byte. */
static enum mark take_byte(struct report_reader *reader, char c)
{
    bool in_cdata = reader->place == IN_CDATA;
    reader->recent[reader->position++ % RECENT_BYTES] = c;
    reader->since++;
    if (c == '"' && JUST_READ(reader, begin_mark))
        return BEGIN_MARK;
    if (c == '\n' && !in_cdata && JUST_READ(reader, end_mark))
        return END_MARK;
    if (reader->place == IN_HEAD && c == '\n')
        reader->place = IN_BODY;
    else if (reader->place == IN_HEAD)
        cut_text_add(&reader->head, &c, 1);
    else if (reader->place == IN_BODY && c == '[' && JUST_READ(reader, "<![CDATA["))
        reader->place = IN_CDATA;
    else if (in_cdata && c == '>' && JUST_READ(reader, "]]>"))
        reader->place = IN_BODY;
    return NO_MARK;
}

static void feed_document(struct report_reader *reader, const char *bytes, size_t length)
{
    if (reader->document != NULL && length > 0)
        junit_reader.feed(reader->document, bytes, length);
}

/* ---- the interface ------------------------------------------------------------------------------- */

static struct report_reader *cmocka_open(const struct report_handlers *handlers)
{
    struct report_reader *reader = xcalloc(1, sizeof *reader);
    reader->handlers = *handlers;
    cut_text_init(&reader->head, HEAD_BYTES_MAX);
    return reader;
}

static void cmocka_feed(struct report_reader *reader, const char *bytes, size_t length)
{
    size_t fed = 0;
    for (size_t i = 0; i < length; i++) {
        enum mark mark = take_byte(reader, bytes[i]);
        if (mark == NO_MARK)
            continue;
        feed_document(reader, bytes + fed, i + 1 - fed);
        fed = i + 1;
        if (mark == BEGIN_MARK)
            on_begin(reader);
        else
            on_end(reader);
    }
    feed_document(reader, bytes + fed, length - fed);
}

static enum report_wholeness cmocka_finish(struct report_reader *reader, struct error *why_r)
{
    if (reader->place != OUTSIDE)
        note(reader, "a report ends in the middle");
    end_document(reader);
    if (reader->why.text[0] != '\0') {
        error_set(why_r, "invalid", "cmocka: %s", reader->why.text);
        return REPORT_CUT;
    }
    return reader->any_document ? REPORT_WHOLE : REPORT_EMPTY;
}

static void cmocka_free(struct report_reader **reader_p)
{
    struct report_reader *reader = *reader_p;
    if (reader == NULL)
        return;
    junit_reader.free(&reader->document);
    cut_text_deinit(&reader->head);
    memory_free(reader_p);
}

const struct report_reader_ops cmocka_reader = {.name = "cmocka",
                                                .open = cmocka_open,
                                                .feed = cmocka_feed,
                                                .finish = cmocka_finish,
                                                .free = cmocka_free};
