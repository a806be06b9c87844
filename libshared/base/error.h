/* SPDX-License-Identifier: Apache-2.0 */
/* The reason why a call failed, in memory of the caller. Functions that fill one never log. */
#pragma once

#include <stdbool.h>

#define WARN_UNUSED __attribute__((warn_unused_result))

#define ERROR_TEXT_MAX  400
#define ERROR_FIELD_MAX 120
#define ERROR_ABOUT_MAX 40

struct error {
    char code[32];               /* machine-readable: "invalid", "too_large", "unavailable" … */
    char sqlstate[6];            /* when Postgres refused; empty otherwise */
    char field[ERROR_FIELD_MAX]; /* path of the offending input: "cases[3].name"; may be empty */
    char text[ERROR_TEXT_MAX];   /* for people: names the field and the bound */
    char about
        [ERROR_ABOUT_MAX]; /* id of the thing that it concerns, where a store was told (store_about) */
};

/* Fills *error (NULL is allowed) and returns -1, so that it can end a function. */
int error_set(struct error *error, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As error_set, for bad input: code "invalid", and the field by name. */
int error_field(struct error *error, const char *field, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "context: " before the text; keeps code and field. Returns -1. */
int error_wrap(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "prefix" before the field path ("cases[3]" + "name" → "cases[3].name"), also where the text begins
 * with it. Returns -1. */
int error_in(struct error *error, const char *prefix);

bool error_is(const struct error *error, const char *code);
