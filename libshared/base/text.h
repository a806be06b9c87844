/* SPDX-License-Identifier: Apache-2.0 */
/* Small questions about text. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

bool text_starts(const char *text, const char *prefix);
bool text_ends(const char *text, const char *suffix);

/* A whole decimal number in min … max; the error names the bounds. */
int int_parse(const char *text, int64_t min, int64_t max, int64_t *value_r,
              struct error *error) WARN_UNUSED;

/* "250ms", "30s", "5m", "2h" (a bare number is seconds) → ms, in min … max. */
int duration_parse(const char *text, int64_t min_ms, int64_t max_ms, int64_t *ms_r,
                   struct error *error) WARN_UNUSED;

/* Lower-case letters, digits and single inner dashes, 1 … 63: slugs of projects, pools … */
bool slug_is_valid(const char *text);

/* A copy that is valid UTF-8 without NUL: what is not becomes U+FFFD. Caller frees. */
char *utf8_clean(const char *bytes, size_t length);

/* The longest prefix of at most max_bytes that does not cut a UTF-8 sequence. */
size_t utf8_cut(const char *text, size_t length, size_t max_bytes);

/* As snprintf and vsnprintf; what does not fit is cut between two characters of UTF-8. */
void text_format(char *buffer, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void text_vformat(char *buffer, size_t size, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

/* CRC-32 (IEEE 802.3) of the text: what partitions and lanes are chosen by. */
uint32_t text_crc32(const char *text);
