/* SPDX-License-Identifier: Apache-2.0 */
/* Texts out of reports, cut at the model's limits with a mark. */
#pragma once

#include <stdint.h>

#include "base/buffer.h"

#define REPORT_CUT_MARK "\n[cut]"

/* A buffer that keeps the first max_bytes of what is added, and drops the rest. */
struct cut_text {
    struct buffer buffer;
    bool cut;
};

void cut_text_init(struct cut_text *text, int64_t max_bytes);
void cut_text_deinit(struct cut_text *text);
void cut_text_clear(struct cut_text *text);
void cut_text_add(struct cut_text *text, const char *bytes, size_t length);
/* Valid UTF-8 within the limit, the mark included; NULL when nothing was added. */
const char *cut_text_get(struct cut_text *text);

/* Seconds as "1.25" (also "1,234.5" and "0") → ms; 0 for what is no time. */
int64_t report_seconds_to_ms(const char *text);
/* "2026-05-01T10:11:12.5+02:00" → unix ms; without a zone it is UTC. 0 for what is no time. */
int64_t report_time_to_ms(const char *text);
/* The first line with something in it, as a message; NULL when there is none (or no text). Owned by the caller. */
char *report_first_line(const char *text);
/* How many of these bytes are white space before the first that is not. */
size_t report_skip_space(const char *bytes, size_t length);
