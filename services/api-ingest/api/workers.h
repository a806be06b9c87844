/* SPDX-License-Identifier: Apache-2.0 */
/* Workers: how one enrols, who is there, taking one's key away and letting it back. */
#pragma once

#include "base/fields.h"
#include "routes.h"

route_handler workers_list, workers_get, workers_enrol, workers_revoke, workers_restore;

extern const struct fields enrol_fields; /* of a body */
