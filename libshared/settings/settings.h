/* SPDX-License-Identifier: Apache-2.0 */
/* Settings come from environment variables alone (NAME, or NAME_FILE: the content of that file, for
 * secrets). A service describes its settings in one table; --help and docs are printed from it; all
 * wrong ones are reported at once, each with its bounds. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

enum setting_type {
    SETTING_TEXT,     /* char *, owned */
    SETTING_SECRET,   /* char *, owned; never printed; NAME_FILE is the way to give it */
    SETTING_INT,      /* int64_t in min … max */
    SETTING_DURATION, /* int64_t ms: "250ms", "30s", "5m"; min … max in ms */
    SETTING_BOOL,     /* bool: true/false/1/0/yes/no */
    SETTING_ENUM,     /* int, by .names */
    SETTING_LISTEN,   /* struct listen_address: "127.0.0.1:8080", ":8080", "[::1]:8080" */
};

struct names;

struct listen_address {
    char host[64]; /* "" is every address */
    uint16_t port;
};

struct setting {
    const char *name; /* "VERDICT_POSTGRES_URL" */
    enum setting_type type;
    size_t offset;
    const char *fallback; /* as it would be written; NULL: must be given */
    int64_t min, max;
    const struct names *names;
    const char *text; /* one line for people */
};

struct settings_table {
    const struct setting *list;
    size_t count;
};
#define SETTINGS(array)                                                                            \
    {                                                                                              \
        .list = (array), .count = sizeof(array) / sizeof((array)[0])                               \
    }

/* Several tables fill one struct (common ones and the service's own): call once per table with the
 * struct each offset counts from. Writes every problem to `problems`, one a line; 0 when there is none. */
int settings_load(const struct settings_table *table, void *out, FILE *problems) WARN_UNUSED;
void settings_free(const struct settings_table *table, void *out);

/* --help, and a Markdown table for docs. */
void settings_print_help(const struct settings_table *table, FILE *out);
void settings_print_markdown(const struct settings_table *table, FILE *out);
