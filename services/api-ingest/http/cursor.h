/* SPDX-License-Identifier: Apache-2.0 */
/* Where a list goes on, as an opaque text. It is not signed: whoever forges one reads from another place of a list
 * that is theirs to read, so what it says is checked for its form alone. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Any text as a cursor, and back: text_r is valid UTF-8. Caller frees. */
char *cursor_encode(const char *text);
int cursor_decode(const char *cursor, char **text_r, struct error *error) WARN_UNUSED;

/* Whole numbers between dots, "7.1.12": number i in min … max[i]. What stands behind the dot after the last one is
 * *rest_r, borrowed; rest_r NULL: nothing may. */
int cursor_numbers(const char *text, int64_t min, const int64_t max[], size_t count,
                   int64_t numbers_r[], const char **rest_r, struct error *error) WARN_UNUSED;

/* Refuses it by its name. Returns -1. */
int cursor_refuse(struct error *error);
