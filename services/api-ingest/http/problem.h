/* SPDX-License-Identifier: Apache-2.0 */
/* From error codes to answers: one table of code, status and title, and the RFC 9457 document. */
#pragma once

#include <jansson.h>

#include "base/error.h"

struct problem_kind {
    const char *code; /* of struct error */
    int status;
    const char *title;
    int retry_after_s; /* 0: trying again does not help by itself */
};

/* Never NULL: unknown codes, and what Postgres refused, are "internal". */
const struct problem_kind *problem_kind_get(const struct error *error);
/* NULL: no code has that status. */
const struct problem_kind *problem_kind_of_status(int status);
/* {type, title, status, code, detail, message, errors?}: new reference. The texts of internal errors are
 * for the log, not for the world. */
json_t *problem_json(const struct problem_kind *kind, const struct error *error);
