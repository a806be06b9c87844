/* SPDX-License-Identifier: Apache-2.0 */
/* The body of a POST /v1/runs, on its way into a trigger. Only runs/ includes this. */
#pragma once

#include "base/fields.h"
#include "runs/trigger.h"

#define NAME_BYTES 63

struct trigger_body {
    char *project, *template, *environment, *pool, *build_version, *branch, *commit, *title,
        *parent;
    json_t *suite, *parameters, *metadata, *policy, *requirements, *expect;
    int64_t priority;
    int relation;
};

/* Finds what the body names, and joins it with what the suite and the template say already; members of the body win.
 * Texts may be taken out of the body. Errors name the field. */
int trigger_fill(struct request *request, struct trigger_body *body, struct trigger *trigger,
                 struct error *error) WARN_UNUSED;

/* trigger_suite.c: a suite that stands in the body. Fills what the trigger knows of its suite, and adds its
 * requirements. */
int trigger_take_inline_suite(const json_t *json, struct trigger *trigger, json_t *requirements,
                              struct error *error) WARN_UNUSED;
