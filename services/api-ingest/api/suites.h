/* SPDX-License-Identifier: Apache-2.0 */
/* Suites of a project. */
#pragma once

#include "base/fields.h"
#include "routes.h"

route_handler suites_list, suites_create, suites_get, suites_put, suites_patch, suites_remove,
    suites_cases;

extern const struct fields suite_head_fields; /* of a body */
