/* SPDX-License-Identifier: Apache-2.0 */
/* Environments of a project: where the thing under test runs. */
#pragma once

#include "base/fields.h"
#include "routes.h"

route_handler environments_list, environments_create, environments_get, environments_put,
    environments_patch, environments_remove;

extern const struct fields environment_fields; /* of a body */
