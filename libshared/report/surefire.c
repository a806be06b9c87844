/* SPDX-License-Identifier: Apache-2.0 */
/* Maven Surefire: a JUnit file for each class. With nested classes and reruns a case of the outer class stands twice:
 * its first try in a nested class' file, the last one in its own class' file, and only that one counts. So cases are
 * told when all files have been read. */
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/memory.h"
#include "model/limits.h"
#include "report/kept.h"
#include "report/reader.h"

/* A case that stands in the file of its own class. */
struct own {
    char *id;
    UT_hash_handle hh;
};

struct report_reader {
    struct report_handlers handlers;
    struct report_reader *junit; /* of the file that is read */
    struct kept_cases *kept;
    struct own *owns;
    bool any_file;
    struct error why; /* no text: nothing is wrong */
};

static void complain(struct report_reader *reader, const char *why)
{
    if (reader->why.text[0] == '\0')
        error_set(&reader->why, "invalid", "%s", why);
}

static bool is_own(const struct reported_case *reported)
{
    return reported->class == NULL || reported->suite == NULL ||
           strcmp(reported->class, reported->suite) == 0;
}

/* Of class and name; owned by the caller. */
static char *id_of(const struct reported_case *reported)
{
    return xasprintf("%s\n%s", reported->class == NULL ? "" : reported->class, reported->name);
}

static struct own *find_own(const struct report_reader *reader, const char *id)
{
    struct own *own = NULL;
    HASH_FIND_STR(reader->owns, id, own);
    return own;
}

static void on_case(void *context, const struct reported_case *reported)
{
    struct report_reader *reader = context;
    AUTO(text_free) char *id = id_of(reported);
    if (kept_cases_count(reader->kept) >= (size_t)LIMIT_CASES_PER_RUN) {
        complain(reader, "it has more cases than a run may have");
        return;
    }
    if (reader->why.text[0] == '\0' && kept_cases_add(reader->kept, reported, &reader->why) < 0)
        return;
    if (!is_own(reported) || find_own(reader, id) != NULL)
        return;
    struct own *own = xcalloc(1, sizeof *own);
    own->id = TAKE(id);
    HASH_ADD_KEYPTR(hh, reader->owns, own->id, strlen(own->id), own);
}

static void tell_all(struct report_reader *reader)
{
    struct reported_case reported;
    for (size_t i = 0; i < kept_cases_count(reader->kept); i++) {
        if (kept_cases_get(reader->kept, i, &reported, &reader->why) < 0)
            return;
        AUTO(text_free) char *id = id_of(&reported);
        if (is_own(&reported) || find_own(reader, id) == NULL)
            reader->handlers.on_case(reader->handlers.context, &reported);
    }
}

/* ---- the interface ------------------------------------------------------------------------------ */

static void begin_file(struct report_reader *reader)
{
    const struct report_handlers handlers = {
        .on_case = on_case, .context = reader, .is_alone = reader->handlers.is_alone};
    reader->junit = junit_reader.open(&handlers);
}

static void end_file(struct report_reader *reader)
{
    struct error why = {.text = ""};
    enum report_wholeness wholeness = junit_reader.finish(reader->junit, &why);
    reader->any_file |= wholeness != REPORT_EMPTY;
    if (wholeness == REPORT_CUT)
        complain(reader, why.text);
    junit_reader.free(&reader->junit);
}

static struct report_reader *surefire_open(const struct report_handlers *handlers)
{
    struct report_reader *reader = xcalloc(1, sizeof *reader);
    reader->handlers = *handlers;
    reader->kept = kept_cases_new();
    begin_file(reader);
    return reader;
}

static void surefire_feed(struct report_reader *reader, const char *bytes, size_t length)
{
    junit_reader.feed(reader->junit, bytes, length);
}

static void surefire_next(struct report_reader *reader)
{
    end_file(reader);
    begin_file(reader);
}

static enum report_wholeness surefire_finish(struct report_reader *reader, struct error *why_r)
{
    end_file(reader);
    tell_all(reader);
    if (reader->why.text[0] == '\0')
        return reader->any_file ? REPORT_WHOLE : REPORT_EMPTY;
    error_set(why_r, "invalid", "Surefire: %s", reader->why.text);
    return REPORT_CUT;
}

static void surefire_free(struct report_reader **reader_p)
{
    struct report_reader *reader = *reader_p;
    struct own *own, *next;
    if (reader == NULL)
        return;
    HASH_ITER (hh, reader->owns, own, next) {
        HASH_DEL(reader->owns, own);
        free(own->id);
        free(own);
    }
    junit_reader.free(&reader->junit);
    kept_cases_free(&reader->kept);
    memory_free(reader_p);
}

const struct report_reader_ops surefire_reader = {.name = "surefire",
                                                  .open = surefire_open,
                                                  .feed = surefire_feed,
                                                  .next = surefire_next,
                                                  .finish = surefire_finish,
                                                  .free = surefire_free};
