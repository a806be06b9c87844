/* SPDX-License-Identifier: Apache-2.0 */
/* Labels of workers ({"os": "linux", "memory_mb": 8192}) and the predicates that a run requires:
 * "gpu=cuda", "browser!=safari", "memory_mb>=4096" (also <=, <, >), "gpu" (is there), "!gpu" (is not).
 * Numbers compare as numbers; a label that is missing fulfils only != and !name. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"

struct predicate;

int predicate_parse(const char *text, struct predicate **predicate_r,
                    struct error *error) WARN_UNUSED;
void predicate_free(struct predicate **predicate);
bool predicate_holds(const struct predicate *predicate, const json_t *labels);

/* A list of predicates, all of which must hold. */
struct requirements;

/* From a JSON list of strings (at most LIMIT_REQUIREMENTS); the error names the entry. */
int requirements_parse(const json_t *list, struct requirements **requirements_r,
                       struct error *error) WARN_UNUSED;
void requirements_free(struct requirements **requirements);
bool requirements_hold(const struct requirements *requirements, const json_t *labels);

/* The first predicate that does not hold, as text; NULL when all do. For "why". */
const char *requirements_unmet(const struct requirements *requirements, const json_t *labels);

/* Canonical text of the whole list: equal requirements are one class of waiting tasks. */
const char *requirements_class(const struct requirements *requirements);

/* Labels are an object of at most LIMIT_LABELS texts, whole numbers or booleans. */
int labels_check(const json_t *labels, struct error *error) WARN_UNUSED;
