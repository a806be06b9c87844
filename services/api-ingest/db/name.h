/* SPDX-License-Identifier: Apache-2.0 */
/* Things are named by slug or by id wherever a name is taken: WHERE slug = $1 OR id = $2. */
#pragma once

#include "base/uuid.h"

struct name {
    const char *slug; /* borrowed; NULL when the text is an id, or there is none */
    struct uuid id;   /* "" when it is no id */
};

struct name name_read(const char *text); /* NULL is no name */
/* What came of a DELETE that failed: "conflict" when something refers to it, else as it was. Returns -1. */
int name_in_use(const char *what, const char *user, struct error *error);
