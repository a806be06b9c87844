/* SPDX-License-Identifier: Apache-2.0 */
/* Reports: feeding readers, giving cases their keys. */
#include "agent/reports.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/report_files.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "model/limits.h"
#include "report/identify.h"
#include "report/text.h"

#define LINE_BYTES_MAX ((size_t)1024 * 1024)
#define PIECE_BYTES    ((size_t)256 * 1024) /* of a file, per pass of the loop */
#define OUTPUTS        2                    /* stdout and stderr */

struct reports {
    struct report_plan plan;
    struct reports_handlers handlers;
    const struct framework_facts *facts;
    char *suite_slug, *directory;
    struct identifier *identifier;
    int64_t cases;
    /* the named pipe */
    struct buffer line;
    int64_t lines;
    bool stream_seen, stream_ended;
    /* files, and stdout */
    struct report_files *files;
    int fd; /* of the one that is being read */
    const char *path;
    int64_t bytes, file_bytes;              /* of all, and of that one */
    struct report_reader *readers[OUTPUTS]; /* of files and stdout: the first */
    const struct report_reader_ops *ops;
    enum report_wholeness worst;
    bool any_file;
    struct error why;
};

/* ---- cases ------------------------------------------------------------------------------------ */

static char *cut(const char *text, int64_t max_bytes)
{
    return text == NULL ? NULL : xstrndup(text, utf8_cut(text, strlen(text), (size_t)max_bytes));
}

/* Every case of any source passes here: its key, its ordinal among equal names, the bounds. */
static void emit(struct reports *reports, const char *file, const char *class, const char *name,
                 const char *parameters, struct stream_result *result)
{
    if (reports->cases >= LIMIT_CASES_PER_RUN) {
        reports->worst = REPORT_CUT;
        return;
    }
    reports->cases++;
    AUTO(identified_case_deinit) struct identified_case identified;
    identifier_give(reports->identifier, file, class, name, parameters, &identified);
    result->key = identified.key.hex;
    result->file = identified.file;
    result->class = identified.class;
    result->name = identified.name;
    result->parameters = identified.parameters;
    result->try = 1;
    reports->handlers.on_result(reports->handlers.context, result);
}

/* The same on every worker. */
static const char *relative(const struct reports *reports, const char *file)
{
    size_t length = strlen(reports->directory);
    bool is_below = strncmp(file, reports->directory, length) == 0 && file[length] == '/';
    return is_below ? file + length + 1 : file;
}

static void on_case(void *context, const struct reported_case *reported)
{
    struct stream_result result = {.status = (int)reported->status,
                                   .duration_ms = reported->duration_ms,
                                   .started_at = reported->started_at,
                                   .message = (char *)(uintptr_t)reported->message,
                                   .trace = (char *)(uintptr_t)reported->trace};
    struct reports *reports = context;
    AUTO(case_name_deinit) struct case_name name = {NULL, NULL, NULL};
    case_name_read(reports->facts, reported, &name);
    emit(reports, reported->file == NULL ? "" : relative(reports, reported->file), name.class,
         name.name, name.parameters, &result);
}

static void on_planned(void *context, int64_t count)
{
    struct reports *reports = context;
    reports->handlers.on_planned(reports->handlers.context, count);
}

/* ---- the named pipe: a JSON object a line ------------------------------------------------------ */

/* A line that cannot be read was a case all the same: people see that it is there, and what it said. */
static void on_bad_line(struct reports *reports, const char *why)
{
    AUTO(text_free) char *name = xasprintf("line %" PRId64 " of the results", reports->lines);
    AUTO(text_free) char *message = xasprintf("a result that cannot be read: %s", why);
    AUTO(text_free) char *clean = utf8_clean(buffer_text(&reports->line), reports->line.length);
    AUTO(text_free) char *trace = cut(clean, LIMIT_RESULT_TRACE_BYTES);
    struct stream_result result = {.status = RESULT_ERRORED, .message = message, .trace = trace};
    emit(reports, "", "", name, "", &result);
}

static void on_stream_case(struct reports *reports, const json_t *json)
{
    const char *id = json_find_text(json, "id"), *status = json_find_text(json, "status");
    int value = status == NULL ? -1 : names_find(&result_status_names, status);
    if (id == NULL || value < 0) {
        on_bad_line(reports, "it names no case, or no status");
        return;
    }
    AUTO(text_free) char *file = NULL, *class = NULL, *name = NULL, *parameters = NULL;
    reports->facts->read_selector(id, &file, &class, &name, &parameters);
    AUTO(text_free)
    char *message = cut(json_find_text(json, "message"), LIMIT_RESULT_MESSAGE_BYTES);
    AUTO(text_free) char *trace = cut(json_find_text(json, "trace"), LIMIT_RESULT_TRACE_BYTES);
    struct stream_result result = {.status = value,
                                   .duration_ms = json_find_int(json, "duration_ms", 0),
                                   .started_at = json_find_int(json, "started_at", 0),
                                   .message = message,
                                   .trace = trace};
    emit(reports, file, class, name, parameters, &result);
}

static void on_line(struct reports *reports, const char *text, size_t length)
{
    AUTO(json_free) json_t *json = NULL;
    struct error error;
    const char *kind;
    if (length == 0)
        return;
    if (json_parse(text, length, &json, &error) < 0) {
        on_bad_line(reports, error.text);
        return;
    }
    kind = json_find_text(json, "kind");
    if (kind == NULL)
        on_bad_line(reports, "it has no kind");
    else if (strcmp(kind, "case") == 0)
        on_stream_case(reports, json);
    else if (strcmp(kind, "planned") == 0)
        on_planned(reports, json_find_int(json, "count", 0));
    else if (strcmp(kind, "end") == 0)
        reports->stream_ended = true;
}

void reports_feed_stream(struct reports *reports, const char *bytes, size_t length)
{
    const char *end = bytes + length;
    while (bytes < end) {
        const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
        size_t part = newline == NULL ? (size_t)(end - bytes) : (size_t)(newline - bytes);
        buffer_add(&reports->line, bytes, part);
        bytes += part + 1;
        if (newline == NULL)
            return;
        reports->stream_seen = true;
        reports->lines++;
        if (reports->line.overflowed)
            on_bad_line(reports, "it is longer than 1 MB");
        else
            on_line(reports, buffer_text(&reports->line), reports->line.length);
        buffer_clear(&reports->line);
    }
}

/* ---- files ------------------------------------------------------------------------------------ */

static void open_reader(struct reports *reports, int which)
{
    const struct report_handlers handlers = {
        .on_planned = on_planned, .on_case = on_case, .context = reports};
    reports->readers[which] = reports->ops->open(&handlers);
}

static void close_reader(struct reports *reports, int which)
{
    struct report_reader **reader = &reports->readers[which];
    struct error why = {.text = ""};
    if (*reader == NULL)
        return;
    enum report_wholeness wholeness = reports->ops->finish(*reader, &why);
    reports->any_file = reports->any_file || wholeness != REPORT_EMPTY;
    if (wholeness == REPORT_CUT) {
        reports->worst = REPORT_CUT;
        reports->why = why;
    }
    reports->ops->free(reader);
}

/* Of a file: its own, or the one that all of them are read by. */
static void next_reader(struct reports *reports)
{
    if (reports->readers[0] == NULL)
        open_reader(reports, 0);
    else
        reports->ops->next(reports->readers[0]);
}

/* What is missing would have told more: what was read is no whole report. The reason is to be set. */
static struct error *falls_short(struct reports *reports)
{
    reports->worst = REPORT_CUT;
    return &reports->why;
}

/* 1: opened; 0: there is no more; -1: it cannot be read. */
static int open_next(struct reports *reports)
{
    struct error why;
    if (report_files_next(reports->files, &reports->path, &why) < 0) {
        *falls_short(reports) = why;
        return 0;
    }
    if (reports->path == NULL)
        return 0;
    reports->fd = open(reports->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (reports->fd < 0) {
        error_set(falls_short(reports), "unavailable", "cannot read %s: %s", reports->path,
                  strerror(errno));
        return -1;
    }
    reports->file_bytes = 0;
    next_reader(reports);
    return 1;
}

static void close_file(struct reports *reports, ssize_t last_read)
{
    if (last_read < 0)
        error_set(falls_short(reports), "unavailable", "cannot read %s: %s", reports->path,
                  strerror(errno));
    else if (reports->file_bytes == 0)
        error_set(falls_short(reports), "unavailable", "%s is empty", reports->path);
    if (reports->ops->next == NULL)
        close_reader(reports, 0);
    fd_close(&reports->fd);
}

bool reports_read_files(struct reports *reports)
{
    static char piece[PIECE_BYTES];
    if (reports->plan.source != REPORT_FROM_FILES || reports->bytes > LIMIT_REPORT_BYTES)
        return true;
    if (reports->fd < 0) {
        int status = open_next(reports);
        if (status <= 0)
            return status == 0;
    }
    ssize_t length = read(reports->fd, piece, sizeof piece);
    if (length <= 0) {
        close_file(reports, length);
        return false;
    }
    reports->bytes += length;
    reports->file_bytes += length;
    if (reports->bytes <= LIMIT_REPORT_BYTES) {
        reports->ops->feed(reports->readers[0], piece, (size_t)length);
        return false;
    }
    close_file(reports, length);
    error_set(falls_short(reports), "unavailable", "the reports are longer than %lld bytes",
              (long long)LIMIT_REPORT_BYTES);
    return true;
}

void reports_feed_output(struct reports *reports, enum run_output stream, const char *bytes,
                         size_t length)
{
    bool is_read = reports->plan.source == REPORT_FROM_OUTPUT ||
                   (reports->plan.source == REPORT_FROM_STDOUT && stream == RUN_STDOUT);
    if (!is_read)
        return;
    if (reports->readers[stream] == NULL)
        open_reader(reports, (int)stream);
    reports->ops->feed(reports->readers[stream], bytes, length);
}

/* ---- the whole -------------------------------------------------------------------------------- */

struct reports *reports_new(const struct report_plan *plan, const char *suite_slug,
                            const char *framework, const char *directory,
                            const struct reports_handlers *handlers)
{
    struct reports *reports = xcalloc(1, sizeof *reports);
    reports->plan = *plan;
    reports->handlers = *handlers;
    reports->facts = framework_find(framework);
    reports->suite_slug = xstrdup(suite_slug);
    reports->directory = xstrdup(directory);
    reports->identifier = identifier_new(reports->facts, suite_slug);
    reports->fd = -1;
    reports->ops = plan->reader == NULL ? &null_reader : report_reader_find(plan->reader);
    buffer_init(&reports->line, LINE_BYTES_MAX);
    if (plan->source == REPORT_FROM_FILES)
        reports->files =
            report_files_new(plan->directory == NULL ? directory : plan->directory, plan->pattern);
    return reports;
}

void reports_free(struct reports **reports_p)
{
    struct reports *reports = *reports_p;
    if (reports == NULL)
        return;
    for (int i = 0; i < OUTPUTS; i++)
        if (reports->readers[i] != NULL)
            reports->ops->free(&reports->readers[i]);
    fd_close(&reports->fd);
    free(reports->suite_slug);
    free(reports->directory);
    identifier_free(&reports->identifier);
    report_files_free(&reports->files);
    buffer_deinit(&reports->line);
    memory_free(reports_p);
}

static enum report_state finish_status(struct reports *reports, bool succeeded, const char *how,
                                       int64_t duration_ms)
{
    struct stream_result result = {.status = succeeded ? RESULT_PASSED : RESULT_FAILED,
                                   .duration_ms = duration_ms,
                                   .message = succeeded ? NULL : (char *)(uintptr_t)how};
    emit(reports, "", "", reports->suite_slug, "", &result);
    return REPORT_NOT_EXPECTED;
}

enum report_state reports_finish(struct reports *reports, bool succeeded, const char *how,
                                 int64_t duration_ms, struct error *why_r)
{
    for (int i = 0; i < OUTPUTS; i++)
        close_reader(reports, i);
    *why_r = reports->why;
    switch (reports->plan.source) {
    case REPORT_FROM_STATUS:
        return finish_status(reports, succeeded, how, duration_ms);
    case REPORT_FROM_STREAM:
        if (!reports->stream_seen)
            return REPORT_IS_MISSING;
        return reports->stream_ended && reports->worst != REPORT_CUT ? REPORT_IS_COMPLETE
                                                                     : REPORT_IS_TRUNCATED;
    case REPORT_FROM_FILES:
    case REPORT_FROM_STDOUT:
    case REPORT_FROM_OUTPUT:
        break;
    }
    if (!reports->any_file)
        return REPORT_IS_MISSING;
    return reports->worst == REPORT_CUT ? REPORT_IS_TRUNCATED : REPORT_IS_COMPLETE;
}
