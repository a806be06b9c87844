/* SPDX-License-Identifier: Apache-2.0 */
/* Files that tests left: kept by workers, listed and fetched by people. */
#pragma once

#include "routes.h"

route_handler artifacts_list, artifacts_get, artifacts_admit, artifacts_put;
