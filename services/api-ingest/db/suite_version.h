/* SPDX-License-Identifier: Apache-2.0 */
/* api.suite_version and api.declared_case. */
#pragma once

#include <stdint.h>

#include "base/uuid.h"
#include "model/case_key.h"
#include "store/store.h"

struct suite_version_row {
    const struct uuid *project_id;
    const char *slug;
    uint8_t digest[32];
};

struct declared_cases;
struct declared_cases *declared_cases_new(void);
void declared_cases_free(struct declared_cases **cases);
void declared_cases_add(struct declared_cases *cases, const struct case_key *key,
                        const char *selector, const char *file, const char *class, const char *name,
                        const char *parameters);

/* A version that is to be stored, whole. */
struct suite_draft {
    struct uuid id; /* that it will have, unless somebody stores the same before */
    uint8_t digest[32];
    char *spec; /* JSON, without the cases */
    int64_t cases;
    struct declared_cases *declared;
};
void suite_draft_free(struct suite_draft **draft);

/* By project, slug and digest; *id_r is "" when there is none. */
int suite_version_db_find(struct store *store, const struct suite_version_row *row,
                          struct uuid *id_r, struct error *error) WARN_UNUSED;
/* The same, and it stays until the end of the transaction. */
int suite_version_db_hold(struct store *store, const struct suite_version_row *row,
                          struct uuid *id_r, struct error *error) WARN_UNUSED;
/* Nothing named it for long, and it was removed just before somebody would have named it again. */
#define SUITE_VERSION_GONE                                                                         \
    "the suite's version was removed just now, since nothing named it: try again"
/* With its cases. Somebody who adds the same at once wins or loses; either way *id_r is the one. */
int suite_version_db_add(struct store *store, const struct suite_version_row *row,
                         const struct suite_draft *draft, struct uuid *id_r,
                         struct error *error) WARN_UNUSED;
/* The cases of one that was just added; queued. */
int suite_version_db_add_cases(struct store *store, const struct suite_draft *draft,
                               struct error *error) WARN_UNUSED;
