/* SPDX-License-Identifier: Apache-2.0 */
/* The identity of a case: what survives from run to run, worker to worker and format to format.
 * Key: 128-bit BLAKE2b over a version byte and the canonical (suite, file, class, name, parameters). */
#pragma once

#include <stdint.h>

#include "base/error.h"

#define CASE_KEY_BYTES    16
#define CASE_KEY_HEX_SIZE 33
#define CASE_KEY_VERSION  1

/* Borrowed texts; NULL counts as "". For frameworks whose class names the module ("tests.test_a.TestX")
 * `file` is for people and stays out of the key: pass "" there. */
struct case_identity {
    const char *suite;
    const char *file;
    const char *class;
    const char *name;
    const char *parameters;
    int64_t ordinal; /* 0, or the how-manieth of equal names in the whole suite's report (1, 2 …) */
};

struct case_key {
    char hex[CASE_KEY_HEX_SIZE];
};

struct case_key case_key_make(const struct case_identity *identity);
int case_key_parse(const char *hex, struct case_key *key_r, struct error *error) WARN_UNUSED;

/* "test_add[1-2]" → name "test_add", parameters "1-2". Both results are owned by the caller. */
void case_name_split(const char *text, char **name_r, char **parameters_r);
