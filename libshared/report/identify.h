/* SPDX-License-Identifier: Apache-2.0 */
/* From a case as a report tells it to the case that it is: its name as declared cases are named, its ordinal among
 * equal names, its key. */
#pragma once

#include "model/frameworks.h"
#include "report/reader.h"

struct case_name {
    char *class, *name, *parameters;
};

/* Owned by the caller. */
void case_name_read(const struct framework_facts *framework, const struct reported_case *reported,
                    struct case_name *name_r);
void case_name_deinit(struct case_name *name);

/* One report, or all that tell of one attempt. */
struct identifier;

struct identifier *identifier_new(const struct framework_facts *framework, const char *suite);
void identifier_free(struct identifier **identifier);

/* The key is made of whole names, people are shown what fits the model's limits. */
struct identified_case {
    struct case_key key;
    char *file, *class, *name, *parameters;
};

/* Owned by the caller. */
void identifier_give(struct identifier *identifier, const char *file, const char *class,
                     const char *name, const char *parameters, struct identified_case *case_r);
void identified_case_deinit(struct identified_case *identified);
