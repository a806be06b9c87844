/* SPDX-License-Identifier: Apache-2.0 */
/* What stands behind "ok" or "not ok" in a line of TAP: number, dash, name, directive. */
#pragma once

#include <stdbool.h>

#include "report/text.h"

struct tap_line {
    struct cut_text name;
    struct cut_text directive; /* "SKIP why"; a todo is expected to fail: it counts neither way */
    int64_t duration_ms;       /* 0: it does not say */
};

void tap_line_init(struct tap_line *line);
void tap_line_deinit(struct tap_line *line);
/* version: of TAP; 0 where the report does not say. */
void tap_line_read(struct tap_line *line, const char *text, int64_t version);
