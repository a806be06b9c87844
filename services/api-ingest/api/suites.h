/* SPDX-License-Identifier: Apache-2.0 */
/* Suites of a project. */
#pragma once

#include "routes.h"

route_handler suites_list, suites_create, suites_get, suites_put, suites_cases;
