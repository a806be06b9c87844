/* SPDX-License-Identifier: Apache-2.0 */
/* Templates: saved triggers. A pipeline needs only the slug or id of one. */
#pragma once

#include "base/fields.h"
#include "routes.h"

route_handler templates_list, templates_create, templates_get, templates_put, templates_remove;

extern const struct fields template_fields; /* of a body */
