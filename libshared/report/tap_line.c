/* SPDX-License-Identifier: Apache-2.0 */
/* A # may be of the name, of a directive, or of what node-tap adds. */
#include "report/tap_line.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "model/limits.h"

/* Where a directive begins: a # behind white space, and not a \#. What stands behind it and is none ("issue #12")
 * is of the name. NULL when there is none. */
static const char *find_directive(const char *text)
{
    for (const char *mark = strchr(text, '#'); mark != NULL; mark = strchr(mark + 1, '#')) {
        const char *word = mark + 1 + strspn(mark + 1, " \t");
        bool is_word = strncasecmp(word, "skip", 4) == 0 || strncmp(word, "time=", 5) == 0 ||
                       (strncasecmp(word, "todo", 4) == 0 && !isalnum((unsigned char)word[4]));
        if (is_word && (mark == text || isspace((unsigned char)mark[-1])))
            return mark;
    }
    return NULL;
}

/* Without the backslashes that say what a # is not, and of two the second: TAP 14 knows it, Perl does not. */
static void add_name(struct tap_line *line, const char *text, size_t length, int64_t version)
{
    while (length > 0 && isspace((unsigned char)text[length - 1]))
        length--;
    if (length == 0)
        cut_text_add(&line->name, "test", 4);
    for (size_t i = 0; i < length; i++) {
        char next = i + 1 < length && text[i] == '\\' ? text[i + 1] : '\0';
        if (next == '#' || (next == '\\' && version >= 14))
            i++;
        cut_text_add(&line->name, &text[i], 1);
    }
}

/* "time=12.5ms" is what node-tap tells there. */
static void read_directive(struct tap_line *line, const char *word)
{
    if (strncmp(word, "time=", 5) == 0) {
        char *unit;
        double time = strtod(word + 5, &unit);
        int64_t ms = strncmp(unit, "ms", 2) == 0 ? 1 : 1000;
        line->duration_ms = time > 0 && time < 1e9 ? (int64_t)(time * (double)ms + 0.5) : 0;
        return;
    }
    cut_text_add(&line->directive, word, strlen(word));
}

void tap_line_init(struct tap_line *line)
{
    cut_text_init(&line->name, LIMIT_CASE_NAME_BYTES);
    cut_text_init(&line->directive, LIMIT_RESULT_MESSAGE_BYTES);
}

void tap_line_deinit(struct tap_line *line)
{
    cut_text_deinit(&line->name);
    cut_text_deinit(&line->directive);
}

void tap_line_read(struct tap_line *line, const char *text, int64_t version)
{
    char *end;
    cut_text_clear(&line->name);
    cut_text_clear(&line->directive);
    line->duration_ms = 0;
    strtoll(text, &end, 10);
    text = end + strspn(end, " \t");
    if (*text == '-')
        text += 1 + strspn(text + 1, " \t");
    const char *directive = find_directive(text);
    add_name(line, text, directive == NULL ? strlen(text) : (size_t)(directive - text), version);
    if (directive != NULL)
        read_directive(line, directive + 1 + strspn(directive + 1, " \t"));
}
