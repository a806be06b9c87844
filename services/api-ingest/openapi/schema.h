/* SPDX-License-Identifier: Apache-2.0 */
/* JSON schemas: from field tables, and what is written by hand made complete. */
#pragma once

#include <jansson.h>

#include "base/fields.h"

/* The object that fields_decode takes. Optional members may be null. New reference. */
json_t *schema_of_fields(const struct fields *fields);
/* Adds the members of the second to the first. */
void schema_add_fields(json_t *schema, const struct fields *fields);
/* "required" of each object in it: all its members but those of its x-optional, which goes. */
void schema_require(json_t *schema);
json_t *schema_ref(const char *name);
