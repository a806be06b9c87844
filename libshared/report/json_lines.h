/* SPDX-License-Identifier: Apache-2.0 */
/* A JSON object a line, as tools stream events, among lines that are other output. */
#pragma once

#include "report/json_texts.h"

struct json_lines_handlers {
    void (*on_event)(void *context);  /* the texts of a line are there */
    void (*on_broken)(void *context); /* a line that began as an object cannot be read */
    void *context;
};

struct json_lines;

/* Fills `texts`, which are the caller's, as json_texts.h says; it initialises them. */
struct json_lines *json_lines_new(struct cut_text *texts, const struct json_text *table, int count,
                                  const struct json_lines_handlers *handlers);
void json_lines_free(struct json_lines **lines);
void json_lines_feed(struct json_lines *lines, const char *bytes, size_t length);
void json_lines_end(struct json_lines *lines);             /* the last one may have no end */
int64_t json_lines_number(const struct json_lines *lines); /* of the line that is read, from 1 */
