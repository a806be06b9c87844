/* SPDX-License-Identifier: Apache-2.0 */
/* The values that a reader wants out of JSON, each by its path and with what is kept of it at most. */
#pragma once

#include "report/json_scan.h"

struct json_text {
    const char *path; /* as json_scan tells it */
    int64_t max_bytes;
};

/* `texts` has as many as the table, in its order. */
void json_texts_init(struct cut_text *texts, const struct json_text *table, int count);
void json_texts_deinit(struct cut_text *texts, int count);
void json_texts_clear(struct cut_text *texts, int count);
/* For on_value: the text of that path, emptied; NULL when none is wanted. Of several values the last counts. */
struct cut_text *json_texts_begin(struct cut_text *texts, const struct json_text *table, int count,
                                  const char *path);
