/* SPDX-License-Identifier: Apache-2.0 */
/* What people see: tables, colours, times, and texts of others that may not command the terminal. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "model/states.h"

void print_json(const json_t *json); /* one line on stdout */
/* What `put` writes, on stdout; as_json: {kind: name, "text": …}. Returns EXIT_PASSED. */
int print_document(bool as_json, const char *kind, const char *name, void (*put)(FILE *out));

/* Whether colours are in order there: a terminal, and no NO_COLOR. */
bool is_colourful(FILE *out);
/* The escape that begins a state's or status' colour, and the one that ends it; "" where not colourful. */
const char *colour_begin(FILE *out, const char *state);
const char *colour_end(FILE *out);

/* A copy without control characters but newlines and tabs. "" for NULL. Caller frees. */
char *clean_text(const char *text);

/* The bytes of the longest prefix that takes at most so many columns of a terminal. */
size_t columns_cut(const char *text, int columns);

#define SPAN_TEXT_SIZE 32
/* "0.4 s", "12.3 s", "4 min 05 s", "2 h 03 min". Returns text. */
const char *span_format(int64_t ms, char text[SPAN_TEXT_SIZE]);

/* Columns of equal width. `paths` are members by dotted names; "" ends them. */
struct column {
    const char *title;
    const char *path;
};
void print_table(const json_t *items, const struct column *columns, int count);

/* A member by dotted path as text: numbers, booleans and objects too. Caller frees. */
char *member_text(const json_t *object, const char *path);
const json_t *member_get(const json_t *object, const char *path);

/* "module.Class::name[parameters]" of a result. Caller frees. */
char *case_title(const json_t *result);
