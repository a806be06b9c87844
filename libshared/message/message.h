/* SPDX-License-Identifier: Apache-2.0 */
/* What every message has in common: JSON text whose first members are `version` and `type`, a field
 * table per type, and a bound on its size. Unknown members are ignored, missing or wrong ones are
 * refused by name, so a poison message is found here and nowhere later. */
#pragma once

#include <jansson.h>
#include <stddef.h>

#include "base/error.h"
#include "base/fields.h"

struct message_type {
    const char *name; /* "run.submitted" */
    int version;      /* ours; an older one may lack optional fields, a newer one may have more */
    const struct fields *fields;
    const char *topic; /* for docs: the topic that carries it */
    const char *text;  /* for docs */
};

/* Text of the message; caller frees. Fails with "too_large" beyond LIMIT_MESSAGE_BYTES: the makers of
 * lists split them before. */
int message_encode(const struct message_type *type, const void *in, char **text_r,
                   struct error *error) WARN_UNUSED;

/* Parsed JSON of any message, with its type's name (borrowed from *json_r). Code "invalid" otherwise. */
int message_parse(const char *bytes, size_t length, json_t **json_r, const char **type_r,
                  struct error *error) WARN_UNUSED;

/* *out is a struct of type->fields->size, freed with message_free. */
int message_decode(const struct message_type *type, const json_t *json, void *out,
                   struct error *error) WARN_UNUSED;
void message_free(const struct message_type *type, void *message);

/* All types, for docs and fuzzing. */
extern const struct message_type *const message_types[];
extern const size_t message_types_count;
