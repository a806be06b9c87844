/* SPDX-License-Identifier: Apache-2.0 */
/* Things are named by slug or by id wherever a name is taken: WHERE slug = $1 OR id = $2. */
#pragma once

#include "base/uuid.h"

struct name {
    const char *slug; /* borrowed; NULL when the text is an id, or there is none */
    struct uuid id;   /* "" when it is no id */
};

struct name name_read(const char *text); /* NULL is no name */
