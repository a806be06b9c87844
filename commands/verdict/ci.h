/* SPDX-License-Identifier: Apache-2.0 */
/* What a CI server says of the build in its environment. */
#pragma once

#include <jansson.h>

/* Borrowed from the environment; NULL where nothing was said. */
struct ci {
    const char *provider; /* "github", "gitlab", "jenkins", "buildkite"; NULL: none of them */
    const char *build, *branch, *commit;
    char pull_request[32]; /* "" when it is none */
    char url[512];         /* of the build; "" when not known */
    const char *actor;
};

typedef const char *ci_get(const char *name); /* getenv, or a test's */

void ci_read(ci_get *get, struct ci *ci);

/* A run's trigger metadata: provider, build_url, pull_request, actor. New reference. */
json_t *ci_trigger(const struct ci *ci);
