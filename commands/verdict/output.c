/* SPDX-License-Identifier: Apache-2.0 */
/* Tables, colours, times. */
#include "output.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"
#include "model/endings.h"

/* "##[" begins an order to GitHub's runner wherever it stands in a line; in JSON it can be written otherwise. */
void print_json(const json_t *json)
{
    AUTO(text_free) char *text = json_text(json);
    const char *from = text;
    for (const char *order; (order = strstr(from, "##[")) != NULL; from = order + 2)
        printf("%.*s#\\u0023", (int)(order - from), from);
    puts(from);
}

int print_document(bool as_json, const char *kind, const char *name, void (*put)(FILE *out))
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = as_json ? open_memstream(&text, &length) : stdout;
    put(out);
    if (as_json) {
        fclose(out);
        AUTO(json_free) json_t *json = json_pack("{s:s, s:s}", kind, name, "text", text);
        free(text);
        print_json(json);
    }
    return EXIT_PASSED;
}

bool is_colourful(FILE *out)
{
    const char *no = getenv("NO_COLOR"), *terminal = getenv("TERM");
    if (no != NULL && no[0] != '\0')
        return false;
    return isatty(fileno(out)) && (terminal == NULL || strcmp(terminal, "dumb") != 0);
}

static const struct {
    const char *state, *escape;
} colours[] = {
    {"passed", "\033[32m"},    {"failed", "\033[31m"},  {"errored", "\033[35m"},
    {"timed_out", "\033[35m"}, {"skipped", "\033[33m"}, {"blocked", "\033[35m"},
    {"cancelled", "\033[33m"}, {"running", "\033[36m"}, {"bold", "\033[1m"},
    {"dim", "\033[2m"},
};

const char *colour_begin(FILE *out, const char *state)
{
    if (!is_colourful(out))
        return "";
    for (size_t i = 0; i < ARRAY_SIZE(colours); i++)
        if (strcmp(colours[i].state, state) == 0)
            return colours[i].escape;
    return "";
}

const char *colour_end(FILE *out)
{
    return is_colourful(out) ? "\033[0m" : "";
}

/* C1 controls are U+0080 to U+009F: in UTF-8 0xC2 0x80 to 0xC2 0x9F. */
char *clean_text(const char *text)
{
    char *copy = xstrdup(text == NULL ? "" : text), *to = copy;
    for (const unsigned char *from = (const unsigned char *)copy; *from != '\0'; from++) {
        if (from[0] == 0xC2 && from[1] >= 0x80 && from[1] <= 0x9F) {
            from++;
            continue;
        }
        if ((*from >= 0x20 && *from != 0x7F) || *from == '\n' || *from == '\t')
            *to++ = (char)*from;
    }
    *to = '\0';
    return copy;
}

const char *span_format(int64_t ms, char text[SPAN_TEXT_SIZE])
{
    int64_t s = ms / 1000;
    if (s < 60)
        snprintf(text, SPAN_TEXT_SIZE, "%" PRId64 ".%" PRId64 " s", s, ms % 1000 / 100);
    else if (s < 3600)
        snprintf(text, SPAN_TEXT_SIZE, "%" PRId64 " min %02" PRId64 " s", s / 60, s % 60);
    else
        snprintf(text, SPAN_TEXT_SIZE, "%" PRId64 " h %02" PRId64 " min", s / 3600, s % 3600 / 60);
    return text;
}

const json_t *member_get(const json_t *object, const char *path)
{
    AUTO(text_free) char *copy = xstrdup(path);
    char *state = NULL;
    for (char *part = strtok_r(copy, ".", &state); part != NULL && object != NULL;
         part = strtok_r(NULL, ".", &state))
        object = json_object_get(object, part);
    return object;
}

/* {"os": "linux", "gpu": true} → "os=linux gpu=true"; ["a", "b"] → "a b". */
static char *compound_text(const json_t *value)
{
    char *text = xstrdup("");
    const char *name;
    json_t *entry;
    size_t index;
    json_object_foreach ((json_t *)(uintptr_t)value, name, entry) {
        AUTO(text_free) char *before = text;
        AUTO(text_free) char *inner = member_text(value, name);
        text = xasprintf("%s%s%s=%s", before, before[0] == '\0' ? "" : " ", name, inner);
    }
    json_array_foreach (value, index, entry) {
        AUTO(text_free) char *before = text;
        AUTO(text_free)
        char *inner =
            json_is_string(entry) ? clean_text(json_string_value(entry)) : json_text(entry);
        text = xasprintf("%s%s%s", before, before[0] == '\0' ? "" : " ", inner);
    }
    return text;
}

char *member_text(const json_t *object, const char *path)
{
    const json_t *value = member_get(object, path);
    if (value == NULL || json_is_null(value))
        return xstrdup("");
    if (json_is_string(value))
        return clean_text(json_string_value(value));
    if (json_is_integer(value))
        return xasprintf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
    if (json_is_boolean(value))
        return xstrdup(json_is_true(value) ? "true" : "false");
    if (json_is_real(value))
        return xasprintf("%g", json_real_value(value));
    return compound_text(value);
}

/* Characters, not bytes. */
static int width_of(const char *text)
{
    int width = 0;
    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

/* What lies behind U+1100 may take two columns (Hangul, CJK, emoji): it is taken as if it did, so that a line
 * never wraps. (wcwidth asks the locale, which a pipeline mostly leaves at C.) */
size_t columns_cut(const char *text, int columns)
{
    const unsigned char *c = (const unsigned char *)text;
    while (*c != '\0') {
        int bytes = *c < 0x80 ? 1 : *c < 0xE0 ? 2 : *c < 0xF0 ? 3 : 4;
        bool is_wide =
            bytes == 4 || (bytes == 3 && (c[0] > 0xE1 || (c[0] == 0xE1 && c[1] >= 0x84)));
        /* Punctuation, arrows and signs in between are of one column. */
        is_wide &= !(c[0] == 0xE2 && c[1] < 0xBA);
        columns -= is_wide ? 2 : 1;
        if (columns < 0)
            break;
        for (c++; (*c & 0xC0) == 0x80; c++)
            continue;
    }
    return (size_t)(c - (const unsigned char *)text);
}

static void print_cell(const char *text, int width, bool is_last)
{
    printf("%s", text);
    for (int i = width_of(text); !is_last && i < width + 2; i++)
        putchar(' ');
}

void print_table(const json_t *items, const struct column *columns, int count)
{
    int widths[16] = {0};
    size_t rows = json_array_size(items);
    for (int c = 0; c < count; c++) {
        widths[c] = width_of(columns[c].title);
        for (size_t r = 0; r < rows; r++) {
            AUTO(text_free) char *text = member_text(json_array_get(items, r), columns[c].path);
            widths[c] = width_of(text) > widths[c] ? width_of(text) : widths[c];
        }
    }
    for (int c = 0; c < count; c++)
        print_cell(columns[c].title, widths[c], c == count - 1);
    putchar('\n');
    for (size_t r = 0; r < rows; r++) {
        for (int c = 0; c < count; c++) {
            AUTO(text_free) char *text = member_text(json_array_get(items, r), columns[c].path);
            print_cell(text, widths[c], c == count - 1);
        }
        putchar('\n');
    }
}

char *case_title(const json_t *result)
{
    AUTO(text_free) char *class = member_text(result, "class");
    AUTO(text_free) char *name = member_text(result, "name");
    AUTO(text_free) char *parameters = member_text(result, "parameters");
    AUTO(text_free) char *variant = member_text(result, "variant");
    return xasprintf("%s%s%s%s%s%s%s%s%s", class, class[0] == '\0' ? "" : "::", name,
                     parameters[0] == '\0' ? "" : "[", parameters, parameters[0] == '\0' ? "" : "]",
                     variant[0] == '\0' ? "" : " (", variant, variant[0] == '\0' ? "" : ")");
}
