/* SPDX-License-Identifier: Apache-2.0 */
/* Files and lines of cases. */
#include "ci/place.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "output.h"

#define LINE_MAX_VALUE 10000000

/* "" when it is not there or not below the root. */
static char *below(const char *root, const char *folder, const char *inner, const char *file)
{
    AUTO(text_free)
    char *path = file[0] == '/' ? xstrdup(file) : xasprintf("%s/%s/%s", folder, inner, file);
    char *real = realpath(path, NULL), *top = realpath(root, NULL), *found = NULL;
    size_t length = top == NULL ? 0 : strlen(top);
    if (real != NULL && top != NULL && text_starts(real, top) && real[length] == '/')
        found = xstrdup(real + length + 1);
    free(real);
    free(top);
    return found == NULL ? xstrdup("") : found;
}

char *place_of_case(const struct cli_options *options, const char *root, const json_t *result)
{
    char *file = member_text(result, "file");
    const char *folder = options->path != NULL     ? options->path
                         : options->bundle != NULL ? options->bundle
                                                   : ".";
    const char *inner = options->directory == NULL ? "." : options->directory;
    if (file[0] == '\0' || root == NULL)
        return file;
    AUTO(text_free) char *found = below(root, folder, inner, file);
    if (found[0] == '\0')
        return file;
    text_free(&file);
    return TAKE(found);
}

/* "file:12", "file\", line 12". */
static int64_t line_behind(const char *text)
{
    static const char *const marks[] = {":", "\", line ", "(", ", line "};
    for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
        char *end = NULL;
        if (!text_starts(text, marks[i]))
            continue;
        long value = strtol(text + strlen(marks[i]), &end, 10);
        if (end != text + strlen(marks[i]) && value > 0 && value < LINE_MAX_VALUE)
            return value;
    }
    return 0;
}

int64_t place_line_of_case(const json_t *result)
{
    AUTO(text_free) char *file = member_text(result, "file");
    AUTO(text_free) char *trace = member_text(result, "trace");
    int64_t line = 0;
    if (file[0] == '\0')
        return 0;
    for (const char *at = trace; (at = strstr(at, file)) != NULL;) {
        at += strlen(file);
        int64_t here = line_behind(at);
        line = here > 0 ? here : line;
    }
    return line;
}
