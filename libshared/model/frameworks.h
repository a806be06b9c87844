/* SPDX-License-Identifier: Apache-2.0 */
/* What everybody must know of a framework: its name, whether it can run a list of cases, and how a
 * selector is read as a case's identity. How it is run is the executor's (services/executor/frameworks). */
#pragma once

#include <stdbool.h>

#include "model/case_key.h"

/* How a case of a report is named as declared cases are. */
enum case_naming {
    NAMED_AS_REPORTED, /* what stands in brackets behind the name are its parameters */
    NAMED_WHOLE,       /* nothing in a name is a parameter */
    NAMED_IN_GROUP,    /* the innermost group is the class, and a name may hold anything */
    NAMED_ALONE,       /* without a class, though a report repeats the name as one */
};

struct framework_facts {
    const char *name;
    bool selects_cases; /* can run exactly a list of cases */
    bool streams;       /* its results arrive case by case */
    bool needs_command; /* the suite must say what to run */
    /* A declared selector as identity. Each text is owned by the caller. */
    void (*read_selector)(const char *selector, char **file_r, char **class_r, char **name_r,
                          char **parameters_r);
    /* The other way round, as far as it can be told. Caller frees; NULL: such cases have no selector. */
    char *(*write_selector)(const char *file, const char *class, const char *name,
                            const char *parameters);
    enum case_naming naming;
    int empty_status; /* its exit status when it found no test; 0: as when all passed */
    bool file_in_key; /* where the class does not name it; false: it always does */
};

const struct framework_facts *framework_find(const char *name); /* NULL when unknown */
const struct framework_facts *framework_at(int index);          /* NULL behind the last */
const char *framework_list(void);                               /* "pytest, cmocka, ctest, …" */

/* What selects exactly the case that a report of the suite named so and that has this key; NULL when
 * nothing does, or the framework selects no cases. Caller frees. */
char *framework_selector(const struct framework_facts *framework, const char *suite,
                         const char *key_hex, const char *file, const char *class, const char *name,
                         const char *parameters);

/* The key of a declared case: the same as when a report of that framework names it. */
struct case_key framework_case_key(const struct framework_facts *framework, const char *suite,
                                   const char *file, const char *class, const char *name,
                                   const char *parameters, int64_t ordinal);
