/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle/ignore.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct pattern {
    char *text; /* relative to the directory; "**" in front when it counts at every depth */
    bool is_exception, is_of_directories;
};

struct ignore {
    char *at;
    const struct ignore *above;
    struct pattern *list;
    size_t count, capacity;
};

/* ---- reading ------------------------------------------------------------------------------------ */

/* Blanks at its end count only behind a backslash. */
static size_t trimmed_length(const char *line, size_t length)
{
    while (length > 0 && (line[length - 1] == ' ' || line[length - 1] == '\t') &&
           !(length > 1 && line[length - 2] == '\\'))
        length--;
    return length;
}

static void add_line(struct ignore *ignore, const char *line, size_t length)
{
    struct pattern pattern = {.text = NULL};
    if (length > 0 && line[length - 1] == '\r')
        length--;
    length = trimmed_length(line, length);
    if (length == 0 || line[0] == '#')
        return;
    if (line[0] == '!') {
        pattern.is_exception = true;
        line++;
        length--;
    }
    if (length > 0 && line[length - 1] == '/') {
        pattern.is_of_directories = true;
        length--;
    }
    const char *slash = memchr(line, '/', length);
    if (slash == line) {
        line++;
        length--;
    }
    if (length == 0)
        return;
    pattern.text = xasprintf("%s%.*s", slash == NULL ? "**/" : "", (int)length, line);
    ignore->list =
        array_reserve(ignore->list, &ignore->capacity, ignore->count, sizeof *ignore->list);
    ignore->list[ignore->count++] = pattern;
}

struct ignore *ignore_new(const char *text, const char *at, const struct ignore *above)
{
    struct ignore *ignore = xcalloc(1, sizeof *ignore);
    ignore->at = xstrdup(at);
    ignore->above = above;
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        add_line(ignore, text, length);
        text += length + (text[length] == '\n' ? 1 : 0);
    }
    return ignore;
}

void ignore_free(struct ignore **ignore)
{
    if (*ignore == NULL)
        return;
    for (size_t i = 0; i < (*ignore)->count; i++)
        free((*ignore)->list[i].text);
    free((*ignore)->list);
    free((*ignore)->at);
    memory_free(ignore);
}

/* ---- asking ------------------------------------------------------------------------------------- */

static bool is_any_depth(const char *pattern)
{
    return strncmp(pattern, "**", 2) == 0 && (pattern[2] == '/' || pattern[2] == '\0');
}

static bool name_fits(const char *pattern, size_t pattern_length, const char *name, size_t length)
{
    AUTO(text_free) char *wanted = xstrndup(pattern, pattern_length);
    AUTO(text_free) char *given = xstrndup(name, length);
    return fnmatch(wanted, given, 0) == 0;
}

/* Name by name; "**" stands for any number of them, at the end for at least one. Where it goes wrong the last "**"
 * takes one name more; those before it never need to, so a pattern is as quick as it is long. */
static bool fits(const char *pattern, const char *path)
{
    const char *behind = NULL; /* what follows the last "**" */
    const char *tried = NULL;  /* and where that was tried */
    for (;;) {
        while (is_any_depth(pattern)) {
            if (pattern[2] == '\0')
                return true;
            pattern = behind = pattern + 3;
            tried = path;
        }
        size_t wanted = strcspn(pattern, "/"), given = strcspn(path, "/");
        bool is_last = pattern[wanted] == '\0' || path[given] == '\0';
        bool is_fit = name_fits(pattern, wanted, path, given);
        if (is_fit && is_last && pattern[wanted] == path[given])
            return true;
        if (is_fit && !is_last) {
            pattern += wanted + 1;
            path += given + 1;
            continue;
        }
        if (tried == NULL || (tried = strchr(tried, '/')) == NULL)
            return false;
        pattern = behind;
        path = ++tried;
    }
}

enum ignore_word ignore_ask(const struct ignore *ignore, const char *path, bool is_directory)
{
    for (; ignore != NULL; ignore = ignore->above) {
        const char *below = path + (ignore->at[0] == '\0' ? 0 : strlen(ignore->at) + 1);
        for (size_t i = ignore->count; i-- > 0;) {
            const struct pattern *pattern = &ignore->list[i];
            if ((is_directory || !pattern->is_of_directories) && fits(pattern->text, below))
                return pattern->is_exception ? IGNORE_KEEPS : IGNORE_LEAVES_OUT;
        }
    }
    return IGNORE_SAYS_NOTHING;
}
