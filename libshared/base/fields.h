/* SPDX-License-Identifier: Apache-2.0 */
/* Field tables: one description of a struct from which it is decoded, encoded and freed, so that a
 * member can never be added to one side only. Used by messages and by API bodies. Unknown members are
 * ignored; missing or wrong ones are refused by their path ("cases[3].name") and bound. */
#pragma once

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/names.h"
#include "base/uuid.h"

enum field_type {
    FIELD_UUID,    /* struct uuid */
    FIELD_TEXT,    /* char *, owned; NULL when absent. max = most bytes (0: FIELD_TEXT_MAX) */
    FIELD_INT,     /* int64_t in min … max (both 0: any) */
    FIELD_REAL,    /* double */
    FIELD_BOOL,    /* bool */
    FIELD_ENUM,    /* int, by .names */
    FIELD_JSON,    /* json_t *, owned; any value; NULL when absent */
    FIELD_OBJECT,  /* json_t *, owned; must be an object; NULL when absent */
    FIELD_TEXTS,   /* struct texts: list of strings. max = most entries */
    FIELD_RECORD,  /* a nested struct, by .of */
    FIELD_RECORDS, /* struct records: list of structs, by .of. max = most entries */
};

#define FIELD_TEXT_MAX (256 * 1024)

struct texts {
    char **list; /* owned, each entry too */
    size_t count;
};

struct records {
    void *list; /* owned array of structs of .of->size */
    size_t count;
};

struct field {
    const char *name;
    enum field_type type;
    size_t offset;
    bool
        optional; /* absent (or null) leaves the zero value, or .fallback for FIELD_INT / FIELD_BOOL */
    int64_t min, max;
    int64_t fallback;
    const struct names *names;
    const struct fields *of;
};

struct fields {
    const struct field *list;
    size_t count;
    size_t size; /* of the struct */
};

#define FIELDS(struct_type, array)                                                                 \
    {                                                                                              \
        .list = (array), .count = sizeof(array) / sizeof((array)[0]), .size = sizeof(struct_type)  \
    }

/* *out (a struct of fields->size) is written only on success; fields_free frees it then. */
int fields_decode(const struct fields *fields, const json_t *json, void *out,
                  struct error *error) WARN_UNUSED;

/* A new reference. NULL texts and JSON of optional fields, and null UUIDs, are left out. */
json_t *fields_encode(const struct fields *fields, const void *in);

/* Frees what the struct owns and zeroes it; the struct itself is the caller's. */
void fields_free(const struct fields *fields, void *in);

void texts_add(struct texts *texts, const char *text);
void texts_deinit(struct texts *texts);
void texts_keep_each_once(struct texts *texts);          /* sorted then */
void *records_add(struct records *records, size_t size); /* a zeroed new last entry */
