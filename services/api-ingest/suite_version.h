/* SPDX-License-Identifier: Apache-2.0 */
/* Versions of suites: immutable, named by what they hold. Saving the same specification again gives the
 * same version. Used for stored suites and for those that stand inside a trigger. */
#pragma once

#include "base/uuid.h"
#include "db/suite_version.h"
#include "model/suite.h"
#include "store/store.h"

struct suite_version_ref {
    struct uuid id;
    int64_t cases; /* declared; 0: the whole suite */
};

/* Inside the open transaction of store. "invalid" names a case that is given twice. */
int suite_version_ensure(struct store *store, const struct uuid *project_id, const char *slug,
                         const struct suite_spec *spec, struct suite_version_ref *version_r,
                         struct error *error) WARN_UNUSED;

/* What is to be stored of it. "invalid" as above. */
int suite_draft_make(const char *slug, const struct suite_spec *spec, struct suite_draft **draft_r,
                     struct error *error) WARN_UNUSED;

/* BLAKE2b-256 of the canonical specification, its cases included. */
#define SUITE_DIGEST_BYTES 32
void suite_digest(const struct suite_spec *spec, uint8_t digest_r[SUITE_DIGEST_BYTES]);
