/* SPDX-License-Identifier: Apache-2.0 */
/* What the names in the body of a trigger mean: template, suite, environment, pool, parent run. */
#pragma once

#include <jansson.h>

#include "store/store.h"

/* Names out of a body, each slug or id; NULL: not given. */
struct trigger_names {
    const char *template, *suite, *environment, *pool, *parent;
};

/* What they mean in the project; "" where there is nothing by that name. */
struct trigger_parts {
    struct uuid template_id, suite_id, suite_version_id, environment_id, pool_id, parent_id;
    char *suite_slug, *suite_title;
    char *source, *framework; /* of the suite: the kind of its source */
    int64_t cases;
    json_t *requirements; /* of the suite; owned */
    json_t *defaults;     /* of the template; owned */
};
/* All by one statement. parts_r is owned by the caller: trigger_parts_deinit. */
int trigger_parts_db_find(struct store *store, const struct uuid *project_id,
                          const struct trigger_names *names, struct trigger_parts *parts_r,
                          struct error *error) WARN_UNUSED;
void trigger_parts_deinit(struct trigger_parts *parts);
