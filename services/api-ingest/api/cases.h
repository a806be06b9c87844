/* SPDX-License-Identifier: Apache-2.0 */
/* GET /v1/cases/{key}: a case over its runs. */
#pragma once

#include "routes.h"

route_handler cases_get, cases_list;
