/* SPDX-License-Identifier: Apache-2.0 */
/* /v1/runs/{run}/why. */
#pragma once

#include "routes.h"

route_handler run_why;
