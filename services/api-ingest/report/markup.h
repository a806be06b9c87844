/* SPDX-License-Identifier: Apache-2.0 */
/* Text inside XML and HTML: escaped, with what no XML 1.0 document may hold replaced by U+FFFD. Good in
 * element content and in double-quoted attributes. */
#pragma once

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

void markup_text(FILE *out, const char *text); /* NULL writes nothing */
/* At most max_bytes of it, not cutting a character; a mark when something was left out. */
void markup_cut(FILE *out, const char *text, size_t max_bytes);
void markup_attribute(FILE *out, const char *name, const char *text); /* ' name="text"' */
/* JSON inside a <script> element of HTML: nothing in it ends the element. */
void markup_script_json(FILE *out, const json_t *json);
/* "1.234" seconds. */
void markup_seconds(FILE *out, int64_t duration_ms);
/* "850 ms", "12.3 s", "4 min 5 s", "1 h 2 min". */
void markup_duration(FILE *out, int64_t duration_ms);
