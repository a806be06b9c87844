/* SPDX-License-Identifier: Apache-2.0 */
/* A push parser of JSON (RFC 8259) in constant memory. */
#include "report/json_scan.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define DEPTH_MAX   512
#define PATH_LEVELS 12 /* those that have a path */
#define KEY_BYTES   64
#define WORD_BYTES  64 /* a number, true, false, null */

enum expected {
    VALUE,
    VALUE_OR_END, /* behind [ */
    KEY_OR_END,   /* behind { */
    KEY,          /* behind a comma in an object */
    COLON,
    COMMA_OR_END,
};

enum token { NO_TOKEN, TEXT, ESCAPE, UNICODE, WORD };

struct json_scan {
    struct json_scan_handlers handlers;
    enum expected expected;
    enum token token;
    bool is_list[DEPTH_MAX];
    int depth;
    size_t path_ends[PATH_LEVELS]; /* of the lists and objects that are open */
    char path[PATH_LEVELS * (KEY_BYTES + 1) + 1];
    bool is_key; /* the text that is read */
    struct cut_text key;
    struct cut_text *wanted; /* by the reader; NULL: nobody */
    char word[WORD_BYTES];
    size_t word_length;
    unsigned unit, high; /* of \u: what is read, and the first half of a pair */
    int digits;
    int64_t documents;
    int64_t at;
    char error[100];
};

static void fail(struct json_scan *scan, const char *why)
{
    snprintf(scan->error, sizeof scan->error, "byte %lld: %s", (long long)scan->at, why);
}

/* ---- paths -------------------------------------------------------------------------------------- */

static bool has_path(const struct json_scan *scan)
{
    return scan->depth < PATH_LEVELS;
}

static const char *current_path(const struct json_scan *scan)
{
    return has_path(scan) ? scan->path : "?";
}

static bool is_told(const char *key)
{
    return key[0] != '\0' && strlen(key) < KEY_BYTES && strpbrk(key, ".*?") == NULL;
}

/* What stands in the innermost list or object, under this name. */
static void enter(struct json_scan *scan, const char *name)
{
    if (!has_path(scan))
        return;
    size_t end = scan->path_ends[scan->depth - 1];
    snprintf(scan->path + end, sizeof scan->path - end, "%s%s", end > 0 ? "." : "", name);
}

/* Back to the innermost list or object itself. */
static void leave(struct json_scan *scan)
{
    if (scan->depth == 0)
        scan->path[0] = '\0';
    else if (has_path(scan))
        scan->path[scan->path_ends[scan->depth - 1]] = '\0';
}

/* ---- values ------------------------------------------------------------------------------------- */

static void begin_value(struct json_scan *scan)
{
    if (scan->depth > 0 && scan->is_list[scan->depth - 1])
        enter(scan, "*");
}

static void end_value(struct json_scan *scan)
{
    leave(scan);
    scan->expected = scan->depth == 0 ? VALUE : COMMA_OR_END;
    scan->documents += scan->depth == 0;
}

static void open_nested(struct json_scan *scan, bool is_list)
{
    begin_value(scan);
    if (scan->depth == DEPTH_MAX) {
        fail(scan, "nested too deeply");
        return;
    }
    scan->handlers.on_open(scan->handlers.context, current_path(scan));
    if (has_path(scan))
        scan->path_ends[scan->depth] = strlen(scan->path);
    scan->is_list[scan->depth++] = is_list;
    scan->expected = is_list ? VALUE_OR_END : KEY_OR_END;
}

static void close_nested(struct json_scan *scan)
{
    leave(scan);
    scan->depth--;
    scan->handlers.on_close(scan->handlers.context, current_path(scan));
    end_value(scan);
}

static struct cut_text *want(struct json_scan *scan)
{
    return scan->handlers.on_value(scan->handlers.context, current_path(scan));
}

static void begin_text(struct json_scan *scan)
{
    scan->token = TEXT;
    scan->is_key = scan->expected == KEY || scan->expected == KEY_OR_END;
    scan->wanted = &scan->key;
    cut_text_clear(&scan->key);
    if (scan->is_key)
        return;
    begin_value(scan);
    scan->wanted = want(scan);
}

static void end_text(struct json_scan *scan)
{
    scan->token = NO_TOKEN;
    if (!scan->is_key) {
        end_value(scan);
        return;
    }
    const char *key = cut_text_get(&scan->key);
    enter(scan, key != NULL && is_told(key) ? key : "?");
    scan->expected = COLON;
}

static bool is_number(const char *word)
{
    char *end;
    strtod(word, &end);
    return (word[0] == '-' || isdigit((unsigned char)word[0])) && *end == '\0';
}

/* What some tools write where a number has no value is as silent as null. */
static bool is_silent(const char *word)
{
    static const char *const words[] = {"null", "NaN", "Infinity", "-Infinity"};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcmp(word, words[i]) == 0)
            return true;
    return false;
}

static void end_word(struct json_scan *scan)
{
    scan->token = NO_TOKEN;
    scan->word[scan->word_length] = '\0';
    if (!is_silent(scan->word)) {
        bool is_known = strcmp(scan->word, "true") == 0 || strcmp(scan->word, "false") == 0;
        if (!is_known && !is_number(scan->word)) {
            fail(scan, "neither a text nor a number");
            return;
        }
        struct cut_text *wanted = want(scan);
        if (wanted != NULL)
            cut_text_add(wanted, scan->word, scan->word_length);
    }
    end_value(scan);
}

/* ---- texts -------------------------------------------------------------------------------------- */

static void add_bytes(struct json_scan *scan, const char *bytes, size_t length)
{
    if (scan->wanted != NULL)
        cut_text_add(scan->wanted, bytes, length);
}

static void add_character(struct json_scan *scan, unsigned c)
{
    char bytes[4];
    size_t length = 1;
    if (c < 0x80) {
        bytes[0] = (char)c;
    } else if (c < 0x800) {
        bytes[0] = (char)(0xc0 | c >> 6);
        length = 2;
    } else if (c < 0x10000) {
        bytes[0] = (char)(0xe0 | c >> 12);
        length = 3;
    } else {
        bytes[0] = (char)(0xf0 | c >> 18);
        length = 4;
    }
    for (size_t i = 1; i < length; i++)
        bytes[i] = (char)(0x80 | (c >> (6 * (length - 1 - i)) & 0x3f));
    add_bytes(scan, bytes, length);
}

/* Half of a pair, without the other. */
static void end_half(struct json_scan *scan)
{
    if (scan->high != 0)
        add_character(scan, 0xfffd);
    scan->high = 0;
}

static void end_unit(struct json_scan *scan)
{
    unsigned unit = scan->unit;
    scan->token = TEXT;
    if (unit >= 0xdc00 && unit < 0xe000 && scan->high != 0) {
        add_character(scan, 0x10000 + ((scan->high - 0xd800) << 10) + (unit - 0xdc00));
        scan->high = 0;
        return;
    }
    end_half(scan);
    if (unit >= 0xd800 && unit < 0xdc00)
        scan->high = unit;
    else
        add_character(scan, unit == 0 || (unit >= 0xdc00 && unit < 0xe000) ? 0xfffd : unit);
}

static void take_digit(struct json_scan *scan, char c)
{
    if (!isxdigit((unsigned char)c)) {
        fail(scan, "\\u without four digits");
        return;
    }
    scan->unit =
        scan->unit << 4 | (unsigned)(isdigit((unsigned char)c) ? c - '0' : (c | 32) - 'a' + 10);
    if (++scan->digits == 4)
        end_unit(scan);
}

static void take_escape(struct json_scan *scan, char c)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *found = c == '\0' ? NULL : strchr(from, c);
    if (c == 'u') {
        scan->token = UNICODE;
        scan->unit = 0;
        scan->digits = 0;
    } else if (found != NULL) {
        end_half(scan);
        add_bytes(scan, &to[found - from], 1);
        scan->token = TEXT;
    } else {
        fail(scan, "an escape that JSON does not have");
    }
}

/* Returns how many bytes of the text were taken. */
static size_t take_text(struct json_scan *scan, const char *bytes, size_t length)
{
    size_t plain = 0;
    while (plain < length && bytes[plain] != '"' && bytes[plain] != '\\' &&
           (unsigned char)bytes[plain] >= ' ')
        plain++;
    if (plain > 0) {
        end_half(scan);
        add_bytes(scan, bytes, plain);
        return plain;
    }
    if (bytes[0] == '\\') {
        scan->token = ESCAPE;
    } else if (bytes[0] == '"') {
        end_half(scan);
        end_text(scan);
    } else {
        fail(scan, "a control character inside a text");
    }
    return 1;
}

/* ---- between tokens ----------------------------------------------------------------------------- */

static bool may_end(const struct json_scan *scan, bool is_list)
{
    enum expected empty = is_list ? VALUE_OR_END : KEY_OR_END;
    return scan->depth > 0 && scan->is_list[scan->depth - 1] == is_list &&
           (scan->expected == COMMA_OR_END || scan->expected == empty);
}

static bool may_begin_value(const struct json_scan *scan)
{
    return scan->expected == VALUE || scan->expected == VALUE_OR_END;
}

static bool is_of_word(char c)
{
    return isalnum((unsigned char)c) || c == '-' || c == '+' || c == '.';
}

static void begin_word(struct json_scan *scan)
{
    begin_value(scan);
    scan->token = WORD;
    scan->word_length = 0;
}

static void take_structure(struct json_scan *scan, char c)
{
    bool may_be_key = scan->expected == KEY || scan->expected == KEY_OR_END;
    if ((c == '{' || c == '[') && may_begin_value(scan)) {
        open_nested(scan, c == '[');
    } else if ((c == '}' && may_end(scan, false)) || (c == ']' && may_end(scan, true))) {
        close_nested(scan);
    } else if (c == '"' && (may_be_key || may_begin_value(scan))) {
        begin_text(scan);
    } else if (c == ',' && scan->expected == COMMA_OR_END) {
        scan->expected = scan->is_list[scan->depth - 1] ? VALUE : KEY;
    } else if (c == ':' && scan->expected == COLON) {
        scan->expected = VALUE;
    } else if (c != ' ' && c != '\t' && c != '\n' && c != '\r') {
        fail(scan, "not JSON");
    }
}

/* Returns how many bytes were taken: none of what ends a word without being of it. */
static size_t take(struct json_scan *scan, const char *bytes, size_t length)
{
    switch (scan->token) {
    case TEXT:
        return take_text(scan, bytes, length);
    case ESCAPE:
        take_escape(scan, bytes[0]);
        return 1;
    case UNICODE:
        take_digit(scan, bytes[0]);
        return 1;
    case WORD:
        if (!is_of_word(bytes[0])) {
            end_word(scan);
            return 0;
        }
        if (scan->word_length == WORD_BYTES - 1)
            fail(scan, "a number that is too long");
        else
            scan->word[scan->word_length++] = bytes[0];
        return 1;
    case NO_TOKEN:
        break;
    }
    if (is_of_word(bytes[0]) && may_begin_value(scan)) {
        begin_word(scan);
        return 0;
    }
    take_structure(scan, bytes[0]);
    return 1;
}

/* ---- the interface ------------------------------------------------------------------------------ */

struct json_scan *json_scan_new(const struct json_scan_handlers *handlers)
{
    struct json_scan *scan = xcalloc(1, sizeof *scan);
    scan->handlers = *handlers;
    cut_text_init(&scan->key, KEY_BYTES);
    return scan;
}

void json_scan_free(struct json_scan **scan)
{
    if (*scan == NULL)
        return;
    cut_text_deinit(&(*scan)->key);
    memory_free(scan);
}

void json_scan_feed(struct json_scan *scan, const char *bytes, size_t length)
{
    static const char mark[] = "\xef\xbb\xbf";
    while (length > 0 && scan->error[0] == '\0') {
        bool is_mark = scan->at < 3 && bytes[0] == mark[scan->at];
        size_t taken = is_mark ? 1 : take(scan, bytes, length);
        scan->at += (int64_t)taken;
        bytes += taken;
        length -= taken;
    }
}

void json_scan_restart(struct json_scan *scan)
{
    scan->expected = VALUE;
    scan->token = NO_TOKEN;
    scan->depth = 0;
    scan->high = 0;
    scan->documents = 0;
    scan->at = 0;
    scan->path[0] = scan->error[0] = '\0';
}

bool json_scan_is_whole(struct json_scan *scan)
{
    if (scan->token == WORD && scan->depth == 0 && scan->error[0] == '\0')
        end_word(scan);
    return scan->error[0] == '\0' && scan->token == NO_TOKEN && scan->depth == 0 &&
           scan->documents > 0;
}

const char *json_scan_error(const struct json_scan *scan)
{
    return scan->error[0] == '\0' ? NULL : scan->error;
}
