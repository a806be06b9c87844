/* SPDX-License-Identifier: Apache-2.0 */
/* TAP 13 and 14: plan before or behind, directives, subtests, YAML diagnostics, bail out. A plan that is
 * missing or not fulfilled, comes twice or in the middle, or has no room for a test's number, means that the
 * report is not whole. Lines that are not TAP are other output. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/text.h"
#include "model/limits.h"
#include "report/reader.h"
#include "report/tap_line.h"
#include "report/tap_yaml.h"
#include "report/text.h"

#define LINE_BYTES_MAX ((int64_t)16 * 1024)
#define LEVELS_MAX     8
#define BAIL_BYTES_MAX 100
#define INDENT         4

/* node-tap: the line of a subtest comes before it, "}" behind it. */
enum braces { NO_BRACES, BRACES_PASSED, BRACES_FAILED };

/* One level of subtests; level 0 is the report itself. */
struct level {
    int64_t planned; /* -1: not told yet */
    int64_t seen;
    int64_t seen_before_plan;
    int64_t highest;      /* number of a test; 0: none had one */
    bool failed;          /* one of its cases, or of a subtest's in it */
    struct cut_text name; /* "# Subtest: name" */
    enum braces braces;
};

struct report_reader {
    struct report_handlers handlers;
    struct cut_text line;
    struct level levels[LEVELS_MAX];
    int depth; /* of the subtest that is read */
    bool any_byte, bailed_out;
    int64_t version; /* 0: it does not say */
    char why[120];
    bool has_case;             /* a case waits for its diagnostics */
    bool in_yaml, may_be_yaml; /* the line before was a test */
    struct tap_line test;
    struct tap_yaml yaml;
    enum result_status status;
    struct cut_text class, trace;
};

/* What ended where a line stands further left than the ones before. */
enum subtest {
    NO_SUBTEST, /* also lines that only look like one: a real one has a plan */
    SUBTEST_PASSED,
    SUBTEST_FAILED,
};

/* ---- cases ------------------------------------------------------------------------------------- */

static void flush_case(struct report_reader *reader)
{
    if (!reader->has_case)
        return;
    reader->has_case = reader->in_yaml = false;
    const char *name = cut_text_get(&reader->test.name);
    const char *message = cut_text_get(&reader->test.directive);
    const struct reported_case reported = {
        .class = cut_text_get(&reader->class),
        .name = name == NULL ? "(no name)" : name,
        .status = reader->status,
        .duration_ms = reader->test.duration_ms,
        .message = message != NULL ? message : cut_text_get(&reader->yaml.message),
        .trace = cut_text_get(&reader->trace)};
    reader->handlers.on_case(reader->handlers.context, &reported);
}

static void name_class(struct report_reader *reader)
{
    for (int i = 1; i <= reader->depth; i++) {
        const char *name = cut_text_get(&reader->levels[i].name);
        if (i > 1)
            cut_text_add(&reader->class, ".", 1);
        if (name != NULL)
            cut_text_add(&reader->class, name, strlen(name));
    }
}

static void begin_case(struct report_reader *reader, bool passed, const char *text)
{
    flush_case(reader);
    reader->has_case = true;
    reader->status = passed ? RESULT_PASSED : RESULT_FAILED;
    cut_text_clear(&reader->class);
    cut_text_clear(&reader->trace);
    tap_yaml_begin(&reader->yaml, 0);
    name_class(reader);
    tap_line_read(&reader->test, text, reader->version);
    if (reader->test.directive.buffer.length > 0)
        reader->status = RESULT_SKIPPED;
    reader->levels[reader->depth].failed |= reader->status == RESULT_FAILED;
}

/* ---- lines ------------------------------------------------------------------------------------- */

static void begin_level(struct level *level)
{
    level->planned = -1;
    level->seen = level->seen_before_plan = level->highest = 0;
    level->failed = false;
    level->braces = NO_BRACES;
}

/* The first thing that is wrong is told. */
__attribute__((format(printf, 2, 3))) static void complain(struct report_reader *reader,
                                                           const char *format, ...)
{
    va_list args;
    if (reader->why[0] != '\0')
        return;
    va_start(args, format);
    vsnprintf(reader->why, sizeof reader->why, format, args);
    va_end(args);
}

static void check_plan(struct report_reader *reader, const struct level *level, const char *where)
{
    if (level->planned < 0)
        return;
    if (level->seen != level->planned)
        complain(reader, "%lld of %lld planned tests%s", (long long)level->seen,
                 (long long)level->planned, where);
    if (level->highest > level->planned)
        complain(reader, "test %lld is outside the plan, which has %lld%s",
                 (long long)level->highest, (long long)level->planned, where);
    if (level->seen_before_plan > 0 && level->seen > level->seen_before_plan)
        complain(reader, "the plan stands in the middle of the tests%s", where);
}

/* A subtest is over when a line stands further left. */
static enum subtest leave_subtests(struct report_reader *reader, int depth)
{
    enum subtest left = NO_SUBTEST;
    for (; reader->depth > depth; reader->depth--) {
        struct level *level = &reader->levels[reader->depth];
        check_plan(reader, level, " in a subtest");
        if (level->planned < 0 || level->seen == 0)
            left = NO_SUBTEST;
        else
            left = level->failed || left == SUBTEST_FAILED ? SUBTEST_FAILED : SUBTEST_PASSED;
        begin_level(level);
    }
    return left;
}

static void enter_subtest(struct report_reader *reader, int depth, const char *name)
{
    flush_case(reader);
    if (depth >= LEVELS_MAX)
        depth = LEVELS_MAX - 1;
    for (int i = reader->depth + 1; i <= depth; i++) {
        begin_level(&reader->levels[i]);
        cut_text_clear(&reader->levels[i].name);
    }
    reader->depth = depth;
    cut_text_clear(&reader->levels[depth].name);
    if (name != NULL)
        cut_text_add(&reader->levels[depth].name, name, strlen(name));
}

static void note_test(struct level *level, const char *text)
{
    int64_t number = strtoll(text, NULL, 10);
    level->seen++;
    if (number > level->highest)
        level->highest = number;
}

/* "not ok 1 - name # time=5ms {": what sums the subtest up stands in front of it. Whether it does, and is no case
 * itself, tells the next line: a name may end so. */
static void open_braces(struct report_reader *reader, bool passed)
{
    const char *name = cut_text_get(&reader->test.name);
    struct level *level = &reader->levels[++reader->depth];
    begin_level(level);
    cut_text_clear(&level->name);
    cut_text_add(&level->name, name, strlen(name) - (text_ends(name, " {") ? 2 : 0));
    level->braces = passed ? BRACES_PASSED : BRACES_FAILED;
}

/* A line within braces: what stands in front of them is no case. */
static void settle_braces(struct report_reader *reader, int depth)
{
    const struct level *level = &reader->levels[depth];
    if (reader->depth == depth && level->braces != NO_BRACES && level->seen == 0 &&
        level->planned < 0)
        reader->has_case = false;
}

static void close_braces(struct report_reader *reader, int depth)
{
    struct level *level = &reader->levels[depth + 1];
    if (depth + 1 >= LEVELS_MAX || reader->depth < depth + 1 || level->braces == NO_BRACES)
        return;
    const char *name = cut_text_get(&level->name);
    AUTO(text_free) char *line = xasprintf("- %s", name == NULL ? "" : name);
    bool passed = level->braces == BRACES_PASSED;
    settle_braces(reader, depth + 1);
    flush_case(reader);
    enum subtest left = leave_subtests(reader, depth);
    if (left == NO_SUBTEST || (left == SUBTEST_PASSED && !passed))
        begin_case(reader, passed, line);
}

/* The line that sums a subtest up is no case of its own, unless it says of a subtest whose cases have all
 * passed that it failed: then what failed is around them. */
static void on_test_line(struct report_reader *reader, int depth, bool passed, const char *text)
{
    settle_braces(reader, depth);
    flush_case(reader);
    enum subtest left = leave_subtests(reader, depth);
    if (depth > reader->depth)
        enter_subtest(reader, depth, NULL);
    note_test(&reader->levels[depth], text);
    reader->levels[depth].failed |= left == SUBTEST_FAILED;
    reader->may_be_yaml = true;
    if (left == NO_SUBTEST || (left == SUBTEST_PASSED && !passed))
        begin_case(reader, passed, text);
    if (left == NO_SUBTEST && text_ends(text, " {") && depth + 1 < LEVELS_MAX)
        open_braces(reader, passed);
}

static void on_plan_line(struct report_reader *reader, int depth, const char *text)
{
    int64_t count = strtoll(text + 3, NULL, 10);
    settle_braces(reader, depth);
    flush_case(reader);
    if (depth > reader->depth)
        enter_subtest(reader, depth, NULL);
    struct level *level = &reader->levels[depth];
    if (level->planned >= 0)
        complain(reader, "there are two plans: 1..%lld and 1..%lld", (long long)level->planned,
                 (long long)count);
    level->planned = count;
    level->seen_before_plan = level->seen;
}

static void add_diagnostic(struct report_reader *reader, const char *text)
{
    if (!reader->has_case)
        return;
    cut_text_add(&reader->trace, text, strlen(text));
    cut_text_add(&reader->trace, "\n", 1);
}

static void begin_yaml(struct report_reader *reader, size_t indent)
{
    reader->in_yaml = true;
    tap_yaml_begin(&reader->yaml, indent);
}

/* Whether the line is of the block. */
static bool read_yaml_line(struct report_reader *reader, const char *line)
{
    enum tap_yaml_line kind = tap_yaml_read(&reader->yaml, line);
    reader->in_yaml = kind == TAP_YAML_TAKEN;
    if (kind == TAP_YAML_TAKEN)
        add_diagnostic(reader, line + reader->yaml.indent);
    if (reader->has_case && reader->yaml.duration_ms > 0)
        reader->test.duration_ms = reader->yaml.duration_ms;
    return kind != TAP_YAML_OTHER;
}

/* "1..3" and at most a comment: "1..3 of them" is other output. */
static bool is_plan(const char *text)
{
    if (strncmp(text, "1..", 3) != 0 || !isdigit((unsigned char)text[3]))
        return false;
    text += 3 + strspn(text + 3, "0123456789");
    text += strspn(text, " \t");
    return *text == '\0' || *text == '#';
}

/* "ok" is a test line only before a space, a number, or the end: "okay" is other output. */
static const char *behind(const char *text, const char *word)
{
    size_t length = strlen(word);
    if (strncmp(text, word, length) != 0)
        return NULL;
    return text[length] == '\0' || isspace((unsigned char)text[length]) ? text + length : NULL;
}

static void bail_out(struct report_reader *reader, const char *text)
{
    flush_case(reader);
    reader->bailed_out = true;
    bool is_long = strlen(text) > BAIL_BYTES_MAX;
    snprintf(reader->why, sizeof reader->why, "%.*s%s", BAIL_BYTES_MAX, text,
             is_long ? REPORT_CUT_MARK : "");
}

/* "# Subtest: name" stands as far left as the test that it is of, which comes behind it (TAP 14, Node), or as its
 * own tests (Perl): the latter only where such a subtest has not begun already. */
static void on_subtest_line(struct report_reader *reader, size_t indent, int depth,
                            const char *text)
{
    bool is_of_perl = indent > 0 && reader->depth < depth;
    settle_braces(reader, depth);
    enter_subtest(reader, is_of_perl ? depth : depth + 1,
                  text[9] == ':' ? text + 10 + strspn(text + 10, " ") : NULL);
}

static void read_line(struct report_reader *reader, const char *line)
{
    size_t indent = strspn(line, " ");
    const char *text = line + indent;
    int depth = (int)(indent / INDENT);
    const char *rest;
    bool may_be_yaml = reader->may_be_yaml;
    if (depth >= LEVELS_MAX)
        depth = LEVELS_MAX - 1;
    if (reader->in_yaml && read_yaml_line(reader, line))
        return;
    reader->may_be_yaml = false;
    if ((rest = behind(text, "not ok")) != NULL)
        on_test_line(reader, depth, false, rest + strspn(rest, " \t"));
    else if ((rest = behind(text, "ok")) != NULL)
        on_test_line(reader, depth, true, rest + strspn(rest, " \t"));
    else if (strcmp(text, "}") == 0)
        close_braces(reader, depth);
    else if (strncmp(text, "TAP version ", 12) == 0)
        reader->version = strtoll(text + 12, NULL, 10);
    else if (is_plan(text))
        on_plan_line(reader, depth, text);
    else if (strncasecmp(text, "Bail out!", 9) == 0)
        bail_out(reader, text);
    else if (strncmp(text, "# Subtest", 9) == 0)
        on_subtest_line(reader, indent, depth, text);
    else if (strcmp(text, "---") == 0 && (reader->has_case || may_be_yaml))
        begin_yaml(reader, indent);
    else if (text[0] == '#')
        add_diagnostic(reader, text + 1 + strspn(text + 1, " "));
}

/* ---- the interface ----------------------------------------------------------------------------- */

static struct report_reader *tap_open(const struct report_handlers *handlers)
{
    struct report_reader *reader = xcalloc(1, sizeof *reader);
    reader->handlers = *handlers;
    cut_text_init(&reader->line, LINE_BYTES_MAX);
    for (int i = 0; i < LEVELS_MAX; i++) {
        reader->levels[i].planned = -1;
        cut_text_init(&reader->levels[i].name, LIMIT_CASE_NAME_BYTES);
    }
    tap_yaml_init(&reader->yaml);
    cut_text_init(&reader->class, LIMIT_CASE_NAME_BYTES);
    tap_line_init(&reader->test);
    cut_text_init(&reader->trace, LIMIT_RESULT_TRACE_BYTES);
    return reader;
}

static void end_line(struct report_reader *reader)
{
    struct buffer *bytes = &reader->line.buffer;
    if (bytes->length > 0 && bytes->data[bytes->length - 1] == '\r')
        bytes->data[--bytes->length] = '\0';
    const char *line = cut_text_get(&reader->line);
    if (line != NULL && !reader->bailed_out)
        read_line(reader, line);
    cut_text_clear(&reader->line);
}

static void tap_feed(struct report_reader *reader, const char *bytes, size_t length)
{
    reader->any_byte |= length > 0;
    while (length > 0) {
        const char *newline = memchr(bytes, '\n', length);
        size_t part = newline == NULL ? length : (size_t)(newline - bytes);
        cut_text_add(&reader->line, bytes, part);
        if (newline == NULL)
            return;
        end_line(reader);
        bytes += part + 1;
        length -= part + 1;
    }
}

static enum report_wholeness tap_finish(struct report_reader *reader, struct error *why_r)
{
    const struct level *top = &reader->levels[0];
    if (reader->line.buffer.length > 0)
        end_line(reader);
    flush_case(reader);
    leave_subtests(reader, 0);
    if (top->planned < 0 && top->seen == 0 && !reader->bailed_out)
        return REPORT_EMPTY;
    if (top->planned < 0)
        complain(reader, "the plan is missing");
    check_plan(reader, top, "");
    if (reader->why[0] == '\0')
        return REPORT_WHOLE;
    error_set(why_r, "invalid", "TAP: %s", reader->why);
    return REPORT_CUT;
}

static void tap_free(struct report_reader **reader_p)
{
    struct report_reader *reader = *reader_p;
    if (reader == NULL)
        return;
    cut_text_deinit(&reader->line);
    for (int i = 0; i < LEVELS_MAX; i++)
        cut_text_deinit(&reader->levels[i].name);
    tap_yaml_deinit(&reader->yaml);
    cut_text_deinit(&reader->class);
    tap_line_deinit(&reader->test);
    cut_text_deinit(&reader->trace);
    memory_free(reader_p);
}

const struct report_reader_ops tap_reader = {
    .name = "tap", .open = tap_open, .feed = tap_feed, .finish = tap_finish, .free = tap_free};
