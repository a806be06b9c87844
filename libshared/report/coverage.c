/* SPDX-License-Identifier: Apache-2.0 */
/* The first byte that is no blank says which of the two it may be. */
#include "report/coverage.h"

#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

#define LINE_BYTES 4096 /* of LCOV; what is longer says nothing to us */
#define LINES_MAX  ((int64_t)1 << 40)

#define MARK_BYTES 3

enum kind { UNKNOWN, COBERTURA, LCOV, OTHER };

struct coverage_reader {
    enum kind kind;
    size_t marked;     /* bytes of a byte-order mark that were there; all behind a blank */
    XML_Parser parser; /* of Cobertura */
    bool has_root;
    bool has_sums; /* the root said them, as its own tool counts */
    int64_t covered, total;
    /* LCOV: */
    char line[LINE_BYTES];
    size_t length;
    bool has_record, is_open; /* a record was ended; one is not */
    int64_t record_covered, record_total, data_covered, data_total;
    bool record_has_sums;
};

static int64_t number(const char *text)
{
    int64_t value = 0;
    return int_parse(text, 0, LINES_MAX, &value, NULL) < 0 ? -1 : value;
}

/* ---- Cobertura -------------------------------------------------------------------------------- */

static const char *attribute(const char **attributes, const char *name)
{
    for (; attributes[0] != NULL; attributes += 2)
        if (strcmp(attributes[0], name) == 0)
            return attributes[1];
    return NULL;
}

static void on_root(struct coverage_reader *reader, const char *name, const char **attributes)
{
    const char *covered = attribute(attributes, "lines-covered"),
               *total = attribute(attributes, "lines-valid");
    reader->has_root = true;
    if (strcmp(name, "coverage") != 0 || attribute(attributes, "line-rate") == NULL) {
        reader->kind = OTHER;
        return;
    }
    if (covered == NULL || total == NULL || number(covered) < 0 || number(total) < number(covered))
        return;
    reader->has_sums = true;
    reader->covered = number(covered);
    reader->total = number(total);
}

/* Methods list their lines once more. */
static void on_start(void *context, const char *name, const char **attributes)
{
    struct coverage_reader *reader = context;
    if (!reader->has_root) {
        on_root(reader, name, attributes);
        return;
    }
    if (strcmp(name, "method") == 0)
        reader->is_open = true;
    if (reader->has_sums || reader->is_open || strcmp(name, "line") != 0)
        return;
    const char *hits = attribute(attributes, "hits");
    reader->total++;
    reader->covered += hits != NULL && strspn(hits, "0") != strlen(hits);
}

static void on_end(void *context, const char *name)
{
    struct coverage_reader *reader = context;
    if (strcmp(name, "method") == 0)
        reader->is_open = false;
}

/* ---- LCOV ------------------------------------------------------------------------------------- */

static void end_record(struct coverage_reader *reader)
{
    bool sums = reader->record_has_sums && reader->record_covered <= reader->record_total;
    reader->covered += sums ? reader->record_covered : reader->data_covered;
    reader->total += sums ? reader->record_total : reader->data_total;
    reader->record_covered = reader->record_total = reader->data_covered = reader->data_total = 0;
    reader->record_has_sums = reader->is_open = false;
    reader->has_record = true;
}

static void on_line(struct coverage_reader *reader)
{
    const char *line = reader->line, *comma;
    if (reader->length > 0 && line[reader->length - 1] == '\r')
        reader->length--;
    reader->line[reader->length] = '\0';
    if (text_starts(line, "SF:")) {
        reader->is_open = true;
    } else if (text_starts(line, "DA:") && (comma = strchr(line, ',')) != NULL) {
        reader->data_total++;
        reader->data_covered += comma[1] >= '1' && comma[1] <= '9';
    } else if (text_starts(line, "LF:") && number(line + 3) >= 0) {
        reader->record_total = number(line + 3);
        reader->record_has_sums = true;
    } else if (text_starts(line, "LH:") && number(line + 3) >= 0) {
        reader->record_covered = number(line + 3);
    } else if (strcmp(line, "end_of_record") == 0 && reader->is_open) {
        end_record(reader);
    } else if (!reader->is_open && !reader->has_record && !text_starts(line, "TN:") &&
               line[0] != '#' && line[0] != '\0') {
        reader->kind = OTHER;
    }
}

static void feed_lines(struct coverage_reader *reader, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length && reader->kind == LCOV; i++) {
        if (bytes[i] == '\n') {
            on_line(reader);
            reader->length = 0;
        } else if (reader->length < LINE_BYTES - 1) {
            reader->line[reader->length++] = bytes[i];
        }
    }
}

/* ---- both ------------------------------------------------------------------------------------- */

struct coverage_reader *coverage_open(void)
{
    return xcalloc(1, sizeof(struct coverage_reader));
}

void coverage_free(struct coverage_reader **reader)
{
    if (*reader != NULL && (*reader)->parser != NULL)
        XML_ParserFree((*reader)->parser);
    memory_free(reader);
}

/* A byte-order mark and blanks, in pieces of any size; what is behind them. */
static size_t skip_lead(struct coverage_reader *reader, const char *bytes, size_t length)
{
    static const char mark[MARK_BYTES] = {'\xef', '\xbb', '\xbf'};
    for (size_t i = 0; i < length; i++) {
        bool is_between = reader->marked == 0 || reader->marked == MARK_BYTES;
        if (reader->marked < MARK_BYTES && bytes[i] == mark[reader->marked])
            reader->marked++;
        else if (is_between && bytes[i] != '\0' && strchr(" \t\r\n", bytes[i]) != NULL)
            reader->marked = MARK_BYTES;
        else
            return i;
    }
    return length;
}

static void begin(struct coverage_reader *reader, char first)
{
    static const char lcov[] = {'T', 'S', '#'};
    bool is_cut_mark = reader->marked != 0 && reader->marked != MARK_BYTES;
    if (is_cut_mark)
        reader->kind = OTHER;
    else if (first == '<')
        reader->kind = COBERTURA;
    else
        reader->kind = memchr(lcov, first, sizeof lcov) != NULL ? LCOV : OTHER;
    if (reader->kind != COBERTURA)
        return;
    reader->parser = XML_ParserCreate(NULL);
    if (reader->parser == NULL)
        abort();
    XML_SetUserData(reader->parser, reader);
    XML_SetElementHandler(reader->parser, on_start, on_end);
}

void coverage_feed(struct coverage_reader *reader, const char *bytes, size_t length)
{
    if (reader->kind == UNKNOWN) {
        size_t lead = skip_lead(reader, bytes, length);
        bytes += lead;
        length -= lead;
        if (length == 0)
            return;
        begin(reader, bytes[0]);
    }
    if (reader->kind == LCOV)
        feed_lines(reader, bytes, length);
    else if (reader->kind == COBERTURA &&
             XML_Parse(reader->parser, bytes, (int)length, 0) != XML_STATUS_OK)
        reader->kind = OTHER;
}

bool coverage_is_other(const struct coverage_reader *reader)
{
    return reader->kind == OTHER;
}

struct coverage coverage_finish(struct coverage_reader *reader)
{
    if (reader->kind == LCOV && reader->length > 0)
        on_line(reader);
    bool is_whole = (reader->kind == LCOV && reader->has_record && !reader->is_open) ||
                    (reader->kind == COBERTURA &&
                     XML_Parse(reader->parser, "", 0, 1) == XML_STATUS_OK && reader->kind != OTHER);
    return (struct coverage){
        .is_one = is_whole, .lines_covered = reader->covered, .lines_total = reader->total};
}
