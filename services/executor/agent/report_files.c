/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/report_files.h"

#include <dirent.h>
#include <errno.h>
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <uthash.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/fields.h"

#define FILES_MAX     10000
#define OLD_FILES_MAX 200000
#define DEPTH_MAX     64 /* directories in one another */

/* A file that matched before the tests began. */
struct old_file {
    char *path;
    ino_t inode;
    off_t size;
    struct timespec modified, changed;
    UT_hash_handle hh;
};

struct report_files {
    char *directory, *pattern;
    struct old_file *old;
    struct texts found;
    size_t next;
    bool ended;   /* the tests have, and what matches now was looked for */
    bool missing; /* there may be more, and `why` is to be told */
    struct error why;
};

struct search {
    struct report_files *files;
    pcre2_code *glob;
    pcre2_match_data *data;
    int depth; /* how far below its beginning a match can lie */
    bool
        follows_links; /* to directories; where every depth matches they may lead round and round */
};

/* ---- which count ------------------------------------------------------------------------------ */

/* There may be reports that are not found: the first reason is told. Before the tests began none was. */
static struct error *may_be_more(struct report_files *files)
{
    if (!files->ended || files->missing)
        return NULL;
    files->missing = true;
    return &files->why;
}

static bool is_full(const struct report_files *files)
{
    return files->found.count >= FILES_MAX && files->missing;
}

static bool is_same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static void remember(struct report_files *files, const char *path, const struct stat *status)
{
    if (HASH_COUNT(files->old) >= OLD_FILES_MAX)
        return;
    struct old_file *old = xcalloc(1, sizeof *old);
    *old = (struct old_file){.path = xstrdup(path),
                             .inode = status->st_ino,
                             .size = status->st_size,
                             .modified = status->st_mtim,
                             .changed = status->st_ctim};
    HASH_ADD_KEYPTR(hh, files->old, old->path, strlen(old->path), old);
}

/* A report that lay there before the tests began, and lies there still as it was, is of another run. */
static bool is_old(const struct report_files *files, const char *path, const struct stat *status)
{
    const struct old_file *old = NULL;
    HASH_FIND_STR(files->old, path, old);
    return old != NULL && old->inode == status->st_ino && old->size == status->st_size &&
           is_same_time(old->modified, status->st_mtim) &&
           is_same_time(old->changed, status->st_ctim);
}

static void take(struct report_files *files, const char *path, const struct stat *status)
{
    if (!files->ended)
        remember(files, path, status);
    else if (HASH_COUNT(files->old) >= OLD_FILES_MAX)
        error_set(may_be_more(files), "unavailable",
                  "%d files matched report.path before the tests began: which are new?",
                  OLD_FILES_MAX);
    else if (is_old(files, path, status))
        return;
    else if (files->found.count >= FILES_MAX)
        error_set(may_be_more(files), "unavailable", "more than %d files match report.path",
                  FILES_MAX);
    else
        texts_add(&files->found, path);
}

/* ---- finding ---------------------------------------------------------------------------------- */

/* A glob with ** as an expression over paths relative to the directory. */
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

static bool matches(const struct search *search, const char *path)
{
    return pcre2_match(search->glob, (PCRE2_SPTR)path, strlen(path), 0, 0, search->data, NULL) >= 0;
}

static void look_into(const struct search *search, const char *directory, const char *relative,
                      int depth);

static void look_at(const struct search *search, const char *path, const char *relative, int depth)
{
    struct stat link, status;
    if (lstat(path, &link) < 0 || stat(path, &status) < 0)
        return; /* gone since, or a link to nowhere */
    if (S_ISREG(status.st_mode) && matches(search, relative)) {
        take(search->files, path, &status);
        return;
    }
    if (!S_ISDIR(status.st_mode) || (S_ISLNK(link.st_mode) && !search->follows_links))
        return;
    if (depth < search->depth)
        look_into(search, path, relative, depth + 1);
    else if (depth >= DEPTH_MAX)
        error_set(may_be_more(search->files), "unavailable",
                  "below %s are more than %d directories in one another", search->files->directory,
                  DEPTH_MAX);
}

static void look_into(const struct search *search, const char *directory, const char *relative,
                      int depth)
{
    const struct dirent *entry;
    DIR *stream = opendir(directory);
    if (stream == NULL && errno != ENOENT)
        error_set(may_be_more(search->files), "unavailable", "cannot look into %s: %s", directory,
                  strerror(errno));
    while (stream != NULL && !is_full(search->files) && (entry = readdir(stream)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        AUTO(text_free) char *path = xasprintf("%s/%s", directory, entry->d_name);
        AUTO(text_free)
        char *name = xasprintf("%s%s%s", relative, relative[0] == '\0' ? "" : "/", entry->d_name);
        look_at(search, path, name, depth);
    }
    if (stream != NULL)
        closedir(stream);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A plain path is looked at, not searched for. */
static void take_plain(struct report_files *files, const char *path)
{
    struct stat status;
    if (stat(path, &status) == 0 && S_ISREG(status.st_mode))
        take(files, path, &status);
}

static int search_depth(const char *pattern)
{
    int depth = 0;
    if (strstr(pattern, "**") != NULL)
        return DEPTH_MAX;
    for (const char *c = pattern; *c != '\0'; c++)
        depth += *c == '/';
    return depth < DEPTH_MAX ? depth : DEPTH_MAX;
}

static void search(struct report_files *files, const char *base, const char *pattern)
{
    struct search search = {.files = files,
                            .glob = compile_glob(pattern),
                            .depth = search_depth(pattern),
                            .follows_links = strstr(pattern, "**") == NULL};
    if (search.glob == NULL) {
        error_set(may_be_more(files), "unavailable", "report.path %s is no pattern", pattern);
        return;
    }
    search.data = pcre2_match_data_create_from_pattern(search.glob, NULL);
    look_into(&search, base, "", 0);
    pcre2_match_data_free(search.data);
    pcre2_code_free(search.glob);
    if (files->found.count > 0)
        qsort(files->found.list, files->found.count, sizeof *files->found.list, compare_texts);
}

/* The directory part without wildcards is where the search begins; what stands before the pattern is none. */
static void find(struct report_files *files)
{
    const char *pattern = files->pattern;
    AUTO(text_free)
    char *whole =
        pattern[0] == '/' ? xstrdup(pattern) : xasprintf("%s/%s", files->directory, pattern);
    size_t before = pattern[0] == '/' ? 0 : strlen(files->directory) + 1;
    size_t fixed = before + strcspn(whole + before, "*?[");
    if (whole[fixed] == '\0') {
        take_plain(files, whole);
        return;
    }
    while (fixed > before && whole[fixed - 1] != '/')
        fixed--;
    AUTO(text_free) char *base = xstrndup(whole, fixed);
    search(files, base, whole + fixed);
}

struct report_files *report_files_new(const char *directory, const char *pattern)
{
    struct report_files *files = xcalloc(1, sizeof *files);
    files->directory = xstrdup(directory);
    files->pattern = xstrdup(pattern);
    find(files);
    return files;
}

void report_files_free(struct report_files **files_p)
{
    struct report_files *files = *files_p;
    struct old_file *old, *next;
    if (files == NULL)
        return;
    HASH_ITER (hh, files->old, old, next) {
        HASH_DEL(files->old, old);
        free(old->path);
        free(old);
    }
    free(files->directory);
    free(files->pattern);
    texts_deinit(&files->found);
    memory_free(files_p);
}

int report_files_next(struct report_files *files, const char **path_r, struct error *error)
{
    *path_r = NULL;
    if (!files->ended) {
        files->ended = true;
        find(files);
    }
    if (files->next < files->found.count) {
        *path_r = files->found.list[files->next++];
        return 0;
    }
    if (!files->missing)
        return 0;
    files->missing = false;
    *error = files->why;
    return -1;
}
