/* SPDX-License-Identifier: Apache-2.0 */
/* Files that runs are to run on: sent by people, fetched by the workers that run them. */
#pragma once

#include "routes.h"

route_handler bundles_get, bundles_admit, bundles_put, dispatch_bundle;
