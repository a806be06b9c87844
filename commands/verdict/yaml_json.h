/* SPDX-License-Identifier: Apache-2.0 */
/* YAML as JSON: mappings, sequences and scalars (the core schema), with line and column in errors. */
#pragma once

#include <jansson.h>

#include "base/error.h"

#define YAML_DEPTH_MAX 32

/* *json_r is a new reference. Aliases are refused: a small file must stay small. */
int yaml_load(const char *path, json_t **json_r, struct error *error) WARN_UNUSED;
