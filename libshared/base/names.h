/* SPDX-License-Identifier: Apache-2.0 */
/* Enum values that leave the process: the name table beside each enum. */
#pragma once

#include "base/error.h"

struct names {
    const char *what;        /* "run state": for messages */
    const char *const *list; /* indexed by value */
    int count;
};

#define NAMES(what_text, array)                                                                    \
    {                                                                                              \
        .what = (what_text), .list = (array), .count = (int)(sizeof(array) / sizeof((array)[0]))   \
    }

const char *names_get(const struct names *names, int value); /* asserts that value is in range */
int names_find(const struct names *names, const char *text); /* -1 when there is none */
int names_parse(const struct names *names, const char *text, int *value_r,
                struct error *error) WARN_UNUSED;
