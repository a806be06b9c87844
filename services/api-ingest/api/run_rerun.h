/* SPDX-License-Identifier: Apache-2.0 */
/* POST /v1/runs/{run}/rerun. */
#pragma once

#include "routes.h"

route_handler runs_rerun;
