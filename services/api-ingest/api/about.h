/* SPDX-License-Identifier: Apache-2.0 */
/* What runs here, and who asks. */
#pragma once

#include "routes.h"

route_handler about_version, about_me;
