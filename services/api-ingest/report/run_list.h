/* SPDX-License-Identifier: Apache-2.0 */
/* A project's runs as a page without a script. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

struct run_list {
    const json_t *project;
    const json_t *runs; /* newest first, each with its "page" */
    const char *nonce;
    const char *state, *suite, *branch; /* that were asked for; NULL: any */
    const char *next_cursor;            /* NULL: these are the last */
    bool is_bounded;                    /* older ones were not looked at yet */
};

void run_list_write(const struct run_list *list, FILE *out);
