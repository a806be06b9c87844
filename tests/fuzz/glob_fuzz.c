/* SPDX-License-Identifier: Apache-2.0 */
/* seeds: tests/data/glob */
/* A suite's pattern for reports and artifacts, over a few files with names that are made for it to go wrong at. What
 * is found lies inside the directory. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/report_files.h"
#include "base/memory.h"
#include "base/text.h"
#include "model/suite.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static char directory[] = "/tmp/verdict-glob-XXXXXX";
static const char *const names[] = {
    "report.xml", "a/b/c/report.xml", "a/b/[x].xml", "\xff.xml",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"};

static void at_each(void (*act)(const char *path))
{
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        AUTO(text_free) char *path = xasprintf("%s/%s", directory, names[i]);
        act(path);
    }
}

static void make_file(const char *path)
{
    AUTO(text_free) char *above = xstrdup(path);
    for (char *slash = above + sizeof directory; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        mkdir(above, 0700);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    assert(file != NULL);
    fclose(file);
}

static void remove_file(const char *path)
{
    AUTO(text_free) char *above = xstrdup(path);
    do
        remove(above);
    while (strlen(above) > sizeof directory && (*strrchr(above, '/') = '\0', true));
}

static void remove_directory(void)
{
    at_each(remove_file);
    rmdir(directory);
}

static void make_directory(void)
{
    static bool is_there;
    if (is_there)
        return;
    is_there = true;
    assert(mkdtemp(directory) != NULL);
    atexit(remove_directory);
    at_each(make_file);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    AUTO(text_free) char *pattern = xcalloc(length + 1, 1);
    memcpy(pattern, bytes, length);
    if (length > 4096 || pattern[0] == '/' || !path_stays_inside(pattern))
        return 0; /* the API refuses them */
    make_directory();
    struct report_files *files = report_files_new(directory, pattern);
    struct error error;
    const char *path = NULL;
    while (report_files_next(files, &path, &error) < 0 || path != NULL) {
        assert(path == NULL || text_starts(path, directory));
        path = NULL;
    }
    report_files_free(&files);
    return 0;
}
