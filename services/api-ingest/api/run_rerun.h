/* SPDX-License-Identifier: Apache-2.0 */
/* POST /v1/runs/{run}/rerun. */
#pragma once

#include "base/fields.h"
#include "routes.h"

route_handler runs_rerun;

extern const struct fields rerun_fields; /* of the body */
