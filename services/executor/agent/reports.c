/* SPDX-License-Identifier: Apache-2.0 */
/* Reports: finding files, feeding readers, giving cases their keys. */
#include "agent/reports.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uthash.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "model/limits.h"
#include "report/ordinals.h"
#include "report/text.h"

#define LINE_BYTES_MAX ((size_t)1024 * 1024)
#define PIECE_BYTES    ((size_t)256 * 1024) /* of a file, per pass of the loop */
#define FILES_MAX      10000
#define OUTPUTS        2 /* stdout and stderr */
#define DEPTH_MAX      24
#define OLD_FILES_MAX  200000

/* A file that matched before the tests began. */
struct old_file {
    char *path;
    ino_t inode;
    off_t size;
    struct timespec modified, changed;
    UT_hash_handle hh;
};

struct reports {
    struct report_plan plan;
    struct reports_handlers handlers;
    const struct framework_facts *facts;
    const struct framework *framework;
    char *suite_slug, *directory;
    struct ordinals *ordinals;
    int64_t cases;
    /* the named pipe */
    struct buffer line;
    int64_t lines;
    bool stream_seen, stream_ended;
    /* files, and stdout */
    struct texts files;
    bool files_found, started;
    struct old_file *old_files;
    size_t next_file;
    int fd; /* of the one that is being read */
    int64_t bytes;
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
    struct case_key key =
        framework_case_key(reports->facts, reports->suite_slug, file, class, name, parameters, 0);
    int64_t ordinal = ordinals_next(reports->ordinals, key.hex);
    if (ordinal > 0)
        key = framework_case_key(reports->facts, reports->suite_slug, file, class, name, parameters,
                                 ordinal);
    /* The key is made of the whole names, people are shown what fits. */
    AUTO(text_free) char *shown_file = cut(file, LIMIT_CASE_NAME_BYTES);
    AUTO(text_free) char *shown_class = cut(class, LIMIT_CASE_NAME_BYTES);
    AUTO(text_free) char *shown_name = cut(name, LIMIT_CASE_NAME_BYTES);
    AUTO(text_free) char *shown_parameters = cut(parameters, LIMIT_CASE_NAME_BYTES);
    result->key = key.hex;
    result->file = shown_file;
    result->class = shown_class;
    result->name = shown_name;
    result->parameters = shown_parameters;
    result->try = 1;
    reports->handlers.on_result(reports->handlers.context, result);
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
    framework_identify(reports->framework, reported, &name);
    emit(reports, reported->file == NULL ? "" : reported->file, name.class, name.name,
         name.parameters, &result);
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

/* A glob with ** as an expression over paths relative to the working directory. */
static pcre2_code *compile_glob(const char *pattern)
{
    PCRE2_UCHAR *converted = NULL;
    PCRE2_SIZE length, at;
    int code;
    if (pcre2_pattern_convert((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_CONVERT_GLOB,
                              &converted, &length, NULL) != 0)
        return NULL;
    pcre2_code *compiled = pcre2_compile(converted, length, 0, &code, &at, NULL);
    pcre2_converted_pattern_free(converted);
    return compiled;
}

static bool matches(pcre2_code *glob, pcre2_match_data *data, const char *path)
{
    return pcre2_match(glob, (PCRE2_SPTR)path, strlen(path), 0, 0, data, NULL) >= 0;
}

static bool is_same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static void remember(struct reports *reports, const char *path, const struct stat *stat_)
{
    if (HASH_COUNT(reports->old_files) >= OLD_FILES_MAX)
        return;
    struct old_file *old = xcalloc(1, sizeof *old);
    *old = (struct old_file){.path = xstrdup(path),
                             .inode = stat_->st_ino,
                             .size = stat_->st_size,
                             .modified = stat_->st_mtim,
                             .changed = stat_->st_ctim};
    HASH_ADD_KEYPTR(hh, reports->old_files, old->path, strlen(old->path), old);
}

/* A report that lay there before the tests began, and lies there still as it was, is of another run. */
static bool is_old(const struct reports *reports, const char *path, const struct stat *stat_)
{
    const struct old_file *old = NULL;
    if (HASH_COUNT(reports->old_files) >= OLD_FILES_MAX)
        return true; /* nobody knows */
    HASH_FIND_STR(reports->old_files, path, old);
    return old != NULL && old->inode == stat_->st_ino && old->size == stat_->st_size &&
           is_same_time(old->modified, stat_->st_mtim) &&
           is_same_time(old->changed, stat_->st_ctim);
}

/* Before the start what matches is remembered, behind the end it is a report. */
static void take_file(struct reports *reports, const char *path, const struct stat *stat_)
{
    if (!reports->started)
        remember(reports, path, stat_);
    else if (!is_old(reports, path, stat_))
        texts_add(&reports->files, path);
}

struct search {
    struct reports *reports;
    pcre2_code *glob;
    pcre2_match_data *data;
    int depth;
};

static void look_into(const struct search *search, const char *directory, const char *relative,
                      int depth)
{
    DIR *open_directory = opendir(directory);
    const struct dirent *entry;
    while (open_directory != NULL && (entry = readdir(open_directory)) != NULL &&
           search->reports->files.count < FILES_MAX) {
        struct stat stat_;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        AUTO(text_free) char *path = xasprintf("%s/%s", directory, entry->d_name);
        AUTO(text_free)
        char *name = xasprintf("%s%s%s", relative, relative[0] == '\0' ? "" : "/", entry->d_name);
        if (lstat(path, &stat_) < 0)
            continue;
        if (S_ISDIR(stat_.st_mode) && depth < search->depth)
            look_into(search, path, name, depth + 1);
        else if (S_ISREG(stat_.st_mode) && matches(search->glob, search->data, name))
            take_file(search->reports, path, &stat_);
    }
    if (open_directory != NULL)
        closedir(open_directory);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A plain path is looked at, not searched for. */
static void take_plain(struct reports *reports, const char *path)
{
    struct stat stat_;
    if (lstat(path, &stat_) == 0 && S_ISREG(stat_.st_mode))
        take_file(reports, path, &stat_);
}

/* How far below the place where the search begins a match can lie. */
static int search_depth(const char *pattern)
{
    int depth = 0;
    if (strstr(pattern, "**") != NULL)
        return DEPTH_MAX;
    for (const char *c = pattern; *c != '\0'; c++)
        depth += *c == '/';
    return depth < DEPTH_MAX ? depth : DEPTH_MAX;
}

static void search(struct reports *reports, const char *base, const char *pattern)
{
    struct search search = {
        .reports = reports, .glob = compile_glob(pattern), .depth = search_depth(pattern)};
    if (search.glob == NULL) {
        error_set(&reports->why, "invalid", "report.path %s is no pattern", pattern);
        return;
    }
    search.data = pcre2_match_data_create_from_pattern(search.glob, NULL);
    look_into(&search, base, "", 0);
    pcre2_match_data_free(search.data);
    pcre2_code_free(search.glob);
    if (reports->files.count > 0)
        qsort(reports->files.list, reports->files.count, sizeof *reports->files.list,
              compare_texts);
}

/* The directory part without wildcards is where the search begins. */
static void find_files(struct reports *reports)
{
    const char *pattern = reports->plan.pattern;
    AUTO(text_free)
    char *whole =
        pattern[0] == '/' ? xstrdup(pattern) : xasprintf("%s/%s", reports->directory, pattern);
    size_t before = pattern[0] == '/' ? 0 : strlen(reports->directory) + 1;
    size_t fixed = before + strcspn(whole + before, "*?[");
    if (whole[fixed] == '\0') {
        take_plain(reports, whole);
        return;
    }
    while (fixed > before && whole[fixed - 1] != '/')
        fixed--;
    AUTO(text_free) char *base = xstrndup(whole, fixed);
    search(reports, base, whole + fixed);
}

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

/* What it would have told is missing: the others alone are no whole report. */
static bool open_file(struct reports *reports, const char *path)
{
    reports->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (reports->fd < 0 && errno != ELOOP) {
        reports->worst = REPORT_CUT;
        error_set(&reports->why, "unavailable", "cannot read %s: %s", path, strerror(errno));
    }
    return reports->fd >= 0;
}

bool reports_read_files(struct reports *reports)
{
    static char piece[PIECE_BYTES];
    if (reports->plan.source != REPORT_FROM_FILES)
        return true;
    if (!reports->files_found) {
        find_files(reports);
        reports->files_found = true;
    }
    if (reports->fd < 0) {
        if (reports->next_file >= reports->files.count)
            return true;
        if (!open_file(reports, reports->files.list[reports->next_file++]))
            return false;
        open_reader(reports, 0);
    }
    ssize_t length = read(reports->fd, piece, sizeof piece);
    reports->bytes += length > 0 ? length : 0;
    if (length > 0 && reports->bytes <= LIMIT_REPORT_BYTES) {
        reports->ops->feed(reports->readers[0], piece, (size_t)length);
        return false;
    }
    close_reader(reports, 0);
    fd_close(&reports->fd);
    return reports->next_file >= reports->files.count;
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
    reports->plan.pattern = plan->pattern == NULL ? NULL : xstrdup(plan->pattern);
    reports->handlers = *handlers;
    reports->facts = framework_find(framework);
    reports->framework = executor_framework_find(framework);
    reports->suite_slug = xstrdup(suite_slug);
    reports->directory = xstrdup(directory);
    reports->ordinals = ordinals_new();
    reports->fd = -1;
    reports->ops = plan->reader == NULL ? &null_reader : report_reader_find(plan->reader);
    buffer_init(&reports->line, LINE_BYTES_MAX);
    if (plan->source == REPORT_FROM_FILES)
        find_files(reports);
    reports->started = true;
    return reports;
}

void reports_free(struct reports **reports_p)
{
    struct reports *reports = *reports_p;
    struct old_file *old, *next;
    if (reports == NULL)
        return;
    HASH_ITER (hh, reports->old_files, old, next) {
        HASH_DEL(reports->old_files, old);
        free(old->path);
        free(old);
    }
    for (int i = 0; i < OUTPUTS; i++)
        if (reports->readers[i] != NULL)
            reports->ops->free(&reports->readers[i]);
    fd_close(&reports->fd);
    free(reports->plan.pattern);
    free(reports->suite_slug);
    free(reports->directory);
    ordinals_free(&reports->ordinals);
    texts_deinit(&reports->files);
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
