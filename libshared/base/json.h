/* SPDX-License-Identifier: Apache-2.0 */
/* JSON from outside, with limits, on jansson: depth checked before parsing, duplicate keys and NUL
 * refused, errors that say where. */
#pragma once

#include <jansson.h>

#include "base/error.h"

#define JSON_DEPTH_MAX 32

/* *json_r is a new reference. */
int json_parse(const char *bytes, size_t length, json_t **json_r, struct error *error) WARN_UNUSED;

/* Compact text; caller frees. Aborts on NULL only: every value was made by us or parsed as UTF-8. */
char *json_text(const json_t *json);

/* A string from bytes that may not be UTF-8: bad sequences and NUL become U+FFFD. New reference. */
json_t *json_lossy(const char *bytes, size_t length);

void json_free(json_t **json); /* destructor for AUTO: decref */

/* Members by name; NULL, fallback or "" when missing or of another type. Borrowed. */
const char *json_find_text(const json_t *object, const char *name);
const char *json_text_of(const json_t *object, const char *name); /* "" instead of NULL */
int64_t json_find_int(const json_t *object, const char *name, int64_t fallback);
bool json_find_bool(const json_t *object, const char *name, bool fallback);
