/* SPDX-License-Identifier: Apache-2.0 */
/* DELETE /v1/runs/{run}. */
#pragma once

#include "routes.h"

route_handler runs_remove;
