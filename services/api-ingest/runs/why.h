/* SPDX-License-Identifier: Apache-2.0 */
/* Why a run is not further, as a chain of reasons for people: the first is the nearest. Pure. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "model/labels.h"

/* The pool's workers against what the run requires. */
struct why_workers {
    int total, reachable, capable; /* capable ones are reachable too */
    int64_t slots, free_slots;     /* of the capable ones */
    json_t *unmet; /* {"gpu=cuda": 3}: by how many reachable ones it is not met; owned */
};
void why_workers_add(struct why_workers *workers, const struct requirements *requirements,
                     const char *state, const json_t *labels, int64_t slots, int64_t busy);

struct why_facts {
    const json_t *run; /* as answered */
    bool is_final;
    bool owner_is_known, owner_is_alive;
    const char *pool, *owner_alive_at; /* owner_alive_at: NULL when nobody is known */
    const struct why_workers *workers;
    int64_t ahead_same_project, ahead_other_projects;
    const json_t *requests;
};
/* [{"class", "text", "since"?}], never empty: new reference. */
json_t *why_reasons(const struct why_facts *facts);
