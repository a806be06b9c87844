/* SPDX-License-Identifier: Apache-2.0 */
/* Projects, and their audit log. */
#pragma once

#include "base/fields.h"
#include "routes.h"

route_handler projects_list, projects_create, projects_get, projects_put, projects_patch,
    projects_remove, projects_audit, audit_list;

extern const struct fields project_fields; /* of a body */
