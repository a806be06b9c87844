/* SPDX-License-Identifier: Apache-2.0 */
/* PATCH is a JSON merge patch (RFC 7396) of what GET answers, given to PUT: members that are not named stay, null is
 * what a PUT without the member would make of it (slug and title cannot be null), objects are merged likewise. */
#pragma once

#include "base/fields.h"
#include "http/request.h"
#include "routes.h"

struct patch_kind {
    route_handler *get, *put;
    const struct fields *fields; /* of the PUT's body: what can be changed */
    /* Where GET answers another form, instead: what a PUT that changes nothing would be given. */
    int (*body)(struct request *request, const json_t *there, json_t **body_r, struct error *error);
};

/* "conflict" when somebody else changed it in between, and no If-Match was given. */
int patch_apply(const struct patch_kind *kind, struct request *request, struct response *response,
                struct error *error) WARN_UNUSED;
